"""One row for each table of the shadow: without one, loops do nothing, and NOT NULL or CHECK is never refused.

Values follow from the types; a foreign key's are those of the row that it references. What is tried at CHECKs comes
from the literals in them. A table that takes no row of these stays empty, and is named: it never ends a run.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any, Callable

from ..database.driver import RawConnection, rows
from ..database.session import VersionTable
from ..sql_files import sql_file
from .values import candidates, read_shapes

_ATTEMPTS = 80  # a table
_ROLE = "SET LOCAL session_replication_role ="
NO_SUCH_PARENT = "23503"
_VIOLATIONS = frozenset({"23502", NO_SUCH_PARENT, "23505", "23514", "23P01"})
_AT_ONCE = 250  # tables a transaction, so that no server runs out of locks

_TABLES = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.oid >= 16384 AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('alembic_operator', 'pg_catalog', 'information_schema', 'pg_toast')
   AND NOT (n.nspname = %s AND c.relname = %s)
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY 1
"""
_COLUMNS = """
SELECT a.attrelid::bigint, a.attname::text, a.attnum::int, a.atttypid::bigint, a.atttypmod, a.attnotnull,
       a.atthasdef OR a.attidentity <> ''
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
 WHERE c.relkind = 'r' AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY a.attrelid, a.attnum
"""
_CHECKS = """
SELECT o.conrelid::bigint, o.conname::text, o.conkey::int[], pg_catalog.pg_get_constraintdef(o.oid)
  FROM pg_catalog.pg_constraint o WHERE o.contype = 'c' AND o.conrelid <> 0 AND o.conkey IS NOT NULL
UNION ALL
SELECT c.oid::bigint, '', NULL, COALESCE(pg_catalog.pg_get_partition_constraintdef(c.oid), '')
  FROM pg_catalog.pg_class c WHERE c.relispartition AND c.relkind = 'r'
"""
_KEYS = """
SELECT o.conrelid::bigint, o.contype::text, o.conkey::int[], o.confrelid::bigint, o.confkey::int[]
  FROM pg_catalog.pg_constraint o WHERE o.contype IN ('p', 'u', 'f') AND o.conrelid >= 16384 ORDER BY o.oid
"""
_VIEWS = """
SELECT pg_catalog.format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND NOT c.relispopulated AND c.oid >= 16384 ORDER BY c.oid
"""


@dataclass(frozen=True)
class _Table:
    oid: int
    schema: str
    name: str

    @property
    def sql(self) -> str:
        return f"{_quoted(self.schema)}.{_quoted(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class _Column:
    name: str
    number: int
    type: int
    modifier: int
    required: bool
    default: bool


@dataclass(frozen=True)
class _Check:
    """A condition on rows; a partition's own has no name, and no numbers of columns."""

    name: str
    numbers: list[int] | None
    text: str

    def concerns(self, column: _Column) -> bool:
        if self.numbers is not None:
            return column.number in self.numbers
        return re.search(rf"\b{re.escape(column.name)}\b", self.text) is not None


class Seeds:
    """The seeded rows.

    Attributes:
        tables: how many tables there are.
        empty: names of those that took no row.
    """

    def __init__(
        self, connection: RawConnection, version_table: VersionTable, error: type[Exception], *, planted: bool = True
    ) -> None:
        """Seed every table.

        Args:
            connection: a session of the shadow's superuser, in autocommit.
            version_table: the version table, which is left alone.
            error: the driver's.
            planted: False leaves the tables empty.
        """
        found = [_Table(*row) for row in rows(connection, _TABLES, version_table.schema, version_table.table)]
        self.tables = len(found)
        self._by_name = {str(table): table for table in found}
        self.empty: list[str] = []
        self._planted = planted and bool(found)
        if planted:
            self._plant(connection, found, error)
        self._last: str = rows(connection, "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.xid::text")[0][0]

    def _plant(self, connection: RawConnection, found: list[_Table], error: type[Exception]) -> None:
        rows(connection, sql_file(__package__, "seed.sql").replace("{attempts}", str(_ATTEMPTS)))
        rows(connection, "SET session_replication_role = replica")  # no triggers; foreign keys in circles
        plan = _wanted(connection, found)
        for at in range(0, len(plan), _AT_ONCE):
            text = json.dumps(plan[at : at + _AT_ONCE])
            self.empty += [name for (name,) in rows(connection, "SELECT alembic_operator.seed(%s::jsonb)", text)]
        for (refresh,) in rows(connection, _VIEWS):
            with contextlib.suppress(error):  # of a function that cannot work on made-up rows, for instance
                rows(connection, refresh)
        rows(connection, "RESET session_replication_role")
        rows(connection, "DROP FUNCTION alembic_operator.seed")

    def may_have_refused(self, sqlstate: str) -> bool:
        """Whether the target could take a statement that was refused here for what stands in a row.

        Where no row was made up, it met rows of the revision's own, which are there on the target too; or it lacked one
        that it refers to, which only the target has.
        """
        if not self._planted:
            return sqlstate == NO_SUCH_PARENT
        return sqlstate in _VIOLATIONS or sqlstate.startswith("22")

    def remove(
        self, run: Callable[[str], list[tuple[Any, ...]]], error: Exception, sql: str, *, thorough: bool
    ) -> None:
        """Take the seeds away from the table that refused a statement.

        Args:
            run: sends statements in the session's transaction.
            error: names the table; where it does not, those are taken that the statement names.
            sql: the statement.
            thorough: every row, not only those seeded.
        """
        which = "" if thorough else f" WHERE pg_catalog.age(xmin) > pg_catalog.age('{self._last}'::pg_catalog.xid)"
        deletes = [f"DELETE FROM ONLY {name}{which}" for name in self._refusing(error, sql)]  # noqa: S608
        run("; ".join([f"{_ROLE} replica", *deletes, f"{_ROLE} origin"]))

    def unchecked(self, run: Callable[[str], list[tuple[Any, ...]]], deliver: Callable[[], Any]) -> Any:
        """Send a statement that refers to rows which only the target has, with foreign keys and triggers at rest."""
        run(f"{_ROLE} replica")
        result = deliver()
        run(f"{_ROLE} origin")
        return result

    def _refusing(self, error: Exception, sql: str) -> list[str]:
        diagnostic = getattr(error, "diag", None)
        schema = getattr(diagnostic, "schema_name", None)
        name = getattr(diagnostic, "table_name", None)
        if schema and name:
            return [f"{_quoted(schema)}.{_quoted(name)}"]
        words = set(re.findall(r"\w+", sql))
        return [table.sql for table in self._by_name.values() if table.name in words]


def _wanted(connection: RawConnection, tables: list[_Table]) -> list[dict[str, Any]]:
    """For each table what to try, as the function takes it; referenced tables come first."""
    columns: dict[int, list[_Column]] = {}
    for oid, *facts in rows(connection, _COLUMNS):
        columns.setdefault(oid, []).append(_Column(*facts))
    checks: dict[int, list[_Check]] = {}
    for oid, *facts in rows(connection, _CHECKS):
        checks.setdefault(oid, []).append(_Check(*facts))
    keys: dict[int, set[int]] = {}
    references: dict[int, dict[int, tuple[int, int]]] = {}
    for oid, kind, numbers, other, theirs in rows(connection, _KEYS):
        keys.setdefault(oid, set()).update(numbers)
        if kind == "f" and other != oid:
            references.setdefault(oid, {}).update(zip(numbers, ((other, number) for number in theirs)))
    shapes = read_shapes(connection)
    by_oid = {table.oid: table for table in tables}
    names = {oid: {column.number: column.name for column in some} for oid, some in columns.items()}

    def parent(oid: int, number: int) -> str:
        found = references.get(oid, {}).get(number)
        if found is None or found[0] not in by_oid or found[1] not in names.get(found[0], {}):
            return ""
        return f"(SELECT {_quoted(names[found[0]][found[1]])} FROM {by_oid[found[0]].sql} LIMIT 1)"  # noqa: S608

    wanted = []
    for table in _parents_first(tables, references):
        its_checks = checks.get(table.oid, [])
        values: dict[str, list[str]] = {}
        types: dict[str, list[str]] = {}
        defaults = []
        for column in columns.get(table.oid, []):
            texts = [check.text for check in its_checks if check.concerns(column)]
            found = candidates(column.type, column.modifier, shapes, texts)
            if not found:
                continue  # an unknown type: NULL, or the default
            reference = parent(table.oid, column.number)
            values[column.name] = [f"COALESCE({reference}, {value})" for value in found] if reference else found
            types.setdefault(shapes[column.type].name, []).append(column.name)
            if column.default and column.number not in keys.get(table.oid, set()):
                defaults.append(column.name)
        concerned = {
            check.name: [column.name for column in columns.get(table.oid, []) if check.concerns(column)]
            for check in its_checks
        }
        wanted.append(
            {
                "name": str(table),
                "sql": table.sql,
                "values": values,
                "defaults": defaults,
                "types": types,
                "checks": {name: [one for one in some if one in values] for name, some in concerned.items()},
            }
        )
    return wanted


def _parents_first(tables: list[_Table], references: dict[int, dict[int, tuple[int, int]]]) -> list[_Table]:
    by_oid = {table.oid: table for table in tables}
    ordered: list[_Table] = []
    seen: set[int] = set()
    for table in tables:
        waiting = [(table.oid, False)]
        while waiting:
            oid, done = waiting.pop()
            if done:
                ordered.append(by_oid[oid])
            elif oid not in seen and oid in by_oid:
                seen.add(oid)
                waiting.append((oid, True))
                waiting += [(parent, False) for parent, _ in references.get(oid, {}).values()]
    return ordered


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
