"""Every user has a locale: those who are there get a default one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_user_locale"
down_revision = "0014_drop_color"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two statements, in one transaction."""
    op.create_table("locales", sa.Column("code", sa.String(5), primary_key=True))
    op.add_column("users", sa.Column("locale", sa.String(5), nullable=False, server_default="en"))


def downgrade() -> None:
    """The way back."""
    op.drop_column("users", "locale")
    op.drop_table("locales")
