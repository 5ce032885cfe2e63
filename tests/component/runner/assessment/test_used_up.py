"""An approval covers each revision once, also where it ended what an earlier plan had begun."""

from __future__ import annotations

import signal

import pytest
from tests.component.runner.approvals import Approval, approve, step
from tests.component.runner.databases import Database
from tests.component.runner.gate import REACHED, Gate
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

INDEX = "CREATE INDEX CONCURRENTLY IF NOT EXISTS item_id ON item (id)"
COLUMN = "ALTER TABLE item ADD COLUMN name text"
BEGUN = """
INSERT INTO alembic_operator.revision_journal (history, revision, direction, state, resumable, plan_uid, started)
VALUES ('public.alembic_version', 'r2', 'up', 'intent', true, 'plan-0', now())
"""


@pytest.fixture
def approval(gate: Gate, runner: Runner, project: Project, database: Database) -> Approval:
    """A plan of two revisions, of which an earlier one, killed amid its helper, left the first to be run again."""
    project.sql("r1", "CREATE TABLE item (id int)")
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    database.execute(BEGUN)
    project.add("r2", f"with op.get_context().autocommit_block():\n    op.execute({INDEX!r})")
    project.add("r3", f"{gate.code}op.execute({COLUMN!r})")
    return approve(runner, project, database, [step("r2", (INDEX, True)), step("r3", COLUMN)])


def test_never_approves_again_when_it_ended_what_an_earlier_plan_had_begun(
    approval: Approval, runner: Runner, project: Project, database: Database
) -> None:
    approval = approve(runner, project, database, [step("r2", (INDEX, True))], to="r2")
    assert approval.run(revision="r2").result.outcome == Outcome.APPLIED
    database.execute("DROP INDEX item_id; UPDATE alembic_version SET version_num = 'r1'")
    assert "covers each revision once" in failed(approval.run(revision="r2"), Reason.PLAN_CHANGED)
    assert database.heads() == ["r1"]


def test_goes_on_when_it_was_interrupted_after_ending_what_an_earlier_plan_had_begun(
    approval: Approval, gate: Gate, database: Database
) -> None:
    gate.close()
    run = approval.start()
    run.wait_for(REACHED)
    run.signal(signal.SIGTERM)
    failed(run.end(), Reason.INTERRUPTED)
    assert database.heads() == ["r2"]

    gate.open()
    ended = approval.run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT revision, state, plan_uid FROM alembic_operator.revision_journal ORDER BY id") == [
        ("r1", "done", None),
        ("r2", "done", "plan-1"),
        ("r3", "done", "plan-1"),
    ]
