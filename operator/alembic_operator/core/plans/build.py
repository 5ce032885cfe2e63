"""The SchemaPlan and its ConfigMaps, made from what a plan run found: small to list and watch, whole to read."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from alembic_operator.api import names as api
from alembic_operator.api import plan_bounds
from alembic_operator.api.plan import SchemaPlan
from alembic_operator.api.plan_spec import PlanFinding, PlanSpec, PlanStep, SqlPart
from alembic_operator.api.status import PlanRef, Status
from alembic_operator.contract import guard
from alembic_operator.contract.lock_modes import STRENGTH, in_words
from alembic_operator.contract.plan import Direction, PlanDocument, Statement, Step
from alembic_operator.contract.result import Outcome
from alembic_operator.core.job.names import plan_name
from alembic_operator.core.job.review import GUARD_KEY
from alembic_operator.core.model.draft import Draft
from alembic_operator.core.model.findings import Finding
from alembic_operator.core.model.observed import DatabaseSchema, controller
from alembic_operator.core.plans.sql import grouped, sql_parts

SQL_KEY = "plan.sql"
MOST_PARTS = 128  # the CRD's bound
COMPONENT = "plan"
# Beside at most 900 kB of SQL in one ConfigMap, of which the API server takes 1 MiB in all.
_GUARD_PART = 100_000


def build_plan(
    schema: DatabaseSchema, draft: Draft, mark: str, image: str
) -> tuple[SchemaPlan, tuple[Mapping[str, Any], ...]]:
    """The SchemaPlan of a draft, and the ConfigMaps that must be there before it.

    Args:
        schema: that it is for.
        draft: what the plan run found.
        mark: request.request_mark of the spec that it was made for.
        image: as in the spec.
    """
    document = draft.document
    name = plan_name(schema.name, document.digest)
    texts = sql_parts(document, draft.findings)
    parts = guard.Guard.of(document.steps, document.inputs).to_parts(_GUARD_PART) if _is_guarded(document) else []
    texts += [""] * (len(parts) - len(texts))
    if len(texts) > MOST_PARTS:
        texts, parts = [], []  # it cannot be read, and so not be approved
    labels = _labels(schema)
    maps = tuple(
        _config_map(schema, f"{name}-{at}", text, parts[at] if at < len(parts) else None, labels)
        for at, text in enumerate(texts)
    )
    sql = tuple(SqlPart(f"{name}-{at}", hashlib.sha256(text.encode()).hexdigest()) for at, text in enumerate(texts))
    spec = plan_bounds.bounded(_spec(draft, image, sql, guard.sha256(parts) if parts else ""))
    return (
        SchemaPlan(
            namespace=schema.namespace,
            name=name,
            uid="",
            version="",
            schema_name=schema.name,
            schema_uid=schema.uid,
            labels={**labels, api.LABEL_REQUEST: mark},
            plan=spec,
        ),
        maps,
    )


def _is_guarded(document: PlanDocument) -> bool:
    """Baselines and repairs send nothing of the revisions'; what the runner sends itself needs no guard."""
    return document.evidence != "Static" and document.direction in (Direction.UPGRADE, Direction.DOWNGRADE)


def _labels(schema: DatabaseSchema) -> dict[str, str]:
    labels = {
        api.LABEL_MANAGED_BY: api.MANAGED_BY,
        api.LABEL_COMPONENT: COMPONENT,
        api.LABEL_UID: schema.uid,
    }
    return labels | ({api.LABEL_SCHEMA: schema.name} if len(schema.name) <= 63 else {})


def _config_map(
    schema: DatabaseSchema, name: str, text: str, guard_part: bytes | None, labels: Mapping[str, str]
) -> Mapping[str, Any]:
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": schema.namespace,
            "labels": {api.LABEL_APP: "alembic-migration", **labels},
            "ownerReferences": [controller(schema)],
        },
        "immutable": True,
        "data": {SQL_KEY: text},
    }
    if guard_part is not None:
        body["binaryData"] = {GUARD_KEY: base64.b64encode(guard_part).decode()}
    return body


def tells_as_much(stored: PlanSpec, made: PlanSpec) -> bool:
    """Whether a plan that was there already is the one that was just made: its findings are what it is judged by.

    They differ where the rules have changed with the operator, a waiver has run out, or somebody else made the plan.
    """
    sketch = replace(stored, steps=made.steps, sql=made.sql, findings=made.findings)
    return sketch == made and all(each in _told(stored) for each in _told(made))


def _told(plan: PlanSpec) -> list[tuple[str, str, str, str, str]]:
    steps = [*plan.findings, *(each for step in plan.steps for each in step.findings)]
    return [(each.rule, each.severity, each.revision, each.object, each.waived_until) for each in steps]


def sql_fault(plan: PlanSpec, found: Mapping[str, Mapping[str, Any] | None]) -> str:
    """What is wrong with the ConfigMaps of a plan, "" for nothing; `found` has each by name, None for none."""
    parts = []
    for part in plan.sql:
        raw = found.get(part.config_map)
        if raw is None:
            return f"ConfigMap {part.config_map} with a part of its SQL is not there"
        text = (raw.get("data") or {}).get(SQL_KEY, "")
        if hashlib.sha256(text.encode()).hexdigest() != part.sha256:
            return f"ConfigMap {part.config_map} does not hold the SQL that was planned"
        if (encoded := (raw.get("binaryData") or {}).get(GUARD_KEY)) is not None:
            parts.append(base64.b64decode(encoded))
    if plan.guard_sha256 and guard.sha256(parts) != plan.guard_sha256:
        return "its ConfigMaps do not hold the guard that was planned"
    return ""


def _spec(draft: Draft, image: str, sql: tuple[SqlPart, ...], guard_sha256: str) -> PlanSpec:
    document, findings = draft.document, draft.findings
    known = {step.revision for step in document.steps}
    of_steps = grouped(findings, lambda finding: finding.revision)
    counted = Counter(finding.severity.value for finding in findings if not finding.waived_by)
    return PlanSpec(
        digest=document.digest,
        inputs_digest=document.inputs_digest,
        bundle_digest=document.bundle_digest,
        direction=document.direction.value,
        from_revisions=tuple(document.from_revisions),
        to_revisions=tuple(document.to_revisions),
        image=image,
        database=document.identity,
        evidence=document.evidence,
        journal_id=document.journal_id,
        errors=counted["error"],
        warnings=counted["warning"],
        steps=tuple(_step(step, of_steps.get(step.revision, ())) for step in document.steps),
        sql=sql,
        guard_sha256=guard_sha256,
        findings=tuple(_finding(each) for each in findings if each.revision not in known),
    )


def _step(step: Step, findings: Iterable[Finding]) -> PlanStep:
    return PlanStep(
        revision=step.revision,
        message=step.message,
        transactional=step.transactional,
        kind=step.kind.value,
        statements=len(step.statements),
        excerpt=excerpt(step),
        strongest_lock=strongest_lock(step.statements),
        findings=tuple(_finding(each) for each in findings),
    )


def excerpt(step: Step) -> str:
    """The beginning of what a step sends; of what helpers send only what changes something.

    Eight reads and settings of theirs filled it before the CREATE INDEX. A repair is the runner's from the first
    statement to the last, and is told whole.
    """
    sent = step.statements
    if any(one.channel != "runner" for one in sent):
        sent = [one for one in sent if one.channel != "runner" or one.locks or one.rewrites or one.drops]
    statements = [one.sql.strip().rstrip(";") for one in sent[:20]]
    return "; ".join(statements)[:2000] if statements else step.source[:2000]


def _finding(finding: Finding) -> PlanFinding:
    return PlanFinding(
        rule=finding.rule,
        severity=finding.severity.value,
        revision=finding.revision,
        object=finding.object,
        message=finding.message,
        fix=finding.fix,
        statement=finding.statement,
        waived_by=finding.waived_by,
        waived_until=finding.waived_until,
    )


def strongest_lock(statements: Iterable[Statement]) -> str:
    """`ACCESS EXCLUSIVE on public.orders`; "" where no relation that was there before is locked."""
    locks = [lock for one in statements for lock in one.locks if lock.mode in STRENGTH]
    if not locks:
        return ""
    strongest = max(locks, key=lambda lock: STRENGTH.index(lock.mode))
    return f"{in_words(strongest.mode)} on {strongest.relation}"


def plan_ref(schema: DatabaseSchema, draft: Draft) -> PlanRef:
    """The plan as the status of its DatabaseSchema names it."""
    document = draft.document
    counted = Counter(finding.severity.value for finding in draft.findings if not finding.waived_by)
    return PlanRef(
        name=plan_name(schema.name, document.digest),
        digest=document.digest,
        errors=counted["error"],
        warnings=counted["warning"],
        summary=summary(document),
        direction=document.direction.value,
        generation=schema.generation,
    )


def summary(document: PlanDocument) -> str:
    """What changes, in a few words: `+1 table, 1 index`."""
    made, new = Counter[str](), {table.name for table in document.tables if table.new}
    statements = [one for step in document.steps for one in step.statements]
    made["table"] = len(new)
    made["column"] = sum(len(table.new_columns) for table in document.tables if not table.new)
    made["index"] = sum(one.sql.lstrip()[:60].upper().startswith(_INDEX) for one in statements)
    words = [_counted(count, word) for word, count in made.items() if count]
    gone = Counter(dropped.type for one in statements for dropped in one.drops)
    parts = [f"+{', '.join(words)}"] if words else []
    parts += [f"-{', '.join(_counted(count, kind) for kind, count in sorted(gone.items()))}"] if gone else []
    return " ".join(parts) or _counted(len(document.steps), "revision")


_INDEX = ("CREATE INDEX", "CREATE UNIQUE INDEX")


def _counted(count: int, word: str) -> str:
    plural = {"index": "indexes"}.get(word, f"{word}s")
    return f"{count} {word if count == 1 else plural}"


def used_up(status: Status, ref: PlanRef) -> bool:
    """Whether the plan has reached its revision: it approves nothing more."""
    reached = {outcome.value for outcome in Outcome} - {Outcome.FAILED.value}  # of a baseline, Behind: there is more
    return any(entry.digest == ref.digest and entry.outcome in reached for entry in status.history)
