"""Live reads: a DatabaseSchema, its Jobs, the pods of those that are not accounted for, and the plan that one made.

What a decision needs beyond that, as the SchemaPlan in the cluster, it asks for: `plan_store` reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.controller import controlled_by
from alembic_operator.api.instant import from_text
from alembic_operator.cluster.errors import NotFound, Refused
from alembic_operator.cluster.port import Cluster, Kind, about, made_for, of_job
from alembic_operator.contract import job_env
from alembic_operator.contract.records import record_in
from alembic_operator.control.reconcile.plan_log import PlanLinter, draft_of
from alembic_operator.core.decide import unaccounted
from alembic_operator.core.model.observed import (
    DatabaseSchema,
    Job,
    Observed,
    Pod,
    Progress,
    parse_job,
    parse_pod,
    parse_progress,
    parse_schema,
)

Raw = Mapping[str, Any]

PATIENCE = 10.0  # seconds before a Job without a pod, or a run without an end, is asked about
LOG_LINES = 50
REFUSALS = ("FailedCreate",)
MOUNT_FAILURES = ("FailedMount", "FailedAttachVolume")
TELLING = ("running", "retry", "waiting", "applied")  # log records that say where a run is


@dataclass(frozen=True)
class Scope:
    """Where this installation may look.

    Attributes:
        cluster_id: of this cluster.
        development: namespaces that are for development whatever their labels say.
        reads_namespaces: whether it may read the labels of Namespaces.
    """

    cluster_id: str
    development: frozenset[str] = frozenset()
    reads_namespaces: bool = True


async def observe(
    cluster: Cluster, namespace: str, name: str, where: Scope, now: datetime, *, linter: PlanLinter
) -> Observed | None:
    """The world as far as it matters to this resource; None when the resource is gone.

    Raises:
        SlotBusy: a plan of it is to be read, and others come first.
        ClusterError: the cluster could not be asked.
    """
    try:
        schema = parse_schema(await cluster.get(Kind.SCHEMA, namespace, name))
    except NotFound:
        return None
    if schema.deleting:
        return Observed(schema)
    raws = await cluster.list_all(Kind.JOB, namespace, labels=made_for(schema.uid))
    jobs = [job for raw in raws if controlled_by(raw, schema.uid) and (job := parse_job(raw)) is not None]
    observed = Observed(schema, tuple(sorted(jobs, key=lambda job: job.attempt)))
    told = {job.name: await _detailed(cluster, namespace, job, now) for job in unaccounted(observed)}
    for job in told.values():
        if job.generation == schema.generation:
            drafted = await draft_of(cluster, namespace, job, now.date(), linter)
            told[job.name] = replace(job, draft=drafted)
    return replace(
        observed,
        jobs=tuple(told.get(job.name, job) for job in observed.jobs),
        development=await _development(cluster, schema, where),
        owner_gone=await _owner_gone(cluster, schema, where),
    )


async def _detailed(cluster: Cluster, namespace: str, job: Job, now: datetime) -> Job:
    raws = await cluster.list_all(Kind.POD, namespace, labels=of_job(job.uid))
    job = replace(job, pods=tuple(parse_pod(raw) for raw in raws if controlled_by(raw, job.uid)))
    created = from_text(job.created_at)
    if job.finished or created is None or (now - created).total_seconds() < PATIENCE:
        return job
    if not job.pods:
        # Quota, webhooks and pod security leave no condition on the Job, only events.
        return replace(job, refusal=await _last_word(cluster, namespace, job.uid, REFUSALS))
    if not job.started:
        return replace(job, pods=tuple([await _mounting(cluster, namespace, pod) for pod in job.pods]))
    running = next((pod.name for pod in job.pods if pod.started and pod.ended is None), None)
    return job if running is None else replace(job, progress=await _progress(cluster, namespace, running))


async def _mounting(cluster: Cluster, namespace: str, pod: Pod) -> Pod:
    """The pod, with what keeps its volumes from it: the kubelet says so in events alone."""
    if pod.ended is not None or pod.unschedulable or not pod.creating:
        return pod
    words = await _last_word(cluster, namespace, pod.uid, MOUNT_FAILURES)
    return replace(pod, waiting=MOUNT_FAILURES[0], waiting_message=words) if words else pod


async def _last_word(cluster: Cluster, namespace: str, uid: str, reasons: Collection[str]) -> str:
    found = await cluster.list_all(Kind.EVENT, namespace, fields=about(uid))
    events = [event for event in found if event.get("reason") in reasons]
    events.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return str(events[-1].get("message", "")) if events else ""


async def _progress(cluster: Cluster, namespace: str, pod: str) -> Progress | None:
    """What the runner's log said last about where it is."""
    try:
        text = await cluster.read_log(namespace, pod, job_env.CONTAINER, LOG_LINES)
    except (NotFound, Refused):
        return None  # it ended in this moment: the next look finds its result
    for line in reversed(text.splitlines()):
        record = record_in(line)
        if record.get("event") in TELLING:
            return parse_progress(record)
    return None


async def _development(cluster: Cluster, schema: DatabaseSchema, where: Scope) -> bool | None:
    spec = schema.spec
    if spec is None or (spec.migrations.pinned and not spec.follows_heads):
        return None
    if schema.namespace in where.development:
        return True
    if not where.reads_namespaces:
        return False
    labels = (await cluster.get(Kind.NAMESPACE, "", schema.namespace))["metadata"].get("labels") or {}
    return bool(labels.get(names.LABEL_ENVIRONMENT) == names.DEVELOPMENT)


async def _owner_gone(cluster: Cluster, schema: DatabaseSchema, where: Scope) -> bool:
    owner = schema.status.owner
    if owner is None or owner.cluster != where.cluster_id:
        return False  # of another cluster's only a person knows
    try:
        raw = await cluster.get(Kind.SCHEMA, owner.namespace, owner.name)
    except NotFound:
        return True
    except Refused:
        return False  # a namespaced installation that may not look there
    return bool(raw["metadata"]["uid"] != owner.uid)
