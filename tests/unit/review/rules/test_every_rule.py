"""Every rule has something to say to bad plans, and nothing to good ones; what it says weighs what the API tells."""

from __future__ import annotations

import pytest
from tests.unit.review.plans import TODAY

from alembic_operator.api.review import OWN_EITHER, OWN_WARNINGS, RULE_IDS
from alembic_operator.contract.plan import PlanDocument
from alembic_operator.core.model.findings import Severity
from alembic_operator.review.lint import lint

from .rule_cases import BAD, GOOD


def severities(rule: str, document: PlanDocument) -> set[Severity]:
    """How grave what a rule says of a plan is."""
    return {one.severity for one in lint(document, TODAY).findings if one.rule == rule}


def _each(cases: dict[str, list[PlanDocument]]) -> list[object]:
    return [
        pytest.param(rule, document, id=f"{rule}-{number}")
        for rule, documents in cases.items()
        for number, document in enumerate(documents, 1)
    ]


def test_no_rule_lacks_a_bad_and_a_good_plan() -> None:
    assert (tuple(BAD), tuple(GOOD)) == (RULE_IDS, RULE_IDS)
    assert all(BAD.values())
    assert all(GOOD.values())


@pytest.mark.parametrize(("rule", "document"), _each(BAD))
def test_rule_speaks_when_plan_is_bad(rule: str, document: PlanDocument) -> None:
    assert severities(rule, document)


@pytest.mark.parametrize(("rule", "document"), _each(GOOD))
def test_rule_is_silent_when_plan_is_good(rule: str, document: PlanDocument) -> None:
    assert not severities(rule, document)


@pytest.mark.parametrize("rule", RULE_IDS)
def test_finding_tells_what_to_do_when_plan_is_bad(rule: str) -> None:
    for document in BAD[rule]:
        for one in lint(document, TODAY).findings:
            assert one.message.endswith("."), one
            assert one.fix.endswith("."), one


@pytest.mark.parametrize("rule", RULE_IDS)
def test_rule_weighs_what_the_api_says(rule: str) -> None:
    given = {severity for document in BAD[rule] for severity in severities(rule, document)}

    expected = {Severity.ERROR}
    if rule in OWN_WARNINGS:
        expected = {Severity.WARNING}
    elif rule in OWN_EITHER:
        expected = {Severity.ERROR, Severity.WARNING}
    assert given == expected
