"""Accounting for a run that ended: what its outcome does to the status, and what must follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from alembic_operator.api.instant import from_text, to_text
from alembic_operator.api.status import HISTORY_LIMIT, DatabaseFacts, HistoryEntry, OwnerRef, Status
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Failure, Outcome, RunResult
from alembic_operator.core.model.decision import Event, EventReason, FinishedRun
from alembic_operator.core.model.observed import DatabaseSchema, Job
from alembic_operator.core.model.state import Case, NextRun, ReconcileState, is_doubt, is_look
from alembic_operator.core.plans.lifecycle import (
    given_up_plan,
    goes_on,
    noted,
    plan_changed,
    planned,
    to_be_claimed,
    withdrawn,
)
from alembic_operator.core.runs.outcome import Doubt, Ending, NeverStarted, Reported
from alembic_operator.core.status.begin import with_targets
from alembic_operator.core.status.conditions import Summary, say_verified, summarize
from alembic_operator.core.status.failures import fail, failure_of, schedule
from alembic_operator.core.status.messages import (
    REPAIR_BY_PLAN,
    ahead,
    behind,
    doubted,
    found_late,
    joined,
    looked,
    succeeded,
    up_to_date,
)

# Seconds: what a run read of the database counts for so long. After an outage of the operator, or when somebody wiped
# the status, old Jobs are found, and the database may have moved since.
FRESH = 900.0


def record(state: ReconcileState, job: Job, ending: Ending, schema: DatabaseSchema, now: datetime) -> ReconcileState:
    """The state with this run's end in it.

    A run of an older generation goes into the history and the facts about the database; what it means for the resource
    is decided by the run of the present one.
    """
    state = _recorded(state, job, ending, now)
    if isinstance(ending, Reported):
        state = noted(state, job, ending.result)
    if job.generation != schema.generation or schema.spec is None:
        return replace(state, due=NextRun.NOTHING)
    case = Case(schema, schema.spec, now)
    stopped = _still_stopped(state, job, ending, case)
    if stopped is not None:
        return stopped
    if isinstance(ending, Reported):
        return _reported(state, job, ending.result, case)
    if isinstance(ending, Doubt) and job.kind is RunKind.APPLY:
        return _doubted(state, ending, case)
    return fail(state, Failure(ending.reason, ending.message), case, salt=job.name)


def _still_stopped(state: ReconcileState, job: Job, ending: Ending, case: Case) -> ReconcileState | None:
    """The state where a check that was asked for could not read why the resource had stopped: it stays so.

    To be waited for would end in an apply run that nobody asked for.
    """
    last, failed = state.status.last_failure, ending.result.failure if isinstance(ending, Reported) else ending
    if job.kind is not RunKind.CHECK or is_doubt(job.trigger) or is_look(job.trigger) or last is None or failed is None:
        return None
    if failed.reason.reason_class is ReasonClass.STOP or last.reason not in set(Reason):
        return None
    why = joined(last.message, f"Job {job.name} was to look again, and could not: {failed.message}")
    failure = Failure(Reason(last.reason), why, last.revision, last.statement, last.sqlstate)
    return replace(schedule(state, failure, case, salt=job.name), events=state.events)


def _recorded(state: ReconcileState, job: Job, ending: Ending, now: datetime) -> ReconcileState:
    status = replace(state.status, run=None, attempts=max(state.status.attempts, job.attempt))
    result = ending.result if isinstance(ending, Reported) else None
    outcome = _outcome(ending)
    if result is not None:
        status = _facts(status, result, now)
    repeated = status.last_failure is not None and status.last_failure.reason == outcome
    if job.kind is RunKind.APPLY and not isinstance(ending, NeverStarted) and not repeated:
        entry = _history_entry(job, result, outcome, status, now)
        status = replace(status, history=(entry, *status.history)[:HISTORY_LIMIT])
    finished = FinishedRun(job.kind, outcome, _seconds(job, result, now))
    return replace(state, status=status, finished=(*state.finished, finished))


def _outcome(ending: Ending) -> str:
    if isinstance(ending, Reported):
        return ending.result.failure.reason.value if ending.result.failure else ending.result.outcome.value
    return ending.reason.value


def _seconds(job: Job, result: RunResult | None, now: datetime) -> float | None:
    start = from_text(result.started_at if result and result.started_at else job.created_at)
    end = from_text(result.finished_at) if result and result.finished_at else now
    return (end - start).total_seconds() if start and end else None


def _facts(status: Status, result: RunResult, now: datetime) -> Status:
    """What the database said: kept only as far as this run read it."""
    another = result.database is not None and (
        status.database is None or status.database.identity != result.database.identity
    )
    if result.verification is not None or another or result.current == []:
        status = say_verified(status, result.verification, now)
    if result.database is not None:
        found = result.database
        status = replace(
            status,
            database=DatabaseFacts(found.engine, found.version, found.identity, tuple(found.search_path)),
        )
    if result.current is not None:
        status = replace(status, current_revisions=tuple(result.current), current=_text(result.current), owner=None)
    if result.owner is not None:
        named = result.owner
        status = replace(status, owner=OwnerRef(named.cluster, named.namespace, named.name, named.uid))
    if result.target_revisions:
        status = with_targets(status, tuple(result.target_revisions))
    return replace(status, pending_revisions=result.pending)


def _text(revisions: list[str]) -> str:
    return ",".join(revisions) if revisions else "<base>"


def _history_entry(job: Job, result: RunResult | None, outcome: str, status: Status, now: datetime) -> HistoryEntry:
    approved = job.approved
    before = _text(result.before) if result and result.before is not None else ""
    after = _text(result.current) if result and result.current is not None else ""
    return HistoryEntry(
        job=job.name,
        generation=job.generation,
        outcome=outcome,
        from_revisions=before,
        to_revisions=after,
        applied=result.applied_count if result else 0,
        image=job.image,
        started_at=_moment(result.started_at if result else "", job.created_at),
        finished_at=_moment(result.finished_at if result else "", to_text(now)),
        plan=approved.name if approved else "",
        digest=approved.digest if approved else "",
        approved_by=approved.approved_by if approved else "",
    )


def _moment(told: str, otherwise: str) -> str:
    moment = from_text(told)
    return to_text(moment) if moment else otherwise


def _reported(state: ReconcileState, job: Job, result: RunResult, case: Case) -> ReconcileState:
    if is_look(job.trigger) and (result.failure is None or result.failure.reason is Reason.OUTCOME_UNKNOWN):
        summary = Summary(case.schema.generation, Reason.PLANNING, looked(result))
        return replace(state, status=summarize(state.status, summary, case.now), due=NextRun.PLAN)
    if result.failure is not None:
        return _failed(state, job, result, result.failure, case)
    if result.outcome is Outcome.PLANNED:
        return planned(state, job, case)
    if result.outcome is Outcome.BEHIND or (job.kind is RunKind.APPLY and result.pending):
        return _left(state, job, result, case)
    if _found_late(result, case.now):
        summary = Summary(case.schema.generation, Reason.CHECKING, found_late(result))
        return replace(state, status=summarize(state.status, summary, case.now), due=NextRun.CHECK)
    state = withdrawn(state, job, f"{_text(result.current or [])} is what the database has")
    is_ahead = result.outcome is Outcome.AHEAD
    message = ahead(result) if is_ahead else up_to_date(result)
    reason = Reason.SCHEMA_AHEAD if is_ahead else Reason.UP_TO_DATE
    doubted_before = job.kind is RunKind.CHECK and state.status.last_failure is not None
    status = replace(state.status, failures=0, last_failure=None, next_run_after="")
    events = state.events
    if result.applied_count or doubted_before:
        events = (*events, Event(EventReason.MIGRATION_SUCCEEDED, succeeded(result)))
    status = summarize(status, Summary(case.schema.generation, reason, message), case.now)
    return replace(state, status=status, due=NextRun.NOTHING, events=events)


def _failed(state: ReconcileState, job: Job, result: RunResult, failure: Failure, case: Case) -> ReconcileState:
    if failure.reason is Reason.OUTCOME_UNKNOWN:
        state = given_up_plan(state, job)
        if job.kind is not RunKind.PLAN and case.spec.review.evidence == "Shadow":
            failure = replace(failure, message=joined(failure.message, REPAIR_BY_PLAN))
    if failure.reason is Reason.PLAN_CHANGED and job.kind is RunKind.APPLY:
        return plan_changed(state, job, failure, case)
    return fail(state, failure, case, salt=job.name)


def _left(state: ReconcileState, job: Job, result: RunResult, case: Case) -> ReconcileState:
    """The state after a run that ended well and left something to do."""
    if job.kind is RunKind.PLAN:
        return to_be_claimed(state, result, case)
    return _behind(state, job, result, case) if job.kind is RunKind.CHECK else goes_on(state, result, case)


def _found_late(result: RunResult, now: datetime) -> bool:
    ended = from_text(result.finished_at)
    return ended is not None and (now - ended).total_seconds() > FRESH


def _behind(state: ReconcileState, job: Job, result: RunResult, case: Case) -> ReconcileState:
    """A check found work to do: at once, or as the failure before it says: after a pause, or not before a change."""
    last = state.status.last_failure
    reason = Reason(last.reason) if last and last.reason in set(Reason) else None
    if last is None or reason is None or reason.reason_class is ReasonClass.WAIT:
        # Written to the status too: should the run not start now, the next look knows that one must.
        summary = Summary(case.schema.generation, Reason.MIGRATING, behind(result))
        return replace(state, status=summarize(state.status, summary, case.now), due=NextRun.APPLY)
    failure = Failure(reason, last.message, last.revision, last.statement, last.sqlstate)
    again = schedule(state, failure, case, salt=job.name)
    # What it says was posted when it came about; of a run in doubt nothing was posted yet.
    return again if is_doubt(job.trigger) else replace(again, events=state.events)


def _doubted(state: ReconcileState, doubt: Doubt, case: Case) -> ReconcileState:
    failures = state.status.failures + 1
    status = replace(
        state.status,
        failures=failures,
        last_failure=failure_of(state.status, Failure(doubt.reason, doubt.message), case.now),
    )
    summary = Summary(case.schema.generation, Reason.CHECKING, doubted(doubt.message))
    return replace(state, status=summarize(status, summary, case.now), due=NextRun.CHECK)
