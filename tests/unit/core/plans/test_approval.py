"""What a review comes to: what passes by itself, who may let the rest through, and what asks for somebody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.api.plans import FINDING, PLAN, PLAN_SPEC, WAIVED

from alembic_operator.api.plan import Decision, SchemaPlan
from alembic_operator.api.review import Review
from alembic_operator.core.plans.approval import Answer, Verdict, judge

TODAY = date(2026, 11, 27)
LAST_DAY = date(2026, 12, 31)
ERROR = replace(FINDING, rule="destructive", severity="error")
DEFAULT = Review()
NEVER = replace(WAIVED, rule="transaction-escape")
QUIET = replace(PLAN_SPEC, warnings=0, steps=())


def plan(decision: Decision | None = None, **changes: Any) -> SchemaPlan:
    """A plan that needs no decision, with changes."""
    return replace(PLAN, decision=decision, plan=replace(QUIET, **changes))


def verdict(
    of: SchemaPlan, review: Review = DEFAULT, *, floor: str = "", today: date = TODAY, policies: bool = True
) -> Verdict:
    return judge(of, review, floor, today, policies=policies)


@pytest.mark.parametrize(
    ("of", "review", "today"),
    [
        (plan(), Review(), TODAY),
        (plan(findings=(FINDING,), warnings=1), Review(), TODAY),
        (plan(findings=(WAIVED,)), Review(), LAST_DAY),
        (plan(findings=(ERROR,), errors=1), Review(rules={"destructive": "off"}), TODAY),
        (plan(findings=(ERROR,), errors=1), Review(mode="Auto"), TODAY),
    ],
    ids=["nothing found", "a warning", "a waiver on its last day", "a rule that is off", "nothing asks"],
)
def test_plan_passes_when_nothing_counts(of: SchemaPlan, review: Review, today: date) -> None:
    assert verdict(of, review, today=today).answer is Answer.PASSES


@pytest.mark.parametrize(
    ("of", "review", "why"),
    [
        (plan(), Review(mode="Required"), "review.mode is Required"),
        (plan(findings=(ERROR,), errors=1), Review(), "1 error"),
        (plan(findings=(FINDING,), warnings=1), Review(fail_on="warning"), "1 warning"),
        (plan(findings=(NEVER,)), Review(mode="Auto"), "1 error"),
        (plan(direction="Downgrade"), Review(mode="Auto"), "a downgrade always needs approval"),
        (plan(direction="Baseline"), Review(), "a baseline always needs approval"),
        (plan(direction="Repair"), Review(), "a repair always needs approval"),
        (plan(warnings=1), Review(), "1 findings did not fit into the plan"),
        (plan(findings_left_out=2), Review(mode="Auto"), "2 findings did not fit into the plan"),
        (plan(sql=()), Review(), "its SQL could not be stored, so nobody can review it"),
    ],
)
def test_plan_waits_and_says_why_when_something_asks_for_a_decision(of: SchemaPlan, review: Review, why: str) -> None:
    found = verdict(of, review)
    assert (found.answer, found.why) == (Answer.WAITS, why)


def test_plan_waits_when_its_waiver_has_ended() -> None:
    assert verdict(plan(findings=(WAIVED,)), today=date(2027, 1, 1)).answer is Answer.WAITS


def test_namespaces_floor_counts_when_the_spec_asks_for_less() -> None:
    assert verdict(plan(), Review(mode="Auto"), floor="Required").answer is Answer.WAITS


@pytest.mark.parametrize(
    ("decision", "review", "answer"),
    [
        (Decision("Approve", "ann"), Review(), Answer.APPROVED),
        (Decision("Reject", "ann"), Review(), Answer.REJECTED),
        (None, Review(approved_digest=QUIET.digest), Answer.APPROVED),
        (None, Review(approved_digest="sha256:" + "f" * 64), Answer.WAITS),
        (Decision("Reject", "ann"), Review(approved_digest=QUIET.digest), Answer.REJECTED),
    ],
    ids=["approved", "rejected", "approved by Git", "another digest in Git", "rejected beside Git"],
)
def test_decision_counts_when_it_is_of_this_plan(decision: Decision | None, review: Review, answer: Answer) -> None:
    assert verdict(plan(decision, direction="Repair"), review).answer is answer


@pytest.mark.parametrize("kind", ["Approve", "Reject"])
def test_decision_counts_for_nothing_when_no_policy_says_who_wrote_it(kind: str) -> None:
    assert verdict(plan(Decision(kind, "eve"), direction="Repair"), policies=False).answer is Answer.WAITS


def test_plan_without_its_sql_stays_unread_when_it_is_approved() -> None:
    assert verdict(plan(Decision("Approve", "ann"), sql=())).answer is Answer.WAITS
