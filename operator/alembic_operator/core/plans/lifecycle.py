"""What the end of a run does to the plan of a resource: made, applied, out of date, or followed by another."""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Failure, RunResult
from alembic_operator.core.model.decision import Event, EventReason, PlanNote
from alembic_operator.core.model.draft import NoDraft
from alembic_operator.core.model.observed import Job
from alembic_operator.core.model.state import Account, Case, Due
from alembic_operator.core.plans.build import plan_ref, used_up
from alembic_operator.core.plans.messages import claimed, part_done, plan_made, replanned, superseded
from alembic_operator.core.status.conditions import PLANNED, Said, Summary, say, say_no_plan, summarize
from alembic_operator.core.status.failures import fail, failure_of
from alembic_operator.core.status.messages import joined

REPLANS = 5  # plans in a row that were out of date before they ran; then there is a pause, and it counts as a failure


def noted(account: Account, job: Job, result: RunResult) -> Account:
    """The account with what is to be said of the plan that this run ran."""
    approved, failure = job.approved, result.failure
    if job.kind is not RunKind.APPLY or approved is None or not approved.name:
        return account
    if failure is not None and failure.reason.reason_class is not ReasonClass.STOP:
        return account
    return replace(account, notes=(*account.notes, PlanNote(approved.name, "Failed" if failure else "Applied")))


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


def plan_changed(account: Account, job: Job, failure: Failure, case: Case) -> Account:
    """The account after a plan that was out of date before it ran: planned again, at once while that is rare."""
    last = account.status.last_failure
    account = withdrawn(account, None, failure.message)
    if last is not None and last.reason == failure.reason.value and last.count >= REPLANS:
        return fail(account, failure, case, salt=job.name)
    status = replace(account.status, last_failure=failure_of(account.status, failure, case.now))
    summary = Summary(case.schema.generation, Reason.PLANNING, replanned(failure.message))
    return replace(account, status=summarize(status, summary, case.now), due=Due.PLAN)


def given_up_plan(account: Account, job: Job) -> Account:
    """The account after an unknown outcome: what settles the revision is another plan, and this one goes on no more."""
    ref = account.status.plan
    notes = (PlanNote(ref.name, "Failed"),) if ref is not None and job.kind is not RunKind.APPLY else ()
    status = say_no_plan(replace(account.status, plan=None))
    return replace(account, status=status, notes=(*account.notes, *notes))


def to_be_claimed(account: Account, result: RunResult, case: Case) -> Account:
    """A plan run found nothing to send, and an owner's row or adopted revisions to write."""
    if result.pending:
        failure = Failure(Reason.RUNNER_PROTOCOL_ERROR, f"Job {result.job} found revisions to apply and made no plan.")
        return fail(account, failure, case, salt=result.job)
    account = withdrawn(account, None, "nothing is left to be sent")
    summary = Summary(case.schema.generation, Reason.MIGRATING, claimed(result))
    return replace(account, status=summarize(account.status, summary, case.now), due=Due.APPLY, claims=True)


def goes_on(account: Account, result: RunResult, case: Case) -> Account:
    """A database was adopted, or a revision settled: what comes next is another plan."""
    status = replace(account.status, failures=0, last_failure=None, next_run_after="")
    summary = Summary(case.schema.generation, Reason.PLANNING, part_done(result))
    return replace(account, status=summarize(status, summary, case.now), due=Due.PLAN)
