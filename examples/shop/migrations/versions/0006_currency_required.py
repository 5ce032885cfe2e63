"""A required column, step 3 of 3: NOT NULL, without a scan under a lock that blocks readers."""

from __future__ import annotations

from alembic import op
from alembic_operator_helpers import add_not_null

revision = "0006_currency_required"
down_revision = "0005_currency_backfill"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_not_null("orders", "currency")


def downgrade() -> None:
    op.alter_column("orders", "currency", nullable=True)
