"""PostgreSQL 15 and 18, a database for each test, and a directory of revisions to run on it."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import sqlalchemy as sa
from tests.cluster.postgres import Postgres, Version, servers_by_version
from tests.component.helpers.migrating import migrate, write

from alembic_operator_helpers import on_progress

ROOT = Path(__file__).resolve().parents[3]
OWN = "public.alembic_operator_backfill"  # the table in which a backfill keeps its position
PASSWORD = "helper"


# For what a server's version has a say in: what its catalogs hold, and how it writes a definition.
each_version = pytest.mark.parametrize("server", [15, 18], indirect=True, ids=["pg15", "pg18"])


@dataclass(frozen=True)
class Project:
    """Revisions, and the database that they are for."""

    server: Postgres
    database: str
    directory: Path

    def url(self, driver: str = "psycopg") -> sa.URL:
        return sa.make_url(self.server.uri(self.database, "app", PASSWORD)).set(drivername=f"postgresql+{driver}")

    def migrate(self, *bodies: str, target: str = "head", driver: str = "psycopg", **options: Any) -> None:
        """Write revisions with these bodies, where there are any, and run them."""
        write(self.directory, *bodies)
        migrate(self.url(driver), self.directory, target, **options)

    def start(self, *bodies: str, python: str = sys.executable, driver: str = "psycopg") -> subprocess.Popen[bytes]:
        """The same in a process of its own, to be killed, or of another Python."""
        write(self.directory, *bodies)
        url = self.url(driver).render_as_string(hide_password=False)
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'helpers'}", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(
            [python, "-m", "tests.component.helpers.migrating", url, str(self.directory)], env=environment
        )

    def connect(self) -> psycopg.Connection[Any]:
        return self.server.connect(self.database, "app", PASSWORD)

    def execute(self, *statements: LiteralString) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def value(self, query: LiteralString) -> Any:
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        return None if row is None else row[0]

    def exists(self, name: str) -> bool:
        with self.connect() as connection:
            row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()
        return row is not None and bool(row[0])


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[Version], Postgres]]:
    """Servers by version, started when a test first asks."""
    with servers_by_version(prepare=lambda server: server.create_role("app", PASSWORD)) as server:
        yield server


@pytest.fixture
def server(servers: Callable[[Version], Postgres], request: pytest.FixtureRequest) -> Postgres:
    """The server of a test: PostgreSQL 15, or that of `each_version`."""
    return servers(getattr(request, "param", 15))


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Take back what a test has set to listen."""
    yield
    on_progress.set(None)


@pytest.fixture
def project(server: Postgres, tmp_path: Path) -> Iterator[Project]:
    name = f"helpers_{uuid.uuid4().hex[:8]}"
    server.create_database(name, owner="app")
    yield Project(server, name, tmp_path)
    server.drop_database(name)


@pytest.fixture
def items(project: Project) -> None:
    """A table with 1,000 rows to fill."""
    project.execute(
        "CREATE TABLE items (id int PRIMARY KEY, n int, note text)",
        "INSERT INTO items SELECT g, 0 FROM generate_series(1, 1000) g",
    )
