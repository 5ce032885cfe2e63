"""A database for plain Alembic beside the one for the runner, and a role that the user may become."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.component.runner.databases import USER, Database
from tests.component.runner.planner import Planner

from .pair import Pair


@pytest.fixture
def role(database: Database) -> Iterator[str]:
    """A role that cannot log in; it goes after all databases, whose objects may be its own."""
    name = f"{database.name}_owner"
    database.server.execute(f"CREATE ROLE {name} NOLOGIN")
    database.server.execute(f"GRANT {name} TO {USER}")
    yield name
    for one in (database.name, f"{database.name}_plain"):
        database.server.drop_database(one)
    database.server.execute(f"DROP ROLE {name}")


@pytest.fixture
def plain(database: Database, role: str) -> Database:
    """An empty database on the same server."""
    twin = Database(database.server, f"{database.name}_plain", database.warm)
    database.server.create_database(twin.name, owner=USER)
    return twin


@pytest.fixture
def pair(request: pytest.FixtureRequest, planner: Planner, plain: Database, role: str, tmp_path: Path) -> Pair:
    """A shape, by indirect parametrization, in both databases."""
    return Pair(request.param, planner, plain, role, tmp_path)
