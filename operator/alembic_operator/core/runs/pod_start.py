"""Why the pod of a run does not start, in a sentence with the remedy."""

from __future__ import annotations

import re

from alembic_operator.contract import job_env
from alembic_operator.contract.reasons import Reason
from alembic_operator.core.model.observed import Job, Pod
from alembic_operator.core.status.messages import joined

_SHADOW = f"sidecar {job_env.SHADOW_CONTAINER}: "  # as observed.parse_pod begins what that container waits for
_PULL = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
# What containerd and the kubelet wrap around the one thing that is wrong, naming the image each time.
_WRAPPING = re.compile(
    r'rpc error: code = \w+ desc = |failed to (pull and unpack image|resolve reference) "[^"]*": '
    r'|Back-off pulling image "[^"]*": \w+: '
)


def start_trouble(job: Job) -> tuple[Reason, str] | None:
    """The reason and a message; None while nothing speaks against a start."""
    if not job.pods:
        return _refused(job) if job.refusal else None
    return next((trouble for pod in job.pods if (trouble := _pod_trouble(pod)) is not None), None)


def refused(job: str, words: str) -> str:
    """The message for a Job, or the pod of a Job, that the API server did not let in."""
    return joined(
        f"The API server refused to create {job}: {words.strip()[:500]}",
        "Raise the quota, or change spec.job or the policy that rejects it; the operator retries automatically.",
    )


def _refused(job: Job) -> tuple[Reason, str]:
    return Reason.JOB_REFUSED, refused(f"the pod of Job {job.name}", job.refusal)


def _pod_trouble(pod: Pod) -> tuple[Reason, str] | None:
    if pod.unschedulable:
        return (
            Reason.UNSCHEDULABLE,
            joined(
                f"Pod {pod.name} cannot be scheduled: {pod.unschedulable[:400]}",
                "Lower spec.job.resources, or change spec.job.nodeSelector or tolerations.",
            ),
        )
    if not pod.creating:
        return _container_trouble(pod)
    if pod.ended is not None and pod.ended.started_at == "":
        return (
            Reason.POD_NOT_STARTING,
            f"Pod {pod.name} could not start its container ({pod.ended.reason}): {pod.ended.message[:400]}. "
            "Check spec.migrations.python: it must name a Python >= 3.9 in the image.",
        )
    if pod.reason and not pod.started:
        return (
            Reason.POD_NOT_STARTING,
            f"Pod {pod.name} ended before it started ({pod.reason}): {pod.message[:400]}",
        )
    return None


def _container_trouble(pod: Pod) -> tuple[Reason, str]:
    if pod.waiting_message.startswith(_SHADOW):
        return (
            Reason.SHADOW_FAILED,
            f"Pod {pod.name} cannot start its shadow, the scratch PostgreSQL of a plan run ({pod.waiting}): "
            f"{_words(pod).removeprefix(_SHADOW)}. Check spec.review.shadow and spec.migrations.pullSecrets, or the "
            "operator's shadow.images where the spec names no image; the operator retries automatically.",
        )
    if pod.waiting in _PULL:
        return (
            Reason.IMAGE_PULL_FAILED,
            f"Pod {pod.name} cannot pull its image ({pod.waiting}): {_words(pod)}. "
            "Check spec.migrations.image and spec.migrations.pullSecrets; the operator retries automatically.",
        )
    return (
        Reason.POD_NOT_STARTING,
        f"Pod {pod.name} is not starting ({pod.waiting}): {_words(pod)}. Check spec.job and what it names.",
    )


def _words(pod: Pod) -> str:
    return _WRAPPING.sub("", pod.waiting_message or "no further details").strip().rstrip(".")[:400]
