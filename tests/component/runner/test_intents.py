"""Revisions that commit before their end, or seem to: what the journal then says, and whether they are run again."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

from .conftest import Database
from .harness import Runner, failed
from .project import Project


@pytest.mark.parametrize(
    "commit",
    ["-- publish\nCOMMIT", "COMMIT AND NO CHAIN", "COMMIT -- done", "INSERT INTO item VALUES (2); -- publish\nCOMMIT"],
)
def test_says_outcome_unknown_when_a_revision_committed_in_its_sql_and_then_failed(
    database: Database, project: Project, runner: Runner, commit: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "INSERT INTO item VALUES (1)", commit, "ALTER TABLE missing ADD COLUMN j int")
    failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert database.journal() == [("r1", "done"), ("r2", "intent")]
    failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert database.all("SELECT count(*) FROM item WHERE id = 1") == [(1,)]


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
    project.add("r1", 'op.execute("CREATE TABLE item (id int)")\nop.execute("COMMIT")' + SAVEPOINT)
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.journal() == [("r1", "done")]
