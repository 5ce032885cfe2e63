"""Users are looked up by locale; the table of locales was never used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_users_by_locale"
down_revision = "0015_user_locale"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two statements, in one transaction."""
    op.create_index("ix_users_locale", "users", ["locale"])
    op.drop_table("locales")


def downgrade() -> None:
    """The way back."""
    op.create_table("locales", sa.Column("code", sa.String(5), primary_key=True))
    op.drop_index("ix_users_locale", "users")
