"""A required column, step 2 of 3: fill the old rows in batches, each in its own transaction.

One UPDATE of all would lock every order until its end. This one can be killed at any point and goes on where it was.
"""

from __future__ import annotations

from alembic_operator_helpers import backfill

revision = "0005_currency_backfill"
down_revision = "0004_currency_add"
branch_labels = None
depends_on = None

CURRENCY = """
CASE shipping->>'country' WHEN 'CH' THEN 'CHF' WHEN 'GB' THEN 'GBP' WHEN 'US' THEN 'USD' ELSE 'EUR' END
"""


def upgrade() -> None:
    backfill("orders", set={"currency": CURRENCY}, where="currency IS NULL", batch=1000)


def downgrade() -> None:
    """Nothing: a filled column is as good before this revision as after it."""
