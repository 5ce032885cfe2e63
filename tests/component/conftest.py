"""Servers, interpreters and databases of the component tests that the runner takes part in, and how it is started.

One server a version and session, one database a test. The whole suite runs on the newest libraries and PostgreSQL 15;
the main path also on 16 and 18, and on the oldest libraries that are supported.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cluster.postgres import Postgres, Version, servers_by_version
from tests.component.runner.compiled_zipapp import compiled_zipapp, modules_of
from tests.component.runner.databases import PASSWORD, USER, Database
from tests.component.runner.gate import Gate
from tests.component.runner.harness import HASH_SEED, Runner, basic_environment
from tests.component.runner.planner import Planner, trust
from tests.component.runner.project import Project
from tests.component.warm import Warm

LIBRARIES = (
    *("alembic.autogenerate", "alembic.command", "alembic.config", "alembic.runtime.environment", "alembic.script"),
    *("psycopg", "psycopg2", "sqlalchemy.dialects.postgresql"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Name our marker."""
    config.addinivalue_line("markers", "cold: its runs start an interpreter each, as those of a Job do")


@pytest.fixture(scope="session")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The runner, and its sha256."""
    return compiled_zipapp(tmp_path_factory.mktemp("zipapp"))


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[Version], Postgres]]:
    """Servers by version, started when a test first asks."""
    with servers_by_version(prepare=lambda server: server.create_role(USER, PASSWORD)) as server:
        yield server


@pytest.fixture
def version() -> Version:
    """The server's version; a test may be parametrized over it."""
    return 15


@pytest.fixture
def database(
    servers: Callable[[Version], Postgres], version: Version, warm: Warm, request: pytest.FixtureRequest
) -> Iterator[Database]:
    """An empty database."""
    server = servers(version)
    name = "t" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    server.create_database(name, owner=USER)
    one = Database(server, name, warm)
    yield one
    for connection in one.connections:
        connection.close()
    server.drop_database(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An Alembic project without revisions."""
    return Project(tmp_path / "app")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate for one of the project's revisions."""
    return Gate(tmp_path / "gate")


@pytest.fixture
def python() -> str:
    """The interpreter that runs the zipapp; a test may be parametrized over it."""
    return sys.executable


@pytest.fixture(scope="session")
def warms(zipapp: tuple[Path, str]) -> Iterator[Callable[[str], Warm]]:
    """Where the runs of an interpreter are forked from, made when a test first asks."""
    made: dict[str, Warm] = {}

    def warm(python: str) -> Warm:
        if python not in made:
            modules = (*LIBRARIES, *modules_of(zipapp[0]))
            made[python] = Warm(modules, {**basic_environment(), **HASH_SEED}, zipapp[0], python)
        return made[python]

    yield warm
    for one in made.values():
        one.close()


@pytest.fixture(scope="session")
def warm(warms: Callable[[str], Warm]) -> Warm:
    """Where runs of the tests' own interpreter are forked from."""
    return warms(sys.executable)


@pytest.fixture
def runner(
    zipapp: tuple[Path, str],
    tmp_path: Path,
    python: str,
    warms: Callable[[str], Warm],
    request: pytest.FixtureRequest,
) -> Iterator[Runner]:
    """Starts runs of the zipapp."""
    cold = request.node.get_closest_marker("cold") is not None
    one = Runner(*zipapp, tmp_path / "runs", python, None if cold else warms(python))
    yield one
    one.close()


@pytest.fixture(scope="session")
def shadows() -> Iterator[Callable[[Version], Postgres]]:
    """Servers for shadows, by version."""
    with servers_by_version(prepare=trust) as server:
        yield server


@pytest.fixture
def planner(
    database: Database, runner: Runner, shadows: Callable[[Version], Postgres], tmp_path: Path
) -> Iterator[Planner]:
    """Plans for the test's database."""
    server = shadows(database.server.version)
    directory = tmp_path / "shadow"
    directory.mkdir()
    (directory / ".s.PGSQL.5432").symlink_to(server.directory / f".s.PGSQL.{server.port}")
    one = Planner(database, runner, directory, server)
    yield one
    one.clear()
