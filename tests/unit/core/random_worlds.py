"""How many random worlds are tried, and how long each goes on: the same ones in every run."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from tests import effort


def worlds_of(*, examples: int, steps: int) -> settings:
    """So many worlds, of so many steps each."""
    return settings(
        max_examples=effort.examples(examples),
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],  # a failing world is printed as it was met: shrinking takes minutes, and tells no more
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
