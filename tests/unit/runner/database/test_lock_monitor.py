"""How a blocker is named."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.runner.database.lock_monitor import describe_blocker, duration


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            (4711, "reporting", "app", "idle in transaction", 725.3, "client backend"),
            "pid 4711 (reporting), idle in transaction for 12m",
        ),
        ((4711, "", "app", "active", 3.0, "client backend"), "pid 4711 (user app), active for 3s"),
        ((4711, "reporting", "app", None, None, None), "pid 4711 (reporting)"),
        ((9, None, None, None, None, "autovacuum worker"), "pid 9 (autovacuum worker)"),
        ((0, None, None, None, None, None), "pid 0 (unnamed)"),
        ((5, "evil\nname", "a", "active", None, None), "pid 5 (evil name), active"),
    ],
)
def test_names_the_blocker_with_what_is_known(row: tuple[Any, ...], text: str) -> None:
    assert describe_blocker(row) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59.9, "59s"), (60, "1m"), (7300, "2h"), (200000, "2d")])
def test_tells_a_duration_in_one_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
