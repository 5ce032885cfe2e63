"""The whole history, on every version of PostgreSQL: up, what the models say, down, up again."""

from __future__ import annotations

import re
from typing import LiteralString

from tests.component.shop.shop_runs import SHOP, Shop, revisions

UNINDEXED: LiteralString = """
SELECT k.conname FROM pg_constraint k WHERE k.contype = 'f' AND NOT EXISTS (
  SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
  AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey)
"""
WITHOUT_ENV = """
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from shop.database import engine
script = ScriptDirectory.from_config(Config("alembic.ini"))
steps = lambda heads, context: script._upgrade_revs("head", heads)
with engine().connect() as connection, EnvironmentContext(Config(), script, fn=steps) as environment:
    environment.configure(connection=connection, transaction_per_migration=True)
    with environment.begin_transaction():
        environment.run_migrations()
"""
MAKE = "from shop.models import Base; from shop.database import engine; Base.metadata.create_all(engine())"


def test_models_and_schema_agree_when_at_the_newest_revision(each_shop: Shop) -> None:
    each_shop.upgrade()
    assert "No new upgrade operations detected" in each_shop.ok("-m", "alembic", "check")

    migrated = each_shop.catalog()
    assert len(migrated["columns"]) > 40
    each_shop.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    each_shop.ok("-c", MAKE)
    made = each_shop.catalog()
    assert migrated["columns"] == made["columns"]
    assert migrated["constraints"] == made["constraints"]
    assert migrated["indexes"] == made["indexes"]


def test_schema_is_the_same_when_env_py_is_not_used(shop: Shop) -> None:
    shop.upgrade()
    by_alembic = shop.catalog()
    shop.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    shop.ok("-c", WITHOUT_ENV)
    assert shop.catalog() == by_alembic


def test_schema_is_the_same_when_downgraded_to_base_and_upgraded_again(each_shop: Shop) -> None:
    each_shop.upgrade("0013_color_to_attributes")
    first = each_shop.catalog()
    each_shop.downgrade("base")
    assert {kind: rows for kind, rows in each_shop.catalog().items() if rows} == {}
    each_shop.upgrade("0013_color_to_attributes")
    assert each_shop.catalog() == first


def test_downgrade_is_refused_when_a_column_was_dropped(shop: Shop) -> None:
    shop.upgrade()
    before = shop.catalog()
    done = shop.run("-m", "alembic", "downgrade", "-1")
    assert done.returncode != 0
    assert "0014_drop_color has no way back" in done.stderr
    assert shop.catalog() == before
    assert shop.value("SELECT version_num FROM alembic_version") == "0014_drop_color"


def test_every_foreign_key_has_an_index_when_at_the_newest_revision(shop: Shop) -> None:
    shop.upgrade()
    assert shop.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 7
    assert shop.rows(UNINDEXED) == []


def test_ids_are_plain_words_when_read_from_the_files() -> None:
    ids = revisions()
    assert len(ids) == 14
    assert [revision for revision in ids if not re.fullmatch(r"[A-Za-z0-9_]{1,32}", revision)] == []
    files = sorted(file.stem for file in (SHOP / "migrations" / "versions").glob("*.py"))
    assert files == ids
