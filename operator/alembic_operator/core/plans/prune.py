"""Which SchemaPlans are kept: the last ones, what the status names, and a rejection of what is wanted now.

Their SQL goes with them; a ConfigMap of a plan that is gone goes too, unless an unfinished Job mounts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.api.controller import controller_of
from alembic_operator.api.names import KIND
from alembic_operator.api.plan import REJECT
from alembic_operator.core.model.glance import glance
from alembic_operator.core.model.observed import end_of

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class RetentionPolicy:
    """What a resource at rest keeps: how many plans, the one that its status names, and its targets, where known."""

    limit: int
    plan: str
    targets: frozenset[str]


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


def keeping_of(schema: Raw) -> RetentionPolicy | None:
    """What a raw DatabaseSchema keeps; None while something of it goes on, or is about to."""
    seen = glance(schema)
    if seen.runs or "Reconciling" in seen.conditions or not seen.decided:
        return None
    limit = int((schema.get("spec") or {}).get("historyLimit", 5))
    return RetentionPolicy(limit, seen.plan, seen.targets)


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


def beyond_retention(plans: Iterable[Planned], keeping: RetentionPolicy) -> list[Planned]:
    """The plans of one resource that may go, the oldest first."""
    newest = sorted(plans, key=lambda plan: (plan.created, plan.name), reverse=True)
    old = [plan for plan in newest[keeping.limit :] if plan.name != keeping.plan]
    return [
        plan for plan in reversed(old) if not (plan.rejected and keeping.targets in (frozenset(), frozenset(plan.to)))
    ]


@dataclass(frozen=True)
class Part:
    """A ConfigMap with a part of a plan's SQL; `plan` may be there or gone."""

    namespace: str
    name: str
    uid: str
    schema: str
    schema_name: str
    plan: str


def part_of(raw: Raw) -> Part | None:
    """A raw ConfigMap's metadata; None where no DatabaseSchema controls it, or its name is no plan's."""
    meta = raw["metadata"]
    owner = controller_of(raw)
    plan, _, number = meta["name"].rpartition("-")
    if owner is None or owner.get("kind") != KIND or not plan or not number.isdecimal():
        return None
    return Part(meta["namespace"], meta["name"], meta["uid"], owner["uid"], owner["name"], plan)


def uses(job: Raw, config_map: str) -> bool:
    """Whether a raw Job that is not finished mounts that ConfigMap."""
    if end_of(job):
        return False
    volumes = job["spec"]["template"]["spec"].get("volumes") or ()
    sources = [source for one in volumes for source in (one, *((one.get("projected") or {}).get("sources") or ()))]
    return any((source.get("configMap") or {}).get("name") == config_map for source in sources)
