"""A revision that waits while somebody holds a lock on `present`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b2_alter"
down_revision = "a1_base"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One statement."""
    op.add_column("present", sa.Column("added", sa.Text))


def downgrade() -> None:
    """The way back."""
    op.drop_column("present", "added")
