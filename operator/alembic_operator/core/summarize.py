"""The only writer of the conditions: Ready always, Reconciling and Stalled only while true and never both, SchemaAhead.

So that kstatus (Flux, Helm), Argo CD's health check and `kubectl wait` all read the same story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from alembic_operator.api.instant import to_text
from alembic_operator.api.status import CONDITION_MESSAGE_LIMIT, Condition, Status, cut
from alembic_operator.contract.reasons import Reason, ReasonClass

RETRYING = "RetryingAfterFailure"

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
    if reason_class in (ReasonClass.RETRY, ReasonClass.WAIT):
        wanted["Reconciling"] = ("True", RETRYING)
    if reason_class is ReasonClass.STOP:
        wanted["Stalled"] = ("True", summary.reason.value)
    if summary.reason is Reason.SCHEMA_AHEAD:
        wanted["SchemaAhead"] = ("True", summary.reason.value)
    conditions = tuple(
        _since(status.condition(kind), Condition(kind, value, reason, message, summary.generation, to_text(now)))
        for kind, (value, reason) in sorted(wanted.items())
    )
    return replace(status, conditions=conditions, observed_generation=summary.generation)


def _since(old: Condition | None, new: Condition) -> Condition:
    if old is None or old.status != new.status or not old.last_transition_time:
        return new
    return replace(new, last_transition_time=old.last_transition_time)
