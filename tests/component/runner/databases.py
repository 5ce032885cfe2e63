"""The databases of the tests, on real servers."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field

import psycopg
from tests.cluster.postgres import Postgres
from tests.component.warm import Warm, module

from .project import Project

USER, PASSWORD = "shop", "p@ss:/w?%rd"


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
