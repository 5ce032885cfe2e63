"""Connections that a project's code opens by itself: what is sent there is in nobody's transaction, plan or journal."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from .driver_private import INNER_DOORS

# Each by the module, the class and the name there: those that users call, and those that these call.
_DOORS = (
    ("psycopg", "", "connect"),
    ("psycopg", "Connection", "connect"),
    ("psycopg", "AsyncConnection", "connect"),
    ("psycopg2", "", "connect"),
    *INNER_DOORS,
)
_READ_ONLY = "-c default_transaction_read_only=on"
_ours = threading.local()


@contextmanager
def own_connection() -> Iterator[None]:
    """What this thread connects to inside is the runner's own doing."""
    before, _ours.connects = getattr(_ours, "connects", False), True
    try:
        yield
    finally:
        _ours.connects = before


@contextmanager
def read_only_connects() -> Iterator[None]:
    """While this lasts, what anybody but the runner connects to by a driver can only be read.

    A plan run executes env.py, and what it imports, on the target: `psycopg.connect()` there goes round the session
    that is lent.
    """

    def reading(original: Any, module: Any, name: str) -> Any:
        def connect(*arguments: Any, **options: Any) -> Any:
            if getattr(_ours, "connects", False):
                return original(*arguments, **options)
            before = arguments[:1] if arguments and isinstance(arguments[0], type) else ()
            given, *more = arguments[len(before) :] or (options.pop("conninfo", options.pop("dsn", None)),)
            return original(*before, _read_only(module, given, options), *more, **options)

        return connect

    with replaced_doors(reading):
        yield


def _read_only(module: Any, given: Any, options: dict[str, Any]) -> str:
    """The connection string, with the setting among the server's options; `options` loses those of its own."""
    text, own = given or "", options.pop("options", None)
    if module.__name__ == "psycopg":
        parse, make = module.conninfo.conninfo_to_dict, module.conninfo.make_conninfo
    else:
        parse, make = module.extensions.parse_dsn, module.extensions.make_dsn
    setting = f"{own or parse(text).get('options', '')} {_READ_ONLY}".strip()
    made: str = make(text, options=setting)
    return made


@contextmanager
def watched_connects(opened: Callable[[], None]) -> Iterator[None]:
    """While this lasts, `opened` is called before anybody but the runner connects by a driver; it may raise."""

    def watching(original: Any, _module: Any, _name: str) -> Any:
        def connect(*arguments: Any, **options: Any) -> Any:
            if not getattr(_ours, "connects", False):
                opened()
            return original(*arguments, **options)

        return connect

    with replaced_doors(watching):
        yield


@contextmanager
def replaced_doors(replacement: Callable[[Any, Any, str], Any]) -> Iterator[None]:
    """While this lasts, each way to connect is another one.

    Args:
        replacement: is given the function (of a class method: the one whose first argument is the class), the driver
            and the name; returns what takes its place.
    """
    restore: list[tuple[Any, str, Any]] = []
    try:
        for module, version_table, name in _doors():
            own = name in vars(version_table)
            original = getattr(version_table, name)
            restore.append((version_table, name, vars(version_table)[name] if own else None))
            if isinstance(version_table, type):
                setattr(version_table, name, classmethod(replacement(original.__func__, module, name)))
            else:
                setattr(version_table, name, replacement(original, module, name))
        yield
    finally:
        for version_table, name, found in reversed(restore):
            if found is None:
                delattr(version_table, name)  # it was inherited
            else:
                setattr(version_table, name, found)


def _doors() -> list[tuple[Any, Any, str]]:
    """Those of the drivers that the image has; imported, since a revision may do so only where it connects."""
    found: list[tuple[Any, Any, str]] = []
    for module_name, class_name, name in _DOORS:
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        owner = getattr(module, class_name, None) if class_name else module
        if hasattr(owner, name):
            found.append((module, owner, name))
    return found
