"""A foreign key on a large table, step 2 of 2: clear what points nowhere, then validate while writers go on."""

from __future__ import annotations

from alembic import op

revision = "0012_fk_validate"
down_revision = "0011_fk_order_subscription"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE orders SET subscription_id = NULL WHERE subscription_id IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM subscriptions WHERE subscriptions.id = orders.subscription_id)"
    )
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_subscription_id_subscriptions")


def downgrade() -> None:
    """Nothing: a validated constraint refuses no row that the one before it would have taken."""
