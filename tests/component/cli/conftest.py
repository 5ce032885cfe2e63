"""The tool as a person runs it: a process, a target, and another server for the scratch database."""

from __future__ import annotations

import compileall
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.postgres import Postgres, Version, binaries, servers_by_version
from tests.component.runner.databases import PASSWORD, Database
from tests.component.runner.project import Project
from tests.component.warm import Process, Warm, communicate, module

ROOT = Path(__file__).parents[3]
PYTHON = {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'helpers'}", "PYTHONDONTWRITEBYTECODE": "1"}
NO_SECRETS = (PASSWORD, "p%40ss%3A%2Fw%3F%25rd", "super secret", "super%20secret")


@dataclass
class Done:
    """The tool's process after its end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What --format json printed."""
        assert self.out, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def plan(self) -> dict[str, Any]:
        """The plan in it."""
        found: dict[str, Any] = self.json["plan"]
        return found

    @property
    def statements(self) -> list[str]:
        """The SQL of all steps."""
        return [one["sql"] for step in self.plan["steps"] for one in step["statements"]]


@dataclass
class Tool:
    """Runs `alembic-operator plan` for one target.

    Attributes:
        database: the target.
        scratch: the server of the scratch database.
        warm: where it is forked from.
        env: more environment variables.
    """

    database: Database
    scratch: Postgres
    warm: Warm
    env: dict[str, str] = field(default_factory=dict)

    def start(self, project: Project, *options: str, **urls: str) -> Process:
        """Start it."""
        environ = {
            **os.environ,
            "PATH": f"{binaries(self.database.server.version)}:{os.environ['PATH']}",
            **PYTHON,
            "ALEMBIC_OPERATOR_DATABASE_URL": urls.get("database", self.database.uri),
            "ALEMBIC_OPERATOR_SHADOW_URL": urls.get("shadow", self.scratch.uri()),
            **self.env,
        }
        code = module("alembic_operator.cli", "plan", "--project", str(project.directory), *options)
        return self.warm.start(code, env=environ, cwd=Path.cwd())

    def __call__(self, project: Project, *options: str, **urls: str) -> Done:
        """Run it to its end, and see that it told no password."""
        return end(self.start(project, *options, **urls))

    def left(self) -> list[tuple[object, ...]]:
        """Scratch databases and roles that were left behind."""
        with self.scratch.connect() as connection:
            return connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'alembic_operator_shadow%' "
                "UNION ALL SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"
            ).fetchall()


def end(process: Process, number: signal.Signals | None = None) -> Done:
    """Wait for a process, after a signal if one is given."""
    if number is not None:
        process.send_signal(number)
    out, err = communicate(process, 60)
    assert not any(secret in out + err for secret in NO_SECRETS)
    return Done(process.wait(), out, err)


@pytest.fixture(scope="session")
def warm_tool() -> Iterator[Warm]:
    """Where the tool is forked from; its child starts an interpreter, as always, which finds its modules compiled."""
    for folder in PYTHON["PYTHONPATH"].split(":"):
        compileall.compile_dir(folder, quiet=1)
    one = Warm(("alembic_operator.cli.plan",), {**os.environ, **PYTHON}, ROOT / "operator")
    yield one
    one.close()


@pytest.fixture(scope="session")
def scratch_servers() -> Iterator[Callable[[Version], Postgres]]:
    """Servers for scratch databases, by version."""
    with servers_by_version() as server:
        yield server


@pytest.fixture
def tool(
    database: Database,
    scratch_servers: Callable[[Version], Postgres],
    version: Version,
    warm_tool: Warm,
) -> Tool:
    """The tool for the test's database."""
    return Tool(database, scratch_servers(version), warm_tool)
