"""The review of a plan: all rules over all its steps, and the waivers that lie beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date

from ..contract.plan import Direction, PlanDocument, Step
from ..core.model.findings import Finding, Severity
from .plan_state import PlanState, parts_of
from .result import Lint
from .rules import columns, constraints, conventions, destructive, indexes, rewrites, rows, steps, versions
from .squawk import SecondOpinion

__all__ = ["Lint", "lint"]

_PART_RULES = (
    *destructive.RULES,
    *rewrites.RULES,
    *columns.RULES,
    *constraints.RULES,
    *indexes.RULES,
    *rows.RULES,
    *versions.RULES,
)
_PLAN_RULES = (*steps.PLAN_RULES, *constraints.PLAN_RULES, *conventions.PLAN_RULES)
_BROAD = (rewrites.SCAN, rewrites.REWRITE)  # others say better why a table is read
_FOR_HELPERS = (destructive.dropped,)  # their statements follow from their call; what they drop is told all the same


def lint(document: PlanDocument, today: date) -> Lint:
    """Review a plan.

    Args:
        document: as the runner made it.
        today: waivers that ended before do not count.

    Raises:
        SquawkFailed: the second opinion could not be had.
    """
    findings, faults = list(_findings(document)), list[str]()
    if document.waivers:
        from .waivers import apply_waivers  # noqa: PLC0415 - YAML takes 13 ms to import, of the 150 of a review

        findings, faults = apply_waivers(findings, document, today)
    return Lint(tuple(findings), tuple(faults))


def _findings(document: PlanDocument) -> Iterator[Finding]:
    state = PlanState(document)
    second = SecondOpinion(state)
    found: list[Finding] = []
    for step in document.steps:
        if document.direction in (Direction.UPGRADE, Direction.DOWNGRADE) or step.file:
            found.extend(_otherwise(document, step, state))
            found.extend(_step(document, step, state, second))
    found.extend(second.findings())
    for plan_rule in _PLAN_RULES:
        found.extend(plan_rule(state))
    order = {step.revision: at for at, step in enumerate(document.steps)}
    found.sort(key=lambda one: (order.get(one.revision, -1), one.statement))
    return iter(_distinct(found))


def _step(document: PlanDocument, step: Step, state: PlanState, second: SecondOpinion) -> Iterator[Finding]:
    parts = state.parts = parts_of(step, document.evidence)
    for part in parts:
        found = [one for rule in (_FOR_HELPERS if part.helper else _PART_RULES) for one in rule(part, state)]
        explained = any(one.rule not in _BROAD and one.severity is Severity.ERROR for one in found)
        yield from (one for one in found if not (explained and one.rule == rewrites.SCAN))
        second.hear(part, bool(found))
        state.learn(part)
    for step_rule in steps.STEP_RULES:
        yield from step_rule(step, parts, state)


def _otherwise(document: PlanDocument, step: Step, state: PlanState) -> Iterator[Finding]:
    """What the rules say of what a step sends where its tables are empty, beside what they say of it anyway."""
    if step.otherwise:
        other, apart = replace(step, statements=step.otherwise), deepcopy(state)
        for one in _step(document, other, apart, SecondOpinion(apart)):
            yield replace(one, statement=0, message=f"Where its tables are empty: {one.message}")


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each rule, object and statement: the graver one."""
    kept: dict[tuple[str, str, str, int], Finding] = {}
    for one in findings:
        key = (one.rule, one.revision, one.object, one.statement)
        if key not in kept or (one.severity is Severity.ERROR and kept[key].severity is not Severity.ERROR):
            kept[key] = one
    return list(kept.values())
