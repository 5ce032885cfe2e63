"""Reading Alembic's version table: bounded, by its full name, never trusting what is in it."""

from __future__ import annotations

from ...contract.reasons import Reason
from ..errors import RunFailed
from ..terms import VERSION_TABLE
from .driver import RawConnection, rows
from .session import VersionTable
from .sql_errors import printable

MOST_ROWS = 100
LONGEST_ID = 255

_TABLE = """
SELECT c.relkind::text, c.relhasrules, c.relhassubclass, pg_catalog.row_security_active(c.oid),
       EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
       (SELECT ty.typname::text || ' ' || a.atttypmod
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
         WHERE a.attrelid = c.oid AND a.attname = 'version_num' AND NOT a.attisdropped)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relname = %s
"""
_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "a partitioned table",
    "S": "a sequence",
}
_USERS_TABLES = """
SELECT n.nspname::text, c.relname::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND NOT (n.nspname = %s AND c.relname = %s)
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY 1, 2 LIMIT 4
"""


def read_version_rows(connection: RawConnection, version_table: VersionTable) -> list[str]:
    """The revisions that the database says it is at, sorted; [] also where the table does not exist.

    Raises:
        RunFailed: VersionTableInvalid.
    """
    found = rows(connection, _TABLE, version_table.schema, version_table.table)
    if not found:
        return []
    kind, has_rules, has_children, filtered, has_triggers, column = found[0]
    if kind != "r":
        raise _invalid(version_table, f"it is {_KINDS.get(kind, 'no plain table')}, not a plain table")
    if has_rules or has_triggers or has_children:
        raise _invalid(version_table, "it has rules, triggers or child tables, which could change writes to it")
    if not column or column.split(" ")[0] not in ("varchar", "text", "bpchar"):
        raise _invalid(version_table, "it has no text column version_num")
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (version_table.schema, version_table.table))
    values = rows(
        connection,
        f"SELECT pg_catalog.left(version_num, {LONGEST_ID + 1}) FROM {quoted} LIMIT {MOST_ROWS + 1}",  # noqa: S608
    )
    if len(values) > MOST_ROWS:
        raise _invalid(version_table, f"it has more than {MOST_ROWS} rows; it must have one per head")
    if filtered and not values:
        raise _invalid(version_table, "row-level security applies to this role, so no row is visible")
    ids = [value for (value,) in values]
    for value in ids:
        if not value or len(value) > LONGEST_ID or not value.isprintable():
            raise _invalid(version_table, "a row's version_num is empty, NULL, too long or not printable")
    if len(set(ids)) < len(ids):
        raise _invalid(version_table, f'revision "{next(v for v in ids if ids.count(v) > 1)}" is there twice')
    return sorted(ids)


def width_of(connection: RawConnection, version_table: VersionTable) -> int | None:
    """How many characters of a revision's id the version table takes; None where there is no such table yet."""
    found = rows(connection, _TABLE, version_table.schema, version_table.table)
    if not found:
        return None
    kind, limit = found[0][-1].split(" ")
    return int(limit) - 4 if kind != "text" and int(limit) > 4 else LONGEST_ID


def users_tables(connection: RawConnection, search_path: list[str], version_table: VersionTable) -> list[str]:
    """Up to four tables or views in the search path that are neither the version table nor part of an extension."""
    found = rows(connection, _USERS_TABLES, search_path, version_table.schema, version_table.table)
    return [printable(f"{schema}.{table}", 130) for schema, table in found]


def schema_exists(connection: RawConnection, schema: str) -> bool:
    """Whether a schema is there (and visible in the catalog)."""
    return bool(rows(connection, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", schema))


def _invalid(version_table: VersionTable, found: str) -> RunFailed:
    return RunFailed(
        Reason.VERSION_TABLE_INVALID,
        f"Reading the version table {version_table}: {found}. Nothing was sent. Compare {VERSION_TABLE} "
        "with the "
        "table that the application's Alembic uses, or repair the table by hand.",
    )
