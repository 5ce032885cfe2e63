"""All helpers on the oldest Python, Alembic, SQLAlchemy and drivers that are supported."""

from __future__ import annotations

import pytest
from tests.component.helpers.conftest import Project
from tests.component.runner.interpreters import oldest_python

MAKE = """op.execute("CREATE TABLE items (id int PRIMARY KEY, n int, note text)")
op.execute("INSERT INTO items (id) SELECT g FROM generate_series(1, 250) g")"""
FILL = """backfill("items", {"n": "id % 7", "note": "':x'"}, "n IS NULL", batch=100)
add_not_null("items", "n")
create_index_concurrently("ix_items", "items", ["n", sa.text("lower(note)")], where="note <> '%s :x'", include=["id"])
create_index_concurrently("ix_items", "items", ["n", sa.text("lower(note)")], where="note <> '%s :x'", include=["id"])
drop_index_concurrently("ix_items")"""


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_every_helper_works_when_the_libraries_are_the_oldest(project: Project, driver: str) -> None:
    process = project.start(MAKE, FILL, python=oldest_python(driver), driver=driver)
    assert process.wait(60) == 0
    assert project.value("SELECT version_num FROM alembic_version") == "r2"
    assert project.value("SELECT count(*) FROM items WHERE n = id % 7 AND note = ':x'") == 250
    assert project.value("SELECT attnotnull FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'n'")
    assert not project.exists("ix_items")
