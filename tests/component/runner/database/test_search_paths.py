"""The search path of a run is the role's own, and the version table is where plain Alembic would find or put it."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import USER, Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome


def _tables(database: Database) -> list[tuple[object, ...]]:
    return database.all(
        "SELECT schemaname || '.' || tablename FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'alembic_operator') ORDER BY 1"
    )


@pytest.fixture
def tables(database: Database, project: Project) -> Project:
    """Two revisions with a table each, named without a schema."""
    project.add("r1", 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))')
    project.add("r2", 'op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True))')
    return project


def test_goes_on_in_the_users_schema_when_plain_alembic_began_there(
    database: Database, tables: Project, runner: Runner
) -> None:
    database.execute(f'CREATE SCHEMA "{USER}"')
    assert database.alembic(tables, "upgrade", "r1").returncode == 0
    assert runner(tables, database.uri, kind=RunKind.CHECK).result.current == ["r1"]
    ended = runner(tables, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert ended.result.database is not None
    assert ended.result.database.search_path == [USER, "public"]
    names = ("alembic_version", "orders", "users")
    assert _tables(database) == [(f"{USER}.{name}",) for name in names]


@pytest.mark.parametrize(
    ("setting", "version_table"),
    [
        ("app, public", "app"),
        ("gone, app", "app"),
        ('"My Schema"', "My Schema"),
        ('"$user", public', "public"),
    ],
)
def test_migrates_where_plain_alembic_does_when_the_database_sets_the_path(
    database: Database, tables: Project, runner: Runner, setting: str, version_table: str
) -> None:
    database.execute(f'CREATE SCHEMA IF NOT EXISTS "{version_table}"')
    database.execute(f"ALTER DATABASE {database.name} SET search_path = {setting}")
    ended = runner(tables, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    ours = _tables(database)
    assert (f"{version_table}.alembic_version",) in ours
    for (name,) in ours:
        schema, _, table = str(name).partition(".")
        database.execute(f'DROP TABLE "{schema}"."{table}"')
    assert database.alembic(tables).returncode == 0
    assert _tables(database) == ours


def test_finds_the_table_further_down_the_path_when_the_first_schema_has_none(
    database: Database, tables: Project, runner: Runner
) -> None:
    assert database.alembic(tables, "upgrade", "r1").returncode == 0
    database.execute("CREATE SCHEMA app")
    database.execute(f"ALTER DATABASE {database.name} SET search_path = app, public")
    assert runner(tables, database.uri).result.before == ["r1"]
    assert database.all("SELECT version_num FROM public.alembic_version") == [("r2",)]
    assert ("app.orders",) in _tables(database)


def test_takes_the_owners_schema_for_user_when_a_role_is_set(
    database: Database, tables: Project, runner: Runner
) -> None:
    database.execute(f'CREATE SCHEMA "{USER}"')
    ended = runner(tables, database.uri, role=USER)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert (f"{USER}.alembic_version",) in _tables(database)


def test_says_what_is_missing_when_no_schema_of_the_path_exists(
    database: Database, tables: Project, runner: Runner
) -> None:
    database.execute(f"ALTER DATABASE {database.name} SET search_path = app")
    for kind in (RunKind.APPLY, RunKind.PLAN):
        message = failed(runner(tables, database.uri, kind=kind, evidence="Static"), Reason.INVALID_SPEC)
        assert f'the path of role "{USER}" is "app", but none of these schemas exists' in message


@pytest.mark.parametrize("kind", [RunKind.CHECK, RunKind.PLAN, RunKind.APPLY])
def test_names_the_schema_when_one_of_the_spec_is_missing(
    database: Database, tables: Project, runner: Runner, kind: RunKind
) -> None:
    message = failed(runner(tables, database.uri, kind=kind, search_path=["public", "app"]), Reason.INVALID_SPEC)
    assert 'schema "app" of spec.database.searchPath does not exist. Nothing was sent. Create it' in message


def test_refuses_when_everything_new_would_be_temporary(database: Database, tables: Project, runner: Runner) -> None:
    database.execute(f"ALTER DATABASE {database.name} SET search_path = pg_temp, public")
    assert "begins with pg_temp" in failed(runner(tables, database.uri), Reason.INVALID_SPEC)


def test_warns_when_a_schema_of_the_path_is_missing(database: Database, tables: Project, runner: Runner) -> None:
    database.execute(f"ALTER DATABASE {database.name} SET search_path = app, public")
    assert [one for one in runner(tables, database.uri).result.warnings if '"app", which does not exist' in one]


def test_plans_by_the_migrating_roles_path_when_it_is_known(
    database: Database, tables: Project, runner: Runner
) -> None:
    database.execute("CREATE SCHEMA app")
    asked = {"kind": RunKind.PLAN, "evidence": "Static", "review_credentials": True}
    unknown = runner(tables, database.uri, **asked).result
    assert unknown.database is not None
    assert unknown.database.search_path == []
    assert [one for one in unknown.warnings if "the migrating role's is not known before its first run" in one]
    known = runner(tables, database.uri, migrating_search_path=["app", "public"], **asked).result
    assert known.database is not None
    assert (known.database.search_path, known.warnings) == (["app", "public"], [])


@pytest.mark.parametrize(
    ("prepare", "found"),
    [
        ("CREATE SCHEMA app; ALTER TABLE alembic_version SET SCHEMA app", "app.alembic_version (at r1)"),
        ("ALTER TABLE alembic_version RENAME TO shop_versions", "public.shop_versions (at r1)"),
        ("CREATE TABLE v AS TABLE alembic_version; DELETE FROM alembic_version", "public.v (at r1)"),
    ],
)
def test_sends_nothing_when_the_version_rows_are_in_another_table(
    database: Database, tables: Project, runner: Runner, prepare: str, found: str
) -> None:
    assert database.alembic(tables, "upgrade", "r1").returncode == 0
    database.execute(prepare)
    before = _tables(database)
    for kind in RunKind:
        ended = runner(tables, database.uri, kind=kind, evidence="Static", baseline=[])
        message = failed(ended, Reason.VERSION_TABLE_ELSEWHERE)
        assert f"it has none, but the database has {found}. Nothing was sent" in message
    assert _tables(database) == before


def test_applies_where_the_rows_are_when_the_spec_names_their_table(
    database: Database, tables: Project, runner: Runner
) -> None:
    assert database.alembic(tables, "upgrade", "r1").returncode == 0
    database.execute("ALTER TABLE alembic_version RENAME TO shop_versions")
    assert runner(tables, database.uri, version_table="shop_versions").result.before == ["r1"]
    assert database.all("SELECT version_num FROM shop_versions") == [("r2",)]


def test_warns_of_no_table_when_it_only_has_a_column_of_that_name(
    database: Database, tables: Project, runner: Runner
) -> None:
    database.execute("CREATE SCHEMA app; CREATE TABLE app.documents (id int PRIMARY KEY, version_num text)")
    database.execute("INSERT INTO app.documents VALUES (1, 'r1')")
    ended = runner(tables, database.uri)
    assert (ended.result.outcome, ended.result.warnings) == (Outcome.APPLIED, [])


def test_refuses_when_row_level_security_hides_the_version_rows(
    database: Database, tables: Project, runner: Runner
) -> None:
    assert database.alembic(tables, "upgrade", "r1").returncode == 0
    database.execute("ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY")
    database.execute("ALTER TABLE alembic_version FORCE ROW LEVEL SECURITY")
    assert "row-level security applies to this role" in failed(
        runner(tables, database.uri), Reason.VERSION_TABLE_INVALID
    )


LONG = "20260820_add_poller_feed_stall_threshold"
_WIDEN = 'op.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE VARCHAR(64)")'


def test_makes_the_version_table_wide_enough_when_an_id_is_long(
    database: Database, tables: Project, runner: Runner
) -> None:
    tables.add(LONG, "pass")
    assert runner(tables, database.uri).result.current == [LONG]


def test_refuses_a_long_id_unless_a_pending_revision_widens_the_table_first(
    database: Database, tables: Project, runner: Runner
) -> None:
    assert database.alembic(tables).returncode == 0
    path = tables.add(LONG, "pass")
    assert "has 40 characters, but the table takes 32" in failed(runner(tables, database.uri), Reason.INVALID_HISTORY)
    path.write_text(path.read_text().replace("pass", _WIDEN, 1))
    assert runner(tables, database.uri).result.current == [LONG]
