"""Rename `categories.name` to `title`, contract: when no instance of the old release runs any more, `name` goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_category_title_contract"
down_revision = "0008_category_title_expand"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER categories_sync ON categories")
    op.execute("DROP FUNCTION categories_sync_title()")
    op.drop_column("categories", "name")


def downgrade() -> None:
    op.add_column("categories", sa.Column("name", sa.String(120)))
    op.execute("UPDATE categories SET name = title")
    op.alter_column("categories", "name", nullable=False)
    op.execute(
        "CREATE FUNCTION categories_sync_title() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF TG_OP = 'UPDATE' AND NEW.name IS DISTINCT FROM OLD.name THEN NEW.title := NEW.name; END IF;"
        " NEW.title := coalesce(NEW.title, NEW.name); NEW.name := NEW.title; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER categories_sync BEFORE INSERT OR UPDATE ON categories"
        " FOR EACH ROW EXECUTE FUNCTION categories_sync_title()"
    )
