"""A plan made to fit: texts as short as the CRD wants them, and steps small enough to be listed and watched.

What is cut here stands whole in the plan's SQL. Decisions are made from findings: they are the last to go, unwaived
errors after everything else, and what went is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from alembic_operator.api.codec import encode
from alembic_operator.api.plan_spec import PlanFinding, PlanSpec, PlanStep
from alembic_operator.api.status_bounds import cut

STEPS_LIMIT = 64 * 1024  # bytes of JSON
MOST_STEPS = 512
MOST_FINDINGS = 64  # of a step, and of the plan as a whole


def bounded(plan: PlanSpec) -> PlanSpec:
    """The plan with every part within the CRD's bounds, and at most STEPS_LIMIT bytes of steps."""
    return next(fitting for fitting in _smaller(plan) if _size(fitting.steps) <= STEPS_LIMIT)


def _size(steps: tuple[PlanStep, ...]) -> int:
    return len(json.dumps([encode(step) for step in steps], ensure_ascii=False).encode("utf-8"))


def _smaller(plan: PlanSpec) -> Iterator[PlanSpec]:
    """The plan with less and less in it, until no step is left."""
    for words in (1024, 400, 160, 60):
        yield _resized(plan, words, MOST_FINDINGS, MOST_STEPS)
    for findings in (16, 4, 1, 0):
        yield _resized(plan, 60, findings, MOST_STEPS)
    for steps in (256, 128, 64, 0):
        yield _resized(plan, 60, 0, steps)


def _resized(plan: PlanSpec, words: int, findings: int, steps: int) -> PlanSpec:
    """The plan with texts of at most that many characters, findings a step, and steps."""
    kept = tuple(_step(step, words, findings) for step in plan.steps[:steps])
    whole = _weightiest(plan.findings, MOST_FINDINGS)
    had = len(plan.findings) + sum(len(step.findings) for step in plan.steps)
    has = len(whole) + sum(len(step.findings) for step in kept)
    return replace(
        plan,
        steps=kept,
        findings=tuple(_finding(each, 1024) for each in whole),
        steps_left_out=plan.steps_left_out + len(plan.steps) - len(kept),
        findings_left_out=plan.findings_left_out + had - has,
    )


def _step(step: PlanStep, words: int, findings: int) -> PlanStep:
    return replace(
        step,
        revision=cut(step.revision, 255),
        message=cut(step.message, min(words, 256)),
        excerpt=cut(step.excerpt, words),
        strongest_lock=cut(step.strongest_lock, min(words, 256)),
        findings=tuple(_finding(each, words) for each in _weightiest(step.findings, findings)),
    )


def _finding(finding: PlanFinding, words: int) -> PlanFinding:
    return replace(
        finding,
        rule=cut(finding.rule, 64),
        revision=cut(finding.revision, 255),
        object=cut(finding.object, min(words, 256)),
        message=cut(finding.message, words),
        fix=cut(finding.fix, words),
        waived_by=cut(finding.waived_by, min(words, 512)),
        waived_until=cut(finding.waived_until, 10),
    )


def _weightiest(findings: tuple[PlanFinding, ...], most: int) -> tuple[PlanFinding, ...]:
    """At most that many, in their order: errors before warnings, and those that are waived last."""
    order = sorted(
        range(len(findings)), key=lambda at: (bool(findings[at].waived_by), findings[at].severity != "error")
    )
    return tuple(findings[at] for at in sorted(order[:most]))
