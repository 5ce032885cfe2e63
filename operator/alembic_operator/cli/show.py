"""A plan as the tool prints it: for people with the findings beside the SQL, for programs as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from alembic_operator.cli.review import Reviewed
from alembic_operator.contract.plan import PlanDocument, Statement, Step, StepKind
from alembic_operator.contract.result import Outcome, RunResult
from alembic_operator.core.model.findings import Finding, Severity

VERSION = 1


def as_json(document: PlanDocument, reviewed: Reviewed, warnings: list[str]) -> str:
    """The plan's document, the findings and the bundle's digest."""
    body = {
        "version": VERSION,
        "outcome": Outcome.PLANNED.value,
        "bundleDigest": document.bundle_digest,
        "findings": [asdict(one) for one in reviewed.findings],
        "waiverFaults": list(reviewed.waiver_faults),
        "warnings": warnings,
        "plan": json.loads(document.to_json()),
    }
    return json.dumps(body, indent=2, sort_keys=True) + "\n"


def as_text(document: PlanDocument, reviewed: Reviewed, warnings: list[str]) -> str:
    """The plan for people: a summary, then each revision with its findings and its SQL."""
    return "\n".join(_lines(document, reviewed, warnings)) + "\n"


def nothing_to_do(result: RunResult, form: str) -> str:
    """The database is where it should be, or beyond."""
    current = result.current or []
    if form == "json":
        body = {"version": VERSION, "outcome": result.outcome.value, "current": current, "findings": []}
        return json.dumps({**body, "warnings": result.warnings}, indent=2, sort_keys=True) + "\n"
    at = ", ".join(current) or "base"
    lines = [f"Nothing to do: the database is at {at}."]
    if result.outcome == Outcome.AHEAD:
        beyond = ", ".join(result.target_revisions)
        lines = [f"Nothing to do: the database is at {at}, beyond {beyond}. --allow-downgrade plans the downgrade."]
    found = result.verification
    lines += [found.message] if found is not None else []
    lines += [f"warning: {one}" for one in result.warnings]
    return "\n".join(lines) + "\n"


def _lines(document: PlanDocument, reviewed: Reviewed, warnings: list[str]) -> Iterator[str]:
    came, goes = (", ".join(ids) or "base" for ids in (document.from_revisions, document.to_revisions))
    errors = sum(one.severity == "error" and not one.waived_by for one in reviewed.findings)
    others = sum(one.severity == "warning" and not one.waived_by for one in reviewed.findings)
    yield f"{document.direction.value} from {came} to {goes}: {_count(len(document.steps), 'revision')}, " + (
        f"{_count(errors, 'error')}, {_count(others, 'warning')}"
    )
    yield f"bundle {document.bundle_digest}"
    if document.shadow is not None:
        shadow = document.shadow
        yield (
            f"tried in a shadow of PostgreSQL {shadow.version} with {_count(shadow.tables, 'table')}, "
            f"ready after {shadow.seconds:.1f} s"
        )
    elif document.evidence == "Static":
        yield "rendered without a shadow: its locks, rewrites and reads are derived from its text alone"
    yield from (f"warning: {one}" for one in warnings)
    yield from (f"waiver: {one}" for one in reviewed.waiver_faults)
    yield from (f"{one.rule}: {one.message}" for one in document.faults)
    for finding in (one for one in reviewed.findings if not one.revision):
        yield from _finding(finding)
    for step in document.steps:
        yield from _step(step, [one for one in reviewed.findings if one.revision == step.revision])


def _step(step: Step, findings: list[Finding]) -> Iterator[str]:
    yield ""
    yield f"-- revision {step.revision}" + (f": {step.message}" if step.message else "")
    in_one = "in one transaction" if step.transactional else "not in one transaction"
    yield f"-- {step.file}, {in_one}" if step.file else f"-- {in_one}"
    yield from (f"-- leaves its transaction: {one}" for one in step.escapes)
    yield from ([f"-- {step.rows}"] if step.rows else [])
    if step.kind is StepKind.OPAQUE:
        yield f"-- its SQL is not known in advance: {step.why_opaque}"
        yield from step.source.splitlines()
    for finding in (one for one in findings if not one.statement):
        yield from _finding(finding)
    for number, statement in enumerate(step.statements, start=1):
        yield from _statement(number, statement, [one for one in findings if one.statement == number])
    if step.otherwise:
        yield "-- where its tables are empty, it sends this instead:"
    for number, statement in enumerate(step.otherwise, start=1):
        yield from _statement(number, statement, [])


def _statement(number: int, statement: Statement, findings: list[Finding]) -> Iterator[str]:
    yield ""
    facts = [f"{one.mode} on {one.relation}" for one in statement.locks]
    facts += [f"rewrites {name}" for name in statement.rewrites] + [f"scans {name}" for name in statement.scans]
    facts += [f"drops {one.type} {one.identity}" for one in statement.drops]
    facts += ["outside of a transaction"] if statement.autocommit else []
    facts += [f"sent {statement.executions} times"] if statement.executions > 1 else []
    facts += [f"refuses the seeded rows ({statement.violation})"] if statement.violation else []
    yield f"-- {number}" + (f": {'; '.join(facts)}" if facts else "")
    for finding in findings:
        yield from _finding(finding)
    yield statement.sql.strip().rstrip(";") + ";"


def _finding(finding: Finding) -> Iterator[str]:
    if finding.severity is Severity.OFF:
        return
    about = f" {finding.object}" if finding.object else ""
    yield f"-- {finding.severity.value.upper()} {finding.rule}{about}: {_comment(finding.message)}"
    if finding.fix:
        yield f"--   instead: {_comment(finding.fix)}"
    if finding.waived_by:
        yield f"--   waived until {finding.waived_until}: {_comment(finding.waived_by)}"


def _comment(text: str) -> str:
    return "\n--   ".join(text.splitlines())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
