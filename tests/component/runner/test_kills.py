"""A run that is killed or asked to end, at every point; the next run finds the truth, and nothing is applied twice."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from tests.cluster.processes import wait_until

from alembic_operator.contract.job_env import LOCK_CLASS
from alembic_operator.contract.locks import lock_key
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Timeouts
from alembic_operator.contract.result import Outcome

from .databases import Database
from .harness import Runner, Running, failed
from .project import Project

GATE = 77  # an advisory lock of the test's, at which a revision waits
PATIENT = Timeouts(lock=60)
BACKENDS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'alembic-operator/%' AND datname = current_database()"
)
AT_GATE = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 77 AND classid = 0"
ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
BUILDING = "SELECT 1 FROM pg_stat_progress_create_index"
HOLD_BEFORE_VERIFYING = """
import threading
import alembic_operator.runner.migrate.verify as verify
def held(*arguments):
    print("at the gate", flush=True)
    threading.Event().wait(60)
verify.verify = held
"""


def _three(project: Project, marker: Path) -> None:
    """The gate is in the middle of r2, before r3 or in r3's autocommit block, by the marker's text."""
    project.sql("r1", "CREATE TABLE account (balance int)", "INSERT INTO account VALUES (0)")
    project.add(
        "r2",
        f"""
        from pathlib import Path
        op.execute("UPDATE account SET balance = balance + 1")
        if Path({str(marker)!r}).read_text() == "in a transaction":
            op.execute("SELECT pg_advisory_xact_lock({GATE})")
        """,
    )
    project.add(
        "r3",
        f"""
        import threading
        from pathlib import Path
        if Path({str(marker)!r}).read_text() == "between revisions":
            print("at the gate", flush=True)
            threading.Event().wait(60)
        with op.get_context().autocommit_block():
            op.execute("UPDATE account SET balance = balance + 10")
            if Path({str(marker)!r}).read_text() == "in an autocommit block":
                op.execute("SELECT pg_advisory_lock({GATE})")
        """,
    )


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize(
    "point",
    ["waiting for the lock", "in a transaction", "between revisions", "in an autocommit block", "before the result"],
    ids=lambda point: point.replace(" ", "-"),
)
def test_applies_everything_once_when_a_run_is_killed_and_another_follows(
    database: Database, project: Project, runner: Runner, tmp_path: Path, *, point: str, kill: signal.Signals
) -> None:
    marker = tmp_path / "point"
    marker.write_text(point)
    _three(project, marker)
    gate = database.connect()
    gate.execute(f"SELECT pg_advisory_lock({GATE})")
    if point == "waiting for the lock":
        gate.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS, lock_key("public.alembic_version")))
    run = runner.start(
        project, database.uri, timeouts=PATIENT, more=HOLD_BEFORE_VERIFYING if point == "before the result" else ""
    )
    _reach(run, point, database)
    run.signal(kill)
    first = run.end(20)
    if kill == signal.SIGTERM:
        assert first.result.failure is not None
        half = point == "in an autocommit block"
        assert first.result.failure.reason == (Reason.OUTCOME_UNKNOWN if half else Reason.INTERRUPTED), first.message
    else:
        assert first.message == ""
    # The killed run's backend notices within a second, without our help.
    wait_until(lambda: database.all(BACKENDS) == [], "the run's sessions to end")
    gate.close()
    marker.write_text("nowhere")

    second = runner(project, database.uri)
    if point == "in an autocommit block":
        failed(second, Reason.OUTCOME_UNKNOWN)
        assert failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
        assert database.heads() == ["r2"]
    else:
        done = Outcome.UP_TO_DATE if point == "before the result" else Outcome.APPLIED
        assert second.result.outcome == done, second.message
        assert database.journal() == [("r1", "done"), ("r2", "done"), ("r3", "done")]
    assert database.all("SELECT balance FROM account") == [(11,)]


def _reach(run: Running, point: str, database: Database) -> None:
    if point == "waiting for the lock":
        run.wait_for('"event":"waiting"')
    elif point in ("between revisions", "before the result"):
        run.wait_for("at the gate")
    else:
        wait_until(lambda: database.all(AT_GATE) != [], "the revision to stand at the gate")


@pytest.mark.parametrize("scheme", ["postgresql+psycopg://", "postgresql+psycopg2://"])
def test_cancels_the_statement_at_once_when_asked_to_end(
    database: Database, project: Project, runner: Runner, scheme: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "INSERT INTO item VALUES (1)", "SELECT pg_sleep(60)")
    run = runner.start(project, database.uri.replace("postgresql://", scheme))
    wait_until(lambda: database.all(ASLEEP), "the statement to run")
    began = time.monotonic()
    run.signal(signal.SIGTERM)
    ended = run.end(20)
    assert time.monotonic() - began < 5
    assert failed(ended, Reason.INTERRUPTED) == (
        'Applying revision "r2", statement 2: the pod was terminated; the statement was cancelled. The revision was '
        "rolled back. The next run continues from there."
    )
    assert (ended.result.current, ended.result.pending) == (["r1"], 1)
    wait_until(lambda: database.all(BACKENDS) == [], "the run's sessions to end", 5)
    assert database.all("SELECT count(*) FROM item") == [(0,)]


@pytest.mark.parametrize("scheme", ["postgresql+psycopg://", "postgresql+psycopg2://"])
def test_ends_at_the_time_limit_when_a_statement_takes_longer(
    database: Database, project: Project, runner: Runner, scheme: str
) -> None:
    # The revision sets the runner's own timer anew, so that the limit is met in it on a slow machine too.
    project.add(
        "r1",
        """
        import signal
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        op.execute("SELECT pg_sleep(60)")
        """,
    )
    ended = runner(project, database.uri.replace("postgresql://", scheme), timeouts=Timeouts(run=900))
    assert failed(ended, Reason.DEADLINE_EXCEEDED) == (
        'Applying revision "r1", statement 1: spec.timeouts.run (900 s) expired; the statement was cancelled. The '
        "revision was rolled back. Raise it if the work takes longer; revisions applied before stay applied."
    )


def test_ends_at_the_time_limit_when_another_session_holds_the_lock(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "SELECT 1")
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS, lock_key("public.alembic_version")))
    began = time.monotonic()
    ended = runner(project, database.uri, timeouts=Timeouts(run=3))
    assert time.monotonic() - began >= 3
    assert failed(ended, Reason.DEADLINE_EXCEEDED) == (
        "Migrating public.alembic_version: spec.timeouts.run (3 s) expired; no revision was in progress. Raise it "
        "if the work takes longer; revisions applied before stay applied."
    )


def test_ends_when_a_revision_swallows_the_interrupt(database: Database, project: Project, runner: Runner) -> None:
    project.add(
        "r1",
        """
        try:
            op.execute("SELECT pg_sleep(60)")
        except BaseException:
            pass
        op.execute("CREATE TABLE item (id int)")
        """,
    )
    run = runner.start(project, database.uri)
    wait_until(lambda: database.all(ASLEEP), "the statement to run")
    run.signal(signal.SIGTERM)
    assert failed(run.end(20), Reason.INTERRUPTED)
    assert database.all("SELECT to_regclass('item')") == [(None,)]


def test_says_connection_lost_when_the_server_ends_the_session(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "SELECT pg_sleep(60)")
    run = runner.start(project, database.uri)
    wait_until(lambda: database.all(ASLEEP), "the statement to run")
    database.server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' "
        f"AND datname = '{database.name}'"
    )
    ended = run.end(20)
    assert failed(ended, Reason.CONNECTION_LOST).startswith(
        'Applying revision "r1" (r1.py), statement 2: SQLSTATE 57P01: '
    )
    assert ended.result.current == []


def test_resumes_unasked_when_a_helper_was_killed_in_its_autocommit_block(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item SELECT generate_series(1, 100)")
    project.add(
        "r2",
        """
        from alembic_operator_helpers import create_index_concurrently
        create_index_concurrently("ix_item", "item", ["id"])
        """,
    )
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("INSERT INTO item VALUES (0)")  # the build waits for this transaction
    run = runner.start(project, database.uri, timeouts=PATIENT)
    wait_until(lambda: database.all(BUILDING), "the index build")
    run.signal(signal.SIGKILL)
    run.end(20)
    wait_until(lambda: database.all(BACKENDS) == [], "the run's sessions to end")
    blocker.rollback()
    assert database.all("SELECT revision, resumable FROM alembic_operator.revision_journal WHERE state = 'intent'") == [
        ("r2", True)
    ]
    assert database.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_item'::regclass") == [(False,)]

    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    steps = [(record["revision"], record["helper"], record["step"]) for record in ended.events("helper")]
    assert steps[0] == ("r2", "create_index_concurrently", "drop the invalid leftover")
    assert database.journal() == [("r1", "done"), ("r2", "done")]
    assert database.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_item'::regclass") == [(True,)]
