"""What `decide` says: effects from a closed set, the status to write, events to post, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alembic_operator.api.plan import SchemaPlan
from alembic_operator.api.status import Status
from alembic_operator.contract.request import RunKind, RunRequest


@dataclass(frozen=True)
class StartRun:
    """Create the Job of a run. A Job of that name that is already ours means: done. `plan` is what it was approved."""

    attempt: int
    trigger: str
    request: RunRequest
    plan: SchemaPlan | None = None


@dataclass(frozen=True)
class DeleteJob:
    """Delete a Job that never started a container, or only reads, and is no longer wanted."""

    name: str
    uid: str


Action = StartRun | DeleteJob


class EventReason(StrEnum):
    """The events that are posted, each on a transition only."""

    MIGRATION_STARTED = "MigrationStarted"
    MIGRATION_SUCCEEDED = "MigrationSucceeded"
    MIGRATION_FAILED = "MigrationFailed"
    RETRY_SCHEDULED = "RetryScheduled"


@dataclass(frozen=True)
class Event:
    """One sentence for `kubectl describe`."""

    reason: EventReason
    message: str
    warning: bool = False


@dataclass(frozen=True)
class FinishedRun:
    """A run that this decision accounts for, for the metrics; `seconds` is None when not known."""

    kind: RunKind
    outcome: str
    seconds: float | None


@dataclass(frozen=True)
class Decision:
    """What follows from what was observed.

    Attributes:
        status: as it must read after the actions; equal to the observed one when there is nothing to write.
        surplus: old Jobs that may go once the status is written, as it holds their outcome; none of them is needed.
        requeue_after: seconds until the resource must be looked at again; None: when something changes.
    """

    status: Status
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    finished: tuple[FinishedRun, ...] = ()
    requeue_after: float | None = None
    surplus: tuple[DeleteJob, ...] = ()
