"""A whole plan run beside the shadow's script, timed; called by the benchmarks too."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.postgres import Postgres
from tests.component.runner.harness import Ended, Runner
from tests.component.runner.planner import read_plan
from tests.component.runner.project import Project
from tests.component.shadow.harness import Shadow

from alembic_operator.contract.request import RunKind
from alembic_operator.runner.zipapp.build import build

# As applications have them: a key of its own, something unique, a foreign key with its index.
_TABLE = """CREATE TABLE t%1$s (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), number bigint UNIQUE, name text NOT NULL,
  before uuid REFERENCES t%2$s, created_at timestamptz NOT NULL DEFAULT now(), body jsonb);
CREATE INDEX t%1$s_before ON t%1$s (before)"""


@dataclass(frozen=True)
class Planned:
    """A plan run's times, from the start of both processes.

    Attributes:
        seconds: to the runner's end.
        shadow: until the shadow was restored and seeded, by the runner's own account.
        bytes: of the shadow's database.
        disk: bytes of all files that the shadow's server made.
    """

    seconds: float
    shadow: float
    bytes: int
    disk: int


def make_runner(directory: Path) -> Runner:
    """The zipapp as it is shipped."""
    pyz = directory / "runner.pyz"
    return Runner(pyz, build(pyz), directory / "runs")


def plan_beside(shadow: Shadow, runner: Runner, project: Project, uri: str) -> Ended:
    """A plan run, to its end; the shadow may have been started just before, as in a pod."""
    return runner(project, uri, mounts={"SHADOW_DIRECTORY": shadow.shared}, kind=RunKind.PLAN, evidence="Shadow")


def make_tables(server: Postgres, database: str, tables: int) -> None:
    """Tables of an application, each beside its three indexes."""
    statements = "; ".join(f"EXECUTE format('{part.strip()}', i, greatest(i - 1, 1))" for part in _TABLE.split(";"))
    server.execute(
        f"DO $d$ BEGIN FOR i IN 1..{tables} LOOP {statements}; IF i % 50 = 0 THEN COMMIT; END IF; END LOOP; END $d$",
        database,
    )
    # As plain Alembic leaves it: a database with tables and no version row is not planned for.
    server.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)", database)
    server.execute("INSERT INTO alembic_version VALUES ('r1')", database)


def measure(server: Postgres, directory: Path, tables: int) -> Planned:
    """Plan one small revision on a database of so many tables."""
    directory.mkdir()
    runner = make_runner(directory)
    project = Project(directory / "app")
    project.sql("r1", "SELECT 1")
    project.sql("r2", "ALTER TABLE t1 ADD COLUMN note text")
    name = f"tables_{tables}"
    server.create_database(name)
    make_tables(server, name, tables)
    try:
        began = time.perf_counter()
        with Shadow(server.version) as shadow:
            plan = read_plan(plan_beside(shadow, runner, project, server.uri(name)))
            seconds = time.perf_counter() - began
            disk = sum(file.stat().st_size for file in (shadow.data / "server").rglob("*") if file.is_file())
    finally:
        server.drop_database(name)
    assert plan.shadow is not None
    return Planned(seconds, plan.shadow.seconds, plan.shadow.bytes, disk)
