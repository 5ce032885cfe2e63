"""The rules, applied in a child process with limits of time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import import_module
from importlib.util import find_spec

from alembic_operator.contract.plan import PlanDocument
from alembic_operator.core.findings import Finding, Severity

from .drafts import Checked, NotChecked


@dataclass(frozen=True)
class Reviewed:
    """What the rules say of a plan."""

    findings: tuple[Finding, ...] = ()
    waiver_faults: tuple[str, ...] = ()


async def lint(text: str, today: date) -> Checked:
    """Check the text of a plan document. Raises NotChecked."""
    if find_spec("alembic_operator.review") is None:
        return Reviewed(told_by_the_run(PlanDocument.from_json(text)))
    process = import_module("alembic_operator.review.process")
    try:
        found = await process.lint_in_child(text, today, process.Limits())
    except process.LintFailed as error:
        raise NotChecked(str(error)) from None
    return Reviewed(tuple(found.findings), tuple(found.waiver_faults))


def told_by_the_run(document: PlanDocument) -> tuple[Finding, ...]:
    """What a plan run itself found that nothing may waive: the faults of the history, and escapes from transactions."""
    fix = "Mend the history, so that every applied revision is as it was and there is one head."
    found = [
        Finding(fault.rule, Severity.ERROR, fault.revision, fault.revision, fault.message, fix)
        for fault in document.faults
    ]
    keep = "Leave COMMIT and ROLLBACK to Alembic; use autocommit_block() for what needs to run outside."
    for step in document.steps:
        found += [
            Finding("transaction-escape", Severity.ERROR, step.revision, step.revision, escape, keep)
            for escape in step.escapes
        ]
    return tuple(found)
