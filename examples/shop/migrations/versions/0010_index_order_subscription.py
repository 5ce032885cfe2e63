"""An index CONCURRENTLY, in plain Alembic: writers go on while it is built.

It cannot run in a transaction, so nothing else is in this revision, and it may run twice: a build that failed leaves an
INVALID index behind, which `IF NOT EXISTS` would take for the real one. lock_timeout is off for the build, as it fires
on any old snapshot, of whatever table. `alembic_operator_helpers.create_index_concurrently` does all this in one call.
"""

from __future__ import annotations

from alembic import op

revision = "0010_index_order_subscription"
down_revision = "0009_category_title_contract"
branch_labels = None
depends_on = None

NAME = "ix_orders_subscription_id"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        timeout = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
        op.execute("SET lock_timeout = 0")
        op.drop_index(NAME, "orders", if_exists=True, postgresql_concurrently=True)
        op.create_index(NAME, "orders", ["subscription_id"], postgresql_concurrently=True)
        op.execute(f"SET lock_timeout = '{timeout}'")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "orders", if_exists=True, postgresql_concurrently=True)
