"""Connections that a revision opens by itself: what is sent there is in nobody's transaction, plan or journal."""

from __future__ import annotations

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
    for module_name, class_name, name in _DOORS:
        try:
            # Imported here, if the image has it: a revision may import it only where it connects.
            place: Any = importlib.import_module(module_name)
        except ImportError:
            continue
        place = getattr(place, class_name) if class_name else place
        restore.append((place, name, vars(place)[name]))
        setattr(place, name, _watching(getattr(place, name), owner, opened, bound=bool(class_name)))
    try:
        yield
    finally:
        for place, name, original in restore:
            setattr(place, name, original)


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
