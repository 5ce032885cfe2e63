"""Revisions that commit before their end, or seem to: what the journal then says, and whether they are run again."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

COMMITS = ["-- publish\nCOMMIT", "COMMIT AND NO CHAIN", "END", "SELECT 1; COMMIT; SELECT 2"]
DRIVERS = pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])


def by(database: Database, driver: str) -> str:
    return database.uri.replace("postgresql://", f"postgresql+{driver}://")


@DRIVERS
@pytest.mark.parametrize("commit", COMMITS)
def test_nothing_is_run_again_when_a_revision_fails_after_a_commit_of_its_own(
    database: Database, project: Project, runner: Runner, driver: str, commit: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "INSERT INTO item VALUES (1)", commit, "ALTER TABLE missing ADD COLUMN j int")
    message = failed(runner(project, by(database, driver)), Reason.OUTCOME_UNKNOWN)
    assert "(a COMMIT of its own)" in message
    failed(runner(project, by(database, driver)), Reason.OUTCOME_UNKNOWN)
    assert database.journal() == [("r1", "done"), ("r2", "intent")]
    assert database.all("SELECT count(*) FROM item") == [(1,)]


@DRIVERS
@pytest.mark.parametrize("control", ["ROLLBACK", "ABORT", "BEGIN", "START TRANSACTION READ WRITE"])
def test_nothing_stays_when_a_revision_fails_after_control_that_commits_nothing(
    database: Database, project: Project, runner: Runner, driver: str, control: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "INSERT INTO item VALUES (1)", control, "ALTER TABLE missing ADD COLUMN j int")
    for _ in range(2):
        failed(runner(project, by(database, driver)), Reason.MIGRATION_FAILED)
    assert database.journal() == [("r1", "done")]
    assert database.all("SELECT count(*) FROM item") == [(0,)]


INDEX = "op.execute('CREATE INDEX CONCURRENTLY ix ON item (id)')\n"
OUTSIDE = {
    "sql": f"op.execute('COMMIT')\n{INDEX}",
    "sql, twice": f"op.execute('COMMIT')\n{INDEX}op.execute('VACUUM item')\n",
    "sql, and again": f"op.execute('COMMIT')\n{INDEX}op.execute('BEGIN')\n",
    "after a change": f"op.execute('ALTER TABLE item ADD COLUMN n int')\nop.execute('COMMIT')\n{INDEX}",
    "raw": f"op.get_bind().connection.cursor().execute('commit')\n{INDEX}",
    "driver's commit": f"op.get_bind().exec_driver_sql('commit')\n{INDEX}",
    "isolation level": f"bind = op.get_bind()\nbind.commit()\n"
    f"bind.execution_options(isolation_level='AUTOCOMMIT')\n{INDEX}",
    "commit, then a block": f"op.get_bind().commit()\nwith op.get_context().autocommit_block():\n    {INDEX}",
}


@DRIVERS
@pytest.mark.parametrize("name", OUTSIDE)
def test_is_applied_when_a_revision_ends_its_transaction_itself(
    database: Database, project: Project, runner: Runner, driver: str, name: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", OUTSIDE[name])
    project.add("r3", "op.add_column('item', sa.Column('last', sa.Integer))\nop.get_bind().commit()")
    ended = runner(project, by(database, driver))
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r3"]
    assert database.journal() == [("r1", "done"), ("r2", "done"), ("r3", "done")]
    assert database.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]
    assert database.all("SELECT count(*) FROM information_schema.columns WHERE column_name = 'last'") == [(1,)]


@DRIVERS
@pytest.mark.parametrize(
    "first",
    [
        "with op.get_context().autocommit_block():\n    raise ValueError",
        "op.execute('COMMIT')\nraise ValueError",
        "op.get_bind().commit()\nraise ValueError",
        "op.get_bind().execute(sa.text('SELECT 1'))\nwith op.get_context().autocommit_block():\n    raise ValueError",
    ],
)
def test_failure_is_the_revisions_when_nothing_was_committed(
    database: Database, project: Project, runner: Runner, driver: str, first: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", first)
    message = failed(runner(project, by(database, driver)), Reason.MIGRATION_FAILED)
    assert "ValueError in" in message
    assert database.journal() == [("r1", "done")]


@pytest.mark.parametrize(
    ("escape", "swallowed"),
    [
        ("op.execute(\"PREPARE TRANSACTION 'p'\")", False),
        ("import psycopg; psycopg.connect('host=127.0.0.1 port=1')", True),
        ("import psycopg; psycopg.Connection.connect('host=127.0.0.1 port=1')", False),
        ("import sqlalchemy; sqlalchemy.create_engine('postgresql+psycopg://127.0.0.1:1/x').connect()", True),
        ("import psycopg2; psycopg2.connect('host=127.0.0.1 port=1')", False),
        ("op.get_bind().connection.driver_connection.close()", True),
    ],
)
def test_is_refused_and_rolled_back_when_a_revision_leaves_its_session(
    database: Database, project: Project, runner: Runner, escape: str, swallowed: bool
) -> None:
    body = f"try:\n    {escape}\nexcept Exception:\n    pass" if swallowed else escape
    project.add("r1", f"op.execute('CREATE TABLE item (id int)')\n{body}\nop.execute('DROP TABLE item')")
    message = failed(runner(project, database.uri), Reason.MIGRATION_FAILED)
    assert "transaction-escape" in message
    assert database.journal() == []
    assert database.all("SELECT to_regclass('item')") == [(None,)]


@pytest.mark.parametrize(
    "ending",
    ["session.flush()", "session.commit(); session.close()"],
    ids=["flush", "commit and close"],
)
def test_is_applied_when_a_session_of_the_orm_joins_the_transaction(
    database: Database, project: Project, runner: Runner, ending: str
) -> None:
    body = f"""
op.execute("CREATE TABLE item (id int)")
from sqlalchemy.orm import Session
session = Session(bind=op.get_bind())
session.execute(sa.text("INSERT INTO item VALUES (1)"))
{ending}
"""
    project.add("r1", body)
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT count(*) FROM item") == [(1,)]
    assert database.journal() == [("r1", "done")]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION f() IS 'no COMMIT; here'",
        "SAVEPOINT s; ROLLBACK TO SAVEPOINT s; RELEASE s",
    ],
)
def test_is_applied_when_a_text_only_looks_like_transaction_control(
    database: Database, project: Project, runner: Runner, statement: str
) -> None:
    project.sql("r1", statement)
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.journal() == [("r1", "done")]


@pytest.mark.parametrize("statement", ["SELECT grant_bonus()", "SELECT 1; INSERT INTO bonus VALUES (1)"])
def test_is_never_run_again_unasked_when_a_select_beside_a_helper_wrote(
    database: Database, project: Project, runner: Runner, statement: str
) -> None:
    project.sql(
        "r1",
        "CREATE TABLE bonus (id int)",
        "CREATE TABLE item (id int PRIMARY KEY, cents int)",
        "INSERT INTO item VALUES (1), (2)",
        "CREATE FUNCTION grant_bonus() RETURNS void LANGUAGE sql AS 'INSERT INTO bonus VALUES (1)'",
    )
    project.add(
        "r2",
        f"""
        from alembic_operator_helpers import backfill
        op.execute({statement!r})
        backfill("item", set={{"cents": "1 / (2 - id)"}}, where="cents IS NULL", batch=1)
        """,
    )
    failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert database.all("SELECT count(*) FROM bonus") == [(1,)]


FAILING = "CREATE FUNCTION f() RETURNS missing LANGUAGE plpgsql AS $$BEGIN RETURN 1; END; $$"
SAVEPOINT = f"""
import sqlalchemy
try:
    with op.get_bind().begin_nested():
        op.execute({FAILING!r})
except sqlalchemy.exc.ProgrammingError:
    pass
"""
BY_HAND = f"""
import sqlalchemy
op.execute("SAVEPOINT before")
try:
    op.execute({FAILING!r})
except sqlalchemy.exc.ProgrammingError:
    op.execute("ROLLBACK TO SAVEPOINT before")
"""
TAKEN_BACK = pytest.mark.parametrize("taken_back", [SAVEPOINT, BY_HAND], ids=["savepoint", "by-hand"])


@TAKEN_BACK
def test_applies_a_revision_when_its_intent_was_taken_back_with_a_savepoint(
    database: Database, project: Project, runner: Runner, taken_back: str
) -> None:
    project.add("r1", taken_back + 'op.execute("CREATE TABLE item (id int)")')
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.journal() == [("r1", "done")]


@TAKEN_BACK
def test_says_outcome_unknown_when_a_block_failed_after_an_intent_was_taken_back(
    database: Database, project: Project, runner: Runner, taken_back: str
) -> None:
    block = """
with op.get_context().autocommit_block():
    op.execute("CREATE TABLE item (id int)")
    op.execute("ALTER TABLE missing ADD COLUMN j int")
"""
    project.add("r1", taken_back + block)
    failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert database.journal() == [("r1", "intent")]


def test_journals_one_row_when_an_intent_outlives_a_savepoint(
    database: Database, project: Project, runner: Runner
) -> None:
    block = """
with op.get_context().autocommit_block():
    op.execute("CREATE TABLE item (id int)")
"""
    project.add("r1", block + SAVEPOINT)
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.journal() == [("r1", "done")]
