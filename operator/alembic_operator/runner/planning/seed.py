"""One row for each table of the shadow: without one, loops do nothing, and NOT NULL or CHECK is never refused.

Values follow from the types; a foreign key's are those of the row that it references. What is tried at CHECKs comes
from the literals in them. A table that takes no row of these stays empty, and is named: it never ends a run.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Callable

from ..driver import RawConnection, rows
from ..session import Place
from .values import candidates, read_shapes

_ATTEMPTS = 40  # a table
_MIXED = 12
_ROLE = "SET LOCAL session_replication_role ="
_VIOLATIONS = frozenset({"23502", "23503", "23505", "23514", "23P01"})
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
SELECT o.conrelid::bigint, o.conkey::int[], pg_catalog.pg_get_constraintdef(o.oid)
  FROM pg_catalog.pg_constraint o WHERE o.contype = 'c' AND o.conrelid <> 0 AND o.conkey IS NOT NULL
UNION ALL
SELECT c.oid::bigint, NULL, pg_catalog.pg_get_partition_constraintdef(c.oid)
  FROM pg_catalog.pg_class c WHERE c.relispartition AND c.relkind = 'r'
"""
_KEYS = """
SELECT o.conrelid::bigint, o.contype::text, o.conkey::int[], o.confrelid::bigint, o.confkey::int[]
  FROM pg_catalog.pg_constraint o WHERE o.contype IN ('p', 'u', 'f') AND o.conrelid >= 16384 ORDER BY o.oid
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION alembic_operator.seed(wanted pg_catalog.jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $seed$
DECLARE
  one pg_catalog.jsonb;
  attempt text;
  done boolean;
BEGIN
  FOR one IN SELECT * FROM pg_catalog.jsonb_array_elements(wanted) LOOP
    done := false;
    FOR attempt IN SELECT * FROM pg_catalog.jsonb_array_elements_text(one -> 1) LOOP
      BEGIN
        EXECUTE attempt;
        done := true;
        EXIT;
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
    END LOOP;
    IF NOT done THEN
      RETURN NEXT one ->> 0;
    END IF;
  END LOOP;
END $seed$
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


class Seeds:
    """The seeded rows.

    Attributes:
        tables: how many tables there are.
        empty: names of those that took no row.
    """

    def __init__(self, connection: RawConnection, place: Place) -> None:
        """Seed every table.

        Args:
            connection: a session of the shadow's superuser, in autocommit.
            place: the version table, which is left alone.
        """
        found = [_Table(*row) for row in rows(connection, _TABLES, place.schema, place.table)]
        self.tables = len(found)
        self._by_name = {str(table): table for table in found}
        self.empty: list[str] = []
        rows(connection, _FUNCTION)
        rows(connection, "SET session_replication_role = replica")  # no triggers; foreign keys in circles
        plan = _inserts(connection, found)
        for at in range(0, len(plan), _AT_ONCE):
            text = json.dumps(plan[at : at + _AT_ONCE])
            self.empty += [name for (name,) in rows(connection, "SELECT alembic_operator.seed(%s::jsonb)", text)]
        for (refresh,) in rows(connection, _VIEWS):
            rows(connection, "SELECT alembic_operator.seed(%s::jsonb)", json.dumps([["", [refresh]]]))
        rows(connection, "RESET session_replication_role")
        rows(connection, "DROP FUNCTION alembic_operator.seed")
        self._last: str = rows(connection, "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.xid::text")[0][0]

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

    def _refusing(self, error: Exception, sql: str) -> list[str]:
        diagnostic = getattr(error, "diag", None)
        schema = getattr(diagnostic, "schema_name", None)
        name = getattr(diagnostic, "table_name", None)
        if schema and name:
            return [f"{_quoted(schema)}.{_quoted(name)}"]
        words = set(re.findall(r"\w+", sql))
        return [table.sql for table in self._by_name.values() if table.name in words]


def may_be_the_seeds(sqlstate: str) -> bool:
    """Whether a statement was refused for what stands in a row."""
    return sqlstate in _VIOLATIONS or sqlstate.startswith("22")


def _inserts(connection: RawConnection, tables: list[_Table]) -> list[tuple[str, list[str]]]:
    """Name of each table, and the statements to try one after the other; referenced tables come first."""
    columns: dict[int, list[_Column]] = {}
    for oid, *facts in rows(connection, _COLUMNS):
        columns.setdefault(oid, []).append(_Column(*facts))
    checks: dict[int, list[tuple[list[int] | None, str]]] = {}
    for oid, numbers, text in rows(connection, _CHECKS):
        if text:
            checks.setdefault(oid, []).append((numbers, text))
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

    plan = []
    for table in _parents_first(tables, references):
        values, defaults = {}, set()
        for column in columns.get(table.oid, []):
            texts = [text for numbers, text in checks.get(table.oid, []) if _concerns(column, numbers, text)]
            found = candidates(column.type, column.modifier, shapes, texts)
            reference = parent(table.oid, column.number)
            if not found:
                continue  # an unknown type: NULL, or the default
            values[column.name] = [f"COALESCE({reference}, {value})" for value in found] if reference else found
            if column.default and column.number not in keys.get(table.oid, set()):
                defaults.add(column.name)
        plan.append((str(table), _attempts(table, columns.get(table.oid, []), values, defaults)))
    return plan


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


def _attempts(
    table: _Table,
    columns: list[_Column],
    values: dict[str, list[str]],
    defaults: set[str],
) -> list[str]:
    """INSERT statements: first those columns take their default that have one, later each has a value."""
    longest = max([len(found) for found in values.values()], default=1)
    attempts = []
    for some in ([name for name in values if name not in defaults], list(values)):
        for turn in range(min(longest, _ATTEMPTS // 2)):
            attempts.append(_insert(table, {name: values[name][turn % len(values[name])] for name in some}))
        for turn in range(_MIXED):
            # Each column at a pace of its own, so that two conditions can be met at once.
            mixed = {name: values[name][turn * (at + 1) // 2 % len(values[name])] for at, name in enumerate(some)}
            attempts.append(_insert(table, mixed))
    required = {column.name for column in columns if column.required}
    attempts.append(_insert(table, {name: found[0] for name, found in values.items() if name in required}))
    return list(dict.fromkeys(attempts))


def _insert(table: _Table, chosen: dict[str, str]) -> str:
    if not chosen:
        return f"INSERT INTO {table.sql} DEFAULT VALUES"
    names = ", ".join(map(_quoted, chosen))
    return f"INSERT INTO {table.sql} ({names}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(chosen.values())})"  # noqa: S608


def _concerns(column: _Column, numbers: list[int] | None, text: str) -> bool:
    if numbers is not None:
        return column.number in numbers
    return re.search(rf"\b{re.escape(column.name)}\b", text) is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
