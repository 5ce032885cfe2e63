"""What the review says of a plan, and which of it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from alembic_operator.cli.failure import CannotPlan
from alembic_operator.contract.plan import PlanDocument
from alembic_operator.core.model.findings import Finding, Severity
from alembic_operator.review.lint import lint
from alembic_operator.review.squawk_program import SquawkFailed

_OWN: Mapping[str, str] = {}  # the rules' own severities


@dataclass(frozen=True)
class Reviewed:
    """The findings of a plan, those of rules that are off among them, and what is wrong with its waivers: sentences."""

    findings: tuple[Finding, ...]
    waiver_faults: tuple[str, ...]

    def counts(self, fail_on: str) -> bool:
        """Whether something is at or above `fail_on` (error, warning, never) and not waived."""
        if fail_on == "never":
            return False
        counted = {Severity.ERROR} if fail_on == "error" else {Severity.ERROR, Severity.WARNING}
        return bool(self.waiver_faults) or any(one.severity in counted and not one.waived_by for one in self.findings)


def review(document: PlanDocument, today: date, rules: Mapping[str, str] = _OWN) -> Reviewed:
    """Lint a plan as the operator does.

    Args:
        document: as the runner made it.
        today: waivers that ended before do not count.
        rules: severities that replace those of the rules, as in `spec.review.rules`.

    Raises:
        CannotPlan: squawk gave no answer.
    """
    try:
        found = lint(document, today)
    except SquawkFailed as failed:
        raise CannotPlan(f"Reviewing the plan: {failed}") from None
    weighed = (replace(one, severity=Severity(rules.get(one.rule, one.severity))) for one in found.findings)
    return Reviewed(tuple(weighed), found.waiver_faults)
