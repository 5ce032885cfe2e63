"""Several heads on a real server: planned, applied, and taken back through a merge by the newest and oldest Alembic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.interpreters import oldest_python
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

from ..approvals import approve_as_planned


@pytest.fixture
def libraries() -> str:
    """`newest`, or `oldest`; a test may be parametrized over it."""
    return "newest"


@pytest.fixture
def python(libraries: str) -> str:
    """With these libraries."""
    return sys.executable if libraries == "newest" else oldest_python("psycopg")


def add(project: Project, revision: str, down: str | tuple[str, ...] | None, depends: str | None = None) -> None:
    project.add(
        revision,
        f'op.execute("CREATE TABLE t_{revision} ()")',
        down=down,
        depends=depends,
        downgrade=f'op.drop_table("t_{revision}")',
    )


@pytest.mark.parametrize("libraries", ["newest", "oldest"])
def test_merge_is_taken_back_to_both_heads_when_both_are_named(
    database: Database, project: Project, planner: Planner, runner: Runner, tmp_path: Path
) -> None:
    add(project, "a1", None)
    add(project, "b1", None)
    both: dict[str, Any] = {"revision": "", "revisions": ["a1", "b1"]}
    ended = runner(project, database.uri, **both)
    assert (ended.result.outcome, ended.result.current, ended.result.target_revisions) == (
        Outcome.APPLIED,
        ["a1", "b1"],
        ["a1", "b1"],
    )
    add(project, "m", ("a1", "b1"))
    assert runner(project, database.uri).result.current == ["m"]

    refused = failed(planner.run(project, revision="a1", allow_downgrade=True), Reason.DOWNGRADE_REFUSED)
    assert "leaves the database at a1, b1" in refused
    assert "spec.revisions: [a1, b1]" in refused

    plan = read_plan(planner.run(project, allow_downgrade=True, **both))
    assert ([step.revision for step in plan.steps], plan.to_revisions) == (["m"], ["a1", "b1"])
    assert [step.downgrade for step in plan.steps] == ["proven"]
    approved, mounts = approve_as_planned(plan, tmp_path)
    ended = runner(
        project, database.uri, mounts=mounts, approved=approved, evidence="Shadow", allow_downgrade=True, **both
    )
    assert (ended.result.outcome, ended.result.current) == (Outcome.APPLIED, ["a1", "b1"]), ended.message
    assert sorted(map(str, database.heads())) == ["a1", "b1"]
    assert runner(project, database.uri, **both).result.outcome == Outcome.UP_TO_DATE


def test_branch_that_is_half_way_is_told_when_the_target_does_not_name_it(
    database: Database, project: Project, runner: Runner
) -> None:
    for revision, down in (("a1", None), ("a2", "a1"), ("b1", None), ("b2", "b1")):
        add(project, revision, down)
    half = runner(project, database.uri, revision="", revisions=["a2", "b1"])
    assert half.result.current == ["a2", "b1"]

    told = failed(runner(project, database.uri, revision="a2", kind=RunKind.CHECK), Reason.DIVERGED)
    assert '"b2" is not applied' in told
    assert "spec.revisions: [a2, b2]" in told
    whole = runner(project, database.uri, revision="heads")
    assert (whole.result.applied_count, whole.result.current) == (1, ["a2", "b2"])
    assert runner(project, database.uri, revision="a2", kind=RunKind.CHECK).result.outcome == Outcome.AHEAD


def test_every_step_is_proven_when_a_branch_depends_on_another(
    database: Database, project: Project, planner: Planner
) -> None:
    add(project, "e1", None)
    add(project, "c1", None)
    add(project, "e2", "e1")
    add(project, "c2", "c1", depends="e2")
    plan = planner(project, revision="c2")
    assert {step.revision: step.downgrade for step in plan.steps} == dict.fromkeys(["e1", "e2", "c1", "c2"], "proven")
    assert plan.to_revisions == ["c2"]


def test_way_back_is_empty_when_it_leaves_what_the_way_up_makes(
    database: Database, project: Project, planner: Planner, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN n int")
    project.sql("r3", "UPDATE item SET n = 1")
    project.add("r4", 'op.execute("CREATE TABLE IF NOT EXISTS more ()")', downgrade='op.execute("SELECT 1")')
    assert runner(project, database.uri).exit_code == 0
    plan = read_plan(planner.run(project, revision="r1", allow_downgrade=True))
    assert {step.revision: (step.downgrade, step.downgrade_differences) for step in plan.steps} == {
        "r4": ("empty", ["table public.more is missing in the schema before it"]),
        "r3": ("empty", []),
        "r2": ("empty", ["table public.item: column n is missing in the schema before it"]),
    }


def test_there_is_no_plan_when_a_revision_writes_version_rows_itself(
    database: Database, project: Project, planner: Planner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO alembic_version VALUES ('other')")
    told = failed(planner.run(project), Reason.MIGRATION_FAILED)
    assert 'after its last step the version rows are "other", "r1", but its target is "r1"' in told
