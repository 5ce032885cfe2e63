"""A snapshot of a schema: every object with its parts, as plain values. docs/fingerprint.md has the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...contract.canonical_json import digest

VERSION = 1

# A part's properties: text, numbers, true, lists and maps of text; what has its default is left out.
Part = Mapping[str, Any]
Objects = Mapping[str, Mapping[str, Part]]


@dataclass(frozen=True)
class Snapshot:
    """The schema of a database at one moment.

    Attributes:
        objects: by kind and name (`table public.orders`); each with its parts by kind and name (`column region`), its
            own properties under "".
    """

    objects: Objects

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:<64 hex>`: equal for equal schemas, on every supported major version of PostgreSQL."""
        return digest({"version": VERSION, "objects": self.objects})

    @property
    def invalid_indexes(self) -> list[str]:
        """Full names of the indexes that PostgreSQL does not use, sorted; those of partitioned tables left out."""
        found = []
        for name, parts in self.objects.items():
            if "partitioned by" in parts[""]:
                continue
            schema = _schema_of(name)
            found += [f"{schema}.{part[len('index ') :]}" for part, facts in parts.items() if facts.get("invalid")]
        return sorted(found)

    def without_invalid_indexes(self) -> Snapshot:
        """The same schema, as if those indexes had been dropped."""
        return Snapshot(
            {
                name: parts
                if "partitioned by" in parts[""]
                else {part: facts for part, facts in parts.items() if not facts.get("invalid")}
                for name, parts in self.objects.items()
            }
        )


def _schema_of(name: str) -> str:
    """`public` of `table public.orders`; a schema's own name may be quoted, with a full stop in it."""
    rest = name.split(" ", 1)[1] if not name.startswith("materialized view ") else name[len("materialized view ") :]
    if rest.startswith("view "):
        rest = rest[len("view ") :]
    if not rest.startswith('"'):
        return rest.split(".", 1)[0]
    at = 1
    while rest[at : at + 1] != '"' or rest[at : at + 2] == '""':
        at += 2 if rest[at : at + 2] == '""' else 1
    return rest[: at + 1]
