"""Connections that a revision opens by itself, led into the shadow: where they wanted to go, nothing may be written."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

# Each by the class or module that users call, and the name there. SQLAlchemy calls the module's `connect`.
_DOORS = (
    ("psycopg", "", "connect"),
    ("psycopg", "Connection", "connect"),
    ("psycopg", "AsyncConnection", "connect"),
    ("psycopg2", "", "connect"),
)
# Arguments of Python's, not of libpq's.
_KEPT = frozenset(
    {"autocommit", "row_factory", "cursor_factory", "connection_factory", "prepare_threshold", "context", "async_"}
)


@contextmanager
def led_to(parameters: dict[str, Any], opened: Callable[[], None]) -> Iterator[None]:
    """While this lasts, each new connection by either driver is one with these parameters.

    Args:
        parameters: of libpq.
        opened: called before each.
    """
    restore: list[tuple[Any, str, Any]] = []
    for module_name, class_name, name in _DOORS:
        module = _imported(module_name)
        place: Any = getattr(module, class_name, None) if class_name else module
        if place is None:
            continue
        restore.append((place, name, vars(place)[name]))
        setattr(place, name, _leading(getattr(place, name), parameters, opened, bound=bool(class_name)))
    try:
        yield
    finally:
        for place, name, original in restore:
            setattr(place, name, original)


def _imported(name: str) -> Any:
    """The driver, which a revision may import later; None where the image has none."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _leading(original: Any, parameters: dict[str, Any], opened: Callable[[], None], *, bound: bool) -> Any:
    def instead(options: dict[str, Any]) -> dict[str, Any]:
        opened()
        return {**parameters, **{name: value for name, value in options.items() if name in _KEPT}}

    def connect(*_arguments: Any, **options: Any) -> Any:
        return original(**instead(options))

    def connect_of_class(cls: Any, *_arguments: Any, **options: Any) -> Any:
        return original.__func__(cls, **instead(options))

    return classmethod(connect_of_class) if bound else connect
