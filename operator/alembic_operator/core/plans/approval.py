"""Whether a plan may run: by itself, by somebody's decision, or not at all.

Judged anew each time, from the plan as it was read live, the spec of today and the day of today; never from a phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from alembic_operator.api.plan import APPROVE, REJECT, Decision, SchemaPlan
from alembic_operator.api.plan_spec import PlanFinding, PlanSpec
from alembic_operator.api.review import Review, stricter
from alembic_operator.contract.plan import Direction, StepKind
from alembic_operator.core.model.findings import NEVER_WAIVED, Severity

GIT = "spec.review.approvedDigest"


class Answer(Enum):
    """What a review comes to."""

    PASSES = "passes"  # nothing asks for a decision
    APPROVED = "approved"
    WAITS = "waits"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Verdict:
    """The answer, who gave it, and why a decision is needed.

    Attributes:
        by: who approved or rejected, for the journal and for people.
        why: a sentence without an end: what asks for a decision; "" where nothing does.
        worst: the finding that counts most; None where none does.
        reason: what the person who rejected says.
    """

    answer: Answer
    by: str = ""
    why: str = ""
    worst: PlanFinding | None = None
    reason: str = ""

    @property
    def may_run(self) -> bool:
        """Whether the plan may be applied."""
        return self.answer in (Answer.PASSES, Answer.APPROVED)


def is_reviewed(review: Review, floor: str) -> bool:
    """Whether a change is planned first; else plan and apply are one Job, in which the runner refuses what it can."""
    return stricter(review.mode, floor) != "Auto" or review.evidence != "Static"


def judge(plan: SchemaPlan, review: Review, floor: str, today: date, *, policies: bool) -> Verdict:
    """What becomes of a plan.

    Args:
        plan: as it was read live, and known to belong to the resource.
        review: of the spec.
        floor: the namespace's label minimum-review; "" without one.
        today: waivers count up to their last day.
        policies: whether a decision on the plan counts, as nobody but an approver can have written it.
    """
    mode = stricter(review.mode, floor)
    why, worst = _needs(plan.plan, review, mode, today)
    decision = plan.decision if policies else None
    if decision is not None and decision.type == REJECT:
        return Verdict(Answer.REJECTED, decision.by, why, worst, decision.reason)
    if not plan.plan.sql:
        return Verdict(Answer.WAITS, why="its SQL could not be stored, so nobody can review it", worst=worst)
    if not why:
        return Verdict(Answer.PASSES, f"review.mode {mode}")
    return _decided(plan.plan, decision, review, why, worst)


def _decided(plan: PlanSpec, decision: Decision | None, review: Review, why: str, worst: PlanFinding | None) -> Verdict:
    if decision is not None and decision.type == APPROVE:
        return Verdict(Answer.APPROVED, decision.by, why, worst)
    if review.approved_digest == plan.digest:
        return Verdict(Answer.APPROVED, GIT, why, worst)
    return Verdict(Answer.WAITS, why=why, worst=worst)


def _needs(plan: PlanSpec, review: Review, mode: str, today: date) -> tuple[str, PlanFinding | None]:
    """What asks for a decision, and the worst finding; "" and None where nothing does."""
    counted = _heaviest(plan, review, mode, today)
    worst = counted[0] if counted else None
    if plan.direction != Direction.UPGRADE.value:
        return f"a {plan.direction.lower()} always needs approval", worst
    if mode == "Required":
        return "review.mode is Required", worst
    if counted:
        return _count(counted, review), worst
    listed = sum(not finding.waived_by for finding in _all(plan))
    unlisted = max(plan.findings_left_out, plan.errors + plan.warnings - listed)
    if unlisted > 0:
        return f"{unlisted} findings did not fit into the plan", None
    return ("", None) if mode == "Auto" else (_unseen(plan), None)


def _unseen(plan: PlanSpec) -> str:
    """What no rule could look at, and no guard compares; "" for nothing."""
    opaque = [step.revision for step in plan.steps if step.kind == StepKind.OPAQUE.value]
    if opaque:
        return f"revision {opaque[0]} is Python that could not be rendered, so no rule has checked what it sends"
    if plan.steps_left_out and plan.evidence == "Static":
        return f"{plan.steps_left_out} steps did not fit into the plan and may be Python that no rule has checked"
    return ""


def _heaviest(plan: PlanSpec, review: Review, mode: str, today: date) -> list[PlanFinding]:
    """The findings that count in this mode, the worst first."""
    least = Severity(review.fail_on)
    found: list[tuple[bool, bool, int, PlanFinding]] = []
    for finding in _all(plan):
        never = finding.rule in NEVER_WAIVED
        severity = effective(finding, review, today)
        if never or (mode != "Auto" and (severity is Severity.ERROR or severity is least)):
            found.append((not never, severity is not Severity.ERROR, len(found), finding))
    return [finding for *_, finding in sorted(found, key=lambda each: each[:3])]


def effective(finding: PlanFinding, review: Review, today: date) -> Severity:
    """How much a finding counts for this resource today: a waiver that holds makes it OFF."""
    if finding.rule in NEVER_WAIVED:
        return Severity.ERROR
    if finding.waived_by and (not finding.waived_until or today.isoformat() <= finding.waived_until):
        return Severity.OFF
    return Severity(review.rules.get(finding.rule, finding.severity))


def _all(plan: PlanSpec) -> Iterable[PlanFinding]:
    yield from plan.findings
    for step in plan.steps:
        yield from step.findings


def _count(counted: list[PlanFinding], review: Review) -> str:
    errors = sum(
        finding.rule in NEVER_WAIVED or review.rules.get(finding.rule, finding.severity) == "error"
        for finding in counted
    )
    told = [(errors, "error"), (len(counted) - errors, "warning")]
    return " and ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in told if count)
