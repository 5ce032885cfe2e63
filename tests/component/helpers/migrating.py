"""Made-up revisions, run in this process or by `python -m tests.component.helpers.migrating URL DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import indent
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

REVISION = """
from alembic import op
import sqlalchemy as sa
from alembic_operator_helpers import *

revision = {revision!r}
down_revision = {down!r}


def upgrade():
{body}


def downgrade():
    pass
"""


def write(directory: Path, *bodies: str) -> None:
    """Revisions r1, r2, … with these bodies for upgrade()."""
    versions = directory / "versions"
    versions.mkdir(exist_ok=True)
    for number, body in enumerate(bodies, 1):
        down = f"r{number - 1}" if number > 1 else None
        text = REVISION.format(revision=f"r{number}", down=down, body=indent(body, "    "))
        (versions / f"r{number}.py").write_text(text)


def migrate(url: sa.URL, directory: Path, target: str = "head", **options: Any) -> None:
    """Run the revisions up to a target, or down to base; options are for the migration context."""
    script = ScriptDirectory.from_config(config(directory))

    def steps(heads: Any, _context: MigrationContext) -> list[RevisionStep]:
        if target == "base":
            return script._downgrade_revs(target, heads)
        return script._upgrade_revs(target, heads)

    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection, EnvironmentContext(config(directory), script, fn=steps) as environment:
        environment.configure(connection=connection, transaction_per_migration=True, **options)
        with environment.begin_transaction():
            environment.run_migrations()


def config(directory: Path) -> Config:
    """Alembic's configuration of a directory of revisions."""
    made = Config()
    made.set_main_option("script_location", str(directory))
    made.set_main_option("path_separator", "os")
    return made


if __name__ == "__main__":
    migrate(sa.make_url(sys.argv[1]), Path(sys.argv[2]))
