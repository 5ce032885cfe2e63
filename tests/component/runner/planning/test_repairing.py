"""A run is killed in an autocommit block; a plan run finds out what became of the revision, and settles it."""

from __future__ import annotations

import signal

from tests.cluster.processes import wait_until
from tests.component.runner.databases import Database
from tests.component.runner.harness import failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project
from tests.component.runner.test_kills import AT_GATE, BACKENDS, BUILDING, GATE, PATIENT

from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason

CONCURRENTLY = """
with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY ix_item ON item (id)")
"""


def _gated(before: str, after: str) -> str:
    """A block that waits at the test's gate between two statements."""
    gate = f"op.execute(\"SELECT pg_advisory_lock({GATE}) FROM pg_class WHERE relname = 'gate'\")"
    lines = [f"op.execute({before!r})", gate, *([f"op.execute({after!r})"] if after else [])]
    return "with op.get_context().autocommit_block():\n" + "\n".join(f"    {line}" for line in lines)


def _killed_at_the_gate(planner: Planner, project: Project, database: Database) -> None:
    gate = database.connect()
    gate.execute("CREATE SCHEMA held CREATE TABLE gate ()")  # not in the search path, where it would be a live schema
    gate.execute(f"SELECT pg_advisory_lock({GATE})")
    run = planner.runner.start(project, database.uri, timeouts=PATIENT)
    wait_until(lambda: database.all(AT_GATE) != [], "the revision to stand at the gate")
    run.signal(signal.SIGKILL)
    run.end(20)
    wait_until(lambda: database.all(BACKENDS) == [], "the run's sessions to end")
    gate.execute("DROP SCHEMA held CASCADE")
    gate.close()


def _sent(planner: Planner, project: Project) -> tuple[list[str], list[str]]:
    """What a repair plan would send, and the version rows then."""
    plan = read_plan(planner.run(project))
    assert plan.direction == Direction.REPAIR
    (step,) = plan.steps
    assert {statement.channel for statement in step.statements} == {"runner"}
    return [statement.sql for statement in step.statements], plan.to_revisions


def test_counts_as_done_when_it_was_killed_after_its_last_statement(
    planner: Planner, project: Project, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", _gated("ALTER TABLE item ADD n int", ""))
    _killed_at_the_gate(planner, project, database)
    sent, rows = _sent(planner, project)
    assert rows == ["r2"]
    assert any("SET state = 'done'" in sql for sql in sent)


def test_outcome_stays_unknown_when_it_was_killed_half_way(
    planner: Planner, project: Project, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", _gated("ALTER TABLE item ADD n int", "ALTER TABLE item ADD m int"))
    _killed_at_the_gate(planner, project, database)
    ended = planner.run(project)
    message = failed(ended, Reason.OUTCOME_UNKNOWN)
    assert (
        "matches neither the state before the revision (1 differences: table public.item: column n is only in the "
        "database) nor the state after it (1: table public.item: column m is missing in the database)"
    ) in message
    (record,) = ended.events("differences")
    assert record["after"] == ["table public.item: column m is missing in the database"]


def test_outcome_stays_unknown_when_the_revision_changes_rows_alone(
    planner: Planner, project: Project, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", _gated("INSERT INTO item VALUES (1)", "INSERT INTO item VALUES (2)"))
    _killed_at_the_gate(planner, project, database)
    assert "The schema does not show what was applied" in failed(planner.run(project), Reason.OUTCOME_UNKNOWN)
    assert database.all("SELECT state FROM alembic_operator.revision_journal WHERE revision = 'r2'") == [("intent",)]


def test_invalid_index_is_dropped_and_the_revision_forgotten_when_its_build_was_killed(
    planner: Planner, project: Project, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item SELECT generate_series(1, 100)")
    project.add("r2", CONCURRENTLY)
    assert planner.runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("INSERT INTO item VALUES (0)")  # the build waits for this transaction
    run = planner.runner.start(project, database.uri, timeouts=PATIENT)
    wait_until(lambda: database.all(BUILDING), "the index build")
    run.signal(signal.SIGKILL)
    run.end(20)
    wait_until(lambda: database.all(BACKENDS) == [], "the run's sessions to end")
    blocker.rollback()
    assert database.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_item'::regclass") == [(False,)]

    sent, rows = _sent(planner, project)
    assert rows == ["r1"]
    assert sent[0] == "DROP INDEX CONCURRENTLY IF EXISTS public.ix_item"
    assert sent[1].startswith("DELETE FROM alembic_operator.revision_journal")
    assert len(sent) == 2


def test_way_back_is_settled_when_it_was_killed_in_a_downgrade(
    planner: Planner, project: Project, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", "op.execute('ALTER TABLE item ADD n int')", downgrade="op.drop_column('item', 'n')")
    assert planner.runner(project, database.uri).exit_code == 0
    # As a downgrade leaves it whose block committed everything before it was killed.
    database.execute(
        "INSERT INTO alembic_operator.revision_journal (history, revision, direction, state, started) "
        "VALUES ('public.alembic_version', 'r2', 'down', 'intent', now())"
    )
    database.execute("ALTER TABLE item DROP COLUMN n")
    sent, rows = _sent(planner, project)
    assert rows == ["r1"]
    assert any("SET state = 'done'" in sql for sql in sent)


def test_revision_is_forgotten_when_nothing_of_it_is_there_and_it_does_not_run_in_the_shadow(
    planner: Planner, project: Project, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item VALUES (1), (1)")
    project.add("r2", CONCURRENTLY.replace("CREATE INDEX", "CREATE UNIQUE INDEX"))
    failed(planner.runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    sent, rows = _sent(planner, project)
    assert (sent[0], rows) == ("DROP INDEX CONCURRENTLY IF EXISTS public.ix_item", ["r1"])
