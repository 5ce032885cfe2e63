"""Revisions that commit before their end, or seem to: what the journal then says, and whether they are run again."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason

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
