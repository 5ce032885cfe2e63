"""After the last fault a resource is at its right end within a minute, whatever the storm did to it.

More seeds, by hand: python -m pytest tests/component/control/test_storm.py, with STORM_SEEDS=1000 set.
"""

from __future__ import annotations

import os

import pytest

from .storm import Storm

SEEDS = int(os.environ.get("STORM_SEEDS", "9"))
WITHIN = 60


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_resource_is_at_its_end_within_a_minute_when_the_storm_is_over(seed: int) -> None:
    storm = Storm(seed)
    await storm.rages(120)

    took = await storm.calm(WITHIN)

    assert took is not None, "\n".join([*storm.log[-25:], *storm.unfinished()])
    assert storm.story.database.sent == storm.story.database.current, "each revision was sent once"
