"""What a run says when something else goes wrong after its failure: the first failure, whole, and never two stories."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Timeouts

from .conftest import Database
from .harness import Runner, failed, wait_until
from .project import Project

GATE = 78  # an advisory lock of the test's, at which a revision waits
AT_GATE = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {GATE} AND classid = 0"


@pytest.mark.parametrize("scheme", ["postgresql+psycopg://", "postgresql+psycopg2://"])
@pytest.mark.parametrize(
    ("opened", "reason", "found"),
    [
        (True, Reason.MIGRATION_FAILED, 'statement 2: SQLSTATE 42P01: relation "items" does not exist'),
        (False, Reason.LOCK_TIMEOUT, "statement 1: a lock was not granted within 3 s"),
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
    wait_until(lambda: database.all(AT_GATE) != [])
    database.execute("ALTER TABLE alembic_operator.revision_journal RENAME COLUMN image TO gone")
    if opened:
        gate.close()
    ended = run.end()
    assert found in failed(ended, reason)
    assert ([one.revision for one in ended.result.applied], ended.result.pending) == (["r1"], 1)
