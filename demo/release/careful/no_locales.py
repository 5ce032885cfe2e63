"""The table of locales was never used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_no_locales"
down_revision = "0016_users_by_locale"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was in it is gone; the way back makes it empty."""
    op.drop_table("locales")


def downgrade() -> None:
    """The way back."""
    op.create_table("locales", sa.Column("code", sa.String(5), primary_key=True))
