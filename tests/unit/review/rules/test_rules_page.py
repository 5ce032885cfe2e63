"""docs/rules.md and the rules: a section each, whose bad SQL is found and whose good SQL is not."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from tests.unit.review.plans import outside, plan, step

from alembic_operator.contract.plan import Statement, Step
from alembic_operator.core.model.findings import NEVER_WAIVED, RULES, Severity
from alembic_operator.review.lint import lint

_PAGE = (Path(__file__).parents[4] / "docs" / "rules.md").read_text()
_SECTIONS = {
    title.strip(): text
    for title, text in (part.split("\n", 1) for part in re.split(r"^## ", _PAGE, flags=re.MULTILINE)[1:])
}
_BY_CATALOG = ("fk-index", "snake-case", "uuid-pk", "timestamps", "jsonb")  # found in the shadow's catalog, not in text
_BY_TEXT = [rule for rule in RULES if "```sql" in _SECTIONS.get(rule, "") and rule not in _BY_CATALOG]


def _example(rule: str, word: str) -> list[Step]:
    (block,) = re.findall(rf"^{word}:\n\n```sql\n(.*?)```", _SECTIONS[rule], flags=re.MULTILINE | re.DOTALL)
    steps = []
    for number, revision in enumerate(block.split("-- next revision\n")):
        inside, _, behind = revision.partition("-- autocommit\n")
        sent: list[Statement] = [Statement(one) for one in inside.split(";\n") if one.strip()]
        sent += [outside(one) for one in behind.split(";\n") if one.strip()]
        steps.append(step(*sent, revision=f"a{number + 1}"))
    return steps


def _found(steps: list[Step]) -> dict[str, Severity]:
    return {one.rule: one.severity for one in lint(plan(*steps), date(2026, 11, 27)).findings}


def test_page_has_a_section_for_each_rule_in_their_order() -> None:
    assert tuple(_SECTIONS) == RULES


@pytest.mark.parametrize("rule", RULES)
def test_section_tells_severity_and_examples(rule: str) -> None:
    text = _SECTIONS[rule]
    assert re.match(r"\n`(error|warning)`", text)
    assert re.findall(r"^(Bad|Why|Good):", text, flags=re.MULTILINE) == ["Bad", "Why", "Good"]
    assert ("cannot be waived" in text) is (rule in NEVER_WAIVED)


@pytest.mark.parametrize("rule", _BY_TEXT)
def test_bad_example_is_found(rule: str) -> None:
    assert rule in _found(_example(rule, "Bad"))


@pytest.mark.parametrize("rule", _BY_TEXT)
def test_good_example_passes(rule: str) -> None:
    assert Severity.ERROR not in _found(_example(rule, "Good")).values()
