"""Add a table. Its foreign key locks `users` for a moment only, since the new table is empty.

`renews_at` is wall-clock time in Berlin here, as the first release wrote it; 0007 mends that.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0002_subscriptions"
down_revision = "0001_initial"
branch_labels = None
depends_on = None


def upgrade() -> None:
    now = sa.func.now()
    op.create_table(
        "subscriptions",
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", UUID(as_uuid=True), nullable=False),
        sa.Column("plan", sa.String(16), nullable=False),
        sa.Column("price", sa.Numeric(12, 2), nullable=False),
        sa.Column("renews", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("renews_at", sa.DateTime(timezone=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        # It begins with the foreign key's column, hence serves as its index too.
        sa.UniqueConstraint("user_id", "plan", name=op.f("uq_subscriptions_user_id_plan")),
        sa.CheckConstraint("plan IN ('weekly', 'monthly', 'yearly')", name=op.f("ck_subscriptions_plan")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_subscriptions_price")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_subscriptions_user_id_users"), ondelete="CASCADE"
        ),
    )
    op.execute(
        "CREATE TRIGGER subscriptions_touch BEFORE UPDATE ON subscriptions"
        " FOR EACH ROW EXECUTE FUNCTION touch_updated_at()"
    )


def downgrade() -> None:
    op.drop_table("subscriptions")
