"""How a run ended, as far as the cluster can tell: its result, or doubt that only the database can settle."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import ProtocolError, RunKind, RunRequest
from alembic_operator.contract.result import Outcome, RunResult
from alembic_operator.core.model.observed import DatabaseSchema, Ended, Job, Pod
from alembic_operator.core.runs.pod_start import start_trouble


@dataclass(frozen=True)
class Reported:
    """The runner said how it went."""

    result: RunResult


@dataclass(frozen=True)
class Doubt:
    """The run is over and left no word that counts: what it did, only the database knows."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class NeverStarted:
    """The Job is over and no container of it ever ran: it did nothing."""

    reason: Reason
    message: str


Ending = Reported | Doubt | NeverStarted


def ending_of(job: Job, schema: DatabaseSchema, expected: RunRequest | None) -> Ending | None:
    """How the run ended; None while it goes on.

    Args:
        job: with its pods.
        schema: whose run it is.
        expected: what we would ask in this Job today; None when the spec has changed since it was made. A Job that asks
            something else was not made by this version of us: its word is not taken.
    """
    ended = [pod for pod in job.pods if pod.ended is not None]
    over = job.finished != "" or (bool(job.pods) and len(ended) == len(job.pods))
    if not over:
        return None
    if len(job.pods) > 1:
        return Doubt(Reason.RUNNER_PROTOCOL_ERROR, f"Job {job.name} ran in {len(job.pods)} pods instead of one.")
    if not ended:
        return _without_end(job, schema)
    pod = ended[0]
    result = _result(pod, job, schema)
    if result is None:
        return _without_result(job, pod)
    if expected is not None and not _asks(job, expected):
        return Doubt(Reason.RUNNER_PROTOCOL_ERROR, f"Job {job.name} does not match this resource's spec.")
    return Reported(result)


def gone(job: Job, schema: DatabaseSchema) -> Ending:
    """The ending of a run whose Job was deleted before its outcome was read."""
    message = f"Job {job.name} was deleted before its outcome could be read."
    return _told_trouble(job, schema) or Doubt(Reason.INTERRUPTED, message)


def _asks(job: Job, expected: RunRequest) -> bool:
    asked = job.asked
    if isinstance(asked, ProtocolError):
        return False
    # The shadow's image follows the server's version, which this very run may have been the first to read; how the
    # schema was verified, the runs before it found out.
    ours = replace(
        expected,
        replace_owner=asked.replace_owner,
        shadow_image=asked.shadow_image,
        approved=asked.approved,
        verification=asked.verification,
    )
    return asked == ours


def _result(pod: Pod, job: Job, schema: DatabaseSchema) -> RunResult | None:
    result = pod.ended.result if pod.ended is not None else None
    if result is None:
        return None
    if result.outcome is Outcome.BEHIND and job.kind is RunKind.APPLY and not _is_part(job):
        return None  # it is there to mend just that: taken at its word, it would be started for ever
    if result.outcome is Outcome.PLANNED and job.kind is not RunKind.PLAN:
        return None
    if result.outcome is Outcome.APPLIED and job.kind is not RunKind.APPLY:
        return None
    ours = (result.target_uid, result.job, result.kind, result.generation) == (
        schema.uid,
        job.name,
        job.kind,
        job.generation,
    )
    return result if ours else None


def _is_part(job: Job) -> bool:
    """Whether it was to do what comes before the revisions: to adopt a database, or to settle a revision."""
    approved = job.approved
    return approved is not None and approved.direction in (Direction.BASELINE.value, Direction.REPAIR.value)


def _without_result(job: Job, pod: Pod) -> Ending:
    ended = pod.ended or Ended(-1, "", "")
    if ended.started_at == "":
        reason, message = start_trouble(job) or (Reason.POD_NOT_STARTING, f"Pod {pod.name} never started.")
        return NeverStarted(reason, message)
    if ended.reason == "OOMKilled":
        return Doubt(
            Reason.OUT_OF_MEMORY,
            f"Job {job.name} ran out of memory and was killed. Raise spec.job.resources.limits.memory.",
        )
    if ended.exit_code in (137, 143):
        return Doubt(Reason.INTERRUPTED, f"Job {job.name} was killed (exit code {ended.exit_code}).")
    return Doubt(
        Reason.RUNNER_PROTOCOL_ERROR,
        f"Job {job.name} exited with code {ended.exit_code} and left no result. See its log: kubectl logs "
        f"job/{job.name}.",
    )


def _told_trouble(job: Job, schema: DatabaseSchema) -> NeverStarted | None:
    """Why the pod did not start, by the status: at the Job's deadline the pod goes, and with it what it waited for."""
    ready, run = schema.status.condition("Ready"), schema.status.run
    if ready is None or run is None or run.job != job.name or ready.reason not in set(Reason):
        return None
    reason = Reason(ready.reason)
    return NeverStarted(reason, ready.message) if reason.reason_class is ReasonClass.WAIT else None


def _without_end(job: Job, schema: DatabaseSchema) -> Ending:
    if job.pods and not job.started:
        reason, message = start_trouble(job) or (Reason.POD_NOT_STARTING, f"The pod of Job {job.name} never started.")
        return NeverStarted(reason, message)
    if not job.pods and (trouble := _told_trouble(job, schema)) is not None:
        return trouble
    if job.finished_reason == "DeadlineExceeded":
        return Doubt(
            Reason.DEADLINE_EXCEEDED,
            f"Job {job.name} exceeded its deadline. Raise spec.timeouts.run if it needs longer.",
        )
    words = job.finished_message or job.finished_reason or "it is being deleted"
    return Doubt(Reason.INTERRUPTED, f"Job {job.name} ended without a status from its pod ({words[:200]}).")
