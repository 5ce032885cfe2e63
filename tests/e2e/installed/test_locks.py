"""A lock that somebody else holds: tried again inside the run, with the name of who holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .messages import plain
from .place import STALLED, Place, Places

BLOCKER = "pid PID (reporting), idle in transaction for TIME"


@contextmanager
def table_held(place: Place) -> Iterator[None]:
    """A session that reads the table, and does not end its transaction."""
    with place.connect() as session:
        session.execute("SET application_name = 'reporting'")
        with session.transaction():
            session.execute("SELECT count(*) FROM orders")
            yield


@pytest.fixture(scope="package")
def blocked(places: Places) -> Iterator[Place]:
    """A migration that meets a lock which is never released; it takes two minutes until it gives up."""
    with places() as place:
        place.secret()
        place.apply("altering", "a1", timeouts={"lock": "1s"}, retry={"limit": 0, "backoff": "1s"})
        place.wait("UpToDate")
        with table_held(place):
            place.patch(revision="a2")
            yield place


def test_blocker_is_named_in_the_status_while_the_run_tries_again(blocked: Place) -> None:
    status = blocked.wait_for_status(lambda status: status.get("run", {}).get("blockedBy"), "the blocker is named")

    run = status["run"]
    assert (plain(run["blockedBy"]), run["revision"], run["statement"]) == (BLOCKER, "a2", 1)
    assert blocked.conditions() == {"Ready": ("Unknown", "Migrating"), "Reconciling": ("True", "Migrating")}
    assert blocked.message() == f"Job shop/2 is migrating the database to revision a2. It is blocked by {BLOCKER}."


def test_run_ends_well_when_the_lock_is_released(place: Place) -> None:
    place.apply("altering", "a1", timeouts={"lock": "1s"})
    place.wait("UpToDate")
    with table_held(place):
        place.patch(revision="a2")
        place.wait_for_log('"event":"retry"')

    place.wait("UpToDate")

    assert place.message() == "Job shop/2 applied 1 revision in SECONDS: a2. The database is at revision a2."
    assert len(place.jobs()) == 2


@pytest.mark.late
def test_blocker_is_named_when_the_run_gives_up(blocked: Place) -> None:
    status = blocked.wait("RetriesExceeded", timeout=240)

    assert blocked.conditions() == {"Ready": ("False", "RetriesExceeded"), "Stalled": ("True", "RetriesExceeded")}
    assert blocked.message() == (
        'Gave up after 1 failed run (spec.retry.limit 0). Last failure: Applying revision "a2" (a2.py), statement '
        f"1: a lock was not granted within 1 s, held by {BLOCKER} (SQLSTATE 55P03). It was rolled back. End the "
        f"session that holds the lock, or raise spec.timeouts.lock. {STALLED}"
    )
    last = status["lastFailure"]
    assert (plain(last["blockedBy"]), last["sqlstate"], last["reason"]) == (BLOCKER, "55P03", "LockTimeout")
    assert (status["current"], blocked.revisions()) == ("a1", ["a1"])
