"""What was read live from the cluster, parsed: the only input of `decide`, beside the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.plan import SchemaPlan
from alembic_operator.api.spec import InvalidSpec, Spec, parse_spec
from alembic_operator.api.status import Status, parse_status
from alembic_operator.contract import job_env
from alembic_operator.contract.request import Approved, ProtocolError, RunKind, RunRequest
from alembic_operator.contract.result import RunResult
from alembic_operator.core.model.draft import Draft, NoDraft

Raw = Mapping[str, Any]

UNKNOWN = "unknown"  # a moment that nobody has noted


@dataclass(frozen=True)
class Tokens:
    """What people ask for by annotations of the resource; a Job repeats those that it answers."""

    reconcile_at: str = ""
    retry_at: str = ""


@dataclass(frozen=True)
class DatabaseSchema:
    """A DatabaseSchema as it was at `version` (its resourceVersion); exactly one of `spec` and `fault` is set."""

    namespace: str
    name: str
    uid: str
    version: str
    generation: int
    status: Status
    spec: Spec | None = None
    fault: InvalidSpec | None = None
    deleting: bool = False
    tokens: Tokens = Tokens()
    take_over: str = ""


@dataclass(frozen=True)
class Ended:
    """How the migration container of a pod ended."""

    exit_code: int
    reason: str
    message: str
    started_at: str = ""
    finished_at: str = ""

    @cached_property
    def result(self) -> RunResult | None:
        """What the runner reported; None where the message is anything else."""
        try:
            return RunResult.from_json(self.message)
        except ProtocolError:
            return None


@dataclass(frozen=True)
class Pod:
    """One pod of a run; `waiting` and `unschedulable` are Kubernetes' own words for why it does not start."""

    name: str
    uid: str
    started: bool = False
    ended: Ended | None = None
    waiting: str = ""
    waiting_message: str = ""
    unschedulable: str = ""
    reason: str = ""
    message: str = ""

    @property
    def creating(self) -> bool:
        """Whether it waits for nothing but its own making: its node, its volumes, its first container."""
        return self.waiting in ("", "ContainerCreating", "PodInitializing")


@dataclass(frozen=True)
class Progress:
    """Where a run is, as its log said last."""

    revision: str = ""
    statement: int = 0
    blocked_by: str = ""


@dataclass(frozen=True)
class Job:
    """One run's Job. `finished` is the type of the condition that ended it, "" while it goes on."""

    name: str
    uid: str
    kind: RunKind
    attempt: int
    generation: int
    trigger: str
    request: str
    image: str
    created_at: str
    tokens: Tokens = Tokens()
    finished: str = ""
    finished_reason: str = ""
    finished_message: str = ""
    deleted_at: str = ""
    pods: tuple[Pod, ...] = ()
    refusal: str = ""
    progress: Progress | None = None
    draft: Draft | NoDraft | None = None

    @cached_property
    def asked(self) -> RunRequest | ProtocolError:
        """What it was made to do, or why this version cannot read that."""
        try:
            return RunRequest.from_json(self.request)
        except ProtocolError as error:
            return error

    @property
    def approved(self) -> Approved | None:
        """The plan that it was made to run."""
        return None if isinstance(self.asked, ProtocolError) else self.asked.approved

    @property
    def deleting(self) -> bool:
        """Whether it is going, with its pods before it."""
        return self.deleted_at != ""

    @property
    def started(self) -> bool:
        """Whether a container of it has ever run: then only the database knows what it did."""
        return any(pod.started for pod in self.pods)


@dataclass(frozen=True)
class Observed:
    """The world as it was read.

    Attributes:
        schema: the resource.
        jobs: its own Jobs, by attempt; those that status does not yet account for with their pods.
        development: whether the namespace is one for development; None when it was not asked, as nothing hangs on it.
        owner_gone: a live read showed that the DatabaseSchema which owns the database is no more.
        passed_names: how many of the next names of Jobs are taken by what is not this resource's.
        floor: the weakest review that the namespace's label allows, "" for any; None when it was not asked.
        plans: SchemaPlans that were asked for, by name; None for one that is not there.
        sql_faults: of plans whose SQL was asked for, by name: what is wrong with it, "" for nothing.
    """

    schema: DatabaseSchema
    jobs: tuple[Job, ...] = ()
    development: bool | None = None
    owner_gone: bool = False
    passed_names: int = 0
    floor: str | None = None
    plans: Mapping[str, SchemaPlan | None] = field(default_factory=dict)
    sql_faults: Mapping[str, str] = field(default_factory=dict)


def parse_schema(raw: Raw) -> DatabaseSchema:
    """A raw DatabaseSchema."""
    meta = raw["metadata"]
    annotations = meta.get("annotations") or {}
    spec, fault = None, None
    try:
        spec = parse_spec(raw.get("spec") or {})
    except InvalidSpec as error:
        fault = error
    return DatabaseSchema(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        version=meta["resourceVersion"],
        generation=meta["generation"],
        status=parse_status(raw.get("status")),
        spec=spec,
        fault=fault,
        deleting="deletionTimestamp" in meta,
        tokens=tokens_of(annotations),
        take_over=annotations.get(names.ANNOTATION_TAKE_OVER, ""),
    )


def tokens_of(annotations: Raw) -> Tokens:
    """What a resource's annotations ask for, or what a Job's repeat."""
    asked = (annotations.get(key, "") for key in (names.ANNOTATION_RECONCILE_AT, names.ANNOTATION_RETRY_AT))
    return Tokens(*(value[: names.TOKEN_LIMIT] for value in asked))


def controller(schema: DatabaseSchema) -> dict[str, Any]:
    """The owner reference of what this resource controls: the garbage collector takes it away with the resource."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": schema.name,
        "uid": schema.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def parse_job(raw: Raw) -> Job | None:
    """A raw Job of ours, without its pods; None when it lacks what every Job of ours has."""
    meta = raw["metadata"]
    annotations = meta.get("annotations") or {}
    try:
        kind = RunKind(meta["labels"][names.LABEL_KIND])
        attempt, generation = (int(annotations[key]) for key in (names.ANNOTATION_ATTEMPT, names.ANNOTATION_GENERATION))
        container = raw["spec"]["template"]["spec"]["containers"][0]
        request = next(v["value"] for v in container["env"] if v["name"] == job_env.REQUEST_VARIABLE)
    except (KeyError, ValueError, IndexError, StopIteration):
        return None
    end = end_of(raw)
    return Job(
        name=meta["name"],
        uid=meta["uid"],
        kind=kind,
        attempt=attempt,
        generation=generation,
        trigger=annotations.get(names.ANNOTATION_TRIGGER, ""),
        request=request,
        image=container.get("image", ""),
        created_at=meta.get("creationTimestamp", ""),
        tokens=tokens_of(annotations),
        finished=end.get("type", ""),
        finished_reason=end.get("reason", ""),
        finished_message=end.get("message", ""),
        deleted_at=meta.get("deletionTimestamp", ""),
    )


def end_of(job: Raw) -> Raw:
    """The condition that ended a raw Job; empty while it goes on."""
    status = job.get("status") or {}
    true = {c["type"]: c for c in status.get("conditions") or () if c.get("status") == "True"}
    empty: Raw = {}
    return true.get("Complete") or true.get("Failed") or empty


def parse_progress(record: Raw) -> Progress:
    """A log record; user code prints to the same log, so anything may stand in it."""
    words = [record.get(key) for key in ("revision", "blockedBy", "holder")]
    revision, blocked_by, holder = (word if isinstance(word, str) else "" for word in words)
    statement = record.get("statement")
    counted = statement if isinstance(statement, int) and 1 < statement + 1 < 2**31 else 0
    return Progress(revision, int(counted), blocked_by or holder)


def parse_pod(raw: Raw) -> Pod:
    """A raw pod of a run's Job."""
    status = raw.get("status") or {}
    statuses = {c["name"]: c for c in status.get("containerStatuses") or ()}
    container = statuses.get(job_env.CONTAINER) or {}
    state = container.get("state") or {}
    waiting_in, waiting = _first_waiting(status, state)
    scheduled: Raw = next((c for c in status.get("conditions") or () if c["type"] == "PodScheduled"), {})
    ended = _ended(state.get("terminated") or (container.get("lastState") or {}).get("terminated"))
    return Pod(
        name=raw["metadata"]["name"],
        uid=raw["metadata"]["uid"],
        started="running" in state or (ended is not None and ended.started_at != ""),
        ended=ended,
        waiting=waiting.get("reason", ""),
        waiting_message=f"{waiting_in}{waiting.get('message', '')}",
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        reason=status.get("reason", ""),
        message=status.get("message", ""),
    )


def _first_waiting(status: Raw, migration: Raw) -> tuple[str, Raw]:
    """What the pod waits for: a sidecar starts before the migration, so its trouble comes first."""
    for sidecar in status.get("initContainerStatuses") or ():
        waiting = (sidecar.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") != "PodInitializing":
            return f"sidecar {sidecar['name']}: ", waiting
    return "", migration.get("waiting") or {}


def _ended(raw: Raw | None) -> Ended | None:
    if not raw:
        return None
    started, reason = raw.get("startedAt") or "", raw.get("reason", "")
    return Ended(
        exit_code=raw.get("exitCode", -1),
        reason=reason,
        message=raw.get("message", ""),
        # A container that the kubelet could not start "ended" at the epoch. One that it has lost track of
        # (ContainerStatusUnknown) has no times at all, and may well have run.
        started_at=""
        if reason in ("StartError", "ContainerCannotRun") or "" < started < "1971"
        else started or UNKNOWN,
        finished_at=raw.get("finishedAt") or "",
    )
