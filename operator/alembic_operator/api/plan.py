"""The SchemaPlan: what the operator would run, and what a person decided; read from and written to raw objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.api.codec import REQUIRED, Raw, Unreadable, decode, encode
from alembic_operator.api.names import API_VERSION, KIND, PLAN_KIND
from alembic_operator.api.plan_spec import (
    PlanFinding,
    PlanSpec,
    PlanStep,
    SqlPart,
    parse_plan_spec,
    plan_spec_to_raw,
)

__all__ = [
    "APPROVE",
    "PHASES",
    "REJECT",
    "Decision",
    "InvalidPlan",
    "PlanFinding",
    "PlanSpec",
    "PlanStep",
    "SchemaPlan",
    "SqlPart",
    "parse_plan",
    "plan_to_raw",
]

APPROVE, REJECT = "Approve", "Reject"
PHASES = ("Pending", "Approved", "Rejected", "Running", "Applied", "Failed", "Superseded")


class InvalidPlan(ValueError):
    """An object that no operator made: a part is missing or of another type. Its text names the object and the part."""


@dataclass(frozen=True)
class Decision:
    """What a person decided, once: Approve or Reject, who, when (RFC 3339, UTC; "" where not said), and why."""

    type: str
    by: str
    at: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SchemaPlan:
    """A plan in the cluster.

    Attributes:
        version: resourceVersion; "" before it is stored, like uid.
        schema_name, schema_uid: the DatabaseSchema that owns it.
        decision: None while nobody decided.
        phase: for people: nothing is decided by it. "" before the first status.
        deleting: whether its deletion was asked for.
    """

    namespace: str
    name: str
    uid: str
    version: str
    schema_name: str
    schema_uid: str
    labels: Mapping[str, str]
    plan: PlanSpec
    decision: Decision | None = None
    phase: str = ""
    deleting: bool = False


def parse_plan(raw: Raw) -> SchemaPlan:
    """Read a raw SchemaPlan.

    Raises:
        InvalidPlan: a part is missing or of another type.
    """
    try:
        return _schema_plan(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidPlan(f"cannot read the SchemaPlan {_label(raw)}: {_fault(error)}") from None


def _label(raw: Raw) -> str:
    meta = raw.get("metadata") or {}
    return f"{meta.get('namespace', '')}/{meta.get('name', '')}"


def _fault(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, Unreadable) and error.rule == REQUIRED:
        return f"{error.path.rpartition('.')[2]} is missing"
    return "a part is of another type"


def _schema_plan(raw: Raw) -> SchemaPlan:
    meta, spec = raw["metadata"], raw["spec"]
    decision = spec.get("decision")
    return SchemaPlan(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta.get("uid") or "",
        version=meta.get("resourceVersion") or "",
        schema_name=spec["schemaRef"]["name"],
        schema_uid=spec["schemaRef"]["uid"],
        labels=dict(meta.get("labels") or {}),
        plan=parse_plan_spec(spec["plan"]),
        decision=decode(Decision, decision, "spec.decision") if decision else None,
        phase=(raw.get("status") or {}).get("phase") or "",
        deleting=bool(meta.get("deletionTimestamp")),
    )


def plan_to_raw(plan: SchemaPlan) -> dict[str, Any]:
    """The raw object, owned by its DatabaseSchema; what is empty is left out, uid and version of a new plan too."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": plan.schema_name,
        "uid": plan.schema_uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    meta: dict[str, Any] = {"name": plan.name, "namespace": plan.namespace}
    meta |= {key: value for key, value in {"uid": plan.uid, "resourceVersion": plan.version}.items() if value}
    spec: dict[str, Any] = {
        "schemaRef": {"name": plan.schema_name, "uid": plan.schema_uid},
        "plan": plan_spec_to_raw(plan.plan),
    }
    if plan.decision is not None:
        spec["decision"] = encode(plan.decision)
    raw: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": PLAN_KIND,
        "metadata": {**meta, "labels": dict(plan.labels), "ownerReferences": [owner]},
        "spec": spec,
    }
    return raw | ({"status": {"phase": plan.phase}} if plan.phase else {})
