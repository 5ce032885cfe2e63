"""What a plan run makes of what it finds in the target, and that it writes nothing there."""

from __future__ import annotations

import re
import signal
from dataclasses import replace

import pytest
from tests.cluster.postgres import Version
from tests.cluster.processes import wait_until
from tests.component.runner.databases import Database
from tests.component.runner.harness import OWNER, failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract import job_env
from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

_MAY_WRITE = re.compile(r"\b(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|GRANT|COPY|MERGE)\b", re.IGNORECASE)


@pytest.fixture
def two(project: Project) -> Project:
    """Two revisions."""
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY)")
    project.add("r2", 'op.add_column("item", sa.Column("n", sa.Integer))', downgrade='op.drop_column("item", "n")')
    return project


@pytest.mark.parametrize("version", [15, 18])
def test_nothing_is_written_to_the_target_when_a_plan_is_made(
    database: Database, two: Project, planner: Planner, version: Version
) -> None:
    assert planner.runner(two, database.uri, revision="r1").exit_code == 0
    server = database.server
    for setting in ("log_statement = 'all'", "log_line_prefix = '%d/%a|'"):
        server.execute(f"ALTER SYSTEM SET {setting}")
    server.execute("SELECT pg_reload_conf()")
    before, start = database.journal(), len(server.log.read_text())
    planner.env["PGOPTIONS"] = "-c log_statement=none"  # dropped by the runner

    plan = planner(two)

    lines = server.log.read_text()[start:].splitlines()
    sent = [line for line in lines if line.startswith(f"{database.name}/alembic-operator/") and "statement" in line]
    assert len(sent) > 5
    assert [line for line in sent if _MAY_WRITE.search(line)] == []
    assert any("SET default_transaction_read_only" in line or "default_transaction_read_only" in line for line in lines)
    assert [step.revision for step in plan.steps] == ["r2"]
    assert database.journal() == before
    assert database.heads() == ["r1"]


def test_target_refuses_a_write_when_a_revision_s_import_reaches_the_plan_s_session(
    database: Database, two: Project, planner: Planner
) -> None:
    assert planner.runner(two, database.uri, revision="r1").exit_code == 0
    more = """
import alembic_operator.runner.commands.plan as plan
original = plan.plan
def spoiled(run, connection):
    connection.cursor().execute("CREATE TABLE spoiled (id int)")
plan.plan = spoiled
"""
    planner.restore()
    ended = planner.runner(two, database.uri, more=more, kind=RunKind.PLAN, evidence="Shadow")
    assert "25006" in failed(ended, Reason.TARGET_READ_ONLY)


def test_up_to_date_when_the_database_is_at_the_target(database: Database, two: Project, planner: Planner) -> None:
    assert planner.runner(two, database.uri).exit_code == 0
    ended = planner.run(two)
    assert (ended.result.outcome, ended.result.pending) == (Outcome.UP_TO_DATE, 0)
    assert ended.events("plan") == []


def test_nothing_is_pending_but_an_apply_run_has_to_claim_when_plain_alembic_migrated(
    database: Database, two: Project, planner: Planner
) -> None:
    assert database.alembic(two).returncode == 0
    result = planner.run(two).result
    assert (result.outcome, result.pending, result.current) == (Outcome.BEHIND, 0, ["r2"])


def test_an_apply_run_has_to_claim_when_the_owner_is_replaced(
    database: Database, two: Project, planner: Planner
) -> None:
    assert planner.runner(two, database.uri).exit_code == 0
    other = replace(OWNER, name="other", uid="uid-2")
    failed(planner.run(two, target=other), Reason.TARGET_OWNED)
    result = planner.run(two, target=other, replace_owner=OWNER.uid).result
    assert (result.outcome, result.pending) == (Outcome.BEHIND, 0)


def test_schema_ahead_when_no_downgrade_is_allowed(database: Database, two: Project, planner: Planner) -> None:
    assert planner.runner(two, database.uri).exit_code == 0
    assert planner.run(two, revision="r1").result.outcome == Outcome.AHEAD


def test_downgrade_is_planned_when_it_is_allowed(database: Database, two: Project, planner: Planner) -> None:
    assert planner.runner(two, database.uri).exit_code == 0
    ended = planner.run(two, revision="r1", allow_downgrade=True)
    plan = read_plan(ended)
    assert (plan.direction, plan.from_revisions, plan.to_revisions) == (Direction.DOWNGRADE, ["r2"], ["r1"])
    assert [(step.revision, step.statements[0].sql) for step in plan.steps] == [
        ("r2", "ALTER TABLE item DROP COLUMN n")
    ]
    assert plan.steps[0].statements[0].drops[0].identity == "public.item.n"
    assert ended.result.pending == 1
    assert database.heads() == ["r2"]


def test_downgrade_is_refused_when_the_image_lacks_the_revision(
    database: Database, two: Project, planner: Planner
) -> None:
    assert planner.runner(two, database.uri).exit_code == 0
    (two.versions / "r2.py").unlink()
    message = failed(planner.run(two, revision="r1", allow_downgrade=True), Reason.DOWNGRADE_REFUSED)
    assert '"r2"' in message


def test_permission_is_denied_with_the_remedy_when_a_table_cannot_be_read(
    database: Database, two: Project, planner: Planner
) -> None:
    assert planner.runner(two, database.uri, revision="r1").exit_code == 0
    database.server.execute("CREATE TABLE secret (id int)", database.name)
    message = failed(planner.run(two), Reason.PERMISSION_DENIED)
    assert "public.secret" in message
    assert "pg_read_all_data" in message


def test_failure_says_that_nothing_was_sent_when_a_revision_fails_in_the_shadow(
    database: Database, two: Project, planner: Planner
) -> None:
    two.sql("r3", "SELECT 1", "ALTER TABLE missing ADD COLUMN n int")
    ended = planner.run(two)
    message = failed(ended, Reason.MIGRATION_FAILED)
    assert ended.result.failure is not None
    assert (ended.result.failure.revision, ended.result.failure.statement) == ("r3", 2)
    assert ended.result.failure.sqlstate == "42P01"
    assert 'Trying revision "r3" (r3.py) in the shadow, statement 2' in message
    assert "Nothing was sent to the target" in message


def test_python_error_is_told_when_a_revision_raises_in_the_shadow(
    database: Database, two: Project, planner: Planner
) -> None:
    two.add("r3", 'raise KeyError("geheim")')
    message = failed(planner.run(two), Reason.MIGRATION_FAILED)
    assert "KeyError in r3.py" in message
    assert "geheim" not in message


def test_run_ends_at_its_time_limit_when_a_revision_never_does(
    database: Database, two: Project, planner: Planner
) -> None:
    # The revision sets the runner's own timer anew, so that the limit is met in it on a slow machine too.
    two.add("r3", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.2)\nwhile True:\n    pass")

    message = failed(planner.run(two), Reason.DEADLINE_EXCEEDED)
    assert 'Trying revision "r3" in the shadow' in message
    assert "Nothing was sent to the target" in message


def test_run_ends_at_its_time_limit_when_the_shadow_never_answers(
    database: Database, two: Project, planner: Planner
) -> None:
    asked = planner.directory / job_env.SHADOW_SOURCE_FILE
    run = planner.runner.start(
        two,
        database.uri,
        mounts=planner.mounts,
        kind=RunKind.PLAN,
        evidence="Shadow",
    )
    wait_until(asked.exists, "the question for a shadow")
    run.signal(signal.SIGALRM)  # what the timer sends

    ended = run.end()
    failed(ended, Reason.DEADLINE_EXCEEDED)
    assert f"export PGDATABASE='{database.name}'" in asked.read_text()
    assert ended.stdout.count("p@ss") == 0


def test_shadow_s_own_words_are_told_when_it_fails(database: Database, two: Project, planner: Planner) -> None:
    (planner.directory / job_env.SHADOW_FAILED_FILE).write_text('Restoring: no extension "postgis". Name an image.')
    ended = planner.runner(two, database.uri, mounts=planner.mounts, kind=RunKind.PLAN, evidence="Shadow")
    assert 'no extension "postgis". Name an image. Nothing was sent' in failed(ended, Reason.SHADOW_FAILED)


def test_plan_too_large_for_the_log_says_what_to_do_when_a_revision_sends_megabytes(
    database: Database, two: Project, planner: Planner
) -> None:
    two.add(
        "r3",
        """
        import random
        for number in range(13):
            op.execute("SELECT '" + random.Random(number).randbytes(500_000).hex() + "'")
        """,
    )
    message = failed(planner.run(two), Reason.MIGRATION_FAILED)
    assert "MiB packed" in message


def test_waivers_are_carried_when_they_lie_beside_the_revisions(
    database: Database, two: Project, planner: Planner
) -> None:
    (two.versions / "r2.review.yaml").write_text("- rule: destructive\n")
    plan = planner(two)
    assert plan.waivers == {"migrations/versions/r2.review.yaml": "- rule: destructive\n"}
    assert [step.downgrade for step in plan.steps] == ["empty", "proven"]


def test_edited_revision_is_a_fault_when_its_file_changed_after_it_was_applied(
    database: Database, two: Project, planner: Planner
) -> None:
    assert planner.runner(two, database.uri, revision="r1").exit_code == 0
    file = two.versions / "r1.py"
    file.write_text(file.read_text() + "\n# edited\n")
    (fault,) = planner(two).faults
    assert (fault.rule, fault.revision) == ("edited-revision", "r1")
