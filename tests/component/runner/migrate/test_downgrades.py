"""Taking revisions back by an approved plan: one transaction each, journalled, verified."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from tests.component.runner.approvals import approve, step
from tests.component.runner.databases import Database
from tests.component.runner.gate import REACHED, Gate
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

UP = [("r1", "CREATE TABLE item (id int)"), ("r2", "ALTER TABLE item ADD a int"), ("r3", "ALTER TABLE item ADD b int")]
DOWN = {"r3": "ALTER TABLE item DROP COLUMN b", "r2": "ALTER TABLE item DROP COLUMN a", "r1": "DROP TABLE item"}


@pytest.fixture
def applied(runner: Runner, project: Project, database: Database) -> Callable[..., None]:
    """The three revisions are there, with the given downgrades in place of their own."""

    def applied(**downgrades: str) -> None:
        for revision, sql in UP:
            downgrade = downgrades.get(revision, f"op.execute({DOWN[revision]!r})")
            project.add(revision, f"op.execute({sql!r})", downgrade=downgrade)
        ended = runner(project, database.uri)
        assert ended.result.outcome == Outcome.APPLIED, ended.message

    return applied


def columns(database: Database) -> list[object]:
    found = database.all(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('item') AND attnum > 0 AND NOT attisdropped"
    )
    return [name for (name,) in found]


@pytest.mark.parametrize(("version", "scheme"), [(15, "postgresql+psycopg2://"), (18, "postgresql+psycopg://")])
def test_takes_back_and_journals_when_the_plan_is_approved(
    applied: Callable[..., None], runner: Runner, project: Project, database: Database, scheme: str
) -> None:
    applied()
    secret = database.uri.replace("postgresql://", scheme)
    steps = [step("r3", DOWN["r3"]), step("r2", DOWN["r2"])]
    approval = approve(runner, project, database, steps, to="r1", direction="Downgrade", secret=secret)
    ended = approval.run(revision="r1", allow_downgrade=True)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert [one.revision for one in ended.result.applied] == ["r3", "r2"]
    assert database.heads() == ["r1"]
    assert columns(database) == ["id"]
    assert database.all(
        "SELECT revision, direction, state, plan_uid FROM alembic_operator.revision_journal WHERE id > 3 ORDER BY id"
    ) == [("r3", "down", "done", "plan-1"), ("r2", "down", "done", "plan-1")]
    assert approval.run(revision="r1").result.outcome == Outcome.UP_TO_DATE


def test_applies_again_when_it_goes_up_after_going_down(
    applied: Callable[..., None], runner: Runner, project: Project, database: Database
) -> None:
    applied()
    back = approve(runner, project, database, [step("r3", DOWN["r3"])], to="r2", direction="Downgrade")
    assert back.run(revision="r2").result.outcome == Outcome.APPLIED
    forth = approve(runner, project, database, [step("r3", UP[2][1])], uid="plan-2")
    assert forth.run().result.outcome == Outcome.APPLIED
    failed(back.run(revision="r2"), Reason.PLAN_CHANGED)  # used up
    assert columns(database) == ["id", "a", "b"]


def test_only_says_so_when_the_database_is_ahead_and_nothing_is_approved(
    applied: Callable[..., None], runner: Runner, project: Project, database: Database
) -> None:
    applied()
    assert runner(project, database.uri, revision="r1").result.outcome == Outcome.AHEAD
    assert database.heads() == ["r3"]


def test_keeps_what_was_taken_back_when_a_later_step_differs_from_the_plan(
    applied: Callable[..., None], runner: Runner, project: Project, database: Database
) -> None:
    applied(r2="op.execute('DROP TABLE item')")
    steps = [step("r3", DOWN["r3"]), step("r2", DOWN["r2"])]
    approval = approve(runner, project, database, steps, to="r1", direction="Downgrade")
    message = failed(approval.run(revision="r1"), Reason.STATEMENT_MISMATCH)
    assert 'Reverting revision "r2"' in message
    assert database.heads() == ["r2"]
    assert columns(database) == ["id", "a"]


def test_goes_on_when_it_was_interrupted_between_two_steps(
    applied: Callable[..., None], gate: Gate, runner: Runner, project: Project, database: Database
) -> None:
    applied(r2=f"{gate.code}op.execute({DOWN['r2']!r})")
    steps = [step("r3", DOWN["r3"]), step("r2", DOWN["r2"])]
    approval = approve(runner, project, database, steps, to="r1", direction="Downgrade")
    gate.close()
    run = approval.start(revision="r1")
    run.wait_for(REACHED)
    run.signal(signal.SIGTERM)
    failed(run.end(), Reason.INTERRUPTED)
    assert database.heads() == ["r2"]

    gate.open()
    ended = approval.run(revision="r1")
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert [one.revision for one in ended.result.applied] == ["r2"]


def test_says_outcome_unknown_when_it_fails_after_an_autocommit_block(
    applied: Callable[..., None], runner: Runner, project: Project, database: Database
) -> None:
    block = """
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE item DROP COLUMN b")
    op.execute("ALTER TABLE missing DROP COLUMN b")
    """
    applied(r3=block)
    sent = step("r3", ("ALTER TABLE item DROP COLUMN b", True), "ALTER TABLE missing DROP COLUMN b")
    approval = approve(runner, project, database, [sent], to="r2", direction="Downgrade")
    failed(approval.run(revision="r2"), Reason.OUTCOME_UNKNOWN)
    failed(approval.run(revision="r2"), Reason.OUTCOME_UNKNOWN)
    assert database.all("SELECT direction, state FROM alembic_operator.revision_journal ORDER BY id DESC LIMIT 1") == [
        ("down", "intent")
    ]
