"""Indexes built and dropped concurrently."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import IntegrityError
from tests.cluster.processes import wait_until
from tests.component.helpers.conftest import Project, each_version

from alembic_operator_helpers import HelperError

TABLE = "CREATE TABLE users (id int PRIMARY KEY, email text, name text, data jsonb)"
ROWS = "INSERT INTO users SELECT n, 'U' || n, 'N' FROM generate_series(1, 100) n"
STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_email')"
DEFINITION = "SELECT pg_get_indexdef('ix_email'::regclass)"
OID = "SELECT 'ix_email'::regclass::oid"
PLAIN = 'create_index_concurrently("ix_email", "users", ["email"])'


@pytest.fixture(autouse=True)
def table(project: Project) -> None:
    project.execute(TABLE, ROWS)


@each_version
@pytest.mark.parametrize(
    ("call", "definition"),
    [
        (PLAIN, "CREATE INDEX ix_email ON public.users USING btree (email)"),
        (
            'create_index_concurrently("ix_email", "users", ["email", "name"], unique=True, include=["id"])',
            "CREATE UNIQUE INDEX ix_email ON public.users USING btree (email, name) INCLUDE (id)",
        ),
        (
            'create_index_concurrently("ix_email", "users", [sa.text("lower(email)")], schema="public")',
            "CREATE INDEX ix_email ON public.users USING btree (lower(email))",
        ),
        (
            'create_index_concurrently("ix_email", "users", ["email"], where="email LIKE \'a%\' AND name <> \':x\'")',
            "CREATE INDEX ix_email ON public.users USING btree (email)"
            " WHERE ((email ~~ 'a%'::text) AND (name <> ':x'::text))",
        ),
        (
            'create_index_concurrently("ix_email", "users", ["data"], using="gin")',
            "CREATE INDEX ix_email ON public.users USING gin (data)",
        ),
    ],
)
def test_index_is_built_once_when_asked_for_twice(project: Project, call: str, definition: str) -> None:
    driver = "psycopg2" if "where=" in call else "psycopg"  # for which a per cent sign has to be doubled
    project.migrate(call, driver=driver)
    assert project.value(DEFINITION) == definition
    assert project.value(STATE) is True
    first = project.value(OID)
    project.migrate(call, f"{call}\n{call}", driver=driver)
    assert project.value("SELECT version_num FROM alembic_version") == "r2"
    assert project.value(OID) == first


def test_index_is_built_anew_when_a_failed_build_left_an_invalid_one(project: Project) -> None:
    unique = 'create_index_concurrently("ix_email", "users", ["email"], unique=True)'
    project.execute("UPDATE users SET email = 'U1' WHERE id = 2")
    with pytest.raises(IntegrityError, match="could not create unique index"):
        project.migrate(unique)
    assert project.value(STATE) is False
    project.execute("UPDATE users SET email = 'U2' WHERE id = 2")
    project.migrate()
    assert project.value(STATE) is True
    assert project.value("SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass") == 2


@pytest.mark.parametrize("valid", [True, False])
def test_another_definition_is_refused_when_the_name_is_taken(project: Project, valid: bool) -> None:
    project.execute("CREATE INDEX ix_email ON users (lower(email)) WHERE name = 'N'")
    if not valid:
        project.server.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_email'::regclass", database=project.database
        )
    first = project.value(OID)
    with pytest.raises(HelperError) as caught:
        project.migrate(PLAIN)
    assert str(caught.value) == (
        f"create_index_concurrently: ix_email{'' if valid else ', INVALID,'} exists with another definition. There is:"
        " btree (lower(email)) WHERE (name = 'N'::text). Asked for: btree (email). Drop it by"
        " drop_index_concurrently('ix_email') in a revision before, or give the new one another name."
    )
    assert project.value(OID) == first
    assert project.value("SELECT count(*) FROM pg_class WHERE relname = 'users'") == 1, "the copy is still there"


@pytest.mark.parametrize(
    ("statement", "call", "message"),
    [
        ("SELECT", 'create_index_concurrently("i", "nope", ["x"])', "there is no table 'nope' in the search path"),
        ("SELECT", 'create_index_concurrently("i", "nope", ["x"], schema="s")', "there is no table 'nope' in schema s"),
        ("SELECT", 'create_index_concurrently("i", "public.users", ["x"])', "give the schema as schema="),
        (
            "SELECT",
            'create_index_concurrently("i", "users", ["nope"])',
            "public.users has no column 'nope'; it has id, ",
        ),
        ("SELECT", 'create_index_concurrently("i", "users", ["lower(email)"])', "as sqlalchemy.text('lower(email)')"),
        ("SELECT", 'create_index_concurrently("i", "users", [])', "columns must be a list of at least one"),
        ("SELECT", 'create_index_concurrently("i", "users", "email")', "columns must be a list of at least one"),
        ("SELECT", 'create_index_concurrently("i", "users", [1])', "a column is a name or sqlalchemy.text"),
        ("SELECT", f'create_index_concurrently("{"i" * 64}", "users", ["id"])', "longer than 63 bytes"),
        ("SELECT", 'create_index_concurrently("", "users", ["id"])', "the index's name must be a name"),
        ("SELECT", 'create_index_concurrently("users", "users", ["id"])', "public.users is a table; give the index"),
        (
            "CREATE TABLE other (id int PRIMARY KEY)",
            'create_index_concurrently("other_pkey", "users", ["id"])',
            "other_pkey is an index of other, not of public.users",
        ),
        (
            "CREATE TABLE p (id int) PARTITION BY RANGE (id)",
            'create_index_concurrently("i", "p", ["id"])',
            "public.p is partitioned, where PostgreSQL builds no index concurrently",
        ),
        ("CREATE VIEW v AS SELECT 1 AS id", 'create_index_concurrently("i", "v", ["id"])', "public.v is a view, not a"),
        ("SELECT", 'drop_index_concurrently("users")', "users is a table, which cannot be dropped in this way"),
        ("SELECT", 'drop_index_concurrently("users_pkey")', "serves the constraint users_pkey of users; drop that"),
        (
            "SELECT",
            f"with op.get_context().autocommit_block():\n    {PLAIN}",
            "create_index_concurrently opens an autocommit block of its own",
        ),
    ],
)
def test_error_says_what_to_do_when_asked_for_the_impossible(
    project: Project, statement: str, call: str, message: str
) -> None:
    with project.connect() as connection:
        connection.execute(statement.encode())
    with pytest.raises(HelperError) as caught:
        project.migrate(call)
    assert message in str(caught.value)


def test_build_waits_for_an_old_snapshot_when_the_session_has_a_short_lock_timeout(project: Project) -> None:
    """A lock_timeout would stop it and leave an INVALID index, though it holds up nobody."""
    with project.connect() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM pg_class")
        body = f"op.execute(\"SET lock_timeout = '100ms'\")\n{PLAIN}\nop.execute('CREATE TABLE seen AS SELECT"
        body += " current_setting($$lock_timeout$$) AS timeout')"
        migration = threading.Thread(target=project.migrate, args=(body,))
        migration.start()
        waits = "SELECT extract(epoch FROM clock_timestamp() - state_change) > 0.4 FROM pg_stat_activity"
        wait_until(
            lambda: bool(project.value(waits + " WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'")),
            "the build to wait longer than lock_timeout",
            timeout=20,
        )
        reader.execute("ROLLBACK")
        migration.join(20)
    assert project.value(STATE) is True
    assert project.value("SELECT timeout FROM seen") == "100ms"


def test_index_goes_and_a_missing_one_is_no_error_when_dropped(project: Project) -> None:
    drop = 'drop_index_concurrently("ix_email")\ndrop_index_concurrently("never", schema="public")'
    project.execute("CREATE INDEX ix_email ON users (email)")
    project.migrate(drop, drop)
    assert not project.exists("ix_email")
    assert project.value("SELECT version_num FROM alembic_version") == "r2"
