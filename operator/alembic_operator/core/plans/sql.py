"""The SQL of a plan as people read it: each step, each statement, and in comments what it did in the shadow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from alembic_operator.contract.plan import ENVIRONMENT, PlanDocument, Statement, Step, StepKind
from alembic_operator.core.model.findings import Finding

Key = TypeVar("Key")

PART = 900_000  # bytes of a ConfigMap's text; the API server takes 1 MiB of a whole ConfigMap


def sql_parts(document: PlanDocument, findings: Iterable[Finding]) -> list[str]:
    """The text in parts of at most PART bytes, split between statements; a longer one within, by characters."""
    parts, size, part = [], 0, list[str]()
    for piece in _pieces(document, list(findings)):
        for block in _blocks(piece):
            length = len(block.encode())
            if part and size + length > PART:
                parts.append("".join(part))
                part, size = [], 0
            part.append(block)
            size += length
    return [*parts, "".join(part)]


def _blocks(piece: str) -> Iterator[str]:
    if len(piece.encode()) <= PART:
        yield piece
        return
    for at in range(0, len(piece), PART // 4):  # a character is at most four bytes
        yield piece[at : at + PART // 4]


def _pieces(document: PlanDocument, findings: list[Finding]) -> Iterator[str]:
    known = {step.revision for step in document.steps}
    yield _comments(
        [
            f"{document.direction.value} from {_rows(document.from_revisions)} to {_rows(document.to_revisions)}",
            f"digest {document.digest}",
            f"evidence: {document.evidence}",
            *(_told(finding) for finding in findings if finding.revision not in known),
        ]
    )
    of_steps = grouped(findings, lambda finding: finding.revision)
    for number, step in enumerate(document.steps, start=1):
        yield from _step(number, step, of_steps.get(step.revision, ()))


def grouped(findings: Iterable[Finding], by: Callable[[Finding], Key]) -> Mapping[Key, Sequence[Finding]]:
    """The findings by what they are about: to seek them for each of 20,000 statements takes 6 s (measured)."""
    groups: dict[Key, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(by(finding), []).append(finding)
    return groups


def _step(number: int, step: Step, findings: Sequence[Finding]) -> Iterator[str]:
    what = step.revision if step.revision == ENVIRONMENT else f"revision {step.revision}"
    head = [f"step {number}: {what}: {step.message}", *([step.file] if step.file else [])]
    head += [] if step.transactional else ["not in one transaction"]
    head += [*step.escapes, *(_told(finding) for finding in findings if not finding.statement)]
    head += [f"downgrade: {step.downgrade}"] if step.downgrade else []
    head += step.downgrade_differences
    head += [step.rows] if step.rows else []
    if step.kind is StepKind.OPAQUE:
        head += [step.why_opaque, f"file {step.file_sha256}, whose source is:"]
    yield "\n" + _comments(head)
    if step.kind is StepKind.OPAQUE:
        yield _comments(step.source.splitlines())
    of_statements = grouped(findings, lambda finding: finding.statement)
    for at, statement in enumerate(step.statements, start=1):
        yield _statement(at, statement, of_statements.get(at, ()))
    if step.otherwise:
        yield _comments(["where its tables are empty, it sends this instead:"])
        yield from (_statement(at, statement, ()) for at, statement in enumerate(step.otherwise, start=1))


def _statement(number: int, statement: Statement, findings: Sequence[Finding]) -> str:
    facts = [f"{number}: {statement.seconds:.3f} s in the shadow"]
    facts += ["outside of a transaction"] if statement.autocommit else []
    facts += [f"sent {statement.executions} times"] if statement.executions > 1 else []
    facts += [f"by {statement.channel}"] if statement.channel != "cursor" else []
    facts += [f"parameters: {', '.join(statement.parameters)}"] if statement.parameters else []
    facts += [f"locks {lock.relation}: {lock.mode}" for lock in statement.locks]
    facts += [f"rewrites {name}" for name in statement.rewrites]
    facts += [f"reads whole {name}" for name in statement.scans]
    facts += [f"drops {dropped.type} {dropped.identity}" for dropped in statement.drops]
    facts += [f"seeded rows violate it: {statement.violation}"] if statement.violation else []
    facts += [f"notice {notice.sqlstate}: {notice.message}" for notice in statement.notices]
    facts += [_told(finding) for finding in findings]
    sql = statement.sql.strip()
    return f"{_comments(facts)}{sql}{'' if sql.endswith(';') else ';'}\n\n"


def _told(finding: Finding) -> str:
    waived = f" (waived: {finding.waived_by}, until {finding.waived_until or 'ever'})" if finding.waived_by else ""
    about = f" {finding.object}:" if finding.object else ""
    return f"{finding.severity.value} {finding.rule}:{about} {finding.message} Instead: {finding.fix}{waived}"


def _comments(lines: Iterable[str]) -> str:
    """Comments, whatever line ends the words bring: a name or a notice is never read as SQL."""
    return "".join(f"-- {line}\n" for text in lines for line in text.splitlines() or [""])


def _rows(revisions: list[str]) -> str:
    return ", ".join(revisions) or "<base>"
