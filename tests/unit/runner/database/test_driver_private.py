"""Private names of psycopg and psycopg2: what the runner does by them, on the drivers installed here (the newest)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest

from alembic_operator.runner.database.driver_private import INNER_DOORS, on_its_way, through_inner_door

ELSEWHERE = {"host": "elsewhere", "dbname": "shop"}


@pytest.mark.parametrize(("module", "owner", "name"), INNER_DOORS)
def test_inner_door_leads_elsewhere_when_it_is_replaced(module: str, owner: str, name: str) -> None:
    driver, went = import_module(module), list[Any]()
    door = getattr(getattr(driver, owner) if owner else driver, name)
    assert list(inspect.signature(door).parameters)[:1] == ["conninfo"] if owner else callable(door)
    led = through_inner_door(lambda *arguments, **options: went.append((arguments, options)), driver, name, ELSEWHERE)
    assert led is not None
    of_class = (driver,) if owner else ()
    led(*of_class, "host=here", more=1)
    (((*before, where), options),) = went
    assert (before, sorted(where.split()), options) == ([*of_class], ["dbname=shop", "host=elsewhere"], {"more": 1})


def test_public_door_is_none_of_these() -> None:
    assert through_inner_door(psycopg.connect, psycopg, "connect", ELSEWHERE) is None


def test_public_connect_goes_through_the_inner_door(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reached(Exception):
        pass

    def reached(*_arguments: Any, **_options: Any) -> Any:
        raise Reached

    for module, owner, name in INNER_DOORS:
        driver = import_module(module)
        monkeypatch.setattr(getattr(driver, owner) if owner else driver, name, reached)
        if owner != "AsyncConnection":
            with pytest.raises(Reached):
                driver.connect("host=127.0.0.1 port=1")


@pytest.mark.parametrize(
    ("generator", "statement", "options", "parameters"),
    [
        ("_execute_gen", "SELECT %s", {"params": [1]}, [1]),
        ("_executemany_gen_no_pipeline", "SELECT %s", {"params_seq": [[1]], "returning": False}, None),
        ("_stream_send_gen", "SELECT %s", {"params": [1], "size": 1}, [1]),
        ("_start_copy_gen", "COPY t FROM STDIN", {}, None),
    ],
)
def test_statement_is_read_when_it_is_on_its_way(
    generator: str, statement: str, options: dict[str, Any], parameters: Any
) -> None:
    cursor = object.__new__(psycopg.Cursor)
    assert on_its_way(getattr(cursor, generator)(statement, **options)) == (cursor, statement, parameters)


def test_nothing_is_read_when_another_generator_is_waited_for() -> None:
    def other() -> Iterator[None]:
        yield

    assert on_its_way(other()) is None
    assert on_its_way(iter(())) is None
