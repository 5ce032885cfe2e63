"""`spec.plan` of a SchemaPlan: what the operator would run; read from and written to raw objects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from alembic_operator.api.codec import OMIT_ZERO, Raw, decode, encode
from alembic_operator.api.status_bounds import cut


@dataclass(frozen=True)
class PlanFinding:
    """core.model.findings.Finding as the plan holds it: the severity is the rule's own, before `spec.review.rules`."""

    rule: str
    severity: str
    revision: str = ""
    object: str = ""
    message: str = ""
    fix: str = ""
    statement: int = field(default=0, metadata=OMIT_ZERO)
    waived_by: str = ""
    waived_until: str = ""


@dataclass(frozen=True)
class PlanStep:
    """One revision of a plan.

    Attributes:
        transactional: whether nothing of it is committed before its end.
        kind: SQL or Opaque.
        statements: how many.
        excerpt: the beginning of its SQL.
        strongest_lock: on a relation that existed before the plan, such as `ACCESS EXCLUSIVE on orders`; "" for none.
    """

    revision: str
    transactional: bool
    kind: str
    statements: int
    message: str = ""
    excerpt: str = ""
    strongest_lock: str = ""
    findings: tuple[PlanFinding, ...] = ()


@dataclass(frozen=True)
class SqlPart:
    """A ConfigMap that holds a part of the plan's SQL in its key plan.sql, and the hex sha256 of that text."""

    config_map: str
    sha256: str


@dataclass(frozen=True)
class PlanSpec:
    """What would run; nobody changes it once it is made.

    Attributes:
        digest, inputs_digest, bundle_digest: `sha256:<64 hex>` (docs/digests.md).
        direction: Upgrade, Downgrade, Baseline or Repair.
        from_revisions, to_revisions: the version rows before and after.
        image: as in the DatabaseSchema; "" where the migrations come from a ConfigMap.
        database: its identity.
        evidence: Shadow or Static.
        journal_id: the newest id of the database's journal when it was planned; 0 for none.
        errors, warnings: how many findings are not waived, by the rules' own severities.
        sql: the whole SQL, part after part; none: it could not be stored, and the plan cannot be approved.
        guard_sha256: hex, over the parts of the guard; "" for none.
        findings: about the plan as a whole, not one step.
        steps_left_out, findings_left_out: how many did not fit in `steps` (api.plan_bounds); `sql` has them.
    """

    digest: str
    inputs_digest: str
    bundle_digest: str
    direction: str
    from_revisions: tuple[str, ...]
    to_revisions: tuple[str, ...]
    database: str
    evidence: str
    journal_id: int
    errors: int
    warnings: int
    steps: tuple[PlanStep, ...]
    sql: tuple[SqlPart, ...]
    image: str = ""
    guard_sha256: str = ""
    findings: tuple[PlanFinding, ...] = ()
    steps_left_out: int = field(default=0, metadata=OMIT_ZERO)
    findings_left_out: int = field(default=0, metadata=OMIT_ZERO)


@dataclass(frozen=True)
class _Guard:
    sha256: str


@dataclass(frozen=True)
class _Written:
    """What of `spec.plan` is written in another way than PlanSpec has it."""

    step_count: int
    guard: _Guard | None = None


def parse_plan_spec(raw: Raw) -> PlanSpec:
    """Read the raw `spec.plan`.

    Raises:
        Unreadable: a part is missing or of another type.
    """
    plan, written = decode(PlanSpec, raw, "spec.plan"), decode(_Written, raw, "spec.plan")
    return replace(
        plan,
        guard_sha256=written.guard.sha256 if written.guard is not None else "",
        steps_left_out=max(0, written.step_count - len(plan.steps)),
    )


def plan_spec_to_raw(plan: PlanSpec) -> dict[str, Any]:
    """The raw `spec.plan`."""
    guard = _Guard(plan.guard_sha256) if plan.guard_sha256 else None
    written = _Written(len(plan.steps) + plan.steps_left_out, guard)
    rows = {"fromRevision": as_text(plan.from_revisions), "toRevision": as_text(plan.to_revisions)}
    return {**encode(replace(plan, guard_sha256="", steps_left_out=0)), **encode(written), **rows}


def as_text(revisions: tuple[str, ...]) -> str:
    """Rows of the version table for a column: `a,b`, or `<base>`."""
    return cut(",".join(revisions) or "<base>", 1024)
