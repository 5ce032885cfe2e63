"""The operator's way to the rules: an answer of the review, or none at all; never a plan without findings instead."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from tests.unit.review.plans import plan, step

from alembic_operator.control.reconcile.lint import Linter
from alembic_operator.control.reconcile.plan_log import NotChecked
from alembic_operator.review.child_process import Limits

TODAY = date(2026, 11, 27)


def test_findings_of_the_review_are_told_when_a_plan_is_checked() -> None:
    found = asyncio.run(Linter()(plan(step("DROP TABLE orders")).to_json(), TODAY))
    assert "destructive" in {one.rule for one in found.findings}


def test_plan_is_not_checked_when_the_review_comes_to_no_end() -> None:
    with pytest.raises(NotChecked, match="longer than"):
        asyncio.run(Linter(Limits(seconds=0.01))(plan(step("SELECT 1")).to_json(), TODAY))


def test_plan_is_not_checked_when_it_is_none() -> None:
    with pytest.raises(NotChecked, match="different versions"):
        asyncio.run(Linter()("{}", TODAY))
