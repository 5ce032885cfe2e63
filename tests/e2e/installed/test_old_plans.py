"""Old plans go with their SQL, and SQL goes whose plan somebody deleted: at the next look at everything."""

from __future__ import annotations

import pytest

from tests.cluster.processes import wait_until

from .installation import Installation
from .place import REVIEWED, Place

HOURLY, SOONEST = 3600, 10  # seconds between two looks


def kept(place: Place) -> tuple[list[str], list[str]]:
    """The plans of the namespace, and the ConfigMaps of plans."""
    maps = place.kubectl("get", "configmap", "-l", "app.kubernetes.io/component=plan", "-o", "name").split()
    return [plan["metadata"]["name"] for plan in place.plans()], sorted(name.partition("/")[2] for name in maps)


@pytest.mark.late
def test_plans_and_sql_that_nobody_needs_are_removed_when_everything_is_looked_at(
    operator: Installation, place: Place
) -> None:
    place.apply("reviewed", "a2", review=REVIEWED, historyLimit=1)
    old = place.wait("UpToDate", timeout=120)["plan"]["name"]
    place.patch(revision="a3")
    lost = place.wait("AwaitingApproval")["plan"]["name"]
    place.patch(revision="a4")
    last = place.wait("AwaitingApproval")["plan"]["name"]
    place.kubectl("delete", "splan", lost)
    assert kept(place) == ([old, last], sorted(f"{name}-0" for name in (old, lost, last)))

    operator.install(resync=SOONEST)
    try:
        wait_until(lambda: kept(place) == ([last], [f"{last}-0"]), "what is left over to go", 60)
    finally:
        operator.install(resync=HOURLY)

    assert place.condition()["reason"] == "AwaitingApproval"
    assert place.plan()["metadata"]["name"] == last
