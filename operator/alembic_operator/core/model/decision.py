"""What `decide` says: effects from a closed set, the status to write, events to post, and when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


@dataclass(frozen=True)
class CreatePlan:
    """Create the plan after the ConfigMaps with its SQL; one that is there already counts instead.

    It comes alone: what follows from the plan as it is in the cluster is decided afterwards.
    """

    plan: SchemaPlan
    config_maps: tuple[Mapping[str, Any], ...]


Action = StartRun | DeleteJob | CreatePlan


@dataclass(frozen=True)
class NameTaken:
    """An action could not be carried out, since something else has the name: `Job shop-7f3c9a1b-1`."""

    what: str


@dataclass(frozen=True)
class NotAdmitted:
    """An action could not be carried out, since the API server refused the object; `words` is its sentence."""

    what: str
    words: str


@dataclass(frozen=True)
class JobNameTaken(NameTaken):
    """The same of a Job, which may have another name: the next attempt's."""


ActionFailed = NameTaken | NotAdmitted


@dataclass(frozen=True)
class ReadPlan:
    """Read the SchemaPlan of that name, live."""

    name: str


@dataclass(frozen=True)
class ReadSql:
    """Read the ConfigMaps of a plan and compare them with what the plan pins."""

    plan: SchemaPlan


@dataclass(frozen=True)
class ReadFloor:
    """Read the weakest review that the namespace allows."""


# What must be read before it can be decided; then it is decided again.
Read = ReadPlan | ReadSql | ReadFloor


@dataclass(frozen=True)
class PlanPhase:
    """The phase of a SchemaPlan, for people: nothing is decided by it."""

    plan: str
    phase: str


class EventReason(StrEnum):
    """The events that are posted, each on a transition only."""

    MIGRATION_STARTED = "MigrationStarted"
    MIGRATION_SUCCEEDED = "MigrationSucceeded"
    MIGRATION_FAILED = "MigrationFailed"
    RETRY_SCHEDULED = "RetryScheduled"
    PLAN_CREATED = "PlanCreated"
    APPROVAL_REQUIRED = "ApprovalRequired"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    PLAN_SUPERSEDED = "PlanSuperseded"


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
        old_jobs: old Jobs that may go once the status is written, as it holds their outcome; none of them is needed.
        requeue_after: seconds until the resource must be looked at again; None: when something changes.
        plan_phases: phases of SchemaPlans, written before the status.
        missing: what must be read first; the rest of this decision is nothing then.
    """

    status: Status
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    finished: tuple[FinishedRun, ...] = ()
    requeue_after: float | None = None
    old_jobs: tuple[DeleteJob, ...] = ()
    plan_phases: tuple[PlanPhase, ...] = ()
    missing: Read | None = None
