"""Another connection of the engine that Alembic migrates by: it reads on the migrating session, and can do no more.

`sa.inspect(op.get_bind().engine)` is such a read. It sees what the migrating session sees, and is neither in the plan
nor held against it. Whatever way is taken through SQLAlchemy or the driver leads through the cursor here; what the
driver's connection offers beside cursors, such as COPY or pipelines, is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Callable

from ..database.capture import uncaptured
from ..database.driver import READ_ONLY, Driver, sqlstate_of

# The setting ends with the savepoint alone: a transaction that is read-only cannot be made writable again.
_READ = "SAVEPOINT alembic_operator_reading; SET LOCAL transaction_read_only = on"
_READ_AFTER = "ROLLBACK TO SAVEPOINT alembic_operator_reading; RELEASE SAVEPOINT alembic_operator_reading"
_OF_CONNECTIONS = frozenset({"adapters", "broken", "closed", "encoding", "info", "isolation_level", "server_version"})
_OF_CURSORS = frozenset(
    {
        *("arraysize", "close", "closed", "description", "fetchall", "fetchmany", "fetchone", "itersize", "lastrowid"),
        *("name", "nextset", "rowcount", "rownumber", "scroll", "statusmessage"),
    }
)


class Beside:
    """Stands for a connection of the driver's.

    Attributes:
        raw: the migrating session.
        notices: none; the migrating session's are its own.

    Args:
        reading: around each statement.
    """

    def __init__(self, raw: Any, reading: Callable[[], AbstractContextManager[None]]) -> None:
        self.raw, self._reading = raw, reading
        self.notices: list[str] = []

    @property
    def autocommit(self) -> bool:
        """The session's is not its to set: isolation_level="AUTOCOMMIT" changes nothing for a read."""
        return False

    @autocommit.setter
    def autocommit(self, _value: bool) -> None:
        pass

    def set_isolation_level(self, level: Any) -> None:
        """The same, in psycopg2's words."""

    def cursor(self, *arguments: Any, **options: Any) -> BesideCursor:
        """A cursor that can read."""
        return BesideCursor(self, self.raw.cursor(*arguments, **options), self._reading)

    def execute(self, *arguments: Any, **options: Any) -> BesideCursor:
        """See psycopg.Connection."""
        return self.cursor().execute(*arguments, **options)

    def commit(self) -> None:
        """Nothing is open that is its own."""

    def rollback(self) -> None:
        """Nothing is open that is its own."""

    def close(self) -> None:
        """The session stays."""

    def __getattr__(self, name: str) -> Any:
        if name in _OF_CONNECTIONS:
            return getattr(self.raw, name)
        raise AttributeError(name)


class BesideCursor:
    """Stands for a cursor of the driver's.

    Attributes:
        connection: that it is of.
    """

    def __init__(self, connection: Beside, cursor: Any, reading: Callable[[], AbstractContextManager[None]]) -> None:
        self.connection, self._cursor, self._reading = connection, cursor, reading

    def execute(self, *arguments: Any, **options: Any) -> BesideCursor:
        """Send a statement that reads."""
        with self._reading():
            self._cursor.execute(*arguments, **options)
        return self

    def executemany(self, *arguments: Any, **options: Any) -> None:
        """The same for several rows of parameters."""
        with self._reading():
            self._cursor.executemany(*arguments, **options)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def __enter__(self) -> BesideCursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cursor.close()

    def __getattr__(self, name: str) -> Any:
        if name in _OF_CURSORS:
            return getattr(self._cursor, name)
        raise AttributeError(name)


@contextmanager
def reading(driver: Driver, raw: Any, wrote: Callable[[], None]) -> Iterator[None]:
    """What is sent inside can write nothing; the session's transaction, if any, goes on afterwards.

    Args:
        driver: of the session.
        raw: the session.
        wrote: called where PostgreSQL has refused a write; raises.
    """
    before, after = ("BEGIN READ ONLY", "ROLLBACK") if raw.autocommit else (_READ, _READ_AFTER)
    _own(driver, raw, before)
    try:
        yield
    except driver.error as error:
        if sqlstate_of(error) == READ_ONLY:
            wrote()
        raise
    finally:
        if not raw.closed:
            _own(driver, raw, after)


def _own(driver: Driver, raw: Any, sql: str) -> None:
    with uncaptured(driver, raw) as cursor:
        cursor.execute(sql)
