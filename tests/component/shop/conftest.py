"""A PostgreSQL server for the example, of the oldest and of the newest version, and a database for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from tests.cluster.postgres import Postgres, Version
from tests.component.shop.shop_runs import ENVIRONMENT, PASSWORD, SHOP, Shop
from tests.component.warm import Warm


@pytest.fixture(scope="session", params=[15, 18], ids=lambda version: f"pg{version}")
def each_server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    version: Version = request.param
    with Postgres(version) as server:
        server.create_role("shop", PASSWORD)
        yield server


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with Postgres(15) as server:
        server.create_role("shop", PASSWORD)
        yield server


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Where the application's commands are forked from."""
    one = Warm(("alembic.config", "alembic.autogenerate", "psycopg", "sqlalchemy.orm"), ENVIRONMENT, SHOP)
    yield one
    one.close()


def fresh(server: Postgres, warm: Warm) -> Iterator[Shop]:
    name = f"shop_{uuid.uuid4().hex[:8]}"
    server.create_database(name, owner="shop")
    yield Shop(server, name, warm)
    server.drop_database(name)


@pytest.fixture
def each_shop(each_server: Postgres, warm: Warm) -> Iterator[Shop]:
    """An empty database on every version."""
    yield from fresh(each_server, warm)


@pytest.fixture
def shop(server: Postgres, warm: Warm) -> Iterator[Shop]:
    """An empty database."""
    yield from fresh(server, warm)
