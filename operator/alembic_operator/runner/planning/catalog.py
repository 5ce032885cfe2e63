"""What the catalogs say about the relations that a plan touches: sizes in the target, and tables before and after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...contract.lock_modes import STRENGTH
from ...contract.plan import Column, ForeignKey, Relation, Step, Table
from ..database.driver import RawConnection, rows

_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "m": "materialized view",
    "f": "foreign table",
    "v": "view",
    "S": "sequence",
}
_NOT_NULL = re.compile(r'CHECK \(\((?:\w+|"[^"]+") IS NOT NULL\)\)')
_CHANGING = STRENGTH.index("ShareUpdateExclusiveLock")

_SIZES = """
SELECT n.nspname || '.' || c.relname, c.relkind::text,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid)
            WHEN c.relkind = 'p' THEN (SELECT COALESCE(sum(pg_catalog.pg_total_relation_size(p.relid)), 0)::bigint
                                         FROM pg_catalog.pg_partition_tree(c.oid) p)
            ELSE 0 END,
       CASE WHEN c.relkind = 'p' THEN (SELECT CASE WHEN min(l.reltuples) < 0 THEN -1
                                                     ELSE COALESCE(sum(l.reltuples), 0) END
                                         FROM pg_catalog.pg_partition_tree(c.oid) p
                                         JOIN pg_catalog.pg_class l ON l.oid = p.relid WHERE p.isleaf)
            ELSE c.reltuples END::float8
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1
"""
_NAMED = """
SELECT n.nspname::text, c.relname::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = ANY(%s) AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('alembic_operator', 'pg_catalog', 'information_schema', 'pg_toast')
"""
_BARE = re.compile(r"[^\W\d][\w$]*")
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_COLUMNS = """
SELECT n.nspname || '.' || c.relname, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
       NOT a.attnotnull, CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
       a.attidentity <> '', a.attgenerated <> ''
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1, a.attnum
"""
_NAMES = """(SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.nr)
  FROM unnest({keys}) WITH ORDINALITY AS k (attnum, nr)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = {relation} AND a.attnum = k.attnum)"""
_CONSTRAINTS = f"""
SELECT n.nspname || '.' || c.relname, o.contype::text, o.conname::text,
       {_NAMES.format(keys="o.conkey", relation="o.conrelid")},
       (SELECT fn.nspname || '.' || f.relname FROM pg_catalog.pg_class f
          JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace WHERE f.oid = o.confrelid),
       o.convalidated, CASE WHEN o.contype = 'c' THEN pg_catalog.pg_get_constraintdef(o.oid) END,
       EXISTS (SELECT 1 FROM pg_catalog.pg_index i
                WHERE i.indrelid = o.conrelid AND i.indisvalid AND i.indpred IS NULL
                  AND (SELECT pg_catalog.array_agg(x.k ORDER BY x.k)
                         FROM unnest((i.indkey::int2[])[0:pg_catalog.cardinality(o.conkey) - 1]) AS x (k))
                    = (SELECT pg_catalog.array_agg(x.k ORDER BY x.k) FROM unnest(o.conkey) AS x (k)))
  FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE o.contype IN ('p', 'f', 'c') AND n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1, o.conname
"""  # noqa: S608
_UNIQUE = f"""
SELECT n.nspname || '.' || c.relname,
       {_NAMES.format(keys="(i.indkey::int2[])[0:i.indnkeyatts - 1]", relation="i.indrelid")}
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
   AND n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1, i.indexrelid
"""  # noqa: S608


def relations_of(target: RawConnection, steps: list[Step], existing: Mapping[str, str]) -> list[Relation]:
    """Sizes, in the target, of the relations that the steps touch.

    Args:
        target: a session on the target.
        steps: as they ran.
        existing: kind of each relation that existed before the plan, by name.
    """
    touched: set[str] = set()
    for one in (statement for step in steps for statement in step.statements):
        touched.update(lock.relation for lock in one.locks)
        touched.update(drop.identity for drop in one.drops)
        touched.update(one.rewrites, one.scans)
    return _sized(target, touched & existing.keys())


def relations_named(target: RawConnection, steps: list[Step]) -> list[Relation]:
    """Sizes, in the target, of the relations whose names are words of the steps' SQL, which nothing here can parse.

    One too many does no harm, and a name without a size counts as a large relation's.
    """
    words: set[str] = set()
    for one in (statement for step in steps for statement in step.statements):
        bare = set(_BARE.findall(one.sql))
        words.update(bare, map(str.lower, bare), (name.replace('""', '"') for name in _QUOTED.findall(one.sql)))
    found = rows(target, _NAMED, list(_KINDS)) if words else []
    return _sized(target, {f"{schema}.{name}" for schema, name in found if name in words})


def _sized(target: RawConnection, names: set[str]) -> list[Relation]:
    found = rows(target, _SIZES, sorted(names)) if names else []
    return [Relation(name, _KINDS.get(kind, kind), size, int(count)) for name, kind, size, count in found]


def tables_of(
    target: RawConnection, shadow: RawConnection, steps: list[Step], existing: Mapping[str, str]
) -> list[Table]:
    """The tables that the steps made or changed, as the shadow has them afterwards."""
    last: dict[str, str] = {}
    for step in steps:
        for one in step.statements:
            changed = [lock.relation for lock in one.locks if STRENGTH.index(lock.mode) >= _CHANGING]
            last.update(dict.fromkeys([*one.objects, *changed], step.revision))
    after, before = _tables(shadow, sorted(last)), _tables(target, sorted(last.keys() & existing.keys()))
    return [_compared(table, before.get(table.name), last[table.name]) for table in after.values()]


def _compared(table: Table, before: Table | None, revision: str) -> Table:
    if before is None:
        return replace(
            table,
            revision=revision,
            new=True,
            new_columns=[column.name for column in table.columns],
            new_foreign_keys=[key.name for key in table.foreign_keys],
            not_null_checks=[],
            unique=[],
        )
    columns = {column.name for column in before.columns}
    keys = {key.name for key in before.foreign_keys}
    return replace(
        table,
        revision=revision,
        new_columns=[column.name for column in table.columns if column.name not in columns],
        new_foreign_keys=[key.name for key in table.foreign_keys if key.name not in keys],
        not_null_checks=before.not_null_checks,
        unique=before.unique,
    )


def _tables(connection: RawConnection, names: list[str]) -> dict[str, Table]:
    parts: dict[str, dict[str, list[Any]]] = {}
    if not names:
        return {}
    for name, column, type_, nullable, default, identity, generated in rows(connection, _COLUMNS, names):
        found = Column(column, type_, nullable, default or "", identity, generated)
        parts.setdefault(name, {}).setdefault("columns", []).append(found)
    for name, kind, constraint, columns, references, validated, text, indexed in rows(connection, _CONSTRAINTS, names):
        into = parts.setdefault(name, {})
        if kind == "p":
            into["primary_key"] = columns
        elif kind == "f":
            key = ForeignKey(constraint, columns, references, indexed, validated)
            into.setdefault("foreign_keys", []).append(key)
        elif validated and columns and len(columns) == 1 and _NOT_NULL.fullmatch(text):
            into.setdefault("not_null_checks", []).append(columns[0])
    for name, columns in rows(connection, _UNIQUE, names):
        if columns:
            parts.setdefault(name, {}).setdefault("unique", []).append(columns)
    return {name: Table(name=name, revision="", new=False, **found) for name, found in sorted(parts.items())}
