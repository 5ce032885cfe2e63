"""Pre-flight: which database this is, and whether a run may go on there at all."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.jsonvalue import digest
from ..contract.locks import history_key
from ..contract.reasons import Reason
from ..contract.request import RunKind, RunRequest
from ..contract.result import DatabaseFacts
from .driver import Driver, RawConnection, rows
from .errors import RunFailed

_FACTS = """
SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only'),
       pg_catalog.current_setting('server_version'), pg_catalog.current_database(),
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system())
"""


@dataclass(frozen=True)
class Place:
    """Where in the database a history is kept."""

    schema: str
    table: str

    @property
    def history(self) -> str:
        """The key of its rows in the journal."""
        return history_key(self.schema, self.table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


def place_of(request: RunRequest) -> Place:
    """The version table: its schema is the first of the search path unless it is given."""
    return Place(request.version_table_schema or request.search_path[0], request.version_table)


def preflight(driver: Driver, connection: RawConnection, request: RunRequest) -> DatabaseFacts:
    """Check that the session reaches a server directly, and one that may be written to.

    Raises:
        RunFailed: PoolerUnsupported, or for an Apply TargetReadOnly.
    """
    pid, in_recovery, read_only, version, database, system = rows(connection, _FACTS)[0]
    named = f'the database that Secret "{request.secret_name}" names'
    if pid != driver.backend_pid(connection):
        raise RunFailed(
            Reason.POOLER_UNSUPPORTED,
            f"Connecting to {named}: a connection pooler in transaction mode answered, where session locks and "
            "settings mean nothing. Name the server itself in the Secret, not PgBouncer or a similar proxy.",
        )
    if request.kind == RunKind.APPLY and (in_recovery or read_only == "on"):
        found = (
            "the server is a standby" if in_recovery else "its sessions are read-only (default_transaction_read_only)"
        )
        raise RunFailed(
            Reason.TARGET_READ_ONLY,
            f"Migrating {named}: {found}. Name the primary in the Secret, or make the database writable.",
        )
    identity = digest(
        {"engine": "PostgreSQL", "system": system, "database": database, "versionTable": place_of(request).history}
    )
    return DatabaseFacts(engine="PostgreSQL", version=str(version).split(" ")[0], identity=identity)
