"""For `alembic` on a laptop, in CI and in the operator's Jobs, which give it DATABASE_URL."""

from __future__ import annotations

import logging.config

from alembic import context
from shop.database import engine
from shop.models import Base

config = context.config
if config.config_file_name is not None:
    logging.config.fileConfig(config.config_file_name, disable_existing_loggers=False)


def migrate() -> None:
    """Run the revisions as the operator does: one transaction each, UTC, and no long wait for a lock."""
    if context.is_offline_mode():
        raise SystemExit(
            "offline SQL is not offered: it leaves out what revisions read; run against a scratch database"
        )
    # lock_timeout bounds how long a waiting ALTER holds up everybody behind it.
    options = {"options": "-c lock_timeout=3s -c timezone=UTC"}
    with engine(connect_args=options).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


migrate()
