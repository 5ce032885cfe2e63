"""SQLAlchemy's PostgreSQL dialects in the runner's process: each asks the lender for its connection.

They are registered under every name that a PostgreSQL URL may have, also asyncpg's: an async engine works on the same
session, since SQLAlchemy's asyncio extension runs a synchronous driver as well, only without giving way to others.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any, Callable

from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError, MissingGreenlet
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_only

from .lending import Lender
from .second_connection import Beside

_NAMES = ("", "psycopg", "psycopg_async", "psycopg2", "psycopg2cffi", "asyncpg", "pg8000")
_lenders: list[Lender] = []  # the one in use is the last: dialects are made by SQLAlchemy, with arguments of its own


def redirect_engines(lender: Lender) -> None:
    """From now on in this process, engines for PostgreSQL get their connections from the lender."""
    _lenders[:] = [lender]
    name = {"psycopg": "LentPsycopg", "psycopg2": "LentPsycopg2"}[lender.driver.name]
    for driver in _NAMES:
        registry.register(f"postgresql.{driver}" if driver else "postgresql", __name__, name)
    if not event.contains(Pool, "checkout", _check_out):
        event.listen(Pool, "checkout", _check_out)


def _check_out(session: Any, _record: Any, _connection: Any) -> None:
    """Have a pool connect anew that held a session of an earlier environment, or from before the revisions run."""
    if not _lenders[-1].is_usable(session):
        raise DisconnectionError("the session was given back")


class _Lent:
    """What the dialects have in common."""

    def connect(self, *arguments: Any, **parameters: Any) -> Any:
        taken = _lenders[-1].take(self, parameters)
        return taken if taken is not None else super().connect(*arguments, **parameters)  # type: ignore[misc]

    def initialize(self, connection: Any) -> None:
        loan = _lenders[-1].loan
        if loan is None:
            super().initialize(connection)  # type: ignore[misc]
            return
        with loan.quiet():
            super().initialize(connection)  # type: ignore[misc]

    def on_connect(self) -> Callable[[Any], None] | None:
        connected = super().on_connect()  # type: ignore[misc]  # psycopg2 looks for hstore there

        def quietly(session: Any) -> None:
            if isinstance(session, Beside):
                return  # its session has been through it
            loan = _lenders[-1].loan
            with loan.quiet() if loan is not None else nullcontext():
                connected(session)

        return quietly if connected is not None else None

    def do_begin(self, dbapi_connection: Any) -> None:
        lender = _lenders[-1]
        if lender.is_lent(getattr(dbapi_connection, "dbapi_connection", dbapi_connection)):
            lender.begin(dbapi_connection)

    def do_commit(self, dbapi_connection: Any) -> None:
        if self._ends(dbapi_connection):
            super().do_commit(dbapi_connection)  # type: ignore[misc]

    def do_rollback(self, dbapi_connection: Any) -> None:
        if self._ends(dbapi_connection):
            super().do_rollback(dbapi_connection)  # type: ignore[misc]

    def do_close(self, dbapi_connection: Any) -> None:
        lender = _lenders[-1]
        if lender.is_lent(dbapi_connection):
            lender.give_back()
        elif not lender.was_lent(dbapi_connection):
            super().do_close(dbapi_connection)  # type: ignore[misc]

    def do_terminate(self, dbapi_connection: Any) -> None:
        self.do_close(dbapi_connection)

    def do_ping(self, dbapi_connection: Any) -> bool:
        return _lenders[-1].is_lent(dbapi_connection) or bool(super().do_ping(dbapi_connection))  # type: ignore[misc]

    def _ends(self, connection: Any) -> bool:
        """Whether a commit or rollback of a pool's connection is to be done."""
        lender, session = _lenders[-1], getattr(connection, "dbapi_connection", connection)
        return lender.may_end(connection) if lender.is_lent(session) else not lender.was_lent(session)


class LentPsycopg(_Lent, PGDialect_psycopg):
    """psycopg 3."""

    supports_statement_cache = True  # SQLAlchemy asks each class itself, and warns

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Any]:
        """For create_async_engine."""
        return LentPsycopgAsync


class LentPsycopg2(_Lent, PGDialect_psycopg2):
    """psycopg2."""

    supports_statement_cache = True

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Any]:
        """For create_async_engine."""
        return LentPsycopg2Async


async def _nothing() -> None:
    pass


def _as_asynchronous(cursor: Any) -> None:
    """Await something, and let the cursor be awaited: `await connection.execute(…)` fails where neither can be."""
    cursor._async_soft_close = _nothing
    with suppress(MissingGreenlet):  # a synchronous call
        await_only(_nothing())


class _Async:
    is_async = True

    def do_execute(self, cursor: Any, *arguments: Any, **options: Any) -> None:
        _as_asynchronous(cursor)
        super().do_execute(cursor, *arguments, **options)  # type: ignore[misc]

    def do_executemany(self, cursor: Any, *arguments: Any, **options: Any) -> None:
        _as_asynchronous(cursor)
        super().do_executemany(cursor, *arguments, **options)  # type: ignore[misc]

    def do_execute_no_params(self, cursor: Any, *arguments: Any, **options: Any) -> None:
        _as_asynchronous(cursor)
        super().do_execute_no_params(cursor, *arguments, **options)  # type: ignore[misc]

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool


class LentPsycopgAsync(_Async, LentPsycopg):
    """What an async engine gets, whatever its URL says."""

    supports_statement_cache = True


class LentPsycopg2Async(_Async, LentPsycopg2):
    """The same by psycopg2."""

    supports_statement_cache = True
