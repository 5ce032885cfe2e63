"""What the suite needs that both implementations of the cluster port run: in memory here, for real in tests/e2e."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.port import Cluster, Raw

pytest.register_assert_rewrite("tests.component.cluster.suite")

T = TypeVar("T")

SPEC: Raw = {
    "database": {"secretRef": {"name": "shop-db"}},
    "migrations": {"image": "registry.example/shop@sha256:" + "0" * 64},
    "revision": "8b7d0e44aa10",
}
CONDITION: Raw = {
    "type": "Ready",
    "status": "True",
    "reason": "SchemaCurrent",
    "message": "at 8b7d0e44aa10",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-11-23T12:00:00Z",
}
STATUS: Raw = {"observedGeneration": 1, "current": "8b7d0e44aa10", "conditions": [CONDITION]}
OTHER_UID = "00000000-0000-4000-8000-000000000000"


class World(Protocol):
    """A cluster, a namespace of one's own in it, and hands that are not the operator's."""

    @property
    def cluster(self) -> Cluster:
        """What is tested."""

    @property
    def namespace(self) -> str:
        """Empty at first."""

    async def put_schema(self, name: str, spec: Raw, annotations: Mapping[str, str] | None = None) -> None:
        """Create or change a DatabaseSchema."""

    async def remove_schema(self, name: str) -> None:
        """Delete a DatabaseSchema."""

    async def wait_for_pod(self, job: str) -> None:
        """The Job controller makes a pod of the Job, which no node takes."""

    async def finish_pod(self, job: str, message: str, exit_code: int) -> None:
        """A pod of the Job starts and ends."""

    async def refuse_pods(self, body: Raw) -> Raw:
        """Create a Job whose pods are refused with a word on `quota`; the Job."""


async def eventually(read: Callable[[], Awaitable[T]], what: str, seconds: float = 30) -> T:
    """Read until what is read is true, at most that long; controllers take their time."""
    deadline = time.monotonic() + seconds
    while not (found := await read()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.1)
    return found


def job(name: str, owner: Raw | None = None, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A Job whose pod no node takes."""
    head: dict[str, Any] = {"name": name, "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY, **(labels or {})}}
    if owner:
        about = owner["metadata"]
        reference = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": about["name"], "uid": about["uid"]}
        head["ownerReferences"] = [reference | {"controller": True, "blockOwnerDeletion": False}]
        head["labels"][names.LABEL_UID] = about["uid"]
    pod = {
        "restartPolicy": "Never",
        "nodeSelector": {"no-such-node": "true"},
        "containers": [{"name": "migration", "image": "registry.example/none:1"}],
    }
    spec = {"backoffLimit": 0, "podReplacementPolicy": "Failed", "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": head, "spec": spec}


def config_map(name: str, labels: Mapping[str, str] | None = None, text: str = "") -> dict[str, Any]:
    head = {"name": name, "labels": dict(labels or {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "immutable": True, "metadata": head, "data": {"text": text}}


def event(about: Raw, namespace: str) -> dict[str, Any]:
    head = about["metadata"]
    involved = {"kind": about["kind"], "namespace": head["namespace"], "name": head["name"], "uid": head["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{head['name']}.", "namespace": namespace},
        "involvedObject": involved,
        "type": "Normal",
        "reason": "SchemaCurrent",
        "message": "at 8b7d0e44aa10",
    }


def lease(name: str, holder: str, version: str = "") -> dict[str, Any]:
    head = {"name": name} | ({"resourceVersion": version} if version else {})
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": head,
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 12, "renewTime": "2026-11-23T12:00:00.000000Z"},
    }
