"""The runner beside the script, as in the pod: they find each other, and a failure comes through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cluster.postgres import VERSIONS, Postgres, Version
from tests.component.runner.harness import Runner, failed
from tests.component.runner.planner import read_plan
from tests.component.runner.project import Project
from tests.component.shadow.harness import Shadow
from tests.component.shadow.measure import measure, plan_beside

from alembic_operator.contract.reasons import Reason


@pytest.mark.parametrize("version", VERSIONS)
def test_plan_is_made_when_the_target_is_of_any_version(
    version: Version, servers: Callable[[Version], Postgres], tmp_path: Path
) -> None:
    planned = measure(servers(version), tmp_path / "here", 5)
    assert planned.bytes > 0


def test_plan_run_says_why_when_the_shadow_failed(
    database: str, target: Postgres, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE t (id int)")
    with Shadow(15) as shadow:
        ended = plan_beside(shadow, runner, project, target.uri(database))
    message = failed(ended, Reason.SHADOW_FAILED)
    assert "The shadow's image has PostgreSQL 15, but the target is PostgreSQL 16" in message
    assert "Nothing was sent to the target." in message
    assert ended.result.database is not None
    assert ended.result.database.version.startswith("16")  # by which the next run finds its image


def test_plan_has_the_policies_roles_when_they_are_the_targets(
    target: Postgres, database: str, project: Project, runner: Runner
) -> None:
    target.execute("CREATE ROLE tenant_of_plan")
    project.sql("r1", "CREATE TABLE t (id int)", "GRANT SELECT ON t TO tenant_of_plan", "SET LOCAL ROLE tenant_of_plan")
    try:
        with Shadow() as shadow:
            plan = read_plan(plan_beside(shadow, runner, project, target.uri(database)))
    finally:
        target.execute("DROP ROLE tenant_of_plan")
    assert [statement.sql.split()[0] for statement in plan.steps[0].statements] == ["CREATE", "GRANT", "SET"]
