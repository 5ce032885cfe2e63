"""Accounting for a run that ended: what its outcome does to the status, and what must follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from alembic_operator.api.instant import from_text, to_text
from alembic_operator.api.spec import Spec
from alembic_operator.api.status import (
    HISTORY_LIMIT,
    DatabaseFacts,
    HistoryEntry,
    LastFailure,
    OwnerRef,
    Status,
)
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Failure, Outcome, RunResult

from . import retry
from .decision import Event, EventReason, FinishedRun, PlanNote
from .endings import Doubt, Ending, NeverStarted, Reported
from .messages import (
    ahead,
    behind,
    doubted,
    found_late,
    given_up,
    joined,
    retry_note,
    stalled,
    succeeded,
    up_to_date,
)
from .observed import Draft, Job, NoDraft, Schema
from .plans import plan_ref, used_up
from .planwords import claimed, part_done, plan_made, replanned, superseded
from .summarize import PLANNED, Said, Summary, say, say_no_plan, summarize

DOUBT = "doubt-"  # begins the trigger of a check that finds out what a run did


@dataclass(frozen=True)
class Case:
    """The resource, with a spec that can be acted on, at a moment."""

    schema: Schema
    spec: Spec
    now: datetime


REPLANS = 5  # plans in a row that were out of date before they ran; then there is a pause, and it counts as a failure

# Seconds: what a run read of the database counts for so long. After an outage of the operator, or when somebody wiped
# the status, old Jobs are found, and the database may have moved since.
FRESH = 900.0


class Due(Enum):
    """What must be started now, whatever else the resource says."""

    NOTHING = auto()
    CHECK = auto()
    PLAN = auto()
    APPLY = auto()


@dataclass(frozen=True)
class Account:
    """The status so far, with what was learnt on the way to it.

    Attributes:
        draft: of the plan that was just made.
        claims: whether the apply run has nothing to send, and is to enter the resource as the database's owner.
    """

    status: Status
    due: Due = Due.NOTHING
    events: tuple[Event, ...] = ()
    finished: tuple[FinishedRun, ...] = ()
    draft: Draft | None = None
    claims: bool = False
    notes: tuple[PlanNote, ...] = ()


def account_for(account: Account, job: Job, ending: Ending, schema: Schema, now: datetime) -> Account:
    """The account with this run's end in it.

    A run of an older generation goes into the history and the facts about the database; what it means for the resource
    is decided by the run of the present one.
    """
    account = _recorded(account, job, ending, now)
    if job.generation != schema.generation or schema.spec is None:
        return replace(account, due=Due.NOTHING)
    case = Case(schema, schema.spec, now)
    stopped = _still_stopped(account, job, ending, case)
    if stopped is not None:
        return stopped
    if isinstance(ending, Reported):
        return _reported(_noted(account, job, ending.result), job, ending.result, case)
    if isinstance(ending, Doubt) and job.kind is RunKind.APPLY:
        return _doubted(account, ending, case)
    return fail(account, Failure(ending.reason, ending.message), case, salt=job.name)


def _still_stopped(account: Account, job: Job, ending: Ending, case: Case) -> Account | None:
    """The account where a check that was asked for could not read why the resource had stopped: it stays so.

    To be waited for would end in an apply run that nobody asked for.
    """
    last, failed = account.status.last_failure, ending.result.failure if isinstance(ending, Reported) else ending
    if job.kind is not RunKind.CHECK or job.trigger.startswith(DOUBT) or last is None or failed is None:
        return None
    if failed.reason.reason_class is ReasonClass.STOP or last.reason not in set(Reason):
        return None
    why = joined(last.message, f"Job {job.name} was to look again, and could not: {failed.message}")
    failure = Failure(Reason(last.reason), why, last.revision, last.statement, last.sqlstate)
    return replace(_schedule(account, failure, case, salt=job.name), events=account.events)


def _recorded(account: Account, job: Job, ending: Ending, now: datetime) -> Account:
    status = replace(account.status, run=None, attempts=max(account.status.attempts, job.attempt))
    result = ending.result if isinstance(ending, Reported) else None
    outcome = _outcome(ending)
    if result is not None:
        status = _facts(status, result)
    repeated = status.last_failure is not None and status.last_failure.reason == outcome
    if job.kind is RunKind.APPLY and not isinstance(ending, NeverStarted) and not repeated:
        entry = _history_entry(job, result, outcome, status, now)
        status = replace(status, history=(entry, *status.history)[:HISTORY_LIMIT])
    finished = FinishedRun(job.kind, outcome, _seconds(job, result, now))
    return replace(account, status=status, finished=(*account.finished, finished))


def _outcome(ending: Ending) -> str:
    if isinstance(ending, Reported):
        return ending.result.failure.reason.value if ending.result.failure else ending.result.outcome.value
    return ending.reason.value


def _seconds(job: Job, result: RunResult | None, now: datetime) -> float | None:
    start = from_text(result.started_at if result and result.started_at else job.created_at)
    end = from_text(result.finished_at) if result and result.finished_at else now
    return (end - start).total_seconds() if start and end else None


def _facts(status: Status, result: RunResult) -> Status:
    """What the database said: kept only as far as this run read it."""
    if result.database is not None:
        status = replace(
            status,
            database=DatabaseFacts(result.database.engine, result.database.version, result.database.identity),
        )
    if result.current is not None:
        status = replace(status, current_revisions=tuple(result.current), current=_text(result.current))
    if result.target_revision:
        status = replace(status, target_revision=result.target_revision)
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


def _reported(account: Account, job: Job, result: RunResult, case: Case) -> Account:
    if result.failure is not None:
        return _failed(account, job, result, result.failure, case)
    if result.outcome is Outcome.PLANNED:
        return planned(account, job, case)
    if result.outcome is Outcome.BEHIND or (job.kind is RunKind.APPLY and result.pending):
        return _left(account, job, result, case)
    if _found_late(result, case.now):
        summary = Summary(case.schema.generation, Reason.CHECKING, found_late(result))
        return replace(account, status=summarize(account.status, summary, case.now), due=Due.CHECK)
    account = withdrawn(account, job, f"{_text(result.current or [])} is what the database has")
    is_ahead = result.outcome is Outcome.AHEAD
    message = ahead(result) if is_ahead else up_to_date(result)
    reason = Reason.SCHEMA_AHEAD if is_ahead else Reason.UP_TO_DATE
    doubted_before = job.kind is RunKind.CHECK and account.status.last_failure is not None
    status = replace(account.status, failures=0, last_failure=None, next_run_after="")
    events = account.events
    if result.applied_count or doubted_before:
        events = (*events, Event(EventReason.MIGRATION_SUCCEEDED, succeeded(result)))
    status = summarize(status, Summary(case.schema.generation, reason, message), case.now)
    return replace(account, status=status, due=Due.NOTHING, events=events)


def _noted(account: Account, job: Job, result: RunResult) -> Account:
    """The account with what is to be said of the plan that this run ran."""
    approved, failure = job.approved, result.failure
    if job.kind is not RunKind.APPLY or approved is None or not approved.name:
        return account
    if failure is not None and failure.reason.reason_class is not ReasonClass.STOP:
        return account
    return replace(account, notes=(*account.notes, PlanNote(approved.name, "Failed" if failure else "Applied")))


def _failed(account: Account, job: Job, result: RunResult, failure: Failure, case: Case) -> Account:
    last = account.status.last_failure
    if failure.reason is Reason.OUTCOME_UNKNOWN:
        # What settles the revision is another plan: this one must not go on by itself.
        ref = account.status.plan
        notes = (PlanNote(ref.name, "Failed"),) if ref is not None and job.kind is not RunKind.APPLY else ()
        account = replace(account, notes=(*account.notes, *notes))
        account = replace(account, status=say_no_plan(replace(account.status, plan=None)))
    if failure.reason is not Reason.PLAN_CHANGED or job.kind is not RunKind.APPLY:
        return fail(account, failure, case, salt=job.name, owner=_owner(result))
    account = withdrawn(account, None, failure.message)
    if last is not None and last.reason == failure.reason.value and last.count >= REPLANS:
        return fail(account, failure, case, salt=job.name)
    status = replace(account.status, last_failure=_last_failure(account.status, failure, case.now, None))
    summary = Summary(case.schema.generation, Reason.PLANNING, replanned(failure.message))
    return replace(account, status=summarize(status, summary, case.now), due=Due.PLAN)


def _left(account: Account, job: Job, result: RunResult, case: Case) -> Account:
    """The account after a run that ended well and left something to do."""
    if job.kind is RunKind.PLAN:
        return _to_be_claimed(account, result, case)
    return _behind(account, job, result, case) if job.kind is RunKind.CHECK else _goes_on(account, result, case)


def _to_be_claimed(account: Account, result: RunResult, case: Case) -> Account:
    """A plan run found nothing to send, and an owner's row or adopted revisions to write."""
    if result.pending:
        failure = Failure(Reason.RUNNER_PROTOCOL_ERROR, f"Job {result.job} found revisions to apply and made no plan.")
        return fail(account, failure, case, salt=result.job)
    account = withdrawn(account, None, "nothing is left to be sent")
    summary = Summary(case.schema.generation, Reason.MIGRATING, claimed(result))
    return replace(account, status=summarize(account.status, summary, case.now), due=Due.APPLY, claims=True)


def _goes_on(account: Account, result: RunResult, case: Case) -> Account:
    """A database was adopted, or a revision settled: what comes next is another plan."""
    status = replace(account.status, failures=0, last_failure=None, next_run_after="")
    summary = Summary(case.schema.generation, Reason.PLANNING, part_done(result))
    return replace(account, status=summarize(status, summary, case.now), due=Due.PLAN)


def planned(account: Account, job: Job, case: Case) -> Account:
    """The account after a run that made a plan; whether it may run is judged from the plan in the cluster."""
    draft = job.draft
    if draft is None:
        draft = NoDraft(Reason.RUNNER_PROTOCOL_ERROR, f"Job {job.name} made a plan, and its log could not be read.")
    if isinstance(draft, NoDraft):
        return fail(account, Failure(draft.reason, draft.message), case, salt=job.name)
    if draft.waiver_faults:
        return fail(account, Failure(Reason.WAIVER_INVALID, joined(*draft.waiver_faults)), case, salt=job.name)
    ref, status = plan_ref(case.schema, draft), account.status
    if status.plan is not None and status.plan.name != ref.name:
        account = withdrawn(account, None, f"{ref.name} is what would run now")
        status = account.status
    kept = status.last_failure
    if kept is not None and kept.reason != Reason.PLAN_CHANGED.value:
        kept = None
    status = replace(status, plan=ref, last_failure=kept, next_run_after="")
    status = summarize(status, Summary(case.schema.generation, Reason.PLANNING, plan_made(ref)), case.now)
    status = say(status, Said(PLANNED, "True", "PlanMade", plan_made(ref)), case.now)
    return replace(account, status=status, due=Due.APPLY, draft=draft)


def withdrawn(account: Account, job: Job | None, why: str) -> Account:
    """The account without its plan, where that was neither applied nor is what `job` ran; people are told."""
    ref, ran = account.status.plan, job.approved if job else None
    if ref is None or used_up(account.status, ref) or (ran is not None and ran.digest == ref.digest):
        return account
    tried = account.status.history[0] if account.status.history else None
    reached = job is not None and tried is not None and tried.digest == ref.digest
    note = PlanNote(ref.name, "Applied" if reached else "Superseded")
    events = account.events
    if not reached:
        events = (*events, Event(EventReason.PLAN_SUPERSEDED, superseded(ref.name, why)))
    status = say_no_plan(replace(account.status, plan=None))
    return replace(account, status=status, notes=(*account.notes, note), events=events)


def _found_late(result: RunResult, now: datetime) -> bool:
    ended = from_text(result.finished_at)
    return ended is not None and (now - ended).total_seconds() > FRESH


def _owner(result: RunResult) -> OwnerRef | None:
    owner = result.owner
    if result.failure is None or result.failure.reason is not Reason.TARGET_OWNED:
        return None
    return OwnerRef(owner.cluster, owner.namespace, owner.name, owner.uid) if owner else None


def _behind(account: Account, job: Job, result: RunResult, case: Case) -> Account:
    """A check found work to do: at once, or as the failure before it says: after a pause, or not before a change."""
    last = account.status.last_failure
    reason = Reason(last.reason) if last and last.reason in set(Reason) else None
    if last is None or reason is None or reason.reason_class is ReasonClass.WAIT:
        # Said in the status too: should the run not start now, the next look knows that one must.
        summary = Summary(case.schema.generation, Reason.MIGRATING, behind(result))
        return replace(account, status=summarize(account.status, summary, case.now), due=Due.APPLY)
    failure = Failure(reason, last.message, last.revision, last.statement, last.sqlstate)
    again = _schedule(account, failure, case, salt=job.name)
    # What it says was posted when it came about; of a run in doubt nothing was posted yet.
    return again if job.trigger.startswith(DOUBT) else replace(again, events=account.events)


def _doubted(account: Account, doubt: Doubt, case: Case) -> Account:
    failures = account.status.failures + 1
    status = replace(
        account.status,
        failures=failures,
        last_failure=_last_failure(account.status, Failure(doubt.reason, doubt.message), case.now, None),
    )
    summary = Summary(case.schema.generation, Reason.CHECKING, doubted(doubt.message))
    return replace(account, status=summarize(status, summary, case.now), due=Due.CHECK)


def fail(account: Account, failure: Failure, case: Case, salt: str, owner: OwnerRef | None = None) -> Account:
    """The account after a failure that is known for what it is; `salt` spreads the time of the next try."""
    counted = failure.reason.reason_class in (ReasonClass.RETRY, ReasonClass.REPLAN)
    status = replace(
        account.status,
        failures=account.status.failures + (1 if counted else 0),
        last_failure=_last_failure(account.status, failure, case.now, owner),
    )
    return _schedule(replace(account, status=status), failure, case, salt)


def _last_failure(status: Status, failure: Failure, now: datetime, owner: OwnerRef | None) -> LastFailure:
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
        owner=owner,
    )


def _schedule(account: Account, failure: Failure, case: Case, salt: str) -> Account:
    """Ready=False with the failure: tried again at a stated time, or Stalled."""
    status, reason, retries = account.status, failure.reason, case.spec.retry
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
    events = account.events if count > 1 and not stopped else (*account.events, event)
    return replace(account, status=status, due=Due.NOTHING, events=events)
