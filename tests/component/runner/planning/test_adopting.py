"""What is told of a database that is to be adopted, and adopting one without a shadow."""

from __future__ import annotations

import re

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason

FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


@pytest.fixture
def live(project: Project, database: Database) -> Project:
    """A database made by hand that is as r1 has it; r2 is newer."""
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN n int")
    database.execute("CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL)")
    return project


def _asked(planner: Planner, project: Project) -> str:
    message = failed(planner.run(project), Reason.BASELINE_REQUIRED)
    (found,) = FINGERPRINT.findall(message)
    return str(found)


def test_fingerprint_is_told_when_a_baseline_is_required(live: Project, planner: Planner) -> None:
    found = _asked(planner, live)
    assert read_plan(planner.run(live, baseline=["r1"], baseline_fingerprint=found)).fingerprint == found


def test_fingerprint_is_told_when_the_schema_is_another_one(
    live: Project, planner: Planner, database: Database
) -> None:
    database.execute("ALTER TABLE item ADD COLUMN extra int, ALTER COLUMN name DROP NOT NULL")
    found = _asked(planner, live)
    ended = planner.run(live, baseline=["r1"])
    message = failed(ended, Reason.BASELINE_MISMATCH)
    assert FINGERPRINT.findall(message) == [found]
    (record,) = ended.events("differences")
    assert record["found"] == found
    assert record["sentences"] == [
        "table public.item: column extra is only in the database",
        "table public.item: column name differs: not null is none in the database, expected set",
    ]
    assert all(sentence in message for sentence in record["sentences"])
    assert database.all("SELECT to_regclass('alembic_version')") == [(None,)]


def test_baseline_is_planned_when_git_has_the_fingerprint_and_there_is_no_shadow(
    live: Project, planner: Planner
) -> None:
    found = _asked(planner, live)
    plan = read_plan(planner.run(live, evidence="Static", baseline=["r1"], baseline_fingerprint=found))
    assert (plan.direction, plan.evidence, plan.to_revisions) == (Direction.BASELINE, "Static", ["r1"])
    assert plan.fingerprint == found


@pytest.mark.parametrize("pinned", ["", "sha256:" + "0" * 64], ids=["nothing", "another"])
def test_nothing_is_adopted_without_a_shadow_when_git_has(
    live: Project, planner: Planner, database: Database, pinned: str
) -> None:
    found = _asked(planner, live)
    ended = planner.run(live, evidence="Static", baseline=["r1"], baseline_fingerprint=pinned)
    assert found in failed(ended, Reason.BASELINE_MISMATCH)
    assert database.all("SELECT to_regclass('alembic_version')") == [(None,)]


def test_downgrade_is_refused_when_a_revision_has_none(project: Project, planner: Planner, database: Database) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", "op.execute('ALTER TABLE item ADD n int')", downgrade="raise NotImplementedError")
    project.add("r3", "op.execute('ALTER TABLE item ADD m int')", downgrade="op.drop_column('item', 'm')")
    assert planner.runner(project, database.uri).exit_code == 0
    message = failed(planner.run(project, revision="r1", allow_downgrade=True), Reason.DOWNGRADE_REFUSED)
    assert message.startswith('Planning the downgrade to "r1": the downgrade() of "r2" (r2.py) is missing, or only')
    plan = read_plan(planner.run(project, revision="r2", allow_downgrade=True))
    assert [(step.revision, step.downgrade) for step in plan.steps] == [("r3", "proven")]


def test_downgrade_is_not_proven_when_it_is_empty_and_the_upgrade_passes_over_what_is_there(
    project: Project, planner: Planner, database: Database
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "CREATE TABLE IF NOT EXISTS more (id int)")
    assert planner.runner(project, database.uri).exit_code == 0
    plan = read_plan(planner.run(project, revision="r1", allow_downgrade=True))
    assert [step.downgrade for step in plan.steps] == ["empty"]
