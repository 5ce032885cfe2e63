"""An approved plan under the lock: it runs as it was approved, goes on where it was interrupted, or nothing is sent."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest
from tests.cluster.postgres import Version
from tests.component.runner.approvals import Approval, approve, compared, step
from tests.component.runner.databases import Database
from tests.component.runner.gate import REACHED, Gate
from tests.component.runner.harness import OWNER, Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.job_env import GUARD_FILE
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome
from alembic_operator.contract.version import VERSION

R1, R2, R3 = "CREATE TABLE item (id int)", "ALTER TABLE item ADD COLUMN name text", "CREATE INDEX item_id ON item (id)"


@pytest.fixture
def approval(runner: Runner, project: Project, database: Database) -> Approval:
    """A plan of three revisions for an empty database."""
    for revision, sql in (("r1", R1), ("r2", R2), ("r3", R3)):
        project.sql(revision, sql)
    return approve(runner, project, database, [step("r1", R1), step("r2", R2), step("r3", R3)])


def unchanged(database: Database) -> bool:
    """Whether nothing was sent."""
    found = database.all(
        "SELECT to_regclass('item'), to_regclass('alembic_version'), to_regnamespace('alembic_operator')"
    )
    return found == [(None, None, None)]


@pytest.mark.parametrize("version", [15, 18])
def test_applies_and_journals_who_approved_when_nothing_has_changed(
    approval: Approval, database: Database, version: Version
) -> None:
    ended = approval.run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r3"]
    assert database.all(
        "SELECT DISTINCT plan, plan_uid, digest, approved_by, direction FROM alembic_operator.revision_journal"
    ) == [("db-0123abcd", "plan-1", "sha256:" + "d" * 64, "dana@example.com", "up")]


def test_says_what_was_edited_when_a_file_changed_after_the_approval(approval: Approval, database: Database) -> None:
    file = approval.project.versions / "r2.py"
    file.write_text(file.read_text().replace("name text", "name int"))
    message = failed(approval.run(), Reason.PLAN_CHANGED)
    assert 'revision "r2" (r2.py) was edited' in message
    assert "Nothing was sent" in message
    assert unchanged(database)


def test_sends_nothing_when_a_file_beside_the_revisions_changed(approval: Approval, database: Database) -> None:
    (approval.project.directory / "migrations" / "env.py").write_text("raise SystemExit\n")
    assert "a file next to the revisions was edited" in failed(approval.run(), Reason.PLAN_CHANGED)
    assert unchanged(database)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": "registry.example/shop@sha256:" + "1" * 64}, "image was 'registry.example/shop@sha256:000"),
        ({"target": replace(OWNER, uid="uid-2")}, "schema was 'uid-1' and is now 'uid-2'"),
        ({"role": "shop"}, "steering.role was '' and is now 'shop'"),
        ({"env_names": ["REGION"]}, "steering.env was [] and is now ['REGION']"),
        ({"revision": "r2"}, 'the spec now targets "r2"'),
    ],
    ids=["image", "resource", "role", "env", "revision"],
)
def test_sends_nothing_when_what_steers_the_run_changed(
    approval: Approval, database: Database, change: dict[str, Any], told: str
) -> None:
    assert told in failed(approval.run(**change), Reason.PLAN_CHANGED)
    assert unchanged(database)


def test_sends_nothing_when_the_operator_was_upgraded_whose_rules_passed_the_plan(
    approval: Approval, database: Database
) -> None:
    upgraded = "from alembic_operator.runner.history import inputs\ninputs.VERSION = '9.9.9'\n"
    assert f"versions.runner was '{VERSION}' and is now '9.9.9'" in failed(
        approval.run(more=upgraded), Reason.PLAN_CHANGED
    )
    assert unchanged(database)


def test_sends_nothing_when_the_secret_names_another_database(
    approval: Approval, database: Database, request: pytest.FixtureRequest
) -> None:
    database.server.create_database("elsewhere", owner="shop")
    request.addfinalizer(lambda: database.server.drop_database("elsewhere"))
    approval.secret = database.uri.replace(database.name, "elsewhere")
    assert "database was 'sha256:" in failed(approval.run(), Reason.PLAN_CHANGED)


def test_sends_nothing_when_another_run_moved_the_journal_on(
    approval: Approval, runner: Runner, project: Project, database: Database
) -> None:
    assert runner(project, database.uri, revision="r1").result.outcome == Outcome.APPLIED
    message = failed(approval.run(), Reason.PLAN_CHANGED)
    assert 'revision "r1" was applied by another run' in message
    assert database.heads() == ["r1"]


def test_sends_nothing_when_plain_alembic_moved_the_database(
    approval: Approval, project: Project, database: Database
) -> None:
    assert database.alembic(project, "upgrade", "r1").returncode == 0
    assert '"r1"' in failed(approval.run(), Reason.PLAN_CHANGED)
    assert database.heads() == ["r1"]


def test_sends_nothing_when_the_plan_is_another_resource_s(approval: Approval, database: Database) -> None:
    failed(approval.run(target=replace(OWNER, name="other", uid="uid-9")), Reason.PLAN_CHANGED)
    assert unchanged(database)


def test_goes_on_without_a_new_approval_when_it_was_killed_between_revisions(
    gate: Gate, runner: Runner, project: Project, database: Database
) -> None:
    project.sql("r1", R1)
    project.add("r2", f"{gate.code}op.execute({R2!r})")
    project.sql("r3", R3)
    approval = approve(runner, project, database, [step("r1", R1), step("r2", R2), step("r3", R3)])
    gate.close()
    run = approval.start()
    run.wait_for(REACHED)
    run.signal(signal.SIGKILL)
    run.end()
    assert database.heads() == ["r1"]

    gate.open()
    ended = approval.run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert [one.revision for one in ended.result.applied] == ["r2", "r3"]
    assert approval.run().result.outcome == Outcome.UP_TO_DATE  # its result was lost, say


def test_never_approves_again_when_it_reached_its_end_and_was_taken_back(
    approval: Approval, project: Project, database: Database
) -> None:
    assert approval.run().result.outcome == Outcome.APPLIED
    database.execute("DROP TABLE item; DELETE FROM alembic_version")
    message = failed(approval.run(), Reason.PLAN_CHANGED)
    assert "covers each revision once" in message
    assert database.heads() == []


def test_goes_no_further_when_a_revision_in_between_is_another_plan_s(
    approval: Approval, database: Database, runner: Runner, project: Project
) -> None:
    other = replace(approval.approved, uid="plan-2", to_revisions=["r1"])
    approval.approved = replace(approval.approved, uid="plan-2")
    assert approval.run().result.outcome == Outcome.APPLIED
    database.execute("DROP INDEX item_id; UPDATE alembic_version SET version_num = 'r2'")
    approval.approved = replace(other, uid="plan-1", to_revisions=["r3"])
    failed(approval.run(), Reason.PLAN_CHANGED)
    assert database.heads() == ["r2"]


def test_only_claims_when_the_approval_is_for_that(runner: Runner, project: Project, database: Database) -> None:
    project.sql("r1", R1)
    assert database.alembic(project).returncode == 0
    only_claim = approve(runner, project, database, []).approved
    only_claim = replace(only_claim, name="", uid="", guard_sha256="")
    failed(runner(project, database.uri, approved=only_claim), Reason.PLAN_CHANGED)  # nobody compared it
    seen = compared(database)
    ended = runner(project, database.uri, approved=only_claim, verification=seen)
    assert ended.result.outcome == Outcome.UP_TO_DATE, ended.message
    assert database.journal() == [("r1", "adopted")]
    project.sql("r2", R2)
    failed(runner(project, database.uri, approved=only_claim), Reason.PLAN_CHANGED)
    assert database.heads() == ["r1"]


@pytest.mark.parametrize("damage", ["missing", "cut", "edited", "empty"])
def test_sends_nothing_when_the_guard_is_not_the_approved_one(
    approval: Approval, database: Database, damage: str
) -> None:
    parts = sorted(approval.directory.glob(f"{GUARD_FILE}*"))
    assert len(parts) > 2
    if damage == "missing":
        for part in parts:
            part.unlink()
    elif damage == "cut":
        approval.directory.joinpath(f"{GUARD_FILE}1").unlink()
    elif damage == "edited":
        parts[0].write_bytes(parts[0].read_bytes().replace(b"r", b"q", 1))
    else:
        parts[-1].write_bytes(b"")
    message = failed(approval.run(), Reason.RUNNER_PROTOCOL_ERROR)
    assert "Nothing was sent" in message
    assert unchanged(database)


def test_adds_the_columns_of_a_plan_when_the_journal_is_of_version_1_0(
    runner: Runner, project: Project, database: Database
) -> None:
    project.sql("r1", R1)
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    database.execute(
        "ALTER TABLE alembic_operator.revision_journal DROP COLUMN plan, DROP COLUMN plan_uid, DROP COLUMN digest,"
        " DROP COLUMN approved_by; UPDATE alembic_operator.meta SET minor = 0"
    )
    project.sql("r2", R2)
    ended = approve(runner, project, database, [step("r2", R2)]).run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT minor FROM alembic_operator.meta") == [(2,)]
    assert database.all("SELECT revision, plan_uid FROM alembic_operator.revision_journal ORDER BY id") == [
        ("r1", None),
        ("r2", "plan-1"),
    ]


def test_goes_on_when_it_adopted_what_was_there_before_its_first_revision(
    runner: Runner, project: Project, database: Database
) -> None:
    project.sql("r1", R1)
    assert database.alembic(project).returncode == 0
    project.sql("r2", R2)
    project.sql("r3", R3)
    approval = approve(runner, project, database, [step("r2", R2), step("r3", R3)])
    held = database.connect(autocommit=False)
    held.execute("LOCK TABLE item")
    seen = compared(database)
    hasty = "import alembic_operator.runner.migrate.migration as apply\napply.TRIES = 1"
    failed(approval.run(more=hasty, verification=seen), Reason.LOCK_TIMEOUT)
    held.rollback()
    assert database.journal() == [("r1", "adopted")]
    ended = approval.run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
