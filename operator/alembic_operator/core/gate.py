"""What stands between the wish to apply and the Job: a plan, and where it is needed a decision.

A plan counts as it is read live, while it belongs to this resource and to what its spec asks for. What must be read for
that is asked for by `Missing`, one thing at a time, and only where the answer matters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from alembic_operator.api import names as api
from alembic_operator.api.plan import REJECT, SchemaPlan
from alembic_operator.api.spec import Spec
from alembic_operator.api.status import PlanRef, Status
from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Approved, RunKind
from alembic_operator.contract.result import Failure
from alembic_operator.core.job.request import request_mark
from alembic_operator.core.model.decision import (
    CreatePlan,
    Event,
    EventReason,
    PlanPhase,
    Read,
    ReadFloor,
    ReadPlan,
    ReadSql,
)
from alembic_operator.core.model.draft import Draft
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema, Job, Observed
from alembic_operator.core.model.state import Case, ReconcileState
from alembic_operator.core.plans import messages
from alembic_operator.core.plans.approval import Answer, Verdict, is_reviewed, judge
from alembic_operator.core.plans.build import build_plan, used_up
from alembic_operator.core.runs.next_run import Wanted
from alembic_operator.core.status.begin import answered
from alembic_operator.core.status.conditions import (
    APPROVED,
    PLANNED,
    ConditionUpdate,
    Summary,
    forget_plan,
    set_condition,
    summarize,
)
from alembic_operator.core.status.failures import fail


class Missing(Exception):
    """Something must be read before it can be decided."""

    def __init__(self, read: Read) -> None:
        super().__init__(read)
        self.read = read


@dataclass(frozen=True)
class Start:
    """A run may start; `approved` and `plan` where it runs a plan."""

    state: ReconcileState
    wanted: Wanted
    approved: Approved | None = None
    plan: SchemaPlan | None = None


@dataclass(frozen=True)
class Hold:
    """Nothing may start; the state says why."""

    state: ReconcileState


def may_start(
    observed: Observed, state: ReconcileState, wanted: Wanted, case: Case, installation: Installation
) -> Start | Hold | CreatePlan:
    """What follows from the wish to apply: the run, its plan to be created first, or nothing yet.

    Raises:
        Missing: something must be read first.
    """
    spec = case.spec
    if wanted.kind is not RunKind.APPLY or not _reviewed(observed, spec):
        return Start(state, wanted)
    if state.claims:
        return Start(state, wanted, _claim(state.status))
    found = _plan(observed, state, case, installation)
    if found is None:
        state = replace(state, status=forget_plan(state.status))
        return Start(state, Wanted(RunKind.PLAN, str(case.schema.generation)))
    return _judged(found, observed, state, case, installation) if isinstance(found, SchemaPlan) else found


def _judged(
    plan: SchemaPlan, observed: Observed, state: ReconcileState, case: Case, installation: Installation
) -> Start | Hold:
    verdict = _verdict(plan, observed, case.spec, case.now, installation)
    if verdict.answer is Answer.REJECTED:
        return _rejected(observed, state, plan, verdict, case)
    fault = _sql_fault(observed, plan) if verdict.answer is Answer.APPROVED else ""
    if not verdict.may_run or fault:
        named = case.spec.review.approved_digest
        message = messages.waits(
            plan,
            verdict,
            policies=installation.admission_policies,
            fault=fault,
            other_digest=named if named != plan.plan.digest else "",
        )
        return _waits(observed, state, plan, message, case)
    wanted = Wanted(RunKind.APPLY, str(case.schema.generation))
    return Start(_accepted(observed, state, plan, verdict), wanted, _approval(plan, verdict), plan)


def still_approved(job: Job, observed: Observed, case: Case, installation: Installation) -> bool:
    """Whether the Job of an apply run, whose container has not started, may still start. Raises Missing."""
    approved = job.approved
    if approved is None:
        return not _reviewed(observed, case.spec)  # the namespace's label may ask for more than when it was made
    if not approved.name:
        return True
    plan = _read(observed, approved.name)
    if plan is None or plan.deleting or plan.uid != approved.uid or plan.plan.digest != approved.digest:
        return False
    return _verdict(plan, observed, case.spec, case.now, installation).may_run


def _reviewed(observed: Observed, spec: Spec) -> bool:
    if spec.allow_downgrade or (spec.baseline is not None and spec.baseline.revisions):
        return True  # the way back and the adoption of a database take a decision in every mode
    return is_reviewed(spec.review, "") or is_reviewed(spec.review, _floor(observed))


def _floor(observed: Observed) -> str:
    if observed.floor is None:
        raise Missing(ReadFloor())
    return observed.floor


def _verdict(plan: SchemaPlan, observed: Observed, spec: Spec, now: datetime, installation: Installation) -> Verdict:
    floor = "" if spec.review.mode == "Required" else _floor(observed)
    return judge(plan, spec.review, floor, now.date(), policies=installation.admission_policies)


def _read(observed: Observed, name: str) -> SchemaPlan | None:
    if name not in observed.plans:
        raise Missing(ReadPlan(name))
    return observed.plans[name]


def _plan(
    observed: Observed, state: ReconcileState, case: Case, installation: Installation
) -> SchemaPlan | CreatePlan | Hold | None:
    """The plan that is to be judged; None when one must be made."""
    schema, ref = case.schema, state.status.plan
    if ref is None:
        return None
    mark = request_mark(schema, case.spec, installation)
    if state.draft is not None:
        return _stored(state.draft, ref, observed, state, case, mark=mark)
    if used_up(state.status, ref):
        return None
    live = _read(observed, ref.name)
    if live is None or live.deleting or not _ours(live, schema, ref) or not _tells(live, ref):
        return None
    same = ref.generation == schema.generation or live.labels.get(api.LABEL_REQUEST) == mark
    return live if same else None


def _stored(
    draft: Draft, ref: PlanRef, observed: Observed, state: ReconcileState, case: Case, *, mark: str
) -> SchemaPlan | CreatePlan | Hold:
    """The plan of a draft as it is in the cluster, once it was created there."""
    schema = case.schema
    if ref.name not in observed.plans:
        plan, config_maps = build_plan(schema, draft, mark, case.spec.migrations.image)
        return CreatePlan(plan, config_maps)
    stored = observed.plans[ref.name]
    if stored is None or not _ours(stored, schema, ref):
        failure = Failure(Reason.JOB_NAME_CONFLICT, messages.name_taken(ref.name))
    elif stored.deleting:
        failure = Failure(Reason.JOB_REFUSED, messages.still_going(stored))
    else:
        return stored
    return Hold(fail(state, failure, case, salt=f"{schema.uid}/{state.status.attempts}"))


def _ours(plan: SchemaPlan, schema: DatabaseSchema, ref: PlanRef) -> bool:
    return plan.schema_uid == schema.uid and plan.plan.digest == ref.digest


def _tells(plan: SchemaPlan, ref: PlanRef) -> bool:
    """Whether it tells of as many findings as the one that was stored; a rejection holds whatever it tells."""
    rejected = plan.decision is not None and plan.decision.type == REJECT
    return rejected or (plan.plan.errors, plan.plan.warnings) == (ref.errors, ref.warnings)


def _sql_fault(observed: Observed, plan: SchemaPlan) -> str:
    """What is wrong with the SQL that somebody read before approving it; "" for nothing."""
    if plan.name not in observed.sql_faults:
        raise Missing(ReadSql(plan))
    return observed.sql_faults[plan.name]


def _claim(status: Status) -> Approved:
    rows = list(status.current_revisions or ())
    return Approved("", "", "", "", Direction.UPGRADE.value, rows, rows, 0)


def _approval(plan: SchemaPlan, verdict: Verdict) -> Approved:
    spec = plan.plan
    return Approved(
        name=plan.name,
        uid=plan.uid,
        digest=spec.digest,
        inputs_digest=spec.inputs_digest,
        direction=spec.direction,
        from_revisions=list(spec.from_revisions),
        to_revisions=list(spec.to_revisions),
        journal_id=spec.journal_id,
        guard_sha256=spec.guard_sha256,
        approved_by=verdict.by,
    )


def said_approved(status: Status, approved: Approved, now: datetime) -> Status:
    """The status that says of the plan under way that it may run."""
    message = messages.approved(approved.name, approved.digest, approved.approved_by)
    return _said(status, ConditionUpdate(APPROVED, "True", "MayRun", message), now)


def _said(status: Status, said: ConditionUpdate, now: datetime) -> Status:
    """The status with what is said of its plan, and that there is one: a new generation that it holds for forgot it."""
    if status.plan is not None:
        status = set_condition(
            status, ConditionUpdate(PLANNED, "True", "PlanMade", messages.plan_made(status.plan)), now
        )
    return set_condition(status, said, now)


def _waited(observed: Observed, plan: SchemaPlan) -> bool:
    """Whether people were told that this plan waits."""
    condition, ref = observed.schema.status.condition(APPROVED), observed.schema.status.plan
    return condition is not None and condition.status == "False" and ref is not None and ref.name == plan.name


def _accepted(observed: Observed, state: ReconcileState, plan: SchemaPlan, verdict: Verdict) -> ReconcileState:
    if not _waited(observed, plan) and plan.phase != "Pending":
        return state
    message = messages.approved(plan.name, plan.plan.digest, verdict.by)
    event = Event(EventReason.APPROVED, message)
    return replace(
        state, events=(*state.events, event), plan_phases=(*state.plan_phases, PlanPhase(plan.name, "Running"))
    )


def _held(state: ReconcileState, reason: Reason, message: str, case: Case) -> ReconcileState:
    """The state of a resource that waits for people; how often its plan was out of date is remembered."""
    schema = case.schema
    status = answered(state.status, schema, schema.generation, schema.tokens)
    last = status.last_failure
    kept = last if last is not None and last.reason == Reason.PLAN_CHANGED.value else None
    status = replace(status, next_run_after="", last_failure=kept)
    status = summarize(status, Summary(schema.generation, reason, message), case.now)
    return replace(state, status=_said(status, ConditionUpdate(APPROVED, "False", reason.value, message), case.now))


def _rejected(observed: Observed, state: ReconcileState, plan: SchemaPlan, verdict: Verdict, case: Case) -> Hold:
    message = messages.rejected(plan, verdict)
    before = observed.schema.status.condition(APPROVED)
    state = _held(state, Reason.PLAN_REJECTED, message, case)
    if before is not None and before.reason == Reason.PLAN_REJECTED.value and before.message == message:
        return Hold(state)
    event = Event(EventReason.REJECTED, message, warning=True)
    note = PlanPhase(plan.name, "Rejected")
    return Hold(replace(state, events=(*state.events, event), plan_phases=(*state.plan_phases, note)))


def _waits(observed: Observed, state: ReconcileState, plan: SchemaPlan, message: str, case: Case) -> Hold:
    held = _held(state, Reason.AWAITING_APPROVAL, message, case)
    if _waited(observed, plan):
        return Hold(held)
    ref = state.status.plan
    created = Event(EventReason.PLAN_CREATED, messages.plan_made(ref)) if state.draft and ref else None
    required = Event(EventReason.APPROVAL_REQUIRED, message, warning=True)
    events = (*state.events, *([created] if created else []), required)
    return Hold(replace(held, events=events, plan_phases=(*state.plan_phases, PlanPhase(plan.name, "Pending"))))
