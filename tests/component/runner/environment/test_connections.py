"""Env.py files that differ in how they connect, or in what they are made with; what they may not do is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed

from alembic_operator.contract.reasons import Reason

from .connections import CONNECTIONS
from .frameworks import FRAMEWORKS
from .pair import Pair
from .refused import REFUSED
from .shape import PLACEHOLDER, Shape
from .templates import TEMPLATES


@pytest.mark.parametrize("pair", CONNECTIONS, ids=Shape.id, indirect=True)
def test_equals_plain_alembic_however_env_py_connects(pair: Pair) -> None:
    pair.check_the_way_up()  # it connects alike on the way back, which test_oldest and test_roles go


@pytest.mark.parametrize("pair", TEMPLATES, ids=Shape.id, indirect=True)
def test_equals_plain_alembic_when_env_py_is_of_a_template(pair: Pair) -> None:
    pair.check_the_way_up()


@pytest.mark.parametrize("pair", FRAMEWORKS, ids=Shape.id, indirect=True)
def test_equals_plain_alembic_when_a_library_makes_the_environment(pair: Pair) -> None:
    pair.check_every_stop()


@pytest.mark.parametrize("shape", REFUSED, ids=Shape.id)
def test_nothing_is_sent_when_env_py_asks_for_what_cannot_be_done(
    shape: Shape, runner: Runner, database: Database, tmp_path: Path
) -> None:
    project = shape.write(tmp_path / "app", PLACEHOLDER, lambda text: text)
    message = failed(runner(project, database.uri, **shape.manifest), Reason.ENVIRONMENT_FAILED)
    assert shape.message in message
    assert "hunter2" not in message
    assert database.all("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []
