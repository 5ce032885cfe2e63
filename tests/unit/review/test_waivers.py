"""Waivers: what they accept, and each thing that is wrong with one."""

from __future__ import annotations

import pytest

from alembic_operator.review.lint import lint
from alembic_operator.review.result import Lint

from .plans import TODAY, plan, step

GOOD = """
- rule: destructive
  object: public.orders
  reason: the shop left it in release 41
  ticket: SHOP-7
  expires: 2026-12-31
"""


def reviewed(text: str, *sent: str, file: str = "versions/a1_x.review.yaml") -> Lint:
    return lint(plan(step(*(sent or ("DROP TABLE orders",))), waivers={file: text}), TODAY)


@pytest.mark.parametrize("file", ["versions/a1_x.review.yaml", "versions/a1.review.yaml"])
def test_finding_is_waived_when_rule_and_object_are_met(file: str) -> None:
    result = reviewed(GOOD, file=file)
    assert result.waiver_faults == ()
    (found,) = result.findings
    assert (found.waived_by, found.waived_until) == ("SHOP-7: the shop left it in release 41", "2026-12-31")


def test_last_day_counts_when_a_waiver_expires_today() -> None:
    result = reviewed(GOOD.replace("2026-12-31", "2026-11-27"))
    assert (result.waiver_faults, result.findings[0].waived_until) == ((), "2026-11-27")


def test_text_may_be_quoted_when_it_is_a_day() -> None:
    assert reviewed(GOOD.replace("2026-12-31", "'2026-12-31'")).waiver_faults == ()


BAD = {
    "expired": (GOOD.replace("2026-12-31", "2026-11-26"), "expired on 2026-11-26"),
    "unused": (GOOD.replace("public.orders", "public.users"), "matches no finding"),
    "another rule": (GOOD.replace("destructive", "rewrite"), "matches no finding"),
    "unknown rule": (GOOD.replace("destructive", "destruction"), "no rule destruction"),
    "never waived": (GOOD.replace("destructive", "transaction-escape"), "cannot be waived"),
    "history": (GOOD.replace("destructive", "edited-revision"), "cannot be waived"),
    "unknown key": (GOOD + "  author: me\n", "unknown key author"),
    "no reason": (GOOD.replace("  reason: the shop left it in release 41\n", ""), "reason is missing"),
    "empty reason": (GOOD.replace("the shop left it in release 41", "''"), "reason is missing"),
    "no day": (
        GOOD.replace("  expires: 2026-12-31\n", ""),
        "expires is missing; an entry needs rule, ",
    ),
    "no such day": (GOOD.replace("2026-12-31", "2026-02-31"), "expires is not a date|not valid YAML"),
    "a time": (GOOD.replace("2026-12-31", "2026-12-31T10:00:00"), "expires is not a date"),
    "for ever": (GOOD.replace("2026-12-31", "never"), "expires is not a date"),
    "a list": (GOOD.replace("public.orders", "[a, b]"), "object is not a text"),
    "no list": ("rule: destructive\n", "not a list of entries"),
    "empty": ("", "not a list of entries"),
    "no mapping": ("- destructive\n", "not a mapping"),
    "no YAML": ("- rule: [\n", "not valid YAML"),
    "python": ("- !!python/object/apply:os.system ['true']\n", "not valid YAML"),
    "alias": ("- &a {rule: destructive}\n- *a\n", "uses an alias"),
    "large": ("#" * 70_000, "larger than 64 KiB"),
    "many": ("- {}\n" * 300, "at most 200 are allowed"),
    "deep": ("[" * 30_000, "nested more deeply"),
    "zero": ("- rule: a\x00\n", "not valid YAML"),
}


@pytest.mark.parametrize("name", BAD)
def test_fault_names_the_file_when_a_waiver_is_bad(name: str) -> None:
    text, expected = BAD[name]
    result = reviewed(text)
    assert [one.waived_by for one in result.findings] == [""]
    (fault,) = result.waiver_faults
    assert fault.startswith("versions/a1_x.review.yaml")
    assert any(part in fault for part in expected.split("|"))


def test_nothing_is_read_when_the_revision_is_applied_already() -> None:
    assert reviewed("no list", file="versions/a0_old.review.yaml").waiver_faults == ()


def test_escape_is_not_waived_when_a_waiver_names_it() -> None:
    text = GOOD.replace("destructive", "transaction-escape").replace("public.orders", "''")
    result = reviewed(text, "COMMIT")
    assert [one.waived_by for one in result.findings] == [""]
    assert "cannot be waived" in result.waiver_faults[0]
