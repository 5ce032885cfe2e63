"""How the tables of legal and illegal DatabaseSchemas are written: as changes of a plain one."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

DIGEST = "@sha256:" + "0123456789abcdef" * 4
IMAGE = "registry.example/shop" + DIGEST
ABSENT = object()

PLAIN: dict[str, Any] = {
    "apiVersion": "alembic-operator.dev/v1alpha1",
    "kind": "DatabaseSchema",
    "metadata": {"name": "shop"},
    "spec": {
        "database": {"secretRef": {"name": "shop-db-app"}},
        "migrations": {"image": IMAGE},
        "revision": "8b7d0e44aa10",
    },
}


@dataclass(frozen=True)
class Legal:
    """A manifest that is accepted: the plain one with changes, `a.b.c` to a value or ABSENT."""

    name: str
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> dict[str, Any]:
        """The whole manifest."""
        return changed(PLAIN, self.changes)


@dataclass(frozen=True)
class Illegal(Legal):
    """A manifest that is refused at `path`: `said` follows the path in the API server's message.

    `rule` is what the operator's parser says there, and part of what the API server says; "" where the types and bounds
    of the schema are all there is.
    """

    path: str = ""
    said: str = ""
    rule: str = ""

    @property
    def message(self) -> str:
        """What the API server's message contains."""
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.said}{self.rule}"


def changed(manifest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of the manifest with each dotted path set, or removed when its value is ABSENT."""
    result = copy.deepcopy(manifest)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = result
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is ABSENT:
            place.pop(last, None)
        else:
            place[last] = copy.deepcopy(value)
    return result


def spec(name: str, changes: dict[str, Any]) -> Legal:
    """A legal manifest by changes of its spec."""
    return Legal(name, {f"spec.{path}": value for path, value in changes.items()})


MIGRATIONS_IN_CONFIG_MAP = {"migrations": {"configMap": {"name": "shop-migrations"}}}
SIDECAR = {"name": "proxy", "image": "registry.example/proxy" + DIGEST}
