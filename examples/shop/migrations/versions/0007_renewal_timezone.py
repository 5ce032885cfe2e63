"""Change a type, with a data step: `subscriptions.renews_at` becomes an instant.

The first release wrote wall-clock time in Berlin. The rows are moved to UTC first; then the type changes without a
rewrite of the table, which PostgreSQL (12 and later) does for timestamp to timestamptz in a session whose time zone is
UTC. Both in one transaction: no reader sees moved values under the old type. One row per customer: one UPDATE will do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_renewal_timezone"
down_revision = "0006_currency_required"
branch_labels = None
depends_on = None


def change_type(*, timezone: bool) -> None:
    op.execute("SET LOCAL timezone = 'UTC'")
    op.alter_column("subscriptions", "renews_at", type_=sa.DateTime(timezone=timezone), existing_nullable=False)


def upgrade() -> None:
    op.execute("UPDATE subscriptions SET renews_at = renews_at AT TIME ZONE 'Europe/Berlin' AT TIME ZONE 'UTC'")
    change_type(timezone=True)


def downgrade() -> None:
    change_type(timezone=False)
    op.execute("UPDATE subscriptions SET renews_at = renews_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'")
