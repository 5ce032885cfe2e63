"""Targets of the shadow's tests: one server a version and session, one database a test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from tests.cluster.postgres import Postgres, Version, servers_by_version


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[Version], Postgres]]:
    """Servers by version, started when a test first asks."""
    with servers_by_version({"allow_in_place_tablespaces": "on"}) as server:
        yield server


@pytest.fixture
def target(servers: Callable[[Version], Postgres]) -> Postgres:
    """The server of most tests."""
    return servers(16)


@pytest.fixture
def database(target: Postgres) -> Iterator[str]:
    """A database of that server."""
    name = f"t{uuid.uuid4().hex[:8]}"
    target.create_database(name)
    yield name
    target.drop_database(name)
