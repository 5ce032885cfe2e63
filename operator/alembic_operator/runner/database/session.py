"""Pre-flight: which database this is, where in it the history is kept, and whether a run may go on there at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from ...contract.canonical_json import digest
from ...contract.locks import history_key
from ...contract.reasons import Reason
from ...contract.request import RunKind, RunRequest
from ...contract.result import DatabaseFacts
from ..errors import RunFailed
from ..terms import SEARCH_PATH, SECRET, VERSION_TABLE_SCHEMA, database_of, secret_named
from .driver import Driver, RawConnection, rows
from .search_path import MOST_SCHEMAS, SearchPath, names_in, resolved

DEFAULT_TABLE = "alembic_version"

_FACTS = """
SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only'),
       pg_catalog.current_setting('server_version'), pg_catalog.current_database(),
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),
       pg_catalog.current_setting('search_path'), current_user::text, session_user::text
"""
_USAGE = """
SELECT n.nspname::text, pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY(%s::text[])
"""
_NAMED = """
SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY(%s::text[])
"""


@dataclass(frozen=True)
class VersionTable:
    """Where in the database a history is kept: its version table. The schema is "" where there is none to put it in."""

    schema: str
    table: str

    @property
    def history(self) -> str:
        """The key of its rows in the journal."""
        return history_key(self.schema, self.table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}" if self.schema else self.table


@dataclass(frozen=True)
class Wanted:
    """The version table as the spec, or the project's env.py, names it; "" where neither does."""

    table: str = ""
    schema: str = ""


@dataclass(frozen=True)
class TargetSession:
    """What the migrating session is, or would be.

    Attributes:
        server_version: like `18.1`.
        system: the server's identifier.
        database: its name.
        user: who connected, whatever role it has taken.
        search_path: of the revisions, resolved.
        began_with: what env.py finds, and may change before the revisions run.
        migrating: whether it is the migrating role's, and not that of the review credentials for want of better.
    """

    server_version: str
    system: str
    database: str
    user: str
    search_path: SearchPath
    began_with: SearchPath
    migrating: bool

    def facts(self, version_table: VersionTable) -> DatabaseFacts:
        """For the result; the identity is that of a history in a database."""
        of = {
            "engine": "PostgreSQL",
            "system": self.system,
            "database": self.database,
            "versionTable": version_table.history,
        }
        path = self.search_path.told if self.migrating else []
        return DatabaseFacts("PostgreSQL", self.server_version, digest(of), path)

    def warnings(self, request: RunRequest) -> list[str]:
        """What a person has to know about the search path, one sentence each."""
        path = self.search_path
        if request.pinned_search_path:
            return []
        if self.migrating:
            return path.warnings()
        return [
            *path.warnings(),
            f'The plan uses the search path of role "{path.role}" of {secret_named(request.secret_name)}: the '
            "migrating role's is not known before its first run, which creates a new plan if the two differ. Set "
            f"{SEARCH_PATH} to use one path for both.",
        ]


def find_version_table(connection: RawConnection, path: SearchPath, wanted: Wanted) -> VersionTable:
    """The version table of a run, as plain Alembic finds it.

    Without a schema it is what the bare name means: the first of the search path's schemas that has such a table;
    where none has, the first that exists, where Alembic makes it.
    """
    table = wanted.table or DEFAULT_TABLE
    if wanted.schema:
        return VersionTable(wanted.schema, table)
    having = {schema for (schema,) in rows(connection, _NAMED, table, path.existing)}
    found = [schema for schema in path.existing if schema in having] or path.existing or list(path.schemas)
    return VersionTable(found[0] if found else "", table)


def preflight(driver: Driver, connection: RawConnection, request: RunRequest) -> TargetSession:
    """Check that the session reaches a server directly, and one that may be written to; resolve its search path.

    Raises:
        RunFailed: PoolerUnsupported, InvalidSpec for a search path that cannot be used, or for an Apply TargetReadOnly.
    """
    pid, in_recovery, read_only, version, database, system, setting, role, user = rows(connection, _FACTS)[0]
    if pid != driver.backend_pid(connection):
        raise RunFailed(
            Reason.POOLER_UNSUPPORTED,
            f"Connecting to {database_of(request.secret_name)}: a connection pooler in transaction mode answered; "
            f"session locks and settings do not work through it. Point {SECRET} at the server itself, not at PgBouncer "
            "or a similar proxy.",
        )
    if request.kind == RunKind.APPLY and (in_recovery or read_only == "on"):
        found = (
            "the server is a standby" if in_recovery else "its sessions are read-only (default_transaction_read_only)"
        )
        raise RunFailed(
            Reason.TARGET_READ_ONLY,
            f"Migrating {database_of(request.secret_name)}: {found}. Point {SECRET} at the primary, or make the "
            "database writable.",
        )
    path = _search_path(connection, request, names_in(setting, role), role)
    migrating = not request.review_credentials or bool(request.pinned_search_path)
    return TargetSession(str(version).split(" ")[0], system, database, user, path, path, migrating)


def _search_path(connection: RawConnection, request: RunRequest, names: list[str], role: str) -> SearchPath:
    usage = dict(rows(connection, _USAGE, names))
    path = resolved(names, usage, role, pinned=bool(request.pinned_search_path))
    closed = [name for name in request.search_path if not usage.get(name, True)]
    if closed and not request.review_credentials:
        raise RunFailed(
            Reason.PERMISSION_DENIED,
            f'Resolving {SEARCH_PATH}: role "{role}" has no USAGE on schema "{closed[0]}", so PostgreSQL '
            f"would skip it. Nothing was sent. Grant it, or correct {SEARCH_PATH}.",
        )
    if request.search_path and path.missing:
        raise _unusable(
            f'schema "{path.missing[0]}" of {SEARCH_PATH} does not exist',
            f"Create it, or correct {SEARCH_PATH}",
        )
    if len(names) > MOST_SCHEMAS:
        raise _unusable(
            f'the path of role "{role}" names {len(names)} schemas, but at most {MOST_SCHEMAS} are supported',
            f"Set {SEARCH_PATH} to those that the migrations need",
        )
    if path.temporary_first:
        raise _unusable(
            f'the path of role "{role}" begins with pg_temp, so every new object would be temporary',
            f"Put pg_temp last, by ALTER ROLE … SET search_path, or set {SEARCH_PATH}",
        )
    return path


def with_path(
    connection: RawConnection, session: TargetSession, setting: str, role: str, makes: Collection[str]
) -> TargetSession:
    """The session once env.py has set its search path.

    Args:
        connection: to the same database.
        session: as it was before.
        setting: of search_path.
        role: whose name stands for "$user" there.
        makes: schemas that env.py makes.
    """
    names = names_in(setting, role)
    usage = {**dict(rows(connection, _USAGE, names)), **dict.fromkeys(makes, True)}
    return replace(session, search_path=resolved(names, usage, role, pinned=False))


def no_schema(path: SearchPath, version_table: VersionTable) -> RunFailed:
    """The version table belongs into a schema that is not there."""
    if version_table.schema and version_table.schema not in path.schemas:
        return _unusable(
            f'schema "{version_table.schema}" of the version table does not exist',
            f"Create it, or correct {VERSION_TABLE_SCHEMA}",
        )
    named = ", ".join(f'"{schema}"' for schema in path.schemas) or "no schema"
    return _unusable(
        f'the path of role "{path.role}" is {named}, but none of these schemas exists, so no object can be created',
        f"Create the schema, set the role's search_path, or set {SEARCH_PATH}",
    )


def _unusable(found: str, todo: str) -> RunFailed:
    return RunFailed(Reason.INVALID_SPEC, f"Resolving the session's search path: {found}. Nothing was sent. {todo}.")
