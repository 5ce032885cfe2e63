"""Resources that are deleted: with what they leave to nobody, and made again under their name."""

from __future__ import annotations

from tests.cluster.processes import wait_until

from .place import Place

PATIENT = {"lock": "5m"}


def test_run_is_ended_when_the_resource_leaves_its_job_to_nobody(place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()

        place.kubectl("delete", "dbs", "shop", "--cascade=orphan")

        wait_until(lambda: place.sessions() == 0, "the statement is cancelled", 60)
    wait_until(lambda: not place.jobs() and not place.pods(), "Job and pod are removed", 60)
    assert place.revisions() == ["a1"]


def test_run_is_ended_when_its_job_and_the_resource_leave_its_pod_to_nobody(place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        place.kubectl("delete", "job", place.jobs()[0]["metadata"]["name"], "--cascade=orphan")

        place.kubectl("delete", "dbs", "shop")

        wait_until(lambda: place.sessions() == 0, "the statement is cancelled", 60)
    wait_until(lambda: not place.jobs() and not place.pods(), "Job and pod are removed", 60)
    assert place.revisions() == ["a1"]


def test_database_is_taken_over_when_a_resource_with_a_plan_is_made_again(place: Place) -> None:
    place.apply("plain", "a1")
    place.wait("UpToDate")
    place.kubectl("delete", "dbs", "shop")

    place.apply("plain", "a1", review={"mode": "OnFindings", "evidence": "Static"})
    place.wait("UpToDate", timeout=90)

    assert "owner" not in place.status()
    assert place.rows("SELECT uid FROM alembic_operator.owner") == [(place.schema()["metadata"]["uid"],)]
