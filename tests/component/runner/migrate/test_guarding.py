"""What a revision sends is held against the approved plan as it is sent, whatever way it takes through the driver."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.component.runner.approvals import approve, step
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

TABLE = "CREATE TABLE item (id int)"
KEPT = ("CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (1), (2)")
DRIVERS = pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
CONNECTION = "raw = op.get_bind().connection.driver_connection\n"
# Every way to drop a table beside Alembic's own; each must be met before it is sent.
WAYS = {
    "op.execute": "op.execute('DROP TABLE kept')",
    "two in one text": "op.execute('SELECT 1; DROP TABLE kept')",
    "exec_driver_sql": "op.get_bind().exec_driver_sql('DROP TABLE kept')",
    "inside of a DO": "op.execute('DO $$BEGIN EXECUTE $a$DROP TABLE kept$a$; END$$')",
    "raw cursor": CONNECTION + "raw.cursor().execute('DROP TABLE kept')",
    "raw cursor, bytes": CONNECTION + "raw.cursor().execute(b'DROP TABLE kept')",
    "executemany": CONNECTION + "raw.cursor().executemany('DELETE FROM kept WHERE id = %s', [(1,), (2,)])",
    "what the rows say": (
        "if op.get_bind().exec_driver_sql('SELECT count(*) FROM kept').scalar():\n    op.execute('DROP TABLE kept')"
    ),
    "swallowed": "try:\n    op.execute('DROP TABLE kept')\nexcept Exception:\n    pass",
    "in a savepoint": (
        "try:\n    with op.get_bind().begin_nested():\n        op.execute('DROP TABLE kept')\n"
        "except Exception:\n    pass"
    ),
}
OF_PSYCOPG = {
    "connection.execute": CONNECTION + "raw.execute('DROP TABLE kept')",
    "composed": CONNECTION
    + "from psycopg import sql\nraw.execute(sql.SQL('DROP TABLE {}').format(sql.Identifier('kept')))",
    "server-side cursor": CONNECTION + "raw.cursor('c').execute('DELETE FROM kept RETURNING id')",
    "stream": CONNECTION + "list(raw.cursor().stream('DELETE FROM kept RETURNING id'))",
    "COPY in": CONNECTION + "with raw.cursor().copy('COPY kept FROM STDIN') as copy:\n    copy.write_row((9,))",
    "COPY out": CONNECTION + "with raw.cursor().copy('COPY kept TO STDOUT') as copy:\n    list(copy)",
}
OF_PSYCOPG2 = {
    "COPY in": CONNECTION + "import io\nraw.cursor().copy_expert('COPY kept FROM STDIN', io.StringIO('9\\\\n'))",
    "copy_from": CONNECTION + "import io\nraw.cursor().copy_from(io.StringIO('9\\\\n'), 'kept')",
    "named cursor": CONNECTION + "raw.cursor('c').execute('SELECT id FROM kept')",
    "execute_values": (
        CONNECTION + "from psycopg2 import extras\n"
        "extras.execute_values(raw.cursor(), 'INSERT INTO kept VALUES %s', [(8,), (9,)])"
    ),
    "cursor of another class": (
        CONNECTION + "from psycopg2 import extras\n"
        "raw.cursor(cursor_factory=extras.RealDictCursor).execute('DROP TABLE kept')"
    ),
    "callproc": CONNECTION + "raw.cursor().callproc('pg_catalog.pg_sleep', [0])",
}
# What goes through SQLAlchemy takes the same way to either driver: one of each class is enough there.
OF_EITHER = {
    name: WAYS[name] for name in ("op.execute", "raw cursor", "raw cursor, bytes", "executemany", "in a savepoint")
}
EACH = [("psycopg", name, code) for name, code in (WAYS | OF_PSYCOPG).items()]
EACH += [("psycopg2", name, code) for name, code in (OF_EITHER | OF_PSYCOPG2).items()]

Try = Callable[..., Ended]


@pytest.fixture
def attempt(runner: Runner, project: Project, database: Database) -> Try:
    """Run a revision against a plan that was made of other statements; `kept` is there before it, with two rows."""

    def attempt(body: str, *statements: str | tuple[str, bool], driver: str = "psycopg") -> Ended:
        project.sql("r1", *KEPT)
        project.add("r2", body)
        secret = database.uri.replace("postgresql://", f"postgresql+{driver}://")
        return approve(runner, project, database, [step("r1", *KEPT), step("r2", *statements)], secret=secret).run()

    return attempt


@pytest.mark.parametrize(("driver", "code"), [one[::2] for one in EACH], ids=[f"{one[0]}: {one[1]}" for one in EACH])
def test_is_not_sent_when_the_plan_does_not_have_it(attempt: Try, database: Database, driver: str, code: str) -> None:
    ended = attempt(f"op.execute({TABLE!r})\n{code}", TABLE, "SELECT count(*) FROM kept", driver=driver)
    message = failed(ended, Reason.STATEMENT_MISMATCH)
    assert 'revision "r2" (r2.py), statement' in message
    assert 'plan "db-0123abcd"' in message
    assert database.heads() == ["r1"]
    assert database.all("SELECT (SELECT count(*) FROM kept), to_regclass('item')") == [(2, None)]
    assert database.journal() == [("r1", "done")]


@DRIVERS
def test_passes_when_rows_differ_and_their_number_too(attempt: Try, database: Database, driver: str) -> None:
    body = f"""
op.execute({TABLE!r})
raw = op.get_bind().connection.driver_connection
table = sa.table("item", sa.column("id"))
for rows in ([1], [2, 3, 4]):
    op.bulk_insert(table, [{{"id": row}} for row in rows])
raw.cursor().executemany("INSERT INTO item VALUES (%s)", [(5,), (6,)])
with op.get_bind().begin_nested():
    op.execute("UPDATE item SET id = 70 WHERE id = 6")
"""
    ended = attempt(
        body,
        TABLE,
        "INSERT INTO item (id) VALUES (%(id)s)",
        "INSERT INTO item VALUES (%s)",
        "SAVEPOINT sa_savepoint_1",
        "UPDATE item SET id = 7 WHERE id = 2",
        "RELEASE SAVEPOINT sa_savepoint_1",
        driver=driver,
    )
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT id FROM item ORDER BY id") == [(1,), (2,), (3,), (4,), (5,), (70,)]


@pytest.mark.parametrize(
    ("body", "statements"),
    [
        ("op.execute('CREATE TABLE a (id int)')", ["a", "b"]),
        ("pass", ["a"]),
        ("op.execute('CREATE TABLE a (id int)')\nop.execute('CREATE TABLE b (id int)')", ["a"]),
        ("op.execute('CREATE TABLE a (id bigint)')", ["a"]),
    ],
    ids=["one is missing", "all are missing", "one too many", "another type"],
)
def test_ends_when_ddl_differs_in_anything(attempt: Try, database: Database, body: str, statements: list[str]) -> None:
    failed(attempt(body, *(f"CREATE TABLE {name} (id int)" for name in statements)), Reason.STATEMENT_MISMATCH)
    assert database.all("SELECT to_regclass('a'), to_regclass('b')") == [(None, None)]


def test_ends_when_ddl_comes_before_what_it_depends_on(attempt: Try, database: Database) -> None:
    body = "op.execute('CREATE TABLE b (LIKE kept)')\nop.execute('ALTER TABLE kept ADD COLUMN more int')"
    approved = ("ALTER TABLE kept ADD COLUMN more int", "CREATE TABLE b (LIKE kept)")
    failed(attempt(body, *approved), Reason.STATEMENT_MISMATCH)
    assert database.all("SELECT to_regclass('b')") == [(None,)]


def test_applies_when_ddl_that_depends_on_nothing_comes_in_another_order(attempt: Try) -> None:
    ended = attempt(
        "op.execute('CREATE TABLE b (id int)')\nop.execute('CREATE TABLE a (id int)')",
        *("CREATE TABLE a (id int)", "CREATE TABLE b (id int)"),
    )
    assert ended.result.outcome == Outcome.APPLIED, ended.message


def test_tells_no_literal_when_it_names_what_was_about_to_be_sent(attempt: Try) -> None:
    ended = attempt("op.execute(\"INSERT INTO kept SELECT 4711 WHERE 'geheim' <> ''\")")
    message = failed(ended, Reason.STATEMENT_MISMATCH)
    assert "INSERT INTO kept SELECT" in message
    assert "4711" not in ended.stdout + ended.message
    assert "geheim" not in ended.stdout + ended.message


def test_says_outcome_unknown_when_an_autocommit_block_was_committed_before(attempt: Try, database: Database) -> None:
    body = f"""
with op.get_context().autocommit_block():
    op.execute({TABLE!r})
op.execute("DROP TABLE kept")
"""
    message = failed(attempt(body, (TABLE, True)), Reason.OUTCOME_UNKNOWN)
    assert 'plan "db-0123abcd"' in message
    assert database.journal() == [("r1", "done"), ("r2", "intent")]
    assert database.all("SELECT count(*) FROM kept") == [(2,)]


def test_ends_when_a_statement_left_its_autocommit_block(attempt: Try) -> None:
    failed(attempt(f"op.execute({TABLE!r})", (TABLE, True)), Reason.STATEMENT_MISMATCH)


CALL = (
    'CALL alembic_operator_helpers."create_index_concurrently {""columns"": [""id""], ""include"": [], '
    '""name"": ""kept_id"", ""schema"": null, ""table"": ""kept"", ""unique"": false, ""using"": null, '
    '""where"": null}"()'
)


@pytest.mark.parametrize("leftover", [False, True])
def test_helper_passes_by_its_call_whatever_it_finds(
    runner: Runner, project: Project, database: Database, leftover: bool
) -> None:
    project.sql("r1", "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (1), (1)")
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    if leftover:
        with pytest.raises(Exception, match="could not create unique index"):
            database.execute("CREATE UNIQUE INDEX CONCURRENTLY kept_id ON kept (id)")
        database.execute("DROP INDEX kept_id; CREATE INDEX kept_id ON kept (id)")
    helpers = "from alembic_operator_helpers import create_index_concurrently\n"
    project.add("r2", helpers + "create_index_concurrently('kept_id', 'kept', ['id'])")
    ended = approve(runner, project, database, [step("r2", CALL)]).run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message


@pytest.mark.parametrize(
    "code",
    [
        "create_index_concurrently('kept_id', 'kept', ['id'], unique=True)",
        "create_index_concurrently('kept_other', 'kept', ['id'])",
        "drop_index_concurrently('kept_id')",
        "with op.get_context().opts['alembic_operator'].resumable():\n    op.execute('DROP TABLE kept')",
    ],
)
def test_helper_ends_when_its_call_is_another(attempt: Try, database: Database, code: str) -> None:
    helpers = "from alembic_operator_helpers import create_index_concurrently, drop_index_concurrently\n"
    failed(attempt(helpers + code, CALL), Reason.STATEMENT_MISMATCH)
    assert database.all("SELECT count(*) FROM kept") == [(2,)]
    assert database.journal() == [("r1", "done")]
