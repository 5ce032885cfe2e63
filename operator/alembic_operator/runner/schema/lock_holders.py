"""Who keeps a snapshot waiting.

PostgreSQL opens a table to write down its defaults, constraints and indexes (pg_get_expr and others), and so waits for
whoever holds it in ACCESS EXCLUSIVE mode, as long as lock_timeout lets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...contract.reasons import Reason
from ..database.driver import RawConnection, rows
from ..database.lock_monitor import describe_blocker
from ..database.sql_errors import find_sql_error, printable
from ..errors import RunFailed

_MOST_HOLDERS = 3
_HOLDERS = """
SELECT n.nspname::text, c.relname::text, a.pid, a.application_name, a.usename::text, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - COALESCE(a.xact_start, a.query_start))::float8, a.backend_type
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_class c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY(%s)
 ORDER BY 7 DESC NULLS LAST, 1, 2
"""


@contextmanager
def naming_holders(connection: RawConnection, schemas: list[str]) -> Iterator[None]:
    """Around a snapshot of these schemas.

    Raises:
        RunFailed: LockTimeout, with the tables and who holds them.
    """
    try:
        yield
    except Exception as error:
        sql = find_sql_error(error)
        if sql is None or sql.reason != Reason.LOCK_TIMEOUT:
            raise
        held = [
            f"{printable(f'{schema}.{table}', 130)} is held by {describe_blocker(tuple(holder))}"
            for schema, table, *holder in rows(connection, _HOLDERS, schemas)[:_MOST_HOLDERS]
        ]
        raise RunFailed(
            Reason.LOCK_TIMEOUT,
            f"Reading the schema ({', '.join(schemas)}), to compare it: a table is locked in ACCESS EXCLUSIVE mode "
            f"and was not released in time ({'; '.join(held) or 'it is free now'})",
            "Nothing was sent. End the session that holds the lock, or raise spec.timeouts.lock.",
            sqlstate=sql.sqlstate,
            blocked_by="; ".join(held),
        ) from error
