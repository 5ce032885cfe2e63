"""A data migration: colors move from a column of their own into `attributes`, spelled the same way.

The release of this revision writes `attributes` alone and reads both; what it wrote already is left as it is.
"""

from __future__ import annotations

from alembic import op

revision = "0013_color_to_attributes"
down_revision = "0012_fk_validate"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE products"
        " SET attributes = attributes || jsonb_build_object('color', lower(regexp_replace(btrim(color), '\\s+', '-', 'g')))"
        " WHERE btrim(color) <> '' AND attributes->'color' IS NULL"
    )


def downgrade() -> None:
    """Nothing: the column still holds every color, and the release before this one reads no other place."""
