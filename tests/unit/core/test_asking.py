"""The annotations reconcile-at and retry-at: each new value is answered once, whatever happens meanwhile."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome
from alembic_operator.core.model.decision import EventReason
from alembic_operator.core.status.messages import STALLED

from .world import APPLY, CHECK, World, migrating, request_of, up_to_date

LONG = "t" * 400


def stalled(reason: Reason = Reason.MIGRATION_FAILED) -> World:
    world = migrating()
    world.fails(reason, "Revision b2, statement 1: syntax error.")
    return world


def test_ready_stays_when_a_check_is_asked_for() -> None:
    world = up_to_date()
    ready = world.ready()
    world.annotate(reconcile_at="1")
    decision = world.look()
    assert request_of(world.run()).kind is CHECK
    assert world.ready() == ready
    assert decision.events == ()
    world.starts()
    assert world.ready() == ready
    check = world.run().name
    decision = world.reports(Outcome.UP_TO_DATE)
    assert world.ready() == ("True", "UpToDate", f"The database is at revision b2, read by Job {check}.")
    assert decision.events == ()
    assert world.look().actions == ()


def test_run_starts_at_once_when_the_check_finds_the_database_behind() -> None:
    world = up_to_date()
    world.annotate(reconcile_at="1")
    world.look()
    decision = world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert request_of(world.run()).kind is APPLY
    assert world.ready()[:2] == ("Unknown", "Migrating")
    assert (world.parsed.current, world.parsed.pending_revisions) == ("a1", 1)
    assert [event.reason for event in decision.events] == [EventReason.MIGRATION_STARTED]


def test_resource_says_so_when_the_check_cannot_reach_the_database() -> None:
    world = up_to_date()
    world.annotate(reconcile_at="1")
    world.look()
    world.fails(Reason.DATABASE_UNREACHABLE)
    assert world.ready()[:2] == ("False", "DatabaseUnreachable")
    assert world.parsed.current == "b2"  # what was read last


def test_run_starts_at_once_when_reconcile_is_asked_for_during_a_pause() -> None:
    world = migrating()
    world.fails(Reason.SECRET_NOT_FOUND)
    world.annotate(reconcile_at="1")
    world.look()
    assert request_of(world.run()).kind is APPLY
    world.fails(Reason.SECRET_NOT_FOUND)
    assert world.look().actions == ()


def test_stalled_resource_stays_so_when_a_check_finds_the_same() -> None:
    world = stalled()
    world.annotate(reconcile_at="1")
    world.look()
    assert world.ready() == (
        "Unknown",
        "Checking",
        f"Job {world.run().name} is checking the database's current revision.",
    )
    assert world.look().actions == ()
    assert world.ready()[2] == f"Job {world.run().name} is checking the database's current revision."
    decision = world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert world.ready() == ("False", "MigrationFailed", f"Revision b2, statement 1: syntax error. {STALLED}")
    assert decision.events == ()
    assert len(world.started) == 2


@pytest.mark.parametrize("reason", [Reason.DATABASE_UNREACHABLE, Reason.CONNECTION_LOST])
@pytest.mark.parametrize("limit", [None, 0], ids=["failed for good", "no retry left"])
def test_stalled_resource_stays_so_when_the_check_cannot_read_the_database(reason: Reason, limit: int | None) -> None:
    world = migrating(retry={"limit": limit or 0, "backoff": "10s"})
    world.fails(Reason.MIGRATION_FAILED if limit is None else Reason.DEADLOCK, "Revision b2 failed.")
    before = world.ready()
    world.annotate(reconcile_at="1")
    world.look()
    check = world.run().name
    decision = world.fails(reason, "No route to host.")
    failed = before[2].removesuffix(STALLED)
    said = f"{failed}Job {check} was to look again, and could not: No route to host. {STALLED}"
    assert world.ready() == ("False", before[1], said)
    assert (decision.events, decision.requeue_after) == ((), None)
    world.passes(9999)
    assert (world.look().actions, len(world.started)) == ((), 2)
    assert world.parsed.failures == (0 if limit is None else 1)


def test_stalled_resource_says_the_new_reason_when_a_check_finds_another_to_stop() -> None:
    world = stalled()
    world.annotate(reconcile_at="1")
    world.look()
    world.fails(Reason.DIVERGED, "It has another branch.")
    assert world.ready() == ("False", "Diverged", f"It has another branch. {STALLED}")


def test_stalled_resource_is_ready_when_a_check_finds_that_a_person_did_it() -> None:
    world = stalled()
    world.annotate(reconcile_at="1")
    world.look()
    decision = world.reports(Outcome.UP_TO_DATE)
    assert world.ready()[:2] == ("True", "UpToDate")
    assert [event.reason for event in decision.events] == [EventReason.MIGRATION_SUCCEEDED]


def test_run_starts_with_a_new_count_when_retry_is_asked_for() -> None:
    world = migrating(retry={"limit": 0, "backoff": "10s"})
    world.fails(Reason.DEADLOCK)
    world.annotate(retry_at="1")
    world.look()
    assert request_of(world.run()).kind is APPLY
    assert (world.parsed.failures, world.parsed.last_failure, world.parsed.observed_generation) == (0, None, 1)
    world.fails(Reason.DEADLOCK)
    assert (world.reason(), world.parsed.failures) == ("RetriesExceeded", 1)
    assert world.look().actions == ()


def test_check_comes_first_when_retry_is_asked_for_after_an_unknown_outcome() -> None:
    world = stalled(Reason.OUTCOME_UNKNOWN)
    world.annotate(retry_at="1")
    world.look()
    assert request_of(world.run()).kind is CHECK
    world.fails(Reason.OUTCOME_UNKNOWN)
    assert world.others() == {"Stalled": "OutcomeUnknown"}
    assert len(world.started) == 2
    world.annotate(retry_at="2")
    world.look()
    world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert request_of(world.run()).kind is APPLY


@pytest.mark.parametrize("which", ["reconcile_at", "retry_at"])
@pytest.mark.parametrize("token", ["1", LONG], ids=["short", "long"])
@pytest.mark.parametrize("killed", [False, True], ids=["", "killed"])
def test_value_is_answered_once_when_it_is_of_any_length(which: str, token: str, killed: bool) -> None:
    world = up_to_date()
    world.annotate(**{which: token})
    world.look(crash=killed)
    world.look()
    world.reports(Outcome.UP_TO_DATE)
    for _ in range(3):
        assert world.look().actions == ()
    assert len(world.started) == 2


def test_value_is_answered_after_the_run_when_it_comes_while_one_goes_on() -> None:
    world = migrating()
    world.starts()
    world.annotate(retry_at="1")
    assert world.look().actions == ()
    world.fails(Reason.MIGRATION_FAILED)
    assert request_of(world.run()).kind is APPLY
    world.reports(Outcome.APPLIED, applied_count=1)
    assert (world.reason(), len(world.started)) == ("UpToDate", 2)


def test_both_values_are_answered_by_one_run_when_they_come_together() -> None:
    world = stalled()
    world.annotate(retry_at="1", reconcile_at="1")
    world.look()
    world.reports(Outcome.APPLIED, applied_count=1)
    assert (world.look().actions, len(world.started)) == ((), 2)


def test_doubt_is_checked_once_when_retry_was_asked_for_meanwhile() -> None:
    world = migrating()
    world.starts()
    world.annotate(retry_at="1")
    world.ends(exit_code=137)
    assert request_of(world.run()).kind is CHECK
    message = world.ready()[2]
    world.look()
    assert world.ready()[2] == message
    world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert request_of(world.run()).kind is APPLY


@pytest.mark.parametrize("which", ["reconcile_at", "retry_at"])
def test_value_is_taken_as_answered_when_the_resource_is_suspended(which: str) -> None:
    world = up_to_date()
    world.edit(suspend=True)
    world.annotate(**{which: "1"})
    world.look()
    assert (world.reason(), world.look().actions) == ("Suspended", ())
