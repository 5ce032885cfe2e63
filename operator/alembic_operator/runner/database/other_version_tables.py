"""Version tables of a database beside the one that a run uses: looked for, since the application may have another.

Plain Alembic knows one table and takes its absence for an empty database. Where the rows stand in another table, to
believe that would build a history a second time beside its own data.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...contract.reasons import Reason
from ...contract.request import Owner, RunRequest
from ..errors import RunFailed
from ..terms import VERSION_TABLE
from .driver import RawConnection, rows
from .session import DEFAULT_TABLE, VersionTable, Wanted
from .sql_errors import printable
from .version_table import LONGEST_ID, MOST_ROWS

_LISTED = 3
_MOST_TABLES = 200  # a tenant each, say; of more, those that come later by name are not looked at

# By name, or by shape: a text column version_num that is the only one, or the primary key by itself.
_FIND = """
SELECT n.nspname::text, c.relname::text,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
       AND NOT pg_catalog.row_security_active(c.oid)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version_num' AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typname IN ('varchar', 'text', 'bpchar')
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'alembic_operator') AND n.nspname NOT LIKE 'pg\\_%%'
   AND NOT (n.nspname = %s AND c.relname = %s)
   AND (c.relname IN ('alembic_version', %s)
        OR 1 = (SELECT count(*) FROM pg_catalog.pg_attribute o
                 WHERE o.attrelid = c.oid AND o.attnum > 0 AND NOT o.attisdropped)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
                    WHERE k.conrelid = c.oid AND k.contype = 'p' AND k.conkey = ARRAY[a.attnum]))
 ORDER BY 1, 2 LIMIT %s
"""
_OWNERS = "SELECT history, cluster, namespace, name FROM alembic_operator.owner WHERE history = ANY(%s::text[])"


@dataclass(frozen=True)
class OtherTable:
    """A version table that the run does not use.

    Attributes:
        version_table: where it is.
        rows: its revisions, at most MOST_ROWS; None where the role may not read it.
        owner: "namespace/name" of the DatabaseSchema that manages its history; "" for none, or this one.
    """

    version_table: VersionTable
    rows: tuple[str, ...] | None
    owner: str = ""

    def __str__(self) -> str:
        name = printable(str(self.version_table), 130)
        if self.rows is None:
            return f"{name} (which the run's role cannot read)"
        if not self.rows:
            return f"{name} (empty)"
        more = ", …" if len(self.rows) > _LISTED else ""
        return f"{name} (at {printable(', '.join(self.rows[:_LISTED]), 200)}{more})"


def find_others(
    connection: RawConnection, version_table: VersionTable, target: Owner, *, journal: bool, known: Collection[str]
) -> list[OtherTable]:
    """The version tables of the database beside that of the run.

    Args:
        connection: any session on the database.
        version_table: the run's own, which is left out.
        target: for whom the run is; what it owns itself has no other owner.
        journal: whether there is a journal to ask for owners.
        known: ids of the history; a table of another name counts only with one of them, or where it cannot be read.
    """
    found = rows(connection, _FIND, version_table.schema, version_table.table, version_table.table, _MOST_TABLES)
    tables = [
        OtherTable(VersionTable(schema, table), _rows_of(connection, VersionTable(schema, table)) if readable else None)
        for schema, table, readable in found
    ]
    ids, named = set(known), {DEFAULT_TABLE, version_table.table}
    tables = [one for one in tables if one.rows is None or one.version_table.table in named or ids & set(one.rows)]
    if not tables or not journal:
        return tables
    histories = [one.version_table.history for one in tables]
    owners = {
        history: f"{namespace}/{name}"
        for history, cluster, namespace, name in rows(connection, _OWNERS, histories)
        if (cluster, namespace, name) != (target.cluster, target.namespace, target.name)
    }
    return [OtherTable(one.version_table, one.rows, owners.get(one.version_table.history, "")) for one in tables]


def _rows_of(connection: RawConnection, version_table: VersionTable) -> tuple[str, ...]:
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (version_table.schema, version_table.table))
    query = (
        f"SELECT DISTINCT pg_catalog.left(version_num, {LONGEST_ID + 1}) FROM {quoted} "  # noqa: S608
        f"WHERE version_num IS NOT NULL ORDER BY 1 LIMIT {MOST_ROWS}"
    )
    return tuple(value for (value,) in rows(connection, query))


@dataclass(frozen=True)
class OwnTable:
    """The version table of the run: where it is, its rows (none also where it is absent), and what named it."""

    version_table: VersionTable
    rows: Sequence[str]
    wanted: Wanted


def check_others(others: Sequence[OtherTable], own: OwnTable, request: RunRequest, ids: set[str]) -> list[str]:
    """Decide what version tables beside the run's own mean.

    Args:
        others: as found.
        own: the run's; a place that the spec, or env.py, names is not doubted.
        request: whether spec.database.searchPath is given.
        ids: of the history's revisions.

    Returns:
        Warnings, one sentence each.

    Raises:
        RunFailed: VersionTableElsewhere.
    """
    ours = [one for one in others if one.rows is not None and ids & set(one.rows)]
    if not own.rows:
        instead = [one for one in others if _may_be_it(one, own, request, ours=one in ours)]
        if instead:
            raise _elsewhere(sorted(instead, key=lambda one: one not in ours), own.version_table)
    said = [one for one in ours if not one.owner]
    warnings = []
    if said:
        warnings.append(
            f"The version rows are read from {own.version_table}; revisions of this history are also in "
            f"{_listed(said)}. Only one of the tables can be right: name it in {VERSION_TABLE}, and "
            "drop the other."
        )
    closed = [one for one in others if one.rows is None and not one.owner]
    if closed:
        warnings.append(f"Version tables that were not read: {_listed(closed)}.")
    return warnings


def _may_be_it(one: OtherTable, own: OwnTable, request: RunRequest, *, ours: bool) -> bool:
    """Whether the rows of the run's history may be those of another table."""
    wanted = own.wanted
    if wanted.schema:  # other schemas are those of other tenants; another name in the same one may be forgotten
        return ours and not wanted.table and one.version_table.schema == own.version_table.schema
    if one.owner:
        return ours and not wanted.table and not request.search_path
    return ours or one.version_table.table == own.version_table.table


def _elsewhere(instead: Sequence[OtherTable], version_table: VersionTable) -> RunFailed:
    first = instead[0].version_table
    new = f"schema: {version_table.schema or first.schema}, name: {version_table.table}"
    return RunFailed(
        Reason.VERSION_TABLE_ELSEWHERE,
        f"Looking for the version rows in {version_table}: it has none, but the database has {_listed(instead)}. "
        "Nothing was sent: starting from base would apply the history twice. If the application's Alembic uses that "
        f"table, set {VERSION_TABLE} to {{schema: {first.schema}, name: {first.table}}}; to start a new "
        f"history, set it to {{{new}}}.",
    )


def _listed(tables: Sequence[OtherTable]) -> str:
    more = f" and {len(tables) - _LISTED} more" if len(tables) > _LISTED else ""
    return ", ".join(str(one) for one in tables[:_LISTED]) + more
