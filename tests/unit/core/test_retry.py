"""Pauses that need no dice: the same in every life, and spread."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import examples

from alembic_operator.core.retry import CAP, pause


@settings(max_examples=examples(300))
@given(st.floats(0.001, 600), st.integers(1, 2**31 - 1), st.text(max_size=80))
def test_pause_is_bounded_and_the_same_again_when_it_is_asked_twice(backoff: float, count: int, salt: str) -> None:
    seconds = pause(backoff, count, salt)
    meant = min(CAP, backoff * 2.0 ** min(count - 1, 30))
    assert 0.8 * meant <= seconds <= min(CAP, 1.2 * meant)
    assert pause(backoff, count, salt) == seconds


def test_pauses_are_spread_when_many_resources_fail_together() -> None:
    seconds = [pause(100, 1, f"shop-{number}") for number in range(200)]
    assert min(seconds) < 85
    assert max(seconds) > 115


@pytest.mark.parametrize(("count", "meant"), [(1, 10), (2, 20), (6, 320), (7, 600), (100, 600)])
def test_pause_doubles_up_to_ten_minutes_when_failures_follow(count: int, meant: float) -> None:
    assert 0.8 * meant <= pause(10, count, "salt") <= min(600, 1.2 * meant)
