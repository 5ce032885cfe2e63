"""What a run says when something else goes wrong after its failure: the first failure, whole, and never two stories."""

from __future__ import annotations

import signal

import pytest
from tests.cluster.processes import wait_until
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Timeouts

GATE = 78  # an advisory lock of the test's, at which a revision waits
AT_GATE = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {GATE} AND classid = 0"


@pytest.mark.parametrize(
    ("scheme", "opened", "reason", "found"),
    [
        (
            "postgresql+psycopg2://",
            True,
            Reason.MIGRATION_FAILED,
            'statement 2: SQLSTATE 42P01: relation "items" does not exist',
        ),
        ("postgresql+psycopg://", False, Reason.LOCK_TIMEOUT, "statement 1: a lock was not granted within 3 s"),
    ],
)
def test_reports_the_first_failure_when_the_journal_cannot_be_read_after_it(
    database: Database, project: Project, runner: Runner, *, scheme: str, opened: bool, reason: Reason, found: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", f"SELECT pg_advisory_xact_lock({GATE})", "ALTER TABLE items ADD COLUMN k int")
    gate = database.connect()
    gate.execute(f"SELECT pg_advisory_lock({GATE})")
    timeouts = Timeouts(lock=60 if opened else 3)
    run = runner.start(project, database.uri.replace("postgresql://", scheme), timeouts=timeouts)
    wait_until(lambda: database.all(AT_GATE) != [], "the revision to stand at the gate")
    database.execute("ALTER TABLE alembic_operator.revision_journal RENAME COLUMN image TO gone")
    if opened:
        gate.close()
    ended = run.end()
    assert found in failed(ended, reason)
    assert ([one.revision for one in ended.result.applied], ended.result.pending) == (["r1"], 1)


@pytest.mark.parametrize("end", ["signal", "time limit", "lost session", "statement"])
def test_tells_one_story_when_a_part_of_the_failed_revision_was_committed(
    database: Database, project: Project, runner: Runner, end: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    last = "INSERT INTO items VALUES (2)" if end == "statement" else f"SELECT pg_advisory_xact_lock({GATE})"
    project.add(
        "r2",
        f"""
        import signal
        with op.get_context().autocommit_block():
            op.execute("INSERT INTO item VALUES (1)")
        if {end == "time limit"}:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
        op.execute("{last}")
        """,
    )
    database.connect().execute(f"SELECT pg_advisory_lock({GATE})")
    run = runner.start(project, database.uri, timeouts=Timeouts(lock=60, run=900))
    if end in ("signal", "lost session"):
        wait_until(lambda: database.all(AT_GATE) != [], "the revision to stand at the gate")
    if end == "signal":
        run.signal(signal.SIGTERM)
    if end == "lost session":
        database.all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory' "
            "AND datname = current_database()"
        )
    head = {
        "signal": 'Applying revision "r2", statement 2: the pod was terminated; the statement was cancelled',
        "time limit": (
            'Applying revision "r2", statement 2: spec.timeouts.run (900 s) expired; the statement was cancelled'
        ),
        "lost session": 'Applying revision "r2" (r2.py), statement 2: SQLSTATE 57P01: terminating connection due to '
        "administrator command",
        "statement": 'Applying revision "r2" (r2.py), statement 2: SQLSTATE 42P01: relation "items" does not exist',
    }[end]
    message = failed(run.end(20), Reason.OUTCOME_UNKNOWN)
    story = f"{head}. The revision had already committed part of its work (an autocommit block). Check"
    assert message[: len(story)] == story
    assert ".." not in message


@pytest.mark.parametrize(
    ("table", "right"),
    [("public.alembic_version", "SELECT"), ("alembic_operator.owner", "INSERT")],
    ids=["read", "write"],
)
def test_names_the_table_and_what_to_grant_when_the_runner_s_own_statement_is_refused(
    database: Database, project: Project, runner: Runner, table: str, right: str
) -> None:
    project.sql("r1", "SELECT 1")
    assert runner(project, database.uri).exit_code == 0
    database.execute("DELETE FROM alembic_operator.owner")
    database.server.execute(f"ALTER TABLE {table} OWNER TO postgres", database=database.name)
    database.server.execute(f"REVOKE {right} ON {table} FROM shop", database=database.name)
    if right == "INSERT":
        database.server.execute(f"GRANT SELECT ON {table} TO shop", database=database.name)
    ended = runner(project, database.uri)
    assert failed(ended, Reason.PERMISSION_DENIED) == (
        "Reading or writing the version table public.alembic_version or the journal in schema alembic_operator: "
        f"SQLSTATE 42501: permission denied for table {table.split('.')[1]}. Grant USAGE on their schemas, and SELECT, "
        "INSERT, UPDATE and DELETE on their tables, to the Secret's user, or to spec.database.role."
    )


def test_reports_the_failure_when_the_signal_comes_while_it_is_being_explained(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE items ADD COLUMN k int")
    interrupting = """
import os, signal
import alembic_operator.runner.main as main
explain = main.as_run_failed
def interrupted(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    return explain(*arguments)
main.as_run_failed = interrupted
"""
    ended = runner(project, database.uri, more=interrupting)
    assert 'relation "items" does not exist' in failed(ended, Reason.MIGRATION_FAILED)
    assert (ended.result.current, ended.result.pending) == (["r1"], 1)


def test_contradicts_nothing_when_the_signal_comes_as_the_work_is_done(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    interrupting = """
import os, signal
import alembic_operator.runner.signals as signals
disarm = signals.Signals.disarm
def interrupted(self):
    if self.requested is None:
        os.kill(os.getpid(), signal.SIGTERM)
    disarm(self)
signals.Signals.disarm = interrupted
"""
    ended = runner(project, database.uri, more=interrupting)
    failed(ended, Reason.INTERRUPTED)
    assert (ended.result.current, ended.result.pending) == (["r1"], 0)
