"""Add a nullable column: the subscription that placed an order.

A change of the catalogue alone, whatever the table's size. Its index and foreign key follow in 0010 to 0012, each with
the lock that suits it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0003_order_subscription"
down_revision = "0002_subscriptions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("subscription_id", UUID(as_uuid=True)))


def downgrade() -> None:
    op.drop_column("orders", "subscription_id")
