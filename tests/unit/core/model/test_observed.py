"""What is read from raw objects, and what is not believed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.unit.core.world import UID, migrating

from alembic_operator.api.controller import controlled_by
from alembic_operator.core.model.observed import Tokens, parse_job, parse_pod, parse_schema

OWNED = {"metadata": {"ownerReferences": [{"uid": UID, "controller": True}]}}


@pytest.mark.parametrize(
    ("owners", "ours"),
    [
        ([{"uid": UID, "controller": True}], True),
        ([{"uid": "other"}, {"uid": UID, "controller": True}], True),
        ([{"uid": UID, "controller": False}], False),
        ([{"uid": UID}], False),
        ([{"uid": "other", "controller": True}], False),
        ([], False),
        (None, False),
    ],
)
def test_object_is_ours_when_its_controller_is(owners: list[dict[str, Any]] | None, ours: bool) -> None:
    assert controlled_by({"metadata": {"ownerReferences": owners}}, UID) is ours


@pytest.mark.parametrize(
    "spoilt",
    [
        "metadata.labels.alembic-operator~dev/run-kind",
        "metadata.annotations.alembic-operator~dev/attempt",
        "metadata.annotations.alembic-operator~dev/generation",
        "spec.template.spec.containers",
    ],
)
@pytest.mark.parametrize("value", [None, "seven"])
def test_job_is_left_aside_when_it_lacks_what_ours_have(spoilt: str, value: str | None) -> None:
    body = copy.deepcopy(migrating().run().job)
    *parents, last = (part.replace("~", ".") for part in spoilt.split("."))
    place = body
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    elif last == "containers":
        place[last] = []
    else:
        place[last] = value
    assert parse_job(body) is None


def test_job_is_left_aside_when_its_container_has_no_request() -> None:
    body = copy.deepcopy(migrating().run().job)
    body["spec"]["template"]["spec"]["containers"][0]["env"] = []
    assert parse_job(body) is None


@pytest.mark.parametrize(
    ("conditions", "finished"),
    [
        ([], ""),
        ([{"type": "SuccessCriteriaMet", "status": "True"}], ""),
        ([{"type": "FailureTarget", "status": "True"}], ""),
        ([{"type": "Complete", "status": "True"}], "Complete"),
        ([{"type": "Failed", "status": "False"}], ""),
        ([{"type": "FailureTarget", "status": "True"}, {"type": "Failed", "status": "True", "reason": "X"}], "Failed"),
    ],
)
def test_job_is_over_when_its_last_condition_says_so(conditions: list[dict[str, str]], finished: str) -> None:
    body = copy.deepcopy(migrating().run().job)
    body["status"]["conditions"] = conditions
    job = parse_job(body)
    assert job is not None
    assert job.finished == finished


def pod(state: dict[str, Any], **status: Any) -> dict[str, Any]:
    statuses = [{"name": "proxy", "state": {"running": {}}}, {"name": "migration", "state": state}]
    return {"metadata": {"name": "p", "uid": "u"}, "status": {"containerStatuses": statuses, **status}}


@pytest.mark.parametrize(
    ("state", "started", "ended"),
    [
        ({}, False, False),
        ({"waiting": {"reason": "ContainerCreating"}}, False, False),
        ({"running": {"startedAt": "2026-11-23T12:00:00Z"}}, True, False),
        ({"terminated": {"exitCode": 0, "startedAt": "2026-11-23T12:00:00Z"}}, True, True),
        ({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None}}, True, True),
        ({"terminated": {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}}, False, True),
        ({"terminated": {"exitCode": 128, "reason": "ContainerCannotRun", "startedAt": None}}, False, True),
        ({"terminated": {"exitCode": 128, "reason": "Error", "startedAt": "1970-01-01T00:00:00Z"}}, False, True),
    ],
)
def test_container_has_run_when_the_kubelet_says_so(state: dict[str, Any], started: bool, ended: bool) -> None:
    read = parse_pod(pod(state))
    assert (read.started, read.ended is not None) == (started, ended)


def test_pod_waits_for_nothing_when_it_has_no_status_yet() -> None:
    read = parse_pod({"metadata": {"name": "p", "uid": "u"}})
    assert (read.started, read.ended, read.waiting, read.unschedulable) == (False, None, "", "")


def test_annotations_are_cut_when_they_are_longer_than_the_status_can_repeat() -> None:
    meta = {"namespace": "n", "name": "s", "uid": UID, "resourceVersion": "1", "generation": 1}
    asked = {"alembic-operator.dev/reconcile-at": "r" * 999, "alembic-operator.dev/retry-at": "x"}
    schema = parse_schema({"metadata": {**meta, "annotations": asked}, "spec": {}})
    assert schema.tokens == Tokens("r" * 253, "x")
    assert schema.fault is not None
    assert str(schema.fault) == "spec.database: is required"
