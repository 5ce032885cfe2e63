"""Values for a seeded row, by type: SQL expressions to try one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..database.driver import RawConnection, rows

_MOST = 24  # values a column

_TYPES = """
SELECT t.oid::bigint, t.typname::text, pg_catalog.format_type(t.oid, -1), t.typtype::text, t.typbasetype::bigint,
       t.typtypmod, t.typelem::bigint, t.typcategory::text,
       (SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
          FROM (SELECT * FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 20) e),
       (SELECT pg_catalog.array_agg(a.atttypid::bigint ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute a
         WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT pg_catalog.array_agg(pg_catalog.pg_get_constraintdef(o.oid))
          FROM pg_catalog.pg_constraint o WHERE t.typtype = 'd' AND o.contypid = t.oid),
       (SELECT r.rngsubtype::bigint FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid)
  FROM pg_catalog.pg_type t
 WHERE t.typtype <> 'p'
   AND (t.typtype <> 'c' OR (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid) = 'c')
   AND t.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid >= 16384
                 UNION SELECT e.typelem FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type e ON e.oid = a.atttypid
                        WHERE a.attrelid >= 16384
                 UNION SELECT d.typbasetype FROM pg_catalog.pg_type d WHERE d.typtype = 'd'
                 UNION SELECT e.typelem FROM pg_catalog.pg_type d JOIN pg_catalog.pg_type e ON e.oid = d.typbasetype
                        WHERE d.typtype = 'd'
                 UNION SELECT r.rngsubtype FROM pg_catalog.pg_range r)
"""
_UUIDS = [f"'00000000-0000-4000-8000-{number:012d}'" for number in range(1, 9)]
_DATES = ["'2020-01-01'", "'2020-06-15'", "'1970-01-01'", "'2100-01-01'"]
_KNOWN: dict[str, list[str]] = {
    "bool": ["true", "false"],
    **{name: ["1", "0", "100", "2", "-1", "1000", "3", "4", "5", "6", "7"] for name in ("int2", "int4", "int8", "oid")},
    **{name: ["1", "0", "0.5", "0.01", "100", "-1"] for name in ("float4", "float8", "numeric")},
    "money": ["1", "0"],
    "bytea": ["'\\x01'", "'\\x0102030405060708'", "''"],
    "uuid": _UUIDS,
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _DATES),
    **{name: ["'12:00'", "'00:00'"] for name in ("time", "timetz")},
    "interval": ["'1 hour'", "'1 day'", "'0'"],
    "json": ["'{}'", "'[]'", "'1'"],
    "jsonb": ["'{}'", "'[]'", "'1'"],
    "jsonpath": ["'$'"],
    "xml": ["'<a/>'"],
    "inet": ["'192.0.2.1'", "'2001:db8::1'"],
    "cidr": ["'192.0.2.0/24'", "'2001:db8::/32'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "point": ["'(0,0)'"],
    "line": ["'{1,-1,0}'"],
    "lseg": ["'[(0,0),(1,1)]'"],
    "box": ["'(1,1),(0,0)'"],
    "path": ["'[(0,0),(1,1)]'"],
    "polygon": ["'((0,0),(1,1),(1,0))'"],
    "circle": ["'<(0,0),1>'"],
    "tsvector": ["'a'"],
    "tsquery": ["'a'"],
    "pg_lsn": ["'0/1'"],
    "hstore": ["'a=>1'"],
    "ltree": ["'a'"],
    "geometry": ["'POINT(0 0)'"],
    "geography": ["'POINT(0 0)'"],
    "bpchar": [],
    "regclass": ["'pg_class'"],
}
_TEXTS = [
    "a",
    "abc",
    "1",
    "abcdefghijkl",
    "a@example.com",
    "https://example.com/a",
    "EUR",
    "en",
    "en_US",
    "A1",
    "2020-01-01",
    "",
]
_RANGES = {"N": ["'[1,2)'", "'empty'"], "D": ["'[2020-01-01,2020-01-02)'", "'empty'"]}
_LITERAL = re.compile(r"'((?:[^']|'')*)'(?:::\w+)?|(?<![\w.'])\(?(-?[0-9]+(?:\.[0-9]+)?)\)?(?![\w'])")


@dataclass(frozen=True)
class Shape:
    """A type as far as values follow from it."""

    name: str
    sql: str
    kind: str
    base: int
    modifier: int
    element: int
    category: str
    labels: list[str] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    subtype: int = 0


def read_shapes(connection: RawConnection) -> dict[int, Shape]:
    """Every type that a column has, and those that it is made of, by oid."""
    shapes = {}
    for row in rows(connection, _TYPES):
        oid, name, sql, kind, base, modifier, element, category, labels, parts, checks, subtype = row
        shapes[oid] = Shape(
            name, sql, kind, base, modifier, element, category, labels or [], parts or [], checks or [], subtype or 0
        )
    return shapes


def candidates(type_: int, modifier: int, shapes: dict[int, Shape], checks: list[str], depth: int = 0) -> list[str]:
    """SQL expressions of a type, the likely ones first; [] for a type that is not known.

    Args:
        type_: of the column, its oid.
        modifier: of the type there, as varchar's length.
        shapes: of all types.
        checks: conditions that the value has to meet; literals in them are tried first.
        depth: how many types it is inside of.
    """
    shape = shapes.get(type_)
    if shape is None or depth > 4:
        return []
    if shape.kind == "d":
        inner = shape.modifier if shape.modifier != -1 else modifier
        found = candidates(shape.base, inner, shapes, [*checks, *shape.checks], depth + 1)
    elif shape.kind == "e":
        found = [_text(label) for label in shape.labels]
    elif shape.kind == "c":
        parts = [(candidates(part, -1, shapes, [], depth + 1) or ["NULL"])[0] for part in shape.parts]
        found = [f"ROW({', '.join(parts)})"]
    elif shape.kind == "r":
        subtype = shapes.get(shape.subtype)
        found = _RANGES.get(subtype.category if subtype else "", ["'empty'"])
    elif shape.kind == "m":
        found = ["'{}'"]
    elif shape.category == "A" and shape.element:
        elements = candidates(shape.element, modifier, shapes, checks, depth + 1)
        found = [*(f"ARRAY[{value}]" for value in elements), "'{}'"]
    else:
        found = _base(shape, modifier, checks)
    return [f"{value}::{shape.sql}" for value in list(dict.fromkeys(found))[:_MOST]]


def _base(shape: Shape, modifier: int, checks: list[str]) -> list[str]:
    literals = [(quoted.replace("''", "'"), number) for text in checks for quoted, number in _LITERAL.findall(text)]
    if shape.category == "S" or shape.name == "citext":
        limit = modifier - 4 if modifier > 4 and shape.name in ("varchar", "bpchar") else None
        texts = [quoted for quoted, number in literals if not number] + _TEXTS
        lengths = [int(number) for _, number in literals if number.isdigit() and int(number) < 1000]
        texts += [letter * length for length in lengths for letter in "aA1"]
        return [_text(text[:limit]) for text in texts]
    if shape.category == "N":
        found = [number or quoted for quoted, number in literals]
        numbers = [number for number in found if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number)]
        near = [f"{number} + 1" for number in numbers] + [f"{number} - 1" for number in numbers]
        small = (
            ["0"] if shape.name == "numeric" and modifier > 4 and (modifier - 4) >> 16 <= (modifier - 4) & 2047 else []
        )
        return [f"({number})" for number in [*numbers, *near]] + small + _KNOWN.get(shape.name, ["1", "0"])
    if shape.name in ("bit", "varbit"):
        return [f"B'{'0' * (modifier if modifier > 0 else 1)}'"]
    if shape.name == "vector":
        return [_text("[" + ",".join(["1"] * max(modifier, 1)) + "]")]
    known = _KNOWN.get(shape.name)
    quoted_first = [_text(quoted) for quoted, number in literals if not number and shape.category in ("D", "I")]
    if known is not None:
        return quoted_first + known
    return ["'1'", "'a'", "'{}'", "'(0,0)'"]


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
