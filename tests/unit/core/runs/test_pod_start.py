"""A pod that does not start: the reason, a message with the remedy, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.core.world import APPLY, World, migrating, request_of

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome
from alembic_operator.core.model.decision import Event, EventReason


def waiting(reason: str, message: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


NEVER = {"exitCode": 128, "startedAt": "1970-01-01T00:00:00Z", "message": 'exec: "python4": not found'}
PULL = "Check spec.migrations.image and spec.migrations.pullSecrets; the operator retries automatically."
SHADOW = "Pod POD cannot start its shadow, the scratch PostgreSQL of a plan run"
SHADOW_REMEDY = (
    "Check spec.review.shadow and spec.migrations.pullSecrets, or the operator's shadow.images where the spec names no "
    "image; the operator retries automatically."
)
TROUBLES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "image": (
        waiting("ImagePullBackOff", "Back-off pulling image."),
        {},
        "ImagePullFailed",
        f"Pod POD cannot pull its image (ImagePullBackOff): Back-off pulling image. {PULL}",
    ),
    "image, without a word": (
        waiting("ErrImagePull", ""),
        {},
        "ImagePullFailed",
        f"Pod POD cannot pull its image (ErrImagePull): no further details. {PULL}",
    ),
    "configuration": (
        waiting("CreateContainerConfigError", 'secret "x" not found'),
        {},
        "PodNotStarting",
        'Pod POD is not starting (CreateContainerConfigError): secret "x" not found. Check spec.job and what it names.',
    ),
    "interpreter, before the Job knows": (
        waiting("RunContainerError", "no such file"),
        {},
        "PodNotStarting",
        "Pod POD is not starting (RunContainerError): no such file. Check spec.job and what it names.",
    ),
    "no node": (
        {},
        {
            "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: cpu."}
            ]
        },
        "Unschedulable",
        "Pod POD cannot be scheduled: 0/1 nodes: cpu. Lower spec.job.resources, or change spec.job.nodeSelector or "
        "tolerations.",
    ),
    "sidecar": (
        waiting("PodInitializing", ""),
        {"initContainerStatuses": [{"name": "proxy", "state": waiting("ErrImagePull", "denied")}]},
        "ImagePullFailed",
        f"Pod POD cannot pull its image (ErrImagePull): sidecar proxy: denied. {PULL}",
    ),
    "shadow": (
        waiting("PodInitializing", ""),
        {"initContainerStatuses": [{"name": "alembic-operator-shadow", "state": waiting("ErrImagePull", "denied")}]},
        "ShadowFailed",
        f"{SHADOW} (ErrImagePull): denied. {SHADOW_REMEDY}",
    ),
    "shadow, without a shell": (
        waiting("PodInitializing", ""),
        {
            "initContainerStatuses": [
                {"name": "alembic-operator-shadow", "state": waiting("CrashLoopBackOff", "no /bin/sh")},
                {"name": "proxy", "state": waiting("ErrImagePull", "denied")},
            ]
        },
        "ShadowFailed",
        f"{SHADOW} (CrashLoopBackOff): no /bin/sh. {SHADOW_REMEDY}",
    ),
    "rejected by the node": (
        {},
        {"phase": "Failed", "reason": "OutOfcpu", "message": "Node had not enough cpu."},
        "PodNotStarting",
        "Pod POD ended before it started (OutOfcpu): Node had not enough cpu.",
    ),
}


@pytest.mark.parametrize("case", TROUBLES)
def test_trouble_is_told_once_with_its_remedy_when_the_pod_does_not_start(case: str) -> None:
    state, status, reason, message = TROUBLES[case]
    world = migrating()
    run = world.run()
    world.pod(run, state, **status)
    decision = world.look()
    said = message.replace("POD", run.pods[0]["metadata"]["name"])
    assert world.ready() == ("False", reason, said)
    assert world.others() == {"Reconciling": "RetryingAfterFailure"}
    assert decision.events == (Event(EventReason.RETRY_SCHEDULED, said, warning=True),)
    assert (decision.actions, decision.requeue_after) == ((), 20)
    assert world.parsed.run is not None
    again = world.look()
    assert (again.events, world.ready()[2], world.writes) == ((), said, 2)


@pytest.mark.parametrize("state", [{}, waiting("ContainerCreating", ""), waiting("PodInitializing", "")])
def test_nothing_is_said_when_a_pod_is_just_starting(state: dict[str, Any]) -> None:
    world = migrating()
    world.pod(world.run(), state)
    world.look()
    assert (world.reason(), world.writes) == ("Migrating", 1)


def test_refusal_is_told_when_the_pod_may_not_be_made() -> None:
    world = migrating()
    run = world.run()
    run.refusal = 'Error creating: pods "x" is forbidden: exceeded quota: compute'
    decision = world.look()
    assert world.ready() == (
        "False",
        "JobRefused",
        f"The API server refused to create the pod of Job {run.name}: Error creating: pods "
        '"x" is forbidden: exceeded quota: compute. Raise the quota, or change spec.job or the policy that rejects it; '
        "the operator retries automatically.",
    )
    assert decision.requeue_after == 20


def test_message_stays_when_the_kubelet_says_the_same_in_other_words() -> None:
    world = migrating()
    for words in ("Back-off 10s", "Back-off 20s"):
        world.pod(world.run(), waiting("ImagePullBackOff", words))
        world.look()
    assert "Back-off 10s" in world.ready()[2]
    assert world.writes == 2


def test_resource_is_migrating_again_when_the_image_can_be_pulled() -> None:
    world = migrating()
    world.pod(world.run(), waiting("ImagePullBackOff", "not found"))
    world.look()
    world.starts()
    assert world.ready()[:2] == ("Unknown", "Migrating")
    world.reports(Outcome.APPLIED, applied_count=1)
    assert (world.reason(), world.parsed.failures) == ("UpToDate", 0)


def test_run_is_tried_again_and_not_counted_when_the_container_could_not_start() -> None:
    world = migrating()
    run = world.run()
    world.pod(run, {"terminated": {**NEVER, "reason": "StartError"}})
    world.look()
    due = world.status["nextRunAfter"]
    assert world.ready() == (
        "False",
        "PodNotStarting",
        f"Pod {run.pods[0]['metadata']['name']} could not start its container (StartError): "
        'exec: "python4": not found. Check spec.migrations.python: it must name a Python >= 3.9 in the image. '
        f"Next attempt at {due}.",
    )
    assert (world.parsed.failures, world.parsed.history) == (0, ())
    world.wait()
    assert request_of(world.run()).kind is APPLY


def in_trouble(kind: str) -> World:
    world = migrating(retry={"limit": 0, "backoff": "10s"})
    run = world.run()
    if kind == "quota":
        run.refusal = "exceeded quota"
    else:
        world.pod(run, waiting("ImagePullBackOff", "not found"))
    world.look()
    return world


@pytest.mark.parametrize(("kind", "reason"), [("quota", Reason.JOB_REFUSED), ("image", Reason.IMAGE_PULL_FAILED)])
def test_run_is_waited_for_without_an_end_when_it_could_not_start_until_its_deadline(kind: str, reason: Reason) -> None:
    world = in_trouble(kind)
    told = world.ready()[2]
    for _ in range(5):
        run = world.run()
        run.refusal = ""
        world.meets_deadline(run)
        world.look()
        assert world.ready() == ("False", reason.value, f"{told} Next attempt at {world.status['nextRunAfter']}.")
        assert (world.parsed.failures, world.parsed.history) == (0, ())
        world.wait()
        assert request_of(world.run()).kind is APPLY
        if kind == "quota":
            world.run().refusal = "exceeded quota"
        else:
            world.pod(world.run(), waiting("ImagePullBackOff", "not found"))
        world.look()
        told = world.ready()[2]


def test_run_is_tried_again_when_a_person_deletes_the_job_that_could_not_start() -> None:
    world = in_trouble("image")
    world.runs.clear()
    world.look()
    assert (world.reason(), world.parsed.failures) == ("ImagePullFailed", 0)
    world.wait()
    assert request_of(world.run()).kind is APPLY


def test_run_is_in_doubt_at_its_deadline_when_it_had_started_after_all() -> None:
    world = in_trouble("image")
    world.starts()
    world.meets_deadline(world.run())
    world.look()
    assert world.reason() == "Checking"
