"""Looking on while a statement runs: who blocks it, and how far an index build is.

A second, read-only session in a thread. It is opened only when a statement takes long, and closed before the result is
verified, so that a run has two connections at most.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Callable

from ..report import Report
from .driver import RawConnection, rows
from .other_connections import own_connection
from .sql_errors import printable

_INTERVAL = 0.25  # seconds
_TELL_EVERY = 5.0
_MOST_BLOCKERS = 3

_BLOCKERS = """
SELECT a.pid, a.application_name, a.usename::text, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - COALESCE(a.xact_start, a.query_start))::float8, a.backend_type
  FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY(pg_catalog.pg_blocking_pids(%s)) ORDER BY 5 DESC NULLS LAST, 1
"""
_INDEX = """
SELECT p.phase, p.blocks_done, p.blocks_total, c.relname::text
  FROM pg_catalog.pg_stat_progress_create_index p LEFT JOIN pg_catalog.pg_class c ON c.oid = p.relid WHERE p.pid = %s
"""


@dataclass(frozen=True)
class Statement:
    """The statement that is on its way."""

    revision: str
    statement: int
    since: float


class Watch:
    """Watches the migrating session.

    Attributes:
        blocked_by: who blocked the last statement that was seen blocked, for people.
        took: seconds of the last statement; None before it came back.
    """

    def __init__(self, connect: Callable[[], RawConnection], pid: int, lock_timeout: float, report: Report) -> None:
        self.blocked_by = ""
        self.took: float | None = None
        self._connect = connect
        self._pid = pid
        self._interval = max(0.05, min(_INTERVAL, lock_timeout / 4 if lock_timeout else _INTERVAL))
        self._report = report
        self._running: Statement | None = None
        self._told = ("", 0.0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    def started(self, revision: str, statement: int) -> None:
        """A statement is about to be sent."""
        self.blocked_by, self.took = "", None
        self._running = Statement(revision, statement, time.monotonic())

    def ended(self) -> None:
        """It came back."""
        if self._running is not None:
            self.took = time.monotonic() - self._running.since
        self._running = None

    def close(self) -> None:
        """Stop watching, and close the session."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _look(self) -> None:
        connection: RawConnection | None = None
        try:
            while not self._stop.wait(self._interval):
                running = self._running
                if running is not None and time.monotonic() - running.since >= self._interval:
                    with own_connection():
                        connection = connection or self._connect()
                    self._look_at(connection, running)
        except Exception as error:  # the migration goes on unwatched
            self._report.record("unwatched", error=type(error).__name__)
        finally:
            if connection is not None:
                connection.close()

    def _look_at(self, connection: RawConnection, running: Statement) -> None:
        blocked_by = "; ".join(describe_blocker(row) for row in rows(connection, _BLOCKERS, self._pid)[:_MOST_BLOCKERS])
        index = rows(connection, _INDEX, self._pid)
        if self._running is not running:
            return
        self.blocked_by = blocked_by or self.blocked_by
        if running.statement and (
            bool(blocked_by) != bool(self._told[0]) or time.monotonic() - self._told[1] > _TELL_EVERY
        ):
            self._told = (blocked_by, time.monotonic())
            facts = {"revision": running.revision, "statement": running.statement}
            if blocked_by:
                facts["blockedBy"] = blocked_by
            for phase, done, total, table in index[:1]:
                facts.update(index={"phase": phase, "blocksDone": done, "blocksTotal": total, "table": table})
            self._report.record("running", seconds=round(time.monotonic() - running.since, 1), **facts)


def describe_blocker(row: tuple[Any, ...]) -> str:
    """Like `pid 4711 (reporting), idle in transaction for 12m`.

    State and time are unknown (None) where the user may not see other users' sessions.
    """
    pid, application, user, state, seconds, kind = row
    name = printable(application or "", 63) or (f"user {printable(user, 63)}" if user else kind or "unnamed")
    text = f"pid {pid} ({name})"
    if state:
        text += f", {state}" + (f" for {duration(seconds)}" if seconds is not None else "")
    return text


def duration(seconds: float) -> str:
    """Whole units, one of them: 7s, 12m, 3h, 2d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
