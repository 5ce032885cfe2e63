"""A connection that tells of each statement before and after it is sent, whatever way it takes through the driver.

Cursor classes of the driver's own are replaced, since SQLAlchemy's events miss raw cursors, `driver_connection` and
COPY. libpq itself (`pgconn`) is not seen, nor are cursors that are made from psycopg2's classes by hand: this finds
accidents, it is no boundary.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from .driver import IDLE, Driver, RawConnection
from .driver_private import on_its_way
from .other_connections import own_connection

# Methods of a connection that end its transaction, or leave it, whatever they are called with.
_ENDINGS = ("commit", "rollback", "close", "tpc_begin")
_ENDINGS_OF_PSYCOPG2 = (*_ENDINGS, "reset", "set_isolation_level")  # the last rolls back, whatever the level


@dataclass(frozen=True)
class Sent:
    """A statement on its way.

    Attributes:
        sql: as the driver was given it.
        parameters: types of the bound ones.
        channel: cursor or copy.
        executions: rows of an executemany.
        instead: delivers another query on the same cursor; None where that cannot be.
    """

    sql: str
    parameters: tuple[str, ...] = ()
    channel: str = "cursor"
    executions: int = 1
    instead: Callable[[str], Any] | None = field(default=None, compare=False, repr=False)


class Listener(Protocol):
    """Who is told."""

    def send(self, sent: Sent, deliver: Callable[[], Any]) -> Any:
        """Deliver the statement, perhaps again after an error; returns what the driver returned."""

    def passing(self, sent: Sent) -> AbstractContextManager[None]:
        """Around a statement that cannot be sent again, as its data comes bit by bit."""

    def ending(self, how: str) -> None:
        """The code is about to end its transaction, or to leave it, by this method of the driver's connection."""


def connect_captured(driver: Driver, parameters: dict[str, Any], listener: Listener) -> RawConnection:
    """Connect, in autocommit, and tell the listener of everything that is sent there from then on."""
    connect = _connect_psycopg if driver.name == "psycopg" else _connect_psycopg2
    with own_connection():
        return connect(driver.module, parameters, listener)


@contextmanager
def uncaptured(driver: Driver, connection: Any) -> Iterator[Any]:
    """A cursor of a captured connection that no listener hears of: for the runner's own statements."""
    if driver.name == "psycopg":
        cursor = connection.unheard_cursor()
    else:
        extensions = driver.module.extensions
        cursor = extensions.connection.cursor(connection, cursor_factory=extensions.cursor)
    try:
        yield cursor
    finally:
        cursor.close()


def _connect_psycopg(module: Any, parameters: dict[str, Any], listener: Listener) -> RawConnection:
    class Connection(_telling(module.Connection, _ENDINGS, listener)):  # type: ignore[misc]  # the module is the image's
        def transaction(self, *arguments: Any, **options: Any) -> Any:
            if self.info.transaction_status == IDLE:  # else it is a savepoint
                listener.ending("transaction")
            return super().transaction(*arguments, **options)

        def set_autocommit(self, value: bool) -> None:
            if value:
                listener.ending("set_autocommit")
            super().set_autocommit(value)

        def unheard_cursor(self) -> Any:
            return Unheard(self)

        def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
            found = on_its_way(gen)
            if found is None or not isinstance(found.cursor, module.Cursor) or hasattr(found.cursor, "is_known"):
                return super().wait(gen, *arguments, **options)
            sent = Sent(_text(found.query, found.cursor), _types(found.parameters))
            self.lock.release()  # the cursor holds it, and what the listener sends here needs it
            try:
                with listener.passing(sent), self.lock:
                    return super().wait(gen, *arguments, **options)
            finally:
                self.lock.acquire()

    class Unheard(module.Cursor):  # type: ignore[misc]
        is_known = True

    def heard(kind: Any) -> Any:
        class Heard(_heard(kind, listener)):  # type: ignore[misc]
            is_known = True

            def stream(self, query: Any, params: Any = None, **options: Any) -> Iterator[Any]:
                with listener.passing(Sent(_text(query, self), _types(params))):
                    yield from kind.stream(self, query, params, **options)

            @contextmanager
            def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
                sent = Sent(_text(statement, self), _types(params), "copy")
                with listener.passing(sent), kind.copy(self, statement, params, **options) as copy:
                    yield copy

        return Heard

    connection: Any = Connection.connect(autocommit=True, cursor_factory=heard(module.Cursor), **parameters)
    connection.server_cursor_factory = heard(module.ServerCursor)
    found: RawConnection = connection
    return found


def _connect_psycopg2(module: Any, parameters: dict[str, Any], listener: Listener) -> RawConnection:
    @functools.cache
    def heard(kind: Any) -> Any:
        class Heard(_heard(kind, listener)):  # type: ignore[misc]
            def callproc(self, procname: str, parameters: Any = None) -> Any:
                marks = ", ".join(["%s"] * len(parameters or ()))
                sent = Sent(f"SELECT * FROM {procname}({marks})", _types(parameters))  # noqa: S608
                return listener.send(sent, lambda: kind.callproc(self, procname, parameters))

            def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> Any:
                with listener.passing(Sent(_text(sql, self), channel="copy")):
                    return kind.copy_expert(self, sql, file, size)

            def copy_from(self, file: Any, table: str, *more: Any, **options: Any) -> Any:
                with listener.passing(Sent(f"COPY {table} FROM STDIN", channel="copy")):
                    return kind.copy_from(self, file, table, *more, **options)

            def copy_to(self, file: Any, table: str, *more: Any, **options: Any) -> Any:
                with listener.passing(Sent(f"COPY {table} TO STDOUT", channel="copy")):
                    return kind.copy_to(self, file, table, *more, **options)

        return Heard

    class Connection(_telling(module.extensions.connection, _ENDINGS_OF_PSYCOPG2, listener)):  # type: ignore[misc]
        def set_session(self, *arguments: Any, **options: Any) -> None:
            if options.get("autocommit") or any(arguments[3:]):
                listener.ending("set_session")
            super().set_session(*arguments, **options)

        def cursor(self, name: Any = None, cursor_factory: Any = None, *more: Any, **options: Any) -> Any:
            kind = heard(cursor_factory or self.cursor_factory or module.extensions.cursor)
            return super().cursor(name, kind, *more, **options)

    connection: Any = module.connect(connection_factory=Connection, **parameters)
    connection.autocommit = True
    found: RawConnection = connection
    return found


def _telling(base: Any, endings: Iterable[str], listener: Listener) -> Any:
    """A driver's class of connections that tell of an end before it comes, by these methods or by autocommit."""

    class Telling(base):  # type: ignore[misc]
        def _by_attribute(self, value: Any) -> None:
            if value:
                listener.ending("set_autocommit")
            base.autocommit.__set__(self, value)

        autocommit = property(base.autocommit.__get__, _by_attribute)

    def telling(name: str) -> Any:
        def method(self: Any, *arguments: Any, **options: Any) -> Any:
            listener.ending(name)
            return getattr(base, name)(self, *arguments, **options)

        return method

    for name in endings:
        setattr(Telling, name, telling(name))
    return Telling


def _heard(kind: Any, listener: Listener) -> Any:
    """A driver's class of cursors, whose statements the listener delivers."""

    class Heard(kind):  # type: ignore[misc]
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            params = options.pop("vars", params)  # psycopg2's word for them
            sent = Sent(_text(query, self), _types(params), instead=functools.partial(kind.execute, self))
            return listener.send(sent, lambda: kind.execute(self, query, params, **options))

        def executemany(self, query: Any, params_seq: Any = None, **options: Any) -> Any:
            rows = list(options.pop("vars_list", params_seq))
            sent = Sent(_text(query, self), _types(rows[0] if rows else None), executions=len(rows))
            return listener.send(sent, lambda: kind.executemany(self, query, rows, **options))

    return Heard


def _text(query: Any, cursor: Any) -> str:
    """What was given as a query: text, bytes, or a composition of the driver's `sql` module."""
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    as_string = getattr(query, "as_string", None)
    return str(as_string(cursor)) if as_string is not None else str(query)


def _types(parameters: Any) -> tuple[str, ...]:
    """Types of bound parameters, in order; never a value."""
    if parameters is None:
        return ()
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    return tuple(type(value).__name__ for value in values)
