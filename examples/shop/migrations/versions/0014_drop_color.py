"""A column removed after its last reader: nothing uses `products.color` since the release after 0013.

The values are in `attributes`, which is checked first, since a dropped column does not come back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_drop_color"
down_revision = "0013_color_to_attributes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    left = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM products WHERE btrim(color) <> '' AND attributes->'color' IS NULL")
    )
    if left:
        raise RuntimeError(
            f"products.color was not dropped: {left} products have their color in that column alone. An instance of the"
            " release before 0013 still writes it; stop it, repeat the UPDATE of 0013, and run this revision again."
        )
    op.drop_column("products", "color")


def downgrade() -> None:
    raise NotImplementedError(
        "0014_drop_color has no way back: the column's own spelling of the colors is gone. Restore a backup, or write a"
        " new revision that adds the column and fills it from attributes."
    )
