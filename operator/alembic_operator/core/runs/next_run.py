"""Which run must start now: for a new spec, an annotation, a doubt, or because a pause is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alembic_operator.api.instant import from_text
from alembic_operator.api.spec import Spec
from alembic_operator.api.status import Status
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import RunKind
from alembic_operator.core.job.review import is_guess
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema, Observed
from alembic_operator.core.model.state import NextRun, ReconcileState, doubt, look
from alembic_operator.core.plans.approval import is_reviewed

TAKE_OVER_PAUSE = 10.0  # seconds between two tries to take a database over
_DECIDED_BY_PEOPLE = (Reason.AWAITING_APPROVAL, Reason.PLAN_REJECTED)
TRIED_AGAIN = (ReasonClass.RETRY, ReasonClass.WAIT, ReasonClass.REPLAN)
_HELD_HERE = (Reason.SUSPENDED, Reason.IMAGE_NOT_PINNED, Reason.INVALID_SPEC)


@dataclass(frozen=True)
class Wanted:
    """A run that must start now; the trigger goes into its name."""

    kind: RunKind
    trigger: str


def wanted_run(observed: Observed, state: ReconcileState, now: datetime) -> Wanted | None:
    """The run that must start now; None when none must."""
    schema, status = observed.schema, state.status
    apply = Wanted(RunKind.APPLY, str(schema.generation))
    if state.due is NextRun.CHECK:
        return Wanted(RunKind.CHECK, doubt(status.attempts))
    if state.due is NextRun.PLAN:
        return Wanted(RunKind.PLAN, str(schema.generation))
    if state.due is NextRun.APPLY or schema.generation != status.observed_generation:
        return apply
    ready = status.condition("Ready")
    reason = Reason(ready.reason) if ready and ready.reason in set(Reason) else Reason.MIGRATING
    asked = _asked_for(schema, status, reason)
    if asked and reason is Reason.OUTCOME_UNKNOWN and schema.spec and is_reviewed(schema.spec.review, ""):
        return Wanted(RunKind.PLAN, str(schema.generation))  # it reads too, and says how the revision can be settled
    if asked is not None:
        return Wanted(RunKind.CHECK, asked) if asked else apply
    return apply if _overdue(observed, status, reason, now) else None


def look_first(wanted: Wanted, spec: Spec, status: Status, installation: Installation) -> Wanted:
    """The run to start: before the first plan a check, where the server's version decides which image its shadow has.

    A shadow of another version is a failed Job and a warning that nobody can do anything about.
    """
    if wanted.kind is RunKind.PLAN and status.database is None and is_guess(spec, installation):
        return Wanted(RunKind.CHECK, look(wanted.trigger))
    return wanted


def _overdue(observed: Observed, status: Status, reason: Reason, now: datetime) -> bool:
    """Whether the present state of the resource asks for an apply run by itself."""
    reported = status.last_failure is not None and status.last_failure.reason == reason.value
    if reason in _DECIDED_BY_PEOPLE and not reported:
        return True  # whether somebody decided is found out by looking at the plan
    if reason in _HELD_HERE and status.last_failure is None:
        return True  # what held it is gone, without a change of the spec: the namespace's label, or our own version
    if reason.reason_class is ReasonClass.RUNNING:
        return True  # the status speaks of a run that nobody knows: only the database can tell
    if reason.reason_class in TRIED_AGAIN:
        return not until_due(status, now) or _may_take_over(observed, status, now)
    return False


def _asked_for(schema: DatabaseSchema, status: Status, reason: Reason) -> str | None:
    """What an annotation asks for: a check with that trigger, an apply run (""), or nothing (None)."""
    asked = schema.tokens
    if asked.retry_at and asked.retry_at != status.last_handled_retry_at:
        return f"retry-{asked.retry_at}" if reason is Reason.OUTCOME_UNKNOWN else ""
    if asked.reconcile_at and asked.reconcile_at != status.last_handled_reconcile_at:
        failing = reason.reason_class in TRIED_AGAIN
        return "" if failing else f"reconcile-{asked.reconcile_at}"
    return None


def until_due(status: Status, now: datetime) -> float | None:
    """Seconds until the next run; None when none is planned."""
    due = from_text(status.next_run_after) if status.next_run_after else None
    return None if due is None else max(0.0, (due - now).total_seconds())


def _may_take_over(observed: Observed, status: Status, now: datetime) -> bool:
    last = status.last_failure
    if last is None or last.reason != Reason.TARGET_OWNED.value or not replaced_owner(observed, status):
        return False
    failed = from_text(last.at) if last.count > 1 else None
    return failed is None or (now - failed).total_seconds() >= TAKE_OVER_PAUSE


def replaced_owner(observed: Observed, status: Status) -> str:
    """The uid of the owner that this resource may take the database over from; "" for none.

    Whether an owner is gone was asked of the one that was known before: of one that a run has just named, nothing is.
    """
    owner = status.owner
    if owner is None or owner != observed.schema.status.owner:
        return ""
    return owner.uid if observed.owner_gone or observed.schema.take_over == owner.uid else ""
