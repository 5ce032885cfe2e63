"""R6: the runner's wall time for a long history, divided by that of plain `alembic upgrade head`.

Called by the benchmarks; `measure(server, directory)` alternates the two on fresh databases of one server.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.postgres import Postgres

from alembic_operator.runner.zipapp.build import build

from .harness import Runner
from .project import Project


@dataclass
class Times:
    """Seconds of each repetition.

    Attributes:
        wall: From the process's start to its end.
        cpu: User and system time of the process, not of the server.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def make_history(project: Project, revisions: int) -> None:
    """A history of small steps: every tenth makes a table, the others add a column to it."""
    for number in range(revisions):
        table = f"t{number - number % 10}"
        if number % 10 == 0:
            project.sql(f"r{number:04d}", f"CREATE TABLE {table} (id int PRIMARY KEY, a text)")
        else:
            project.sql(f"r{number:04d}", f"ALTER TABLE {table} ADD COLUMN c{number} int")


def measure(server: Postgres, directory: Path, *, revisions: int = 500, repetitions: int = 5) -> dict[str, Times]:
    """Take turns; a first round, which compiles the revision files, does not count.

    Returns:
        Times of "plain" Alembic, of the same with "each" revision in a transaction of its own, and of the "runner".
    """
    pyz = directory / "runner.pyz"
    runner = Runner(pyz, build(pyz), directory / "runs")
    project = Project(directory / "app")
    make_history(project, revisions)
    env = project.directory / "migrations" / "env.py"
    each = 'connection=connection, transaction_per_migration="EACH" in os.environ'
    env.write_text(env.read_text().replace("connection=connection", each))
    times = {"plain": Times(), "each": Times(), "runner": Times()}
    for repetition in range(repetitions + 1):
        for kind in sorted(times, reverse=bool(repetition % 2)):
            name = f"r6_{kind}_{repetition}"
            server.create_database(name)
            began, before = time.perf_counter(), _children()
            if kind != "runner":
                _upgrade(project, server.uri(name), {"EACH": ""} if kind == "each" else {})
            else:
                ended = runner(project, server.uri(name))
                if ended.exit_code:
                    raise RuntimeError(ended.message)
            if repetition:
                times[kind].wall.append(time.perf_counter() - began)
                times[kind].cpu.append(_children() - before)
            server.drop_database(name)
    return times


def _upgrade(project: Project, uri: str, more: dict[str, str]) -> None:
    env = {**os.environ, **more, "DATABASE_URL": uri.replace("postgresql://", "postgresql+psycopg://")}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, cwd=project.directory, env=env, check=True, capture_output=True)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
