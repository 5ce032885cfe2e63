"""A database that others migrated is compared with the history before anything of it is believed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Approved, RunKind
from alembic_operator.contract.result import Outcome
from alembic_operator.contract.verification import Verification, VerifiedReason

FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


def verification(ended: Ended) -> Verification:
    found = ended.result.verification
    assert found is not None, ended.message
    return found


def claim(planner: Planner, project: Project, planned: Ended) -> Ended:
    """The apply run that follows a plan run which found nothing to send."""
    rows = planned.result.current or []
    nothing = Approved("", "", "", "", "Upgrade", rows, rows, 0)
    return planner.runner(
        project,
        planner.database.uri,
        approved=nothing,
        evidence="Shadow",
        verification=planned.result.verification,
    )


@pytest.fixture
def live(project: Project, database: Database) -> Project:
    """r1 and r2, applied by plain Alembic."""
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN n int DEFAULT 0", "CREATE INDEX ix_n ON item (n)")
    assert database.alembic(project).returncode == 0
    return project


def test_schema_is_verified_and_journalled_when_it_is_the_history_s(
    live: Project, planner: Planner, database: Database
) -> None:
    planned = planner.run(live)
    assert (planned.result.outcome, planned.result.pending) == (Outcome.BEHIND, 0)
    assert verification(planned).reason == VerifiedReason.COMPARED
    claimed = claim(planner, live, planned)
    assert claimed.result.outcome == Outcome.UP_TO_DATE, claimed.message
    found = database.all("SELECT revision, state, verified, fingerprint FROM alembic_operator.revision_journal")
    fingerprint = verification(planned).fingerprint
    assert found == [("r1", "adopted", "Compared", fingerprint), ("r2", "adopted", "Compared", fingerprint)]

    database.execute("ALTER TABLE item DROP COLUMN n")  # what is journalled is not compared again
    later = planner.run(live)
    assert (later.result.outcome, verification(later)) == (Outcome.UP_TO_DATE, verification(planned))


def test_differences_are_named_and_nothing_is_planned_when_the_schema_is_another(
    live: Project, planner: Planner, database: Database
) -> None:
    database.execute(
        "ALTER TABLE item ALTER name TYPE varchar(9); ALTER INDEX ix_n RENAME TO n_ix;"
        "ALTER TABLE item RENAME CONSTRAINT item_pkey TO pk_item; ALTER TABLE item ALTER n DROP DEFAULT"
    )
    for _ in range(2):
        ended = planner.run(live)
        message = failed(ended, Reason.SCHEMA_MISMATCH)
        assert len(message) <= 1024
        assert verification(ended).reason == VerifiedReason.DIFFERENT
        assert f"spec.baseline: {{revisions: [r2], fingerprint: {verification(ended).fingerprint}}}" in message
        (record,) = ended.events("differences")
        assert record["sentences"] == [
            "table public.item: column n differs: default is none in the database, expected 0",
            "table public.item: column name differs: type is character varying(9) in the database, expected text",
            "table public.item: constraint item_pkey is named pk_item in the database, and is the same otherwise",
            "table public.item: index ix_n is named n_ix in the database, and is the same otherwise",
        ]
        live.sql("r3", "CREATE TABLE more (id int)")  # the second time with something to do


def test_difference_is_named_when_a_revision_was_stamped_and_a_later_one_is_pending(
    project: Project, planner: Planner, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    assert database.alembic(project).returncode == 0
    project.sql("r2", "ALTER TABLE item ADD COLUMN total int")
    assert database.alembic(project, "stamp", "head").returncode == 0
    project.sql("r3", "CREATE TABLE more (id int)")
    message = failed(planner.run(project, baseline=["r2"]), Reason.SCHEMA_MISMATCH)
    assert "table public.item: column total is missing in the database" in message


def test_difference_is_named_when_the_same_id_has_another_content(
    live: Project, planner: Planner, tmp_path: Any
) -> None:
    other = Project(tmp_path / "line-b")
    other.sql("r1", "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL)")
    other.sql("r2", "CREATE TABLE invoice (id int)")
    message = failed(planner.run(other), Reason.SCHEMA_MISMATCH)
    assert "table public.invoice is missing in the database" in message


def test_difference_is_named_when_a_revision_was_stamped_beside_the_operator(
    project: Project, planner: Planner, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    assert planner.runner(project, database.uri).exit_code == 0
    project.sql("r2", "ALTER TABLE item ADD COLUMN total int")
    assert database.alembic(project, "stamp", "head").returncode == 0
    checked = planner.runner(project, database.uri, kind=RunKind.CHECK, evidence="Shadow")
    assert checked.result.outcome == Outcome.BEHIND, checked.message
    assert verification(checked).reason == VerifiedReason.NOT_COMPARED
    assert "column total is missing" in failed(planner.run(project), Reason.SCHEMA_MISMATCH)


def test_difference_is_named_when_it_lies_outside_of_the_search_path(
    project: Project, planner: Planner, database: Database
) -> None:
    project.sql("r1", "CREATE SCHEMA app", "CREATE TABLE app.item (id int, n int)")
    assert database.alembic(project).returncode == 0
    assert verification(planner.run(project)).reason == VerifiedReason.COMPARED
    database.execute("ALTER TABLE app.item DROP COLUMN n")
    message = failed(planner.run(project), Reason.SCHEMA_MISMATCH)
    assert "table app.item: column n is missing in the database" in message


def test_missing_extension_is_named_and_one_that_somebody_else_made_is_there_for_the_history(
    project: Project, planner: Planner, database: Database
) -> None:
    superuser = database.server.uri(database.name)
    project.sql("r1", "CREATE TABLE item (name public.citext)")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION citext")
    assert database.alembic(project).returncode == 0
    assert verification(planner.run(project)).reason == VerifiedReason.COMPARED

    project.sql("r2", "CREATE EXTENSION hstore")
    assert database.alembic(project, "stamp", "head").returncode == 0
    message = failed(planner.run(project), Reason.SCHEMA_MISMATCH)
    assert message.count("in the database") == 1
    assert "extension hstore is missing in the database" in message


def test_extra_objects_are_warnings_of_the_plan_when_a_revision_was_deleted(
    live: Project, planner: Planner, database: Database
) -> None:
    database.execute("CREATE TABLE audit (id int); ALTER TABLE item ADD COLUMN by_hand int")
    live.sql("r3", "CREATE TABLE more (id int)")
    plan = read_plan(planner.run(live))
    assert [(one.rule, one.severity, one.object, one.message) for one in plan.faults] == [
        ("first-contact", "warning", "table public.audit is only in the database", plan.faults[0].message),
        ("first-contact", "warning", "table public.item", plan.faults[1].message),
    ]
    assert plan.faults[1].message == "table public.item: column by_hand is only in the database."


def test_schema_is_accepted_when_git_has_its_fingerprint(live: Project, planner: Planner, database: Database) -> None:
    database.execute("ALTER TABLE item DROP COLUMN n")
    (fingerprint,) = FINGERPRINT.findall(failed(planner.run(live), Reason.SCHEMA_MISMATCH))
    planned = planner.run(live, baseline=["r2"], baseline_fingerprint=fingerprint)
    assert planned.result.outcome == Outcome.BEHIND, planned.message
    assert verification(planned).reason == VerifiedReason.ACCEPTED
    assert claim(planner, live, planned).result.outcome == Outcome.UP_TO_DATE
    assert database.all("SELECT DISTINCT verified FROM alembic_operator.revision_journal") == [("Accepted",)]


def test_baseline_is_an_error_when_the_fingerprint_is_another(live: Project, planner: Planner) -> None:
    ended = planner.run(live, baseline=["r2"], baseline_fingerprint="sha256:" + "0" * 64)
    assert failed(ended, Reason.BASELINE_MISMATCH)
    ended = planner.runner(
        live, planner.database.uri, baseline=["r2"], baseline_fingerprint="sha256:" + "0" * 64, evidence="Static"
    )
    assert failed(ended, Reason.BASELINE_MISMATCH)


def test_nothing_calls_itself_verified_when_there_is_no_shadow(
    live: Project, planner: Planner, database: Database
) -> None:
    live.sql("r3", "CREATE TABLE more (id int)")
    planned = planner.run(live, evidence="Static")
    assert verification(planned).reason == VerifiedReason.NOT_COMPARED
    plan = read_plan(planned)
    assert [(one.rule, one.severity) for one in plan.faults] == [("first-contact", "error")]
    applied = planner.runner(live, database.uri, evidence="Static")  # review.mode Auto: no plan
    assert applied.result.outcome == Outcome.APPLIED
    assert verification(applied).reason == VerifiedReason.NOT_COMPARED
    later = planner.runner(live, database.uri, kind=RunKind.CHECK)
    assert verification(later) == verification(applied)


def test_plan_waits_for_a_decision_when_the_history_begins_above_an_empty_database(
    project: Project, planner: Planner, database: Database
) -> None:
    database.execute("CREATE TABLE item (id int)")  # the application made it
    project.sql("r1", "ALTER TABLE item ADD COLUMN n int")
    assert database.alembic(project).returncode == 0
    project.sql("r2", "CREATE TABLE more (id int)")
    planned = planner.run(project)
    assert verification(planned).reason == VerifiedReason.NOT_COMPARED
    assert 'Trying revision "r1" (r1.py) in the shadow' in verification(planned).message
    assert verification(planned).fingerprint in verification(planned).message
    plan = read_plan(planned)
    assert [(one.rule, one.severity) for one in plan.faults] == [("first-contact", "error")]


def test_nothing_is_journalled_when_the_schema_has_changed_since_it_was_compared(
    live: Project, planner: Planner, database: Database
) -> None:
    planned = planner.run(live)
    database.execute("ALTER TABLE item DROP COLUMN n")
    message = failed(claim(planner, live, planned), Reason.PLAN_CHANGED)
    assert "the schema has changed since it was compared with the history" in message
    lost = replace(planned.result, verification=None)
    unknown = claim(planner, live, replace(planned, message=lost.to_json()))
    assert "their schema was not compared with the history" in failed(unknown, Reason.PLAN_CHANGED)
    assert database.all("SELECT to_regclass('alembic_operator.meta')") == [(None,)]


def test_operator_is_named_when_it_applied_everything_itself(
    project: Project, planner: Planner, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    for kind in (RunKind.APPLY, RunKind.CHECK):
        assert verification(planner.runner(project, database.uri, kind=kind)).reason == VerifiedReason.APPLIED
