"""Connections that a revision opens by itself: what is sent there is in nobody's transaction, plan or journal."""

from __future__ import annotations

import functools
import importlib
import threading
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


@contextmanager
def watched_connects(opened: Callable[[], None]) -> Iterator[None]:
    """While this lasts, `opened` is called before the main thread connects by a driver; it may raise.

    Other threads are let through: the session that watches for blockers is opened by one.
    """
    owner = threading.get_ident()
    restore: list[tuple[Any, str, Any]] = []
    for place, name in _doors():
        restore.append((place, name, vars(place)[name]))
        setattr(place, name, _watching(getattr(place, name), owner, opened, bound=isinstance(place, type)))
    try:
        yield
    finally:
        for place, name, original in restore:
            setattr(place, name, original)


@functools.cache
def _doors() -> list[tuple[Any, str]]:
    """Those of the drivers that the image has; imported, since a revision may do so only where it connects."""
    found: list[tuple[Any, str]] = []
    for module_name, class_name, name in _DOORS:
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        found.append((getattr(module, class_name) if class_name else module, name))
    return found


def _watching(original: Any, owner: int, opened: Callable[[], None], *, bound: bool) -> Any:
    def connect(*arguments: Any, **options: Any) -> Any:
        if threading.get_ident() == owner:
            opened()
        return original(*arguments, **options)

    def connect_of_class(cls: Any, *arguments: Any, **options: Any) -> Any:
        if threading.get_ident() == owner:
            opened()
        return original.__func__(cls, *arguments, **options)

    return classmethod(connect_of_class) if bound else connect
