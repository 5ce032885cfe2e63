"""Plans, and the runs that they approve, on the oldest Python, Alembic, SQLAlchemy and drivers that are supported."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.component.runner.harness import failed
from tests.component.runner.interpreters import oldest_python
from tests.component.runner.migrate.test_escapes import OF_PSYCOPG, OF_PSYCOPG2, RAW
from tests.component.runner.migrate.test_intents import OUTSIDE
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

from ..approvals import approve_as_planned
from .test_escapes import OF_PSYCOPG as OUT_OF_PSYCOPG
from .test_guarded import BASE, REVISIONS

WAYS_OUT = [
    *(("psycopg", OF_PSYCOPG[name]) for name in ("tpc", "the driver")),
    *(("psycopg2", OF_PSYCOPG2[name]) for name in ("reset", "autocommit")),
]
DRIVERS = pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])


@pytest.fixture
def python(driver: str) -> str:
    """With the oldest libraries."""
    return oldest_python(driver)


@DRIVERS
def test_approved_plan_is_applied_when_the_libraries_are_the_oldest(
    planner: Planner, project: Project, tmp_path: Path, driver: str
) -> None:
    project.add("r1", BASE)
    uri = planner.database.uri.replace("postgresql://", f"postgresql+{driver}://")
    assert planner.runner(project, uri).exit_code == 0
    for name in ("core", "raw", "savepoint", "block", "backfill helper"):
        project.add(name.replace(" ", "_"), REVISIONS[name])
    approved, mounts = approve_as_planned(planner(project, driver=driver), tmp_path)
    ended = planner.runner(project, uri, mounts=mounts, approved=approved, evidence="Shadow")
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert planner.database.heads() == ["backfill_helper"]


@pytest.mark.parametrize(("driver", "name"), [("psycopg", "isolation level"), ("psycopg2", "after a change")])
def test_revision_may_end_its_transaction_when_the_libraries_are_the_oldest(
    planner: Planner, project: Project, driver: str, name: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", OUTSIDE[name])
    uri = planner.database.uri.replace("postgresql://", f"postgresql+{driver}://")
    ended = planner.runner(project, uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert planner.database.journal() == [("r1", "done"), ("r2", "done")]


@pytest.mark.parametrize(("driver", "code"), WAYS_OUT)
def test_way_out_is_refused_when_the_libraries_are_the_oldest(
    planner: Planner, project: Project, driver: str, code: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", RAW + code)
    uri = planner.database.uri.replace("postgresql://", f"postgresql+{driver}://")
    assert "transaction-escape" in failed(planner.runner(project, uri), Reason.MIGRATION_FAILED)
    assert planner.database.all("SELECT count(*) FROM item") == [(0,)]


@pytest.mark.parametrize(("driver", "way"), [("psycopg", "autocommit"), ("psycopg", "hand-made cursor")])
def test_step_is_no_transaction_when_a_revision_ends_its_own_by_the_oldest_libraries(
    planner: Planner, project: Project, driver: str, way: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", RAW + OUT_OF_PSYCOPG[way])
    step = planner(project, driver=driver).steps[-1]
    assert (step.transactional, step.statements[-1].sql) == (False, "CREATE TABLE extra (id int)")


@DRIVERS
def test_target_is_left_alone_when_a_revision_imports_connect_by_name_from_the_oldest_libraries(
    planner: Planner, project: Project, driver: str
) -> None:
    send = "cursor().execute('CREATE TABLE item (id int); COMMIT')"
    path = project.add("r1", f"connect({planner.database.uri!r}).{send}")
    path.write_text(f"from {driver} import connect\n{path.read_text()}")
    (step,) = planner(project, driver=driver).steps
    assert step.escapes == ["After statement 0 it opens its own database connection."]
    assert planner.database.all("SELECT to_regclass('item')") == [(None,)]
