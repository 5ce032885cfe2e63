"""What to do about one DatabaseSchema: a pure function of what was read and of the time.

The order: account for runs that ended; wait for one that goes on; else find out whether anything must be started. A
resource whose last decision stands gets the status that it has, no action, and nothing to write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from alembic_operator.api.instant import from_text, to_text
from alembic_operator.api.spec import Spec
from alembic_operator.api.status import Run, Status
from alembic_operator.api.status_bounds import bounded
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Approved, RunKind, RunRequest
from alembic_operator.contract.result import Failure
from alembic_operator.core.gate import Hold, Missing, Start, may_start, said_approved, still_approved
from alembic_operator.core.job.names import job_name
from alembic_operator.core.job.request import build_request
from alembic_operator.core.model.decision import (
    Action,
    ActionFailed,
    CreatePlan,
    Decision,
    DeleteJob,
    Event,
    EventReason,
    NameTaken,
    StartRun,
)
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema, Job, Observed
from alembic_operator.core.model.state import Case, ReconcileState, is_doubt
from alembic_operator.core.runs.next_run import (
    TAKE_OVER_PAUSE,
    Wanted,
    look_first,
    replaced_owner,
    until_due,
    wanted_run,
)
from alembic_operator.core.runs.outcome import ending_of, gone
from alembic_operator.core.runs.pod_start import refused, start_trouble
from alembic_operator.core.runs.record import record
from alembic_operator.core.status import messages
from alembic_operator.core.status.begin import answered, begun
from alembic_operator.core.status.conditions import Summary, summarize
from alembic_operator.core.status.failures import fail

POLL_START = 15.0  # seconds: no pod by then is worth a look at the Job's events
POLL_RUN = 20.0  # seconds until the next look at a run that goes on, and between those at a pod that does not start
POLL_LONG_RUN = 120.0
POLL_DELETION = 2.0


def decide(
    observed: Observed, now: datetime, installation: Installation, failed: ActionFailed | None = None
) -> Decision:
    """What to do. Deterministic and idempotent: in the world that a decision leads to, there is nothing left to do.

    Args:
        observed: as it was read, live.
        now: the time.
        installation: what the installation fixes.
        failed: the action of the last decision on this world that could not be carried out: no other is tried, and
            the status says why.
    """
    if observed.schema.deleting:
        return Decision(observed.schema.status)
    try:
        decision = _decided(observed, now, installation, failed)
    except Missing as missing:
        return Decision(observed.schema.status, missing=missing.read)
    return replace(decision, status=bounded(decision.status))


def _decided(observed: Observed, now: datetime, installation: Installation, failed: ActionFailed | None) -> Decision:
    schema = observed.schema
    state = ReconcileState(schema.status)
    for job in unaccounted(observed):
        state = replace(state, status=_with_run(state.status, job, schema))
        ending = ending_of(job, schema, _expected(job, schema, installation))
        if ending is None:
            return _wait_for(job, state, observed, now, installation)
        state = record(state, job, ending, schema, now)
    run = state.status.run
    if run is not None:
        lost = _lost_job(run)
        state = record(state, lost, gone(lost, schema), schema, now)
    going = [job.deleted_at for job in observed.jobs if job.deleting and not job.finished]
    if going:
        # On a node that does not answer this lasts until the node is gone: a question every two seconds mends nothing.
        return _decision(state, requeue_after=_poll(min(going), POLL_DELETION, now))
    return _next(observed, state, now, installation, failed)


def unaccounted(observed: Observed) -> list[Job]:
    """The runs whose end the status does not yet tell, oldest first."""
    status = observed.schema.status
    running = status.run.job if status.run else ""
    return [job for job in observed.jobs if job.attempt > status.attempts or job.name == running]


def _expected(job: Job, schema: DatabaseSchema, installation: Installation) -> RunRequest | None:
    if schema.spec is None or job.generation != schema.generation:
        return None
    return build_request(schema, schema.spec, job.kind, job.name, replace_owner="", installation=installation)


def _lost_job(run: Run) -> Job:
    return Job(
        name=run.job,
        uid="",
        kind=RunKind(run.kind),
        attempt=run.attempt,
        generation=run.generation,
        trigger="",
        request="",
        image="",
        created_at=run.started_at,
    )


def _decision(
    state: ReconcileState,
    actions: tuple[Action, ...] = (),
    events: tuple[Event, ...] = (),
    requeue_after: float | None = None,
) -> Decision:
    return Decision(
        status=state.status,
        actions=actions,
        events=(*state.events, *events),
        finished=state.finished,
        requeue_after=requeue_after,
        plan_phases=state.plan_phases,
    )


# A run that goes on


def _is_unwanted(job: Job, observed: Observed, now: datetime, installation: Installation) -> bool:
    schema, outdated = observed.schema, job.generation != observed.schema.generation
    if job.started:
        return outdated and job.kind is not RunKind.APPLY
    if outdated or schema.spec is None or schema.spec.suspend:
        return True
    return job.kind is RunKind.APPLY and not still_approved(job, observed, Case(schema, schema.spec, now), installation)


def _wait_for(
    job: Job, state: ReconcileState, observed: Observed, now: datetime, installation: Installation
) -> Decision:
    schema = observed.schema
    outdated = job.generation != schema.generation
    if _is_unwanted(job, observed, now, installation):
        # It did nothing yet, or only reads. An apply run whose container has started is never cancelled.
        status = replace(state.status, run=None, attempts=max(state.status.attempts, job.attempt))
        actions = () if job.deleting else (DeleteJob(job.name, job.uid),)
        return _decision(replace(state, status=status), actions, requeue_after=POLL_DELETION)
    status = state.status
    if outdated:
        return _decision(state, requeue_after=_poll_run(status, now))
    trouble = None if job.started else start_trouble(job)
    if trouble and _told(schema.status, trouble):
        return _decision(state, requeue_after=POLL_RUN)
    if trouble:
        status = summarize(status, Summary(schema.generation, *trouble), now)
        events = (Event(EventReason.RETRY_SCHEDULED, trouble[1], warning=True),)
        return _decision(replace(state, status=status), events=events, requeue_after=POLL_RUN)
    status = _in_progress(status, Wanted(job.kind, job.trigger), job.name, schema, now, approved=job.approved)
    return _decision(replace(state, status=status), requeue_after=_poll_run(status, now) if job.started else POLL_START)


def _poll_run(status: Status, now: datetime) -> float:
    return _poll(status.run.started_at if status.run else "", POLL_RUN, now)


def _poll(since: str, least: float, now: datetime) -> float:
    """Seconds until the next look at what goes on: a fifth of its age, since what takes an hour moves slowly."""
    began = from_text(since)
    age = (now - began).total_seconds() if began else 0.0
    return min(POLL_LONG_RUN, max(least, age / 5))


def _told(before: Status, trouble: tuple[Reason, str]) -> bool:
    """Whether the status says so already: the kubelet's words change with every try, what they mean does not."""
    ready = before.condition("Ready")
    return ready is not None and ready.reason == trouble[0].value and before.run is not None


def _with_run(status: Status, job: Job, schema: DatabaseSchema) -> Status:
    """The status naming this run, also when the operator was killed between creating the Job and saying so."""
    if status.run is None or status.run.job != job.name:
        run = Run(job.kind.value, job.name, job.attempt, job.created_at, job.generation)
        status = begun(status, schema, run, job.tokens)
    if status.run is None or job.progress is None:
        return status
    at = job.progress
    return replace(
        status, run=replace(status.run, revision=at.revision, statement=at.statement, blocked_by=at.blocked_by)
    )


_UNDER_WAY = {
    RunKind.PLAN: Reason.PLANNING,
    RunKind.APPLY: Reason.MIGRATING,
    RunKind.CHECK: Reason.CHECKING,
}


def _in_progress(
    status: Status, wanted: Wanted, job: str, schema: DatabaseSchema, now: datetime, *, approved: Approved | None
) -> Status:
    if _background(wanted.kind, status):
        return status
    reason = _UNDER_WAY[wanted.kind]
    target = messages.target(schema.spec) if schema.spec else ""
    message = messages.started(wanted.kind, job, target)
    if is_doubt(wanted.trigger) and status.last_failure is not None:
        message = messages.doubted(status.last_failure.message)
    message = messages.blocked(message, status.run.blocked_by if status.run else "")
    status = summarize(status, Summary(schema.generation, reason, message), now)
    return said_approved(status, approved, now) if approved is not None and approved.name else status


def _background(kind: RunKind, status: Status) -> bool:
    """A check that somebody asked for leaves Ready as it is until it has read something else."""
    ready = status.condition("Ready")
    return kind is RunKind.CHECK and ready is not None and ready.status == "True"


# Nothing goes on


def _next(
    observed: Observed, state: ReconcileState, now: datetime, installation: Installation, failed: ActionFailed | None
) -> Decision:
    schema, spec = observed.schema, observed.schema.spec
    held = _held(observed, installation)
    if spec is None or held is not None:
        reason, message = held or (Reason.INVALID_SPEC, str(schema.fault))
        status = answered(state.status, schema, schema.generation, schema.tokens)
        status = replace(status, next_run_after="", last_failure=None)
        status = summarize(status, Summary(schema.generation, reason, message), now)
        return _decision(replace(state, status=status))
    if failed is not None:
        return _not_created(state, Case(schema, spec, now), failed)
    wanted = wanted_run(observed, state, now)
    if wanted is not None:
        gate = may_start(observed, state, wanted, Case(schema, spec, now), installation)
        if isinstance(gate, CreatePlan):
            return Decision(schema.status, (gate,))
        if isinstance(gate, Hold):
            return _decision(gate.state, requeue_after=until_due(gate.state.status, now))
        return _start(observed, gate, now, installation)
    decision = _decision(state, requeue_after=_look_again(observed, state, now))
    return replace(decision, old_jobs=_jobs_beyond_the_limit(observed, spec))


def _look_again(observed: Observed, state: ReconcileState, now: datetime) -> float | None:
    owner = state.status.owner
    if owner is not None and owner != observed.schema.status.owner:
        return 0.0  # whether that owner still exists is read only once it is known
    due = until_due(state.status, now)
    return due if due is None or not replaced_owner(observed, state.status) else min(due, TAKE_OVER_PAUSE)


def _held(observed: Observed, installation: Installation) -> tuple[Reason, str] | None:
    spec = observed.schema.spec
    if spec is None:
        return None
    if spec.suspend:
        return Reason.SUSPENDED, messages.SUSPENDED
    if spec.migrations.config_map and not installation.runner_image:
        return Reason.INVALID_SPEC, messages.NO_RUNNER_IMAGE
    if observed.development is False and not spec.migrations.pinned:
        return Reason.IMAGE_NOT_PINNED, messages.not_pinned(spec.migrations.image)
    if observed.development is False and spec.follows_heads:
        return Reason.INVALID_SPEC, messages.HEAD_OUTSIDE_DEVELOPMENT
    return None


def _not_created(state: ReconcileState, case: Case, failed: ActionFailed) -> Decision:
    schema, now = case.schema, case.now
    if isinstance(failed, NameTaken):
        failure = Failure(Reason.JOB_NAME_CONFLICT, messages.name_conflict(failed.what))
    else:
        failure = Failure(Reason.JOB_REFUSED, refused(failed.what, failed.words))
    state = replace(state, status=answered(state.status, schema, schema.generation, schema.tokens))
    state = fail(state, failure, case, salt=f"{schema.uid}/{to_text(now)}")
    return _decision(state, requeue_after=until_due(state.status, now))


def _start(observed: Observed, go: Start, now: datetime, installation: Installation) -> Decision:
    state, schema, spec, status = go.state, observed.schema, observed.schema.spec, go.state.status
    assert spec is not None
    wanted = look_first(go.wanted, spec, status, installation)
    kind = wanted.kind
    attempt = 1 + max([status.attempts, *(job.attempt for job in observed.jobs)]) + observed.passed_names
    name = job_name(schema.name, schema.uid, kind, wanted.trigger, attempt)
    request = build_request(
        replace(schema, status=status),  # what the run before it has read decides the shadow's image
        spec,
        kind,
        name,
        replace_owner=replaced_owner(observed, status),
        installation=installation,
        approved=go.approved,
    )
    run = Run(kind.value, name, attempt, to_text(now), schema.generation)
    status = begun(status, schema, run, schema.tokens)
    first = kind is RunKind.APPLY and status.last_failure is None
    status = _in_progress(status, wanted, name, schema, now, approved=go.approved)
    started = Event(EventReason.MIGRATION_STARTED, messages.started(kind, name, messages.target(spec)))
    events = (started,) if first else ()
    state = replace(state, status=status)
    return _decision(state, (StartRun(attempt, wanted.trigger, request, go.plan),), events, requeue_after=POLL_START)


def _jobs_beyond_the_limit(observed: Observed, spec: Spec) -> tuple[DeleteJob, ...]:
    """Jobs beyond the limit: all have ended here, and their outcome is in the status by now."""
    finished = [job for job in observed.jobs if not job.deleting]
    surplus = len(finished) - spec.history_limit
    return tuple(DeleteJob(job.name, job.uid) for job in finished[:surplus]) if surplus > 0 else ()
