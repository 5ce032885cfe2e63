"""A required column, step 1 of 3: add it nullable, with a default for rows to come.

The default comes in a statement of its own: given with the column, every old row would read EUR at once, and 0005 could
not tell the rows whose currency nobody knows yet.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_currency_add"
down_revision = "0003_order_subscription"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("currency", sa.String(3)))
    op.alter_column("orders", "currency", server_default="EUR")


def downgrade() -> None:
    op.drop_column("orders", "currency")
