"""`spec.plan` of a SchemaPlan: what the operator would run; read from and written to raw objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.api.status_bounds import cut

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class PlanFinding:
    """core.model.findings.Finding as the plan holds it: the severity is the rule's own, before `spec.review.rules`."""

    rule: str
    severity: str
    revision: str
    object: str
    message: str
    fix: str
    statement: int = 0
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
    message: str
    transactional: bool
    kind: str
    statements: int
    excerpt: str
    strongest_lock: str
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
    image: str
    database: str
    evidence: str
    journal_id: int
    errors: int
    warnings: int
    steps: tuple[PlanStep, ...]
    sql: tuple[SqlPart, ...]
    guard_sha256: str
    findings: tuple[PlanFinding, ...] = ()
    steps_left_out: int = 0
    findings_left_out: int = 0


def parse_plan_spec(raw: Raw) -> PlanSpec:
    """Read the raw `spec.plan`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a part is missing or of another type.
    """
    steps = tuple(_step(item) for item in raw["steps"])
    return PlanSpec(
        digest=raw["digest"],
        inputs_digest=raw["inputsDigest"],
        bundle_digest=raw["bundleDigest"],
        direction=raw["direction"],
        from_revisions=tuple(raw["from"]),
        to_revisions=tuple(raw["to"]),
        image=raw.get("image") or "",
        database=raw["database"],
        evidence=raw["evidence"],
        journal_id=int(raw["journalId"]),
        errors=int(raw["errors"]),
        warnings=int(raw["warnings"]),
        steps=steps,
        sql=tuple(SqlPart(item["configMap"], item["sha256"]) for item in raw["sql"]),
        guard_sha256=raw["guard"]["sha256"] if raw.get("guard") is not None else "",
        findings=tuple(_finding(item) for item in raw.get("findings") or ()),
        steps_left_out=max(0, int(raw["stepCount"]) - len(steps)),
        findings_left_out=int(raw.get("findingsLeftOut") or 0),
    )


def _step(raw: Raw) -> PlanStep:
    return PlanStep(
        revision=raw["revision"],
        message=raw.get("message") or "",
        transactional=bool(raw["transactional"]),
        kind=raw["kind"],
        statements=int(raw["statements"]),
        excerpt=raw.get("excerpt") or "",
        strongest_lock=raw.get("strongestLock") or "",
        findings=tuple(_finding(item) for item in raw.get("findings") or ()),
    )


def _finding(raw: Raw) -> PlanFinding:
    return PlanFinding(
        rule=raw["rule"],
        severity=raw["severity"],
        revision=raw.get("revision") or "",
        object=raw.get("object") or "",
        message=raw.get("message") or "",
        fix=raw.get("fix") or "",
        statement=int(raw.get("statement") or 0),
        waived_by=raw.get("waivedBy") or "",
        waived_until=raw.get("waivedUntil") or "",
    )


def plan_spec_to_raw(plan: PlanSpec) -> dict[str, Any]:
    """The raw `spec.plan`."""
    return {
        "digest": plan.digest,
        "inputsDigest": plan.inputs_digest,
        "bundleDigest": plan.bundle_digest,
        "direction": plan.direction,
        "from": list(plan.from_revisions),
        "fromRevision": as_text(plan.from_revisions),
        "to": list(plan.to_revisions),
        "toRevision": as_text(plan.to_revisions),
        "database": plan.database,
        "evidence": plan.evidence,
        "journalId": plan.journal_id,
        "errors": plan.errors,
        "warnings": plan.warnings,
        "stepCount": len(plan.steps) + plan.steps_left_out,
        "steps": [step_to_raw(step) for step in plan.steps],
        "sql": [{"configMap": part.config_map, "sha256": part.sha256} for part in plan.sql],
        **said(
            {
                "image": plan.image,
                "guard": {"sha256": plan.guard_sha256} if plan.guard_sha256 else {},
                "findings": [finding_to_raw(finding) for finding in plan.findings],
                "findingsLeftOut": plan.findings_left_out,
            }
        ),
    }


def as_text(revisions: tuple[str, ...]) -> str:
    """Rows of the version table for a column: `a,b`, or `<base>`."""
    return cut(",".join(revisions) or "<base>", 1024)


def step_to_raw(step: PlanStep) -> dict[str, Any]:
    """The raw item of `spec.plan.steps`."""
    return {
        "revision": step.revision,
        "transactional": step.transactional,
        "kind": step.kind,
        "statements": step.statements,
        **said(
            {
                "message": step.message,
                "excerpt": step.excerpt,
                "strongestLock": step.strongest_lock,
                "findings": [finding_to_raw(finding) for finding in step.findings],
            }
        ),
    }


def finding_to_raw(finding: PlanFinding) -> dict[str, Any]:
    """The raw finding."""
    optional = {
        "revision": finding.revision,
        "object": finding.object,
        "message": finding.message,
        "fix": finding.fix,
        "statement": finding.statement,
        "waivedBy": finding.waived_by,
        "waivedUntil": finding.waived_until,
    }
    return {"rule": finding.rule, "severity": finding.severity, **said(optional)}


def said(raw: dict[str, Any]) -> dict[str, Any]:
    """What is not empty, nor 0."""
    return {key: value for key, value in raw.items() if value}
