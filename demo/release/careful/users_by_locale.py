"""Users are looked up by locale."""

from __future__ import annotations

from alembic_operator_helpers import create_index_concurrently, drop_index_concurrently

revision = "0016_users_by_locale"
down_revision = "0015_user_locale"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """While everybody goes on writing."""
    create_index_concurrently("ix_users_locale", "users", ["locale"])


def downgrade() -> None:
    """The way back."""
    drop_index_concurrently("ix_users_locale")
