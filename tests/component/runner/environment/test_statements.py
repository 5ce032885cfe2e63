"""Env.py files that differ in what they send, and in where tables are, end where plain Alembic ends."""

from __future__ import annotations

import pytest

from .pair import Pair
from .schemas import SCHEMAS
from .sessions import SESSIONS
from .shape import Shape
from .statements import STATEMENTS


@pytest.mark.parametrize("pair", SCHEMAS, ids=Shape.id, indirect=True)
def test_equals_plain_alembic_when_tables_are_somewhere_else(pair: Pair) -> None:
    pair.check_every_stop()


@pytest.mark.parametrize("pair", SESSIONS, ids=Shape.id, indirect=True)
def test_equals_plain_alembic_whoever_sets_the_session(pair: Pair) -> None:
    pair.check_every_stop()


@pytest.mark.parametrize("pair", STATEMENTS, ids=Shape.id, indirect=True)
def test_equals_plain_alembic_when_env_py_sends_statements(pair: Pair) -> None:
    pair.check_every_stop()
