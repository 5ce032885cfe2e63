"""Every private name of psycopg and psycopg2 that the runner uses, and why there is no public one that would do.

The names are the same from psycopg 3.1.8 to 3.3 and from psycopg2 2.9.9 to 2.9.13, the oldest and the newest that the
tests run with (tests/component/runner/planning/test_oldest.py, tests/unit/runner/database/test_driver_private.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

# What `connect` calls, by module, class and name. Where it was imported by name before it could be replaced (`from
# psycopg2 import connect`), nothing public lies between it and the server.
INNER_DOORS = (
    ("psycopg", "Connection", "_connect_gen"),
    ("psycopg", "AsyncConnection", "_connect_gen"),
    ("psycopg2", "", "_connect"),
)


def through_inner_door(
    original: Any, module: Any, name: str, parameters: Mapping[str, Any]
) -> Callable[..., Any] | None:
    """What takes the place of an inner door, and leads elsewhere by these parameters; None for any other name.

    Args:
        original: the function; of a class method the one whose first argument is the class.
        module: the driver.
        name: of the door, or of another function.
        parameters: of libpq.
    """

    def _connect_gen(cls: Any, _conninfo: str = "", *more: Any, **options: Any) -> Any:
        return original(cls, module.conninfo.make_conninfo("", **parameters), *more, **options)

    def _connect(_dsn: str, *more: Any, **options: Any) -> Any:
        return original(module.extensions.make_dsn(**parameters), *more, **options)

    inner: dict[str, Callable[..., Any]] = {"_connect_gen": _connect_gen, "_connect": _connect}
    return inner.get(name)


class OnItsWay(NamedTuple):
    """A statement that psycopg is about to send: its cursor, the query as it was given, its parameters."""

    cursor: Any
    query: Any
    parameters: Any


def on_its_way(generator: Any) -> OnItsWay | None:
    """What a generator that psycopg's connection is to wait for will send; None: nothing of a cursor's.

    A cursor made by hand (`ClientCursor(connection)`) calls no method of the connection but `wait`, and that is given
    a generator alone: the statement is among its local variables.
    """
    frame = getattr(generator, "gi_frame", None)
    found: Mapping[str, Any] = frame.f_locals if frame is not None else {}
    query = found.get("query", found.get("statement"))
    return OnItsWay(found.get("self"), query, found.get("params")) if query is not None else None
