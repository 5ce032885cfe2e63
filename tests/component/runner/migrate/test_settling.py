"""Adopting a database by an approved baseline, and settling a revision of which a part was committed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cluster.postgres import Version
from tests.component.runner.approvals import Approval, approve
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome
from alembic_operator.runner.database.session import VersionTable
from alembic_operator.runner.schema import snapshot

PLACE = VersionTable("public", "alembic_version")
BLOCK = """
with op.get_context().autocommit_block():
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY item_id ON item (id)")
"""


def facts(database: Database, revision: str = "", *, drops: bool = False) -> dict[str, Any]:
    """What a plan run would find to settle."""
    connection: Any = database.connect()
    found = snapshot(connection, ["public"], PLACE)
    return {
        "fingerprint": found.fingerprint,
        "revision": revision,
        "drops": found.invalid_indexes if drops else [],
    }


@pytest.fixture
def live(project: Project, database: Database) -> None:
    """A database that somebody made by hand, as r2 of the project has it; r3 is newer."""
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD name text")
    project.sql("r3", "ALTER TABLE item ADD price int")
    database.execute("CREATE TABLE item (id int, name text)")


def baseline(runner: Runner, project: Project, database: Database, to: str = "r2") -> Approval:
    return approve(runner, project, database, [], to=to, direction="Baseline", settles=facts(database))


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("version", [15, 18])
def test_adopts_and_says_what_is_left_when_the_baseline_is_approved(
    runner: Runner, project: Project, database: Database, version: Version
) -> None:
    approval = baseline(runner, project, database)
    ended = approval.run(baseline=["r2"])
    assert (ended.result.outcome, ended.result.pending) == (Outcome.BEHIND, 1), ended.message
    assert database.heads() == ["r2"]
    assert database.all("SELECT revision, state, plan_uid FROM alembic_operator.revision_journal ORDER BY id") == [
        ("r1", "adopted", "plan-1"),
        ("r2", "adopted", "plan-1"),
    ]
    again = approval.run(baseline=["r2"])  # its result was lost, say
    assert again.result.outcome == Outcome.BEHIND, again.message
    assert len(database.journal()) == 2
    assert runner(project, database.uri, baseline=["r2"]).result.outcome == Outcome.APPLIED
    assert database.heads() == ["r3"]


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE item ADD other int", "DROP TABLE item", "CREATE INDEX ON item (id)"],
)
def test_adopts_nothing_when_the_schema_changed_after_the_approval(
    runner: Runner, project: Project, database: Database, change: str
) -> None:
    approval = baseline(runner, project, database)
    database.execute(change)
    failed(approval.run(baseline=["r2"]), Reason.PLAN_CHANGED)
    assert database.all("SELECT to_regclass('alembic_version')") == [(None,)]


@pytest.mark.usefixtures("live")
def test_adopts_nothing_when_somebody_stamped_it_meanwhile(
    runner: Runner, project: Project, database: Database
) -> None:
    approval = baseline(runner, project, database)
    assert database.alembic(project, "stamp", "r3").returncode == 0
    failed(approval.run(baseline=["r2"]), Reason.PLAN_CHANGED)
    assert database.heads() == ["r3"]


@pytest.mark.usefixtures("live")
def test_sends_nothing_when_no_plan_adopts_the_database(runner: Runner, project: Project, database: Database) -> None:
    message = failed(runner(project, database.uri, baseline=["r2"]), Reason.BASELINE_REQUIRED)
    assert "requires an approved plan" in message


@pytest.fixture
def half_applied(runner: Runner, project: Project, database: Database) -> None:
    """r2 was cut off after its index could not be built."""
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item VALUES (1), (1)")
    project.add("r2", BLOCK)
    failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)


def repair(runner: Runner, project: Project, database: Database, to: str) -> Approval:
    settles = facts(database, "r2", drops=to == "r1")
    return approve(runner, project, database, [], to=to, direction="Repair", settles=settles)


@pytest.mark.usefixtures("half_applied")
@pytest.mark.parametrize("version", [15, 18])
def test_forgets_the_revision_and_its_invalid_index_when_that_is_approved(
    runner: Runner, project: Project, database: Database, version: Version
) -> None:
    approval = repair(runner, project, database, "r1")
    ended = approval.run()
    assert (ended.result.outcome, ended.result.pending) == (Outcome.BEHIND, 1), ended.message
    assert database.journal() == [("r1", "done")]
    assert database.all("SELECT to_regclass('item_id')") == [(None,)]
    database.execute("DELETE FROM item WHERE ctid = '(0,2)'")
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED


@pytest.mark.usefixtures("half_applied")
def test_finishes_the_revision_when_that_is_approved(runner: Runner, project: Project, database: Database) -> None:
    database.execute("DROP INDEX item_id; DELETE FROM item; CREATE UNIQUE INDEX item_id ON item (id)")
    approval = repair(runner, project, database, "r2")
    ended = approval.run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r2"]
    assert database.journal() == [("r1", "done"), ("r2", "done")]
    assert database.all("SELECT plan_uid FROM alembic_operator.revision_journal WHERE revision = 'r2'") == [("plan-1",)]
    failed(approval.run(), Reason.PLAN_CHANGED)


@pytest.mark.usefixtures("half_applied")
def test_settles_nothing_when_the_index_was_mended_meanwhile(
    runner: Runner, project: Project, database: Database
) -> None:
    approval = repair(runner, project, database, "r1")
    database.execute("DROP INDEX item_id")
    failed(approval.run(), Reason.PLAN_CHANGED)
    assert database.journal() == [("r1", "done"), ("r2", "intent")]
