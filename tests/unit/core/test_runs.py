"""What a resource says from its first look to the end of a run, whatever the run's outcome is."""

from __future__ import annotations

import pytest

from alembic_operator.api.status import HistoryEntry, LastFailure, Run
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.result import AppliedRevision, Outcome
from alembic_operator.core.model.decision import Event, EventReason
from alembic_operator.core.status.messages import STALLED

from .world import APPLY, CHECK, FACTS, IMAGE, World, migrating, request_of, up_to_date

RETRY, WAIT, STOP = (
    [reason for reason in Reason if reason.reason_class is wanted]
    for wanted in (ReasonClass.RETRY, ReasonClass.WAIT, ReasonClass.STOP)
)
NOON, SOON = "2026-11-23T12:00:00Z", "2026-11-23T12:00:05Z"


def test_apply_run_starts_when_the_resource_is_fresh() -> None:
    world = World()
    decision = world.look()
    run = world.run()
    assert request_of(run).kind is APPLY
    assert world.ready() == ("Unknown", "Migrating", f"Job {run.name} is migrating the database to revision b2.")
    assert world.others() == {"Reconciling": "Migrating"}
    assert world.parsed.run == Run("Apply", run.name, 1, NOON, 1)
    assert (world.parsed.observed_generation, world.parsed.attempts, world.parsed.target_revision) == (1, 1, "b2")
    assert decision.events == (
        Event(EventReason.MIGRATION_STARTED, f"Job {run.name} is migrating the database to revision b2."),
    )
    assert decision.requeue_after == 15


def test_nothing_is_written_when_a_run_goes_on() -> None:
    world = migrating()
    world.passes(5)
    world.starts()
    world.passes(100)
    decision = world.look()
    assert world.writes == 1
    assert (decision.actions, decision.events) == ((), ())
    assert decision.requeue_after == 21  # a fifth of its age


def test_long_run_is_looked_at_every_two_minutes_when_it_has_gone_on_for_an_hour() -> None:
    world = migrating()
    world.starts()
    world.passes(3600)
    assert world.look().requeue_after == 120


def test_status_tells_where_the_run_is_when_its_log_does() -> None:
    world = migrating()
    world.starts()
    world.run().progress = {"event": "running", "revision": "a1", "statement": 3, "blockedBy": "pid 4711 (reporting)"}
    world.look()
    run = world.parsed.run
    assert run is not None
    assert (run.revision, run.statement, run.blocked_by) == ("a1", 3, "pid 4711 (reporting)")
    assert world.ready()[2].endswith(". It is blocked by pid 4711 (reporting).")


@pytest.mark.parametrize(
    "record",
    [{}, {"revision": None}, {"statement": "three"}, {"statement": -1}, {"statement": 2**40}, {"blockedBy": ["x"]}],
)
def test_record_is_left_aside_when_users_code_printed_it(record: dict[str, object]) -> None:
    world = migrating()
    world.starts()
    world.run().progress = record
    world.look()
    run = world.parsed.run
    assert run is not None
    assert (run.revision, run.statement, run.blocked_by) == ("", 0, "")


def test_resource_is_ready_when_the_run_applied() -> None:
    world = migrating()
    world.starts()
    world.passes(5)
    job = world.run().name
    applied = [AppliedRevision("a1", 2, 0.5), AppliedRevision("b2", 1, 1.0)]
    decision = world.reports(Outcome.APPLIED, before=[], applied=applied, applied_count=2, finished_at=SOON)
    message = f"Job {job} applied 2 revisions in 1.5 s: a1, b2. The database is at revision b2."
    assert world.ready() == ("True", "UpToDate", message)
    assert world.others() == {}
    status = world.parsed
    assert (status.run, status.failures, status.last_failure, status.next_run_after) == (None, 0, None, "")
    assert (status.current_revisions, status.current, status.pending_revisions) == (("b2",), "b2", 0)
    assert status.database is not None
    assert status.database.identity == FACTS.identity
    assert status.history == (HistoryEntry(job, 1, "Applied", "<base>", "b2", 2, IMAGE, NOON, SOON),)
    assert decision.events == (Event(EventReason.MIGRATION_SUCCEEDED, message),)
    assert [(run.kind, run.outcome, run.seconds) for run in decision.finished] == [(APPLY, "Applied", 5.0)]
    assert decision.requeue_after is None


def test_run_took_back_when_its_last_revision_is_no_row_of_the_database() -> None:
    world = migrating()
    world.starts()
    job = world.run().name
    back = [AppliedRevision("d4", 1, 0.5), AppliedRevision("c3", 1, 0.5)]
    world.reports(Outcome.APPLIED, before=["d4"], applied=back, applied_count=2, finished_at=SOON)
    message = f"Job {job} reverted 2 revisions in 1.0 s: d4, c3. The database is at revision b2."
    assert world.ready() == ("True", "UpToDate", message)


def test_nothing_is_decided_when_the_job_is_complete_after_its_pod() -> None:
    world = up_to_date()
    writes = world.writes
    world.passes(9999)
    decision = world.look()
    assert world.writes == writes
    assert (decision.actions, decision.events, decision.old_jobs, decision.requeue_after) == ((), (), (), None)


def test_resource_is_ready_without_an_event_when_there_was_nothing_to_do() -> None:
    world = migrating()
    job = world.run().name
    decision = world.reports(Outcome.UP_TO_DATE)
    assert world.ready() == ("True", "UpToDate", f"The database is at revision b2, read by Job {job}.")
    assert decision.events == ()


def test_warnings_stand_in_the_message_when_the_run_gave_them() -> None:
    world = migrating()
    job = world.run().name
    world.reports(Outcome.UP_TO_DATE, warnings=["index i is INVALID", "Another."])
    assert world.ready()[2] == (
        f"The database is at revision b2, read by Job {job}. Warning: index i is INVALID. Warning: Another."
    )


def test_resource_is_ready_and_ahead_when_the_database_has_more() -> None:
    world = migrating()
    world.reports(Outcome.AHEAD, current=["d4"])
    assert world.ready() == (
        "True",
        "SchemaAhead",
        "The database is at revision d4, which is newer than spec.revision b2, so no migration runs. "
        "Set spec.revision to the database's revision, or leave it to keep the older release declared.",
    )
    assert world.others() == {"SchemaAhead": "SchemaAhead"}
    assert world.look().requeue_after is None


@pytest.mark.parametrize("reason", RETRY, ids=lambda reason: reason.value)
def test_run_is_tried_again_and_counted_when_it_failed_for_a_passing_reason(reason: Reason) -> None:
    world = migrating()
    job = world.run().name
    decision = world.fails(reason, "Lock of orders not granted in 3 s.", revision="b2", statement=4, sqlstate="55P03")
    due = world.status["nextRunAfter"]
    message = f"Lock of orders not granted in 3 s. Next attempt at {due} (retry 1 of 5)."
    assert world.ready() == ("False", reason.value, message)
    assert world.others() == {"Reconciling": "RetryingAfterFailure"}
    assert world.parsed.failures == 1
    assert world.parsed.last_failure == LastFailure(
        reason.value, "Lock of orders not granted in 3 s.", NOON, 1, "55P03", "b2", 4
    )
    assert decision.events == (Event(EventReason.RETRY_SCHEDULED, message, warning=True),)
    assert decision.requeue_after is not None
    assert 8 <= decision.requeue_after <= 13
    world.passes(decision.requeue_after - 1)
    assert world.look().actions == ()
    world.passes(1)
    assert len(world.look().actions) == 1
    assert (world.reason(), world.parsed.attempts, world.parsed.next_run_after) == ("Migrating", 2, "")
    assert world.run().name != job
    assert world.parsed.last_failure is not None


@pytest.mark.parametrize("reason", WAIT, ids=lambda reason: reason.value)
def test_run_is_tried_for_ever_and_not_counted_when_something_is_missing(reason: Reason) -> None:
    world = migrating()
    pauses = []
    for _ in range(12):
        decision = world.fails(reason, "It is not there.")
        pauses.append(decision.requeue_after or 0)
        assert world.ready() == (
            "False",
            reason.value,
            f"It is not there. Next attempt at {world.status['nextRunAfter']}.",
        )
        world.wait()
    assert world.parsed.failures == 0
    assert world.parsed.last_failure is not None
    assert world.parsed.last_failure.count == 12
    assert pauses[:6] == sorted(set(pauses[:6]))
    assert 480 <= pauses[-1] <= 601
    assert len(world.parsed.history) == 1  # the same failure again and again is one entry


@pytest.mark.parametrize("reason", STOP, ids=lambda reason: reason.value)
def test_resource_stalls_when_a_person_is_needed(reason: Reason) -> None:
    world = migrating()
    decision = world.fails(reason, "Revision b2, statement 1: syntax error. Mend it.")
    said = f"Revision b2, statement 1: syntax error. Mend it. {STALLED}"
    assert world.ready() == ("False", reason.value, said)
    assert world.others() == {"Stalled": reason.value}
    assert decision.events == (Event(EventReason.MIGRATION_FAILED, said, warning=True),)
    assert decision.requeue_after is None
    world.passes(9999)
    assert world.look().actions == ()


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_resource_stalls_when_the_retries_are_used_up(limit: int) -> None:
    world = migrating(retry={"limit": limit, "backoff": "10s"})
    for _ in range(limit):
        world.fails(Reason.DEADLOCK, "Deadlock on orders.")
        assert world.others() == {"Reconciling": "RetryingAfterFailure"}
        world.wait()
    decision = world.fails(Reason.DEADLOCK, "Deadlock on orders.")
    assert world.ready() == (
        "False",
        "RetriesExceeded",
        f"Gave up after {limit + 1} failed run{'s' if limit else ''} (spec.retry.limit {limit}). Last failure: "
        "Deadlock "
        f"on orders. {STALLED}",
    )
    assert world.others() == {"Stalled": "RetriesExceeded"}
    assert [event.reason for event in decision.events] == [EventReason.MIGRATION_FAILED]
    assert len(world.started) == limit + 1
    assert decision.requeue_after is None


def test_pauses_double_up_to_ten_minutes_when_runs_keep_failing() -> None:
    world = migrating(retry={"limit": 10, "backoff": "10s"})
    for count in range(1, 11):
        pause = world.fails(Reason.DEADLOCK).requeue_after or 0
        meant = min(600, 10 * 2 ** (count - 1))
        assert 0.8 * meant <= pause <= min(601, 1.2 * meant + 1)
        world.wait()


def test_failures_are_forgotten_when_a_run_succeeds() -> None:
    world = migrating()
    world.fails(Reason.DEADLOCK)
    world.wait()
    world.reports(Outcome.APPLIED, applied_count=1)
    assert (world.parsed.failures, world.parsed.last_failure, world.parsed.next_run_after) == (0, None, "")
    assert [entry.outcome for entry in world.parsed.history] == ["Applied", "Deadlock"]


def test_counted_failures_stay_when_the_database_is_away_in_between() -> None:
    world = migrating()
    world.fails(Reason.DEADLOCK)
    world.wait()
    world.fails(Reason.DATABASE_UNREACHABLE)
    assert world.parsed.failures == 1
    world.wait()
    world.fails(Reason.DEADLOCK)
    assert world.parsed.failures == 2


def test_event_is_posted_once_when_the_same_failure_comes_again() -> None:
    world = migrating()
    assert len(world.fails(Reason.SECRET_NOT_FOUND).events) == 1
    assert world.wait().events == ()
    assert world.fails(Reason.SECRET_NOT_FOUND).events == ()


def test_history_keeps_ten_when_there_were_more_runs() -> None:
    world = up_to_date()
    for number in range(12):
        world.edit(revision=f"r{number}")
        world.look()
        world.reports(Outcome.APPLIED, applied_count=1)
    assert len(world.parsed.history) == 10
    assert world.parsed.history[0].generation == 13


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_old_jobs_go_when_there_are_more_than_the_limit(limit: int) -> None:
    world = migrating(historyLimit=limit)
    world.reports(Outcome.APPLIED, applied_count=1)
    for number in range(5):
        world.edit(revision=f"r{number}")
        world.look()
        world.reports(Outcome.APPLIED, applied_count=1)
    assert [run.job["metadata"]["annotations"]["alembic-operator.dev/attempt"] for run in world.runs.values()] == [
        str(attempt) for attempt in range(7 - limit, 7)
    ]


def test_nothing_is_done_when_the_resource_is_being_deleted() -> None:
    world = World(deleting=True)
    decision = world.look()
    assert (decision.actions, decision.events, world.writes) == ((), (), 0)


def test_check_asks_the_same_of_the_database_when_it_is_made_from_the_same_spec() -> None:
    world = up_to_date()
    first = request_of(next(iter(world.runs.values())))
    world.annotate(reconcile_at="1")
    world.look()
    asked = request_of(world.run())
    assert asked.kind is CHECK
    assert (asked.revision, asked.secret_name, asked.target) == (first.revision, first.secret_name, first.target)
