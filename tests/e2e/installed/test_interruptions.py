"""Runs that are cut off: whatever is killed or changed amid a transaction, each revision is applied exactly once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.cluster.processes import process_runs, wait_until

from .installation import Installation, process_of
from .place import Place

ALL = [("a2 before",), ("a2 after",), ("a3",)]
PATIENT = {"lock": "5m"}


def kill_process(place: Place) -> None:
    """End the migration as a crash of the node or the kernel's OOM killer does."""
    os.kill(process_of(place.pods()[-1], "migration"), signal.SIGKILL)


def delete_pod(place: Place) -> None:
    """Delete the pod without any grace."""
    place.kubectl("delete", place.running_pod(), "--grace-period=0", "--force")


def evict_pod(place: Place) -> None:
    """Delete the pod as a drain of its node does."""
    place.kubectl("delete", place.running_pod(), "--wait=false")


@pytest.mark.parametrize("end", [kill_process, delete_pod, evict_pod])
def test_each_revision_is_applied_once_when_the_pod_ends_mid_transaction(
    place: Place, end: Callable[[Place], None]
) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        end(place)
        failure = place.wait_for_status(lambda status: status.get("lastFailure"), "the end of the run is told")

    place.wait("UpToDate", timeout=90)

    assert failure["lastFailure"]["reason"] == "Interrupted"
    assert place.rows("SELECT revision FROM ran") == ALL
    assert place.revisions() == ["a3"]
    assert place.message().endswith("applied 2 revisions in SECONDS: a2, a3. The database is at revision a3.")
    wait_until(lambda: place.events()[-1][1] == "MigrationSucceeded", "the event of the end", 10)


def test_end_of_a_killed_run_is_told(place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT, retry={"limit": 5, "backoff": "10m"})
        place.wait_at_gate()
        kill_process(place)

        status = place.wait("Interrupted")

    assert place.conditions() == {"Ready": ("False", "Interrupted"), "Reconciling": ("True", "RetryingAfterFailure")}
    assert place.message() == ("Job shop/1 was killed (exit code 137). Next attempt at TIME (retry 1 of 5).")
    assert (status["current"], status["pendingRevisions"]) == ("a1", 2)


def test_run_goes_on_when_the_operator_is_killed_and_starts_again(place: Place, operator: Installation) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        old = operator.process(operator.leader())
        operator.kill()
        wait_until(lambda: not process_runs(old), "the operator is dead", 20)
    place.wait_for_rows("SELECT revision FROM ran", ALL)

    place.wait("UpToDate", timeout=90)

    assert place.message() == "Job shop/1 applied 3 revisions in SECONDS: a1, a2, a3. The database is at revision a3."
    assert len(place.jobs()) == 1
    assert place.told("MigrationStarted", "MigrationSucceeded")


def test_run_that_ended_while_no_operator_was_there_is_told(place: Place, operator: Installation) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        operator.scale(0)
    try:
        place.wait_for_rows("SELECT revision FROM ran", ALL)
        place.wait_until_jobs_end()
        assert place.condition()["reason"] == "Migrating"
    finally:
        operator.scale(1)

    place.wait("UpToDate", timeout=90)

    assert place.message() == "Job shop/1 applied 3 revisions in SECONDS: a1, a2, a3. The database is at revision a3."
    assert len(place.jobs()) == 1


def test_run_is_rolled_back_when_the_resource_is_deleted(place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()

        place.kubectl("delete", "dbs", "shop")

        wait_until(lambda: place.sessions() == 0, "the statement is cancelled", 30)
        assert place.rows("SELECT revision FROM ran") == []
        assert place.revisions() == ["a1"]
    wait_until(lambda: not place.jobs() and not place.pods(), "Job and pod are removed", 60)
    assert place.revisions() == ["a1"]


def test_run_ends_as_it_began_when_the_spec_changes_meanwhile(place: Place) -> None:
    with place.gate():
        place.apply("gated", "a2", timeouts=PATIENT)
        place.wait_at_gate()
        place.patch(revision="a3")
        assert len(place.jobs()) == 1
    status = place.wait("UpToDate")

    assert place.message() == "Job shop/2 applied 1 revision in SECONDS: a3. The database is at revision a3."
    assert [(entry["generation"], entry["from"], entry["to"]) for entry in status["history"]] == [
        (2, "a2", "a3"),
        (1, "<base>", "a2"),
    ]
    assert place.rows("SELECT revision FROM ran") == ALL


def test_run_ends_as_it_began_when_the_resource_is_suspended_meanwhile(place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        place.patch(suspend=True)
        assert place.condition()["reason"] == "Migrating"
    status = place.wait("Suspended")

    assert place.revisions() == ["a3"]
    assert (status["current"], [entry["outcome"] for entry in status["history"]]) == ("a3", ["Applied"])
