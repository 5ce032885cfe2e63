"""What a plan goes by on a real cluster: a shadow of each version, no shadow at all, and waivers."""

from __future__ import annotations

import pytest

from tests.cluster.lifecycle import Cluster
from tests.cluster.postgres import Postgres, Version

from .place import ANNA, REVIEWED, Place, Places

STATIC = {**REVIEWED, "evidence": "Static"}


@pytest.mark.parametrize("version", [15])  # 16 and 18 have their shadows in test_plans.py
def test_plan_is_made_in_a_shadow_of_the_servers_version(
    cluster: Cluster, places: Places, version: Version, shadows: dict[str, str]
) -> None:
    with Postgres(version, host=cluster.host_address) as server, places(server) as place:
        place.secret()
        place.apply("reviewed", "a1", review={**REVIEWED, "shadow": {"image": shadows[str(version)]}})
        assert place.wait("UpToDate")["database"]["version"].startswith(str(version))

        place.patch(revision="a2")
        place.wait("UpToDate")

        assert place.kinds() == ["Plan", "Apply"] * 2
        assert "-- locks public.orders: AccessExclusiveLock" in place.sql(place.plan())


def test_sql_is_rendered_when_there_is_to_be_no_shadow(shop: Place) -> None:
    shop.apply("reviewed", "a2", review=STATIC)

    shop.wait("UpToDate")

    (plan,) = shop.plans()
    assert plan["spec"]["plan"]["evidence"] == "Static"
    assert "ALTER TABLE orders ADD COLUMN region text" in shop.sql(plan)
    assert not [pod for pod in shop.pods() if pod["spec"].get("initContainers")]


def test_source_is_shown_when_a_revision_cannot_be_rendered(shop: Place) -> None:
    shop.apply("reading", "a2", review=STATIC)

    shop.wait("AwaitingApproval", message="Python")

    text = shop.sql(shop.plan())
    assert "SELECT DISTINCT note FROM orders" in text
    assert [step["kind"] for step in shop.plan()["spec"]["plan"]["steps"]] == ["SQL", "Opaque"]
    shop.decide("Approve", ANNA)
    assert shop.wait("UpToDate")["current"] == "a2"


def test_waived_finding_stops_nothing_and_stays_to_be_read(shop: Place) -> None:
    shop.apply("waived", "a1", review=REVIEWED)
    shop.wait("UpToDate")
    shop.patch(revision="a2")
    shop.wait("UpToDate")

    assert "no release reads it" in shop.sql(shop.plan())
    assert "note" not in shop.columns()


def test_expired_waiver_is_told_and_nothing_runs(shop: Place) -> None:
    shop.apply("expired", "a2", review=REVIEWED)

    shop.wait("WaiverInvalid", message="a2.review.yaml")

    assert "2020-01-01" in shop.condition()["message"]
    assert shop.rows("SELECT to_regclass('orders')") == [(None,)]
