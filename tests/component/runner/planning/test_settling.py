"""Adopting a database, and settling a revision of which a part was committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.component.runner.approvals import approve_as_planned
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

R1 = "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL)"
R2 = "ALTER TABLE item ADD COLUMN n int"


@pytest.fixture
def two(project: Project) -> Project:
    """Two revisions, of which the first has a way into a database without Alembic."""
    project.sql("r1", R1)
    project.sql("r2", R2)
    return project


def test_baseline_is_planned_when_the_schema_is_the_history_s(
    database: Database, two: Project, planner: Planner
) -> None:
    database.execute(R1)
    ended = planner.run(two, baseline=["r1"])
    plan = read_plan(ended)
    assert (plan.direction, plan.from_revisions, plan.to_revisions) == (Direction.BASELINE, [], ["r1"])
    assert [one.channel for one in plan.steps[0].statements] == ["runner", "runner"]
    assert plan.fingerprint.startswith("sha256:")
    assert database.all("SELECT to_regclass('alembic_version')") == [(None,)]


def test_baseline_mismatch_lists_what_differs_when_the_schema_is_another_one(
    database: Database, two: Project, planner: Planner
) -> None:
    database.execute(R1.replace("NOT NULL", ""))
    database.execute("CREATE TABLE other (id int)")
    message = failed(planner.run(two, baseline=["r1"]), Reason.BASELINE_MISMATCH)
    assert "public.other is only in the database" in message
    assert "column name" in message


def test_baseline_mismatch_when_the_pinned_fingerprint_is_another_one(
    database: Database, two: Project, planner: Planner
) -> None:
    database.execute(R1)
    pinned = "sha256:" + "0" * 64
    assert pinned in failed(planner.run(two, baseline=["r1"], baseline_fingerprint=pinned), Reason.BASELINE_MISMATCH)


def test_baseline_is_refused_when_the_image_lacks_the_revision(
    database: Database, two: Project, planner: Planner
) -> None:
    database.execute(R1)
    failed(planner.run(two, baseline=["r9"]), Reason.REVISION_NOT_FOUND)


BLOCK = """
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE item ADD COLUMN n int")
    op.execute({last!r})
"""


def _half_applied(planner: Planner, project: Project, last: str) -> None:
    project.sql("r1", R1)
    assert planner.runner(project, planner.database.uri).exit_code == 0
    path = project.add("r2", BLOCK.format(last="SELECT 1/0"))
    failed(planner.runner(project, planner.database.uri), Reason.OUTCOME_UNKNOWN)
    _rewrite(path, "SELECT 1/0", last)


def _rewrite(path: Path, before: str, after: str) -> None:
    path.write_text(path.read_text().replace(before, after))


def test_repair_counts_the_revision_as_done_when_all_of_it_is_there(
    database: Database, project: Project, planner: Planner
) -> None:
    _half_applied(planner, project, "SELECT 1")
    ended = planner.run(project)
    plan = read_plan(ended)
    assert (plan.direction, plan.from_revisions, plan.to_revisions) == (Direction.REPAIR, ["r1"], ["r2"])
    assert ended.result.outcome == Outcome.PLANNED


def test_repair_forgets_the_revision_when_nothing_of_it_is_there(
    database: Database, project: Project, planner: Planner
) -> None:
    _half_applied(planner, project, "SELECT 1")
    database.execute("ALTER TABLE item DROP COLUMN n")
    plan = planner(project)
    assert (plan.direction, plan.from_revisions, plan.to_revisions) == (Direction.REPAIR, ["r1"], ["r1"])
    assert any("DELETE FROM alembic_operator.revision_journal" in one.sql for one in plan.steps[0].statements)


def test_outcome_stays_unknown_with_what_differs_when_a_part_is_there(
    database: Database, project: Project, planner: Planner
) -> None:
    _half_applied(planner, project, "CREATE TABLE more (id int)")
    message = failed(planner.run(project), Reason.OUTCOME_UNKNOWN)
    assert "public.more is missing in the database" in message or "column n" in message


def _apply(planner: Planner, project: Project, ended: Ended, tmp_path: Path, **request: Any) -> Ended:
    approved, mounts = approve_as_planned(read_plan(ended), tmp_path)
    return planner.runner(project, planner.database.uri, mounts=mounts, approved=approved, evidence="Shadow", **request)


def test_approved_baseline_is_applied_when_nothing_changed(
    database: Database, two: Project, planner: Planner, tmp_path: Path
) -> None:
    database.execute(R1)
    ended = _apply(planner, two, planner.run(two, baseline=["r1"]), tmp_path, baseline=["r1"])
    assert (ended.result.outcome, ended.result.pending) == (Outcome.BEHIND, 1), ended.message
    assert (database.heads(), database.journal()) == (["r1"], [("r1", "adopted")])
    assert [step.revision for step in planner(two, baseline=["r1"]).steps] == ["r2"]


def test_approved_repair_is_applied_when_nothing_changed(
    database: Database, project: Project, planner: Planner, tmp_path: Path
) -> None:
    _half_applied(planner, project, "SELECT 1")
    ended = _apply(planner, project, planner.run(project), tmp_path)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r2"]
