"""A foreign key on a large table, step 1 of 2: NOT VALID, for rows to come, without reading those that are there."""

from __future__ import annotations

from alembic import op

revision = "0011_fk_order_subscription"
down_revision = "0010_index_order_subscription"
branch_labels = None
depends_on = None

NAME = "fk_orders_subscription_id_subscriptions"


def upgrade() -> None:
    op.create_foreign_key(
        NAME, "orders", "subscriptions", ["subscription_id"], ["id"], ondelete="SET NULL", postgresql_not_valid=True
    )


def downgrade() -> None:
    op.drop_constraint(NAME, "orders", type_="foreignkey")
