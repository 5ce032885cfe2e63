"""What is known on the way to a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from alembic_operator.api.spec import Spec
from alembic_operator.api.status import Status
from alembic_operator.core.model.decision import Event, FinishedRun, PlanPhase
from alembic_operator.core.model.draft import Draft
from alembic_operator.core.model.observed import DatabaseSchema

_DOUBT, _LOOK = "doubt-", "look-"


def doubt(attempt: int) -> str:
    """The trigger of a check that finds out what a run did."""
    return f"{_DOUBT}{attempt}"


def is_doubt(trigger: str) -> bool:
    """Whether it is that of such a check."""
    return trigger.startswith(_DOUBT)


def look(trigger: str) -> str:
    """The trigger of a check before the first plan, which finds out which server it is."""
    return f"{_LOOK}{trigger}"


def is_look(trigger: str) -> bool:
    """Whether it is that of such a check."""
    return trigger.startswith(_LOOK)


@dataclass(frozen=True)
class Case:
    """The resource, with a spec that can be acted on, at a moment."""

    schema: DatabaseSchema
    spec: Spec
    now: datetime


class NextRun(Enum):
    """What must be started now, whatever else the resource says."""

    NOTHING = auto()
    CHECK = auto()
    PLAN = auto()
    APPLY = auto()


@dataclass(frozen=True)
class ReconcileState:
    """The status so far, with what was learnt on the way to it.

    Attributes:
        draft: of the plan that was just made.
        claims: whether the apply run has nothing to send, and is to enter the resource as the database's owner.
    """

    status: Status
    due: NextRun = NextRun.NOTHING
    events: tuple[Event, ...] = ()
    finished: tuple[FinishedRun, ...] = ()
    draft: Draft | None = None
    claims: bool = False
    plan_phases: tuple[PlanPhase, ...] = ()
