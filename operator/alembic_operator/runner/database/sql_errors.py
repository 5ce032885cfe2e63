"""What a failed statement means, and which of the server's words may be told.

The reason follows from the SQLSTATE. DETAIL and HINT are never used (DETAIL holds row values). The primary message
passes for classes whose words are names only; in class 22 and for syntax errors whatever is quoted is cut; else it is
withheld. So are the words of a PL/pgSQL function's RAISE, whatever SQLSTATE it claims.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from ...contract.reasons import Reason
from ..terms import ROLE, SECRET, SECRETS_USER

_REASONS = {
    "55P03": Reason.LOCK_TIMEOUT,
    "40P01": Reason.DEADLOCK,
    "40001": Reason.SERIALIZATION_FAILURE,
    "42501": Reason.PERMISSION_DENIED,
    "25006": Reason.TARGET_READ_ONLY,
    "53100": Reason.DATABASE_FULL,
    "53300": Reason.TOO_MANY_CONNECTIONS,
    "57P01": Reason.CONNECTION_LOST,
    "57P02": Reason.CONNECTION_LOST,
    "57P03": Reason.CONNECTION_LOST,
}
ADVICE = {
    Reason.CONNECTION_LOST: "The next run checks the database before it continues.",
    Reason.LOCK_TIMEOUT: "End the session that holds the lock, or raise spec.timeouts.lock.",
    Reason.PERMISSION_DENIED: f"Grant the privilege to {SECRETS_USER}, or to {ROLE}.",
    Reason.DATABASE_FULL: "Free disk space on the server, or add more.",
    Reason.TARGET_READ_ONLY: f"Point {SECRET} at the primary, or make the database writable.",
}
RETRYABLE = frozenset({Reason.LOCK_TIMEOUT, Reason.DEADLOCK, Reason.SERIALIZATION_FAILURE})
_PASSING_CLASSES = frozenset({"08", "0A", "23", "25", "2B", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"})
_QUOTES = "\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e"  # as servers of other languages write them
_QUOTED = re.compile(f"[{_QUOTES}].*[{_QUOTES}]", re.DOTALL)
_RAISE = "exec_stmt_raise"  # the server's C function behind RAISE: the words are those of a function's author
_TELLING = frozenset({"psycopg", "psycopg2", "sqlalchemy", "pydantic", "pydantic_core"})  # tell values in their errors
_ABORTED = "25P02"  # in_failed_sql_transaction: an earlier statement failed, and that one is the cause


@dataclass(frozen=True)
class SqlError:
    """A failed statement.

    Attributes:
        sqlstate: five characters; "" where the connection broke or the driver itself complained.
        text: the server's primary message, as far as it may be told; "" when withheld.
    """

    sqlstate: str
    text: str

    @property
    def reason(self) -> Reason:
        """The published reason that follows from the SQLSTATE."""
        if not self.sqlstate or self.sqlstate.startswith("08"):
            return Reason.CONNECTION_LOST
        return _REASONS.get(self.sqlstate, Reason.MIGRATION_FAILED)

    def words(self) -> str:
        """For a message: the SQLSTATE and what may be told."""
        if not self.sqlstate:
            return "the connection to the server was lost"
        told = self.text or "the server's message is withheld because it can contain row values; see the server's log"
        return f"SQLSTATE {self.sqlstate}: {told}"


def find_sql_error(error: BaseException | None) -> SqlError | None:
    """The database error behind an exception, or None where there is none.

    Walks the chain from the outside in: a connection that dies inside an autocommit block shows as PendingRollbackError
    with the cause in `__context__` alone, and a statement after a failed one as 25P02.
    """
    found: SqlError | None = None
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        original = getattr(error, "orig", None)
        for candidate in (error, original):
            sqlerror = _as_sql_error(candidate)
            if sqlerror is not None:
                found = sqlerror
                if sqlerror.sqlstate not in ("", _ABORTED):
                    return sqlerror
        error = error.__cause__ or error.__context__
    return found


def print_error(error: BaseException, *, words: bool) -> None:
    """Write the traceback of user code to the pod's log.

    Args:
        error: what the code raised.
        words: whether the exceptions' own texts may be told; a library's never are, wherever in the chain it is.
    """
    chain = list(_chain(error))
    if words and not any(_from_library(one) for one in chain):
        traceback.print_exception(type(error), error, error.__traceback__)
        return
    for one in reversed(chain):  # as Python does, the cause first
        traceback.print_tb(one.__traceback__)
        sys.stderr.write(f"{type(one).__name__}\n")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def _from_library(error: BaseException) -> bool:
    """Whether a library made it: its class is there, or was raised there (psycopg2's ValueError of a date)."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    raised_in = str(last.tb_frame.f_globals.get("__name__", "")) if last is not None else ""
    return not _TELLING.isdisjoint({type(error).__module__.split(".")[0], raised_in.split(".")[0]})


def _as_sql_error(error: object) -> SqlError | None:
    if type(error).__module__.split(".")[0] not in ("psycopg", "psycopg2"):
        return None
    sqlstate = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    if not sqlstate and not any(kind.__name__ == "OperationalError" for kind in type(error).__mro__):
        return None  # the driver itself complained, of a parameter for instance: no word of the server
    diagnostic = getattr(error, "diag", None)
    if getattr(diagnostic, "source_function", None) == _RAISE:
        return SqlError(sqlstate, "")
    return SqlError(sqlstate, told(sqlstate, getattr(diagnostic, "message_primary", None) or ""))


def told(sqlstate: str, text: str) -> str:
    """The part of a primary message that holds no value of a row or parameter; one line of at most 200 characters."""
    if sqlstate[:2] == "22" or sqlstate == "42601":
        text = _QUOTED.sub('"…"', text)
        if sqlstate[:2] == "22":
            text = text.split(": ")[0]
    elif sqlstate[:2] not in _PASSING_CLASSES:
        return ""
    return printable(text, 200)


def printable(text: str, limit: int) -> str:
    """One line without control, direction and other unprintable characters."""
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
