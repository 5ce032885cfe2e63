"""Which SchemaPlans are kept: the last ones, what the status names, and a rejection of what is wanted now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.api.plan import REJECT

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Keeping:
    """What a resource at rest keeps: how many plans, the one that its status names, and its target."""

    limit: int
    plan: str
    target: str


@dataclass(frozen=True)
class Planned:
    """As much of a SchemaPlan as its removal hangs on; `created` sorts as text."""

    namespace: str
    name: str
    uid: str
    schema: str
    created: str
    to: tuple[str, ...]
    rejected: bool
    config_maps: tuple[str, ...]


def keeping_of(schema: Raw) -> Keeping | None:
    """What a raw DatabaseSchema keeps; None while something of it goes on, or is about to."""
    status = schema.get("status") or {}
    decided = status.get("observedGeneration") == schema["metadata"]["generation"]
    moving = any(c["type"] == "Reconciling" for c in status.get("conditions") or ())
    if status.get("run") or moving or not decided:
        return None
    named = (status.get("plan") or {}).get("name", "")
    return Keeping(int((schema.get("spec") or {}).get("historyLimit", 5)), named, status.get("targetRevision", ""))


def planned_of(raw: Raw) -> Planned:
    """A raw SchemaPlan."""
    meta, spec = raw["metadata"], raw["spec"]
    return Planned(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        schema=spec["schemaRef"]["uid"],
        created=meta.get("creationTimestamp", ""),
        to=tuple(spec["plan"]["to"]),
        rejected=(spec.get("decision") or {}).get("type") == REJECT,
        config_maps=tuple(part["configMap"] for part in spec["plan"]["sql"]),
    )


def surplus(plans: Iterable[Planned], keeping: Keeping) -> list[Planned]:
    """The plans of one resource that may go, the oldest first."""
    newest = sorted(plans, key=lambda plan: (plan.created, plan.name), reverse=True)
    old = [plan for plan in newest[keeping.limit :] if plan.name != keeping.plan]
    return [plan for plan in reversed(old) if not (plan.rejected and keeping.target in plan.to)]
