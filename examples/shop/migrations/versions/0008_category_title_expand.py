"""Rename `categories.name` to `title`, expand: both columns, kept equal by a trigger.

A plain RENAME breaks every running instance of the old release. From here on the old release reads and writes `name`,
the new one `title`, and each sees what the other wrote. A few hundred rows: they are copied here; for a large table
that is a revision of its own, as 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_category_title_expand"
down_revision = "0007_renewal_timezone"
branch_labels = None
depends_on = None

SYNC = """
CREATE FUNCTION categories_sync_title() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'UPDATE' AND NEW.name IS DISTINCT FROM OLD.name THEN NEW.title := NEW.name; END IF;
  NEW.title := coalesce(NEW.title, NEW.name); NEW.name := NEW.title; RETURN NEW;
END $$"""


def upgrade() -> None:
    op.add_column("categories", sa.Column("title", sa.String(120)))
    op.execute(SYNC)
    op.execute(
        "CREATE TRIGGER categories_sync BEFORE INSERT OR UPDATE ON categories"
        " FOR EACH ROW EXECUTE FUNCTION categories_sync_title()"
    )
    op.execute("UPDATE categories SET title = name")
    op.alter_column("categories", "title", nullable=False)


def downgrade() -> None:
    op.execute("DROP TRIGGER categories_sync ON categories")
    op.execute("DROP FUNCTION categories_sync_title()")
    op.drop_column("categories", "title")
