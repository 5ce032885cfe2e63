"""The lock of a history: a session's advisory lock, polled in autocommit on the migrating connection itself.

A blocking acquire deadlocks with CREATE INDEX CONCURRENTLY, a lock on a second connection hangs with it undetectably,
and a transaction's lock is dropped by the first commit (all measured).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...contract.job_env import BOOTSTRAP_LOCK_CLASS, LOCK_CLASS
from ...contract.locks import lock_key
from ..report import Report
from .driver import RawConnection, rows
from .session import VersionTable
from .sql_errors import printable

_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 1.0
_TELL_EVERY = 15.0

_HOLDER = """
SELECT a.application_name, a.pid FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""


def acquire(connection: RawConnection, version_table: VersionTable, report: Report) -> None:
    """Wait until this session holds the history's lock, telling who has it meanwhile.

    It ends with the session. The wait is bounded by the run's time limit, whose signal interrupts it.
    """
    _poll(connection, LOCK_CLASS, lock_key(version_table.history), f"the migration lock of {version_table}", report)


@contextmanager
def bootstrap_lock(connection: RawConnection, report: Report) -> Iterator[None]:
    """Hold the lock, one a database, under which the journal's schema is made: CREATE SCHEMA IF NOT EXISTS races."""
    _poll(connection, BOOTSTRAP_LOCK_CLASS, 0, "the journal's lock", report)
    try:
        yield
    finally:
        rows(connection, "SELECT pg_catalog.pg_advisory_unlock(%s, %s)", BOOTSTRAP_LOCK_CLASS, 0)


def holder(connection: RawConnection, key_class: int, key: int) -> str:
    """Who has an advisory lock, by the name that the session gave itself; "" for nobody."""
    found = rows(connection, _HOLDER, key_class, key % 2**32)
    return ", ".join(f"pid {pid} ({printable(name, 64) or 'unnamed'})" for name, pid in found)


def _poll(connection: RawConnection, key_class: int, key: int, what: str, report: Report) -> None:
    pause, told_at, never = _FIRST_PAUSE, 0.0, threading.Event()
    while not rows(connection, "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", key_class, key)[0][0]:
        if not told_at or time.monotonic() - told_at > _TELL_EVERY:
            told_at = time.monotonic()
            report.record("waiting", what=what, holder=holder(connection, key_class, key))
        never.wait(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
