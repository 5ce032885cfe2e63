"""A minute of the storm by a fixed seed; hours of it: make storm."""

from __future__ import annotations

import pytest
from tests.storm.sea import sea
from tests.storm.storm import Storm

SEED, SECONDS, DATABASES = 20261128, 60, 3


@pytest.mark.timeout(900)  # with the cluster's start, and the images on a machine that has none of them
def test_every_resource_comes_to_its_end_when_the_storm_is_over() -> None:
    with sea(DATABASES) as fleet:
        Storm(fleet, SEED).run(SECONDS)
