"""Servers, interpreters and databases of the runner's component tests.

One server a version and session, one database a test. The whole suite runs on the newest libraries and PostgreSQL 15;
the main path also on 16 and 18, and on the oldest libraries that are supported.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from tests.cluster.postgres import Postgres, Version, servers_by_version
from tests.component.warm import Warm, module

from .compiled_zipapp import compiled_zipapp, modules_of
from .gate import Gate
from .harness import HASH_SEED, Runner, basic_environment
from .project import Project

LIBRARIES = (
    *("alembic.autogenerate", "alembic.command", "alembic.config", "alembic.runtime.environment", "alembic.script"),
    *("psycopg", "psycopg2", "sqlalchemy.dialects.postgresql"),
)
USER, PASSWORD = "shop", "p@ss:/w?%rd"
OLDEST = {
    "psycopg2": ["alembic==1.13.0", "SQLAlchemy==2.0.0", "psycopg2-binary==2.9.9"],
    "psycopg": ["alembic==1.13.0", "SQLAlchemy==2.0.0", "psycopg[binary]==3.1.8"],
}


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


@dataclass
class Database:
    """A test's own database, owned by the application's user.

    Attributes:
        server: It is on.
        name: Of the database.
        warm: Where plain Alembic is forked from; None where `alembic` is not called.
    """

    server: Postgres
    name: str
    warm: Warm | None = None
    connections: list[psycopg.Connection[tuple[object, ...]]] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """For the Secret."""
        return self.server.uri(self.name, USER, PASSWORD)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[tuple[object, ...]]:
        """A session of the application's user that lasts for the test."""
        connection = psycopg.connect(self.uri, autocommit=autocommit)
        self.connections.append(connection)
        return connection

    def execute(self, statement: str) -> None:
        """Run a statement as the application's user."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement)

    def all(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def heads(self) -> list[object]:
        """The version rows."""
        return [row[0] for row in self.all("SELECT version_num FROM alembic_version ORDER BY 1")]

    def journal(self) -> list[tuple[object, ...]]:
        """Revision and state of every journal row, in order."""
        return self.all("SELECT revision, state FROM alembic_operator.revision_journal ORDER BY id")

    def alembic(self, project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Plain Alembic, as a person runs it."""
        assert self.warm is not None
        url = self.uri.replace("postgresql://", "postgresql+psycopg://")
        code = module("alembic", *(arguments or ("upgrade", "head")))
        return self.warm.run(code, cwd=project.directory, env={**os.environ, "DATABASE_URL": url})


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


def oldest_python(driver: str) -> str:
    """An interpreter with the oldest supported libraries, in a venv that is made once a machine."""
    interpreter = find_oldest_python()
    requirements = OLDEST[driver]
    key = hashlib.sha256(repr((interpreter, requirements)).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "alembic-operator"
    directory = cache / f"venv-{key}"
    python = directory / "bin" / "python"
    if not (directory / "complete").exists():
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", directory], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
        (directory / "complete").touch()
    return str(python)


def find_oldest_python() -> str:
    """Python 3.9 where the machine has it, else the interpreter of the tests, with a warning in the summary."""
    candidates = [shutil.which("python3.9"), *sorted(map(str, Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9")))]
    for candidate in filter(None, candidates):
        found = subprocess.run([candidate, "-c", "import ensurepip"], check=False, capture_output=True)
        if found.returncode == 0:
            return candidate
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info >= (3, 12):
        pytest.skip(f"the oldest libraries have no wheels for Python {running}: install python3.9 with its venv module")
    warnings.warn(f"no python3.9 here: the oldest libraries are tried on Python {running}", stacklevel=2)
    return sys.executable
