"""One small revision: one table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a1_base"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table("present", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    """The way back."""
    op.drop_table("present")
