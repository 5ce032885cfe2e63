"""The only writer of the conditions: Ready always, Reconciling and Stalled only while true and never both, SchemaAhead.

Planned and Approved stay as they are said, until the plan they are about is no longer the one that counts; Verified,
until a run has read something else.

So that kstatus (Flux, Helm), Argo CD's health check and `kubectl wait` all read the same story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from alembic_operator.api.instant import to_text
from alembic_operator.api.status import Condition, Status
from alembic_operator.api.status_bounds import CONDITION_MESSAGE_LIMIT, cut
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.verification import Verification, VerifiedReason

RETRYING = "RetryingAfterFailure"

PLANNED, APPROVED = "Planned", "Approved"
_OF_THE_PLAN = (PLANNED, APPROVED)
VERIFIED = "Verified"

_READY = {ReasonClass.OK: "True", ReasonClass.RUNNING: "Unknown"}


@dataclass(frozen=True)
class Summary:
    """What is to be said about a generation of the resource."""

    generation: int
    reason: Reason
    message: str


def summarize(status: Status, summary: Summary, now: datetime) -> Status:
    """The status with its conditions and observedGeneration made to say the summary.

    A condition keeps its transition time while its status stays as it was.
    """
    reason_class = summary.reason.reason_class
    message = cut(summary.message, CONDITION_MESSAGE_LIMIT)
    wanted = {"Ready": (_READY.get(reason_class, "False"), summary.reason.value)}
    if reason_class is ReasonClass.RUNNING:
        wanted["Reconciling"] = ("True", summary.reason.value)
    if reason_class in (ReasonClass.RETRY, ReasonClass.WAIT, ReasonClass.REPLAN):
        wanted["Reconciling"] = ("True", RETRYING)
    if reason_class is ReasonClass.STOP:
        wanted["Stalled"] = ("True", summary.reason.value)
    if summary.reason is Reason.SCHEMA_AHEAD:
        wanted["SchemaAhead"] = ("True", summary.reason.value)
    conditions = tuple(
        _since(status.condition(kind), Condition(kind, value, reason, message, summary.generation, to_text(now)))
        for kind, (value, reason) in sorted(wanted.items())
    )
    kept = tuple(
        replace(old, observed_generation=summary.generation)
        for old in status.conditions
        if old.type in (*_OF_THE_PLAN, VERIFIED)
    )
    ordered = tuple(sorted((*conditions, *kept), key=lambda condition: condition.type))
    return replace(status, conditions=ordered, observed_generation=summary.generation)


@dataclass(frozen=True)
class ConditionUpdate:
    """What is to be said by a condition of its own: `kind` is PLANNED, APPROVED or VERIFIED."""

    kind: str
    value: str
    reason: str
    message: str


def set_condition(status: Status, said: ConditionUpdate, now: datetime) -> Status:
    """The status with that condition in it."""
    message = cut(said.message, CONDITION_MESSAGE_LIMIT)
    new = Condition(said.kind, said.value, said.reason, message, status.observed_generation, to_text(now))
    others = (old for old in status.conditions if old.type != said.kind)
    conditions = (*others, _since(status.condition(said.kind), new))
    return replace(status, conditions=tuple(sorted(conditions, key=lambda condition: condition.type)))


def say_verified(status: Status, found: Verification | None, now: datetime) -> Status:
    """The status with how it is known that the schema is the history's; None: there is nothing to know."""
    if found is None:
        others = tuple(old for old in status.conditions if old.type != VERIFIED)
        return replace(status, conditions=others, schema_fingerprint="")
    said = ConditionUpdate(VERIFIED, found.reason.condition_status, found.reason.value, found.message)
    return set_condition(replace(status, schema_fingerprint=found.fingerprint), said, now)


def verification_said(status: Status) -> Verification | None:
    """What the status says of it."""
    said = status.condition(VERIFIED)
    if said is None or said.reason not in {reason.value for reason in VerifiedReason}:
        return None
    return Verification(VerifiedReason(said.reason), said.message, status.schema_fingerprint)


def forget_plan(status: Status) -> Status:
    """The status with nothing said of a plan."""
    return replace(status, conditions=tuple(old for old in status.conditions if old.type not in _OF_THE_PLAN))


def _since(old: Condition | None, new: Condition) -> Condition:
    if old is None or old.status != new.status or not old.last_transition_time:
        return new
    return replace(new, last_transition_time=old.last_transition_time)
