"""What counts for the exit code: severities as they were given, waivers, and faults of waivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.unit.review.rules.rule_cases import BAD

from alembic_operator.cli.review import Reviewed, review
from alembic_operator.core.model.findings import Severity

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("rules", "fail_on", "counts"),
    [
        ({}, "error", True),
        ({"destructive": "warning"}, "error", False),
        ({"destructive": "off"}, "error", False),
        ({"destructive": "warning"}, "warning", True),
        ({"destructive": "off"}, "warning", False),
        ({"jsonb": "off"}, "error", True),
        ({}, "never", False),
    ],
)
def test_finding_counts_by_the_severity_that_was_given(rules: dict[str, str], fail_on: str, counts: bool) -> None:
    made = review(BAD["destructive"][0], TODAY, rules)
    ours = Reviewed(tuple(one for one in made.findings if one.rule == "destructive"), ())
    assert ours.findings
    assert ours.counts(fail_on) is counts


def test_waived_finding_does_not_count_and_a_fault_of_the_waivers_does() -> None:
    finding = review(BAD["destructive"][0], TODAY).findings[0]
    assert finding.severity is Severity.ERROR
    waived = replace(finding, waived_by="SHOP-7")
    assert Reviewed((waived,), ()).counts("warning") is False
    assert Reviewed((waived,), ("r2.review.yaml: it waives nothing",)).counts("error") is True
