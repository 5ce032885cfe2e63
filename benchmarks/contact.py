"""First contact with a database of 500 revisions that plain Alembic migrated: what the comparison costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.postgres import Postgres, binaries
from tests.cluster.progress import step
from tests.component.runner.project import Project

from .lint import REVISIONS, ROOT, history
from .samples import Result, Row, Verdict

ROUNDS = 3


def measure() -> list[Result]:
    """Migrate by plain Alembic, then compare, once a round."""
    plain, compared = [], []
    what = f"comparing a database of {REVISIONS} revisions, {ROUNDS} times"
    with tempfile.TemporaryDirectory() as folder, Postgres(16) as server, step(what, "about a minute"):
        project = history(Path(folder) / "app")
        for turn in range(ROUNDS):
            server.create_database(f"target{turn}")
            started = time.perf_counter()
            _migrate(server, f"target{turn}", project)
            plain.append(time.perf_counter() - started)
            started = time.perf_counter()
            _compare(server, f"target{turn}", project)
            compared.append(time.perf_counter() - started)
    comparison = Row("alembic-operator plan, nothing pending, compared", "s", compared)
    return [
        Result(
            title=f"First contact with a database of {REVISIONS} revisions",
            method=(
                f"A history of {REVISIONS} revisions, applied by `alembic upgrade head` to a database of PostgreSQL 16."
                " Then `alembic-operator plan` from start to exit, with nothing pending: the schema is restored into a"
                " scratch database, the history is replayed into another one on the same server, and both are compared."
            ),
            rows=[Row("alembic upgrade head", "s", plain), comparison],
            verdicts=[Verdict("seconds of the comparison", comparison.median, 30.0)],
        )
    ]


def _migrate(server: Postgres, database: str, project: Project) -> None:
    url = server.uri(database).replace("postgresql://", "postgresql+psycopg://")
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    _run(command, {"DATABASE_URL": url}, project.directory)


def _compare(server: Postgres, database: str, project: Project) -> None:
    env = {
        "PATH": f"{binaries(server.version)}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'helpers'}",
        "ALEMBIC_OPERATOR_DATABASE_URL": server.uri(database),
        "ALEMBIC_OPERATOR_SHADOW_URL": server.uri(),
    }
    command = [sys.executable, "-m", "alembic_operator.cli", "plan", "--project", str(project.directory)]
    told = _run(command, env, ROOT)
    if "everything that the history creates" not in told:
        raise RuntimeError(f"nothing was compared: {told}")


def _run(command: list[str], env: dict[str, str], directory: Path) -> str:
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout
