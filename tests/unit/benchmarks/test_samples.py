"""Medians, ratios and verdicts."""

from __future__ import annotations

import pytest
from benchmarks.samples import Row, Verdict, number, ratio


def test_a_ratio_is_of_medians_and_ranges_over_neighbouring_pairs() -> None:
    ours, theirs = Row("ours", "s", [1.0, 2.0, 9.0]), Row("theirs", "s", [2.0, 4.0, 6.0])
    found = ratio("ours / theirs", ours, theirs, 0.9)
    assert found.value == 0.5
    assert found.range == [0.5, 1.5]
    assert found.reached


def test_a_ratio_is_refused_when_the_pairs_are_not_whole() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        ratio("a / b", Row("a", "s", [1.0]), Row("b", "s", [1.0, 2.0]), 1.0)


@pytest.mark.parametrize(("value", "reached"), [(0.9, True), (0.90001, False), (0.0, True)])
def test_a_target_is_reached_when_it_is_not_exceeded(value: float, reached: bool) -> None:
    assert Verdict("x", value, 0.9).reached is reached


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (12.0, "12"), (0.60234, "0.602"), (12.345, "12.3"), (123.4, "123"), (1554.0, "1554")],
)
def test_three_digits_count_when_a_number_is_printed(value: float, text: str) -> None:
    assert number(value) == text
