"""Shapes of env.py with the oldest libraries: Alembic 1.13, SQLAlchemy 2.0.0, and either driver's oldest version."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.component.runner.interpreters import oldest_python

from .connections import CONNECTIONS
from .pair import Pair
from .schemas import SCHEMAS
from .statements import STATEMENTS

_BY_NAME = {shape.name: shape for shape in (*CONNECTIONS, *SCHEMAS, *STATEMENTS)}
_NAMES = (
    ("psycopg", "a tenant by an argument"),
    ("psycopg", "a schema and a limit for locks first, in the transaction of the revisions"),
    ("psycopg2", "an engine that commits each statement, in a thread"),
)


@pytest.fixture
def python(driver: str) -> str:
    """With the oldest libraries."""
    return oldest_python(driver)


@pytest.mark.parametrize(
    ("driver", "pair"),
    [(driver, replace(_BY_NAME[name], scheme=f"postgresql+{driver}")) for driver, name in _NAMES],
    ids=[f"{driver}-{_BY_NAME[name].id()}" for driver, name in _NAMES],
    indirect=["pair"],
)
def test_equals_plain_alembic_when_the_libraries_are_the_oldest(pair: Pair, driver: str) -> None:
    pair.driver = driver
    pair.check_every_stop()
