"""What a failure does to the status: another try at a stated time, or a stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from alembic_operator.api.instant import to_text
from alembic_operator.api.status import LastFailure, Status
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.result import Failure
from alembic_operator.core import retry
from alembic_operator.core.model.decision import Event, EventReason
from alembic_operator.core.model.state import Case, NextRun, ReconcileState
from alembic_operator.core.status.conditions import Summary, summarize
from alembic_operator.core.status.messages import given_up, joined, retry_note, stalled


def fail(state: ReconcileState, failure: Failure, case: Case, salt: str) -> ReconcileState:
    """The state after a failure that is known for what it is; `salt` spreads the time of the next try."""
    counted = failure.reason.reason_class in (ReasonClass.RETRY, ReasonClass.REPLAN)
    status = replace(
        state.status,
        failures=state.status.failures + (1 if counted else 0),
        last_failure=failure_of(state.status, failure, case.now),
    )
    return schedule(replace(state, status=status), failure, case, salt)


def failure_of(status: Status, failure: Failure, now: datetime) -> LastFailure:
    """The failure as the status keeps it, counted with those of its reason just before."""
    old = status.last_failure
    return LastFailure(
        reason=failure.reason.value,
        message=failure.message,
        at=to_text(now),
        count=old.count + 1 if old is not None and old.reason == failure.reason.value else 1,
        sqlstate=failure.sqlstate,
        revision=failure.revision,
        statement=failure.statement,
        blocked_by=failure.blocked_by,
    )


def schedule(state: ReconcileState, failure: Failure, case: Case, salt: str) -> ReconcileState:
    """Ready=False with the failure: tried again at a stated time, or Stalled."""
    status, reason, retries = state.status, failure.reason, case.spec.retry
    count = status.last_failure.count if status.last_failure else 1
    message = failure.message
    next_run_after = ""
    counted = reason.reason_class in (ReasonClass.RETRY, ReasonClass.REPLAN)
    if counted and status.failures > retries.limit:
        message = given_up(message, status.failures, retries.limit)
        reason = Reason.RETRIES_EXCEEDED
    elif reason.reason_class is not ReasonClass.STOP:
        nth = status.failures if counted else count
        due = case.now + timedelta(seconds=retry.pause(retries.backoff, nth, salt))
        next_run_after = to_text(due + timedelta(seconds=0.999))  # whole seconds: never earlier than meant
        message = joined(message, retry_note(reason, next_run_after, status.failures, retries.limit))
    stopped = reason.reason_class is ReasonClass.STOP
    message = stalled(message) if stopped else message
    event = Event(EventReason.MIGRATION_FAILED if stopped else EventReason.RETRY_SCHEDULED, message, warning=True)
    summary = Summary(case.schema.generation, reason, message)
    status = summarize(replace(status, next_run_after=next_run_after), summary, case.now)
    events = state.events if count > 1 and not stopped else (*state.events, event)
    return replace(state, status=status, due=NextRun.NOTHING, events=events)
