"""What the end of a run does to the plan of a resource: made, applied, out of date, or followed by another."""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Failure, RunResult
from alembic_operator.core.model.decision import Event, EventReason, PlanPhase
from alembic_operator.core.model.draft import NoDraft
from alembic_operator.core.model.observed import Job
from alembic_operator.core.model.state import Case, NextRun, ReconcileState
from alembic_operator.core.plans.build import plan_ref, used_up
from alembic_operator.core.plans.messages import claimed, part_done, plan_made, replanned, superseded
from alembic_operator.core.status.conditions import (
    PLANNED,
    ConditionUpdate,
    Summary,
    forget_plan,
    set_condition,
    summarize,
)
from alembic_operator.core.status.failures import fail, failure_of
from alembic_operator.core.status.messages import joined

REPLANS = 5  # plans in a row that were out of date before they ran; then there is a pause, and it counts as a failure


def noted(state: ReconcileState, job: Job, result: RunResult) -> ReconcileState:
    """The state with what is to be said of the plan that this run ran."""
    approved, failure = job.approved, result.failure
    if job.kind is not RunKind.APPLY or approved is None or not approved.name:
        return state
    if failure is not None and failure.reason.reason_class is not ReasonClass.STOP:
        return state
    return replace(
        state, plan_phases=(*state.plan_phases, PlanPhase(approved.name, "Failed" if failure else "Applied"))
    )


def planned(state: ReconcileState, job: Job, case: Case) -> ReconcileState:
    """The state after a run that made a plan; whether it may run is judged from the plan in the cluster."""
    draft = job.draft
    if draft is None:
        draft = NoDraft(Reason.RUNNER_PROTOCOL_ERROR, f"Job {job.name} made a plan, but its log could not be read.")
    if isinstance(draft, NoDraft):
        return fail(state, Failure(draft.reason, draft.message), case, salt=job.name)
    if draft.waiver_faults:
        return fail(state, Failure(Reason.WAIVER_INVALID, joined(*draft.waiver_faults)), case, salt=job.name)
    ref, status = plan_ref(case.schema, draft), state.status
    if status.plan is not None and status.plan.name != ref.name:
        state = withdrawn(state, None, f"{ref.name} is what would run now")
        status = state.status
    kept = status.last_failure
    if kept is not None and kept.reason != Reason.PLAN_CHANGED.value:
        kept = None
    status = replace(status, plan=ref, last_failure=kept, next_run_after="")
    status = summarize(status, Summary(case.schema.generation, Reason.PLANNING, plan_made(ref)), case.now)
    status = set_condition(status, ConditionUpdate(PLANNED, "True", "PlanMade", plan_made(ref)), case.now)
    return replace(state, status=status, due=NextRun.APPLY, draft=draft)


def withdrawn(state: ReconcileState, job: Job | None, why: str) -> ReconcileState:
    """The state without its plan, where that was neither applied nor is what `job` ran; people are told."""
    ref, ran = state.status.plan, job.approved if job else None
    if ref is None or used_up(state.status, ref) or (ran is not None and ran.digest == ref.digest):
        return state
    tried = state.status.history[0] if state.status.history else None
    reached = job is not None and tried is not None and tried.digest == ref.digest
    note = PlanPhase(ref.name, "Applied" if reached else "Superseded")
    events = state.events
    if not reached:
        events = (*events, Event(EventReason.PLAN_SUPERSEDED, superseded(ref.name, why)))
    status = forget_plan(replace(state.status, plan=None))
    return replace(state, status=status, plan_phases=(*state.plan_phases, note), events=events)


def plan_changed(state: ReconcileState, job: Job, failure: Failure, case: Case) -> ReconcileState:
    """The state after a plan that was out of date before it ran: planned again, at once while that is rare."""
    last = state.status.last_failure
    state = withdrawn(state, None, failure.message)
    if last is not None and last.reason == failure.reason.value and last.count >= REPLANS:
        return fail(state, failure, case, salt=job.name)
    status = replace(state.status, last_failure=failure_of(state.status, failure, case.now))
    summary = Summary(case.schema.generation, Reason.PLANNING, replanned(failure.message))
    return replace(state, status=summarize(status, summary, case.now), due=NextRun.PLAN)


def given_up_plan(state: ReconcileState, job: Job) -> ReconcileState:
    """The state after an unknown outcome: what settles the revision is another plan, and this one goes on no more."""
    ref = state.status.plan
    plan_phases = (PlanPhase(ref.name, "Failed"),) if ref is not None and job.kind is not RunKind.APPLY else ()
    status = forget_plan(replace(state.status, plan=None))
    return replace(state, status=status, plan_phases=(*state.plan_phases, *plan_phases))


def to_be_claimed(state: ReconcileState, result: RunResult, case: Case) -> ReconcileState:
    """A plan run found nothing to send, and an owner's row or adopted revisions to write."""
    if result.pending:
        failure = Failure(Reason.RUNNER_PROTOCOL_ERROR, f"Job {result.job} found pending revisions, but made no plan.")
        return fail(state, failure, case, salt=result.job)
    state = withdrawn(state, None, "nothing is left to be sent")
    summary = Summary(case.schema.generation, Reason.MIGRATING, claimed(result))
    return replace(state, status=summarize(state.status, summary, case.now), due=NextRun.APPLY, claims=True)


def goes_on(state: ReconcileState, result: RunResult, case: Case) -> ReconcileState:
    """A database was adopted, or a revision settled: what comes next is another plan."""
    status = replace(state.status, failures=0, last_failure=None, next_run_after="")
    summary = Summary(case.schema.generation, Reason.PLANNING, part_done(result))
    return replace(state, status=summarize(status, summary, case.now), due=NextRun.PLAN)
