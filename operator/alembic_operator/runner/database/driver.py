"""The image's PostgreSQL driver, psycopg 3 or psycopg2, behind the few verbs that the runner needs.

The runner's own statements go through the driver's connection in autocommit; SQLAlchemy gets the same connection for
the migration. So the password never reaches SQLAlchemy, and Alembic never meets a transaction that is already open.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable, Protocol

from ...contract.reasons import Reason
from ..errors import RunFailed
from ..terms import IMAGE, REQUIREMENTS
from .other_connections import own_connection

_NAMES = {"psycopg": "psycopg 3", "psycopg2": "psycopg2"}
IDLE, IN_TRANSACTION = 0, 2  # of Driver.transaction
READ_ONLY = "25006"  # the SQLSTATE of a write where a transaction may only read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Cursor(Protocol):
    """What both drivers' cursors have."""

    description: Any
    rowcount: int

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any:
        """Send one statement."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of its result."""

    def close(self) -> None:
        """Be done with it."""


class RawConnection(Protocol):
    """What both drivers' connections have."""

    autocommit: bool
    closed: Any  # a bool, or a number

    def cursor(self) -> Cursor:
        """A cursor for one statement."""

    def commit(self) -> None:
        """End the transaction that is open, if one is."""

    def cancel(self) -> None:
        """Cancel the statement that is on its way; safe from another thread."""

    def close(self) -> None:
        """End the session."""


def sqlstate_of(error: Exception) -> str:
    """Of a driver's error; "" for none."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")


class Driver:
    """One driver module.

    Attributes:
        name: psycopg or psycopg2, also SQLAlchemy's name for it.
        module: the driver itself.
    """

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.module = module

    @property
    def error(self) -> type[Exception]:
        """The root of the driver's exceptions."""
        error: type[Exception] = self.module.Error
        return error

    def connect(self, parameters: dict[str, Any]) -> RawConnection:
        """Connect, in autocommit."""
        connect: Callable[..., RawConnection] = self.module.connect
        with own_connection():
            if self.name == "psycopg":
                return connect(autocommit=True, **parameters)
            connection = connect(**parameters)
        connection.autocommit = True
        return connection

    def backend_pid(self, connection: Any) -> int:
        """The server process as the startup packet's answer named it."""
        pid: int = connection.info.backend_pid if self.name == "psycopg" else connection.get_backend_pid()
        return pid

    def server_version(self, connection: Any) -> int:
        """Like 180001."""
        version: int = connection.info.server_version if self.name == "psycopg" else connection.server_version
        return version

    def transaction(self, connection: Any) -> int:
        """How the session stands: IDLE, IN_TRANSACTION, or another of libpq's numbers (1: busy, 3: failed)."""
        status = connection.info.transaction_status if self.name == "psycopg" else connection.get_transaction_status()
        return int(status)

    def on_notice(self, connection: Any, callback: Callable[[str, str], None]) -> None:
        """Have SQLSTATE and text of each notice of the server's own; psycopg2's carry no SQLSTATE, so nothing there.

        What a function raises is left out: its author's words may hold values of rows, under any SQLSTATE.
        """

        def tell(diagnostic: Any) -> None:
            if diagnostic.source_function != "exec_stmt_raise":
                callback(diagnostic.sqlstate or "", diagnostic.message_primary or "")

        if self.name == "psycopg":
            connection.add_notice_handler(tell)


def give_settings(connection: RawConnection, settings: Mapping[str, str], *, local: bool = False) -> None:
    """Set each by name, for the session or for its transaction alone."""
    values = ", ".join("(%s::text, %s::text)" for _ in settings)
    flat = [text for setting in settings.items() for text in setting]
    set_all = f"SELECT pg_catalog.set_config(n, v, {str(local).lower()}) FROM (VALUES {values}) AS s (n, v)"  # noqa: S608
    rows(connection, set_all, *flat)


def find_driver(wanted: str = "", preferred: str = "") -> Driver:
    """The driver of the image; a URI that names one of the two gets that one.

    Args:
        wanted: the one that the Secret's URI names.
        preferred: where the image has both, and the URI names none.

    Raises:
        RunFailed: DriverMissing.
    """
    names = [wanted] if wanted in _NAMES else sorted(_NAMES, key=lambda name: name != preferred)
    broken, left = "", ""
    for name in names:
        try:
            return Driver(name, importlib.import_module(name))
        except ModuleNotFoundError as error:
            if error.name != name:
                broken = f" {_NAMES[name]} is installed, but needs the module {error.name}, which is missing."
        except ImportError:
            broken = (
                f" {_NAMES[name]} is installed, but finds no libpq: install psycopg[binary], or the library libpq5."
            )
    if importlib.util.find_spec("asyncpg"):
        broken += " asyncpg is installed, but the runner needs a synchronous driver."
        left = " env.py and its URLs can stay unchanged: their engines use that connection."
    raise RunFailed(
        Reason.DRIVER_MISSING,
        f"Connecting needs {' or '.join(_NAMES[name] for name in names)} in the {IMAGE}, but none could be "
        f"imported.{broken} Add psycopg[binary] to {REQUIREMENTS}.{left}",
    )


def rows(connection: RawConnection, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement of the runner's own; its rows, or none where it returns none."""
    cursor = connection.cursor()
    try:
        cursor.execute(query, parameters or None)
        return cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()
