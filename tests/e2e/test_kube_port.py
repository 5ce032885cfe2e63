"""The port on a real API server keeps what the suite says, and so the in-memory cluster is a fair stand-in for it.

No image runs here: the pods are such that no node takes them, and their end is written by hand of the kubelet's rights.
The Job controller, the garbage collector and the quota are the real ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, nullcontext
from datetime import datetime
from pathlib import Path

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.kube import Kube
from alembic_operator.cluster.port import Cluster, Kind, Raw
from alembic_operator.control.serve.lease import Lease, Timing
from tests.cluster import lifecycle
from tests.cluster.owned import owned_cluster
from tests.component.cluster import contract, suite, suite_small

CRDS = Path(__file__).parents[2] / "crds"


class RealWorld:
    """A namespace of a real cluster. People's hands are kubectl."""

    def __init__(self, real: lifecycle.Cluster, kube: Kube, namespace: str) -> None:
        self._real = real
        self.cluster: Cluster = kube
        self.namespace = namespace

    async def kubectl(self, *arguments: str, given: Raw | None = None) -> str:
        stdin = json.dumps(given) if given else ""
        return await asyncio.to_thread(self._real.kubectl, "-n", self.namespace, *arguments, stdin=stdin)

    async def put_schema(self, name: str, spec: Raw, annotations: Mapping[str, str] | None = None) -> None:
        head = {"name": name, "annotations": dict(annotations or {})}
        body = {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": head, "spec": spec}
        await self.kubectl("apply", "--server-side", "--field-manager=people", "-f", "-", given=body)

    async def remove_schema(self, name: str) -> None:
        await self.kubectl("delete", names.PLURAL, name)

    async def wait_for_pod(self, job: str) -> None:
        await self._pod(job)

    async def _pod(self, job: str) -> str:
        selector = f"--selector=batch.kubernetes.io/job-name={job}"
        found = await contract.eventually(lambda: self.kubectl("get", "pods", selector, "-o=name"), "the Job has a pod")
        return found.strip()

    async def finish_pod(self, job: str, message: str, exit_code: int) -> None:
        times = {"startedAt": "2026-11-23T12:00:00Z", "finishedAt": "2026-11-23T12:00:01Z"}
        ended = {"exitCode": exit_code, "reason": "Error" if exit_code else "Completed", "message": message, **times}
        container = {"name": "migration", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        status = {
            "phase": "Failed" if exit_code else "Succeeded",
            "containerStatuses": [{**container, "state": {"terminated": ended}}],
        }
        patch = json.dumps({"status": status})
        await self.kubectl("patch", await self._pod(job), "--subresource=status", "--type=merge", f"--patch={patch}")

    async def refuse_pods(self, body: Raw) -> Raw:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none"},
            "spec": {"hard": {"pods": 0}},
        }
        await self.kubectl("apply", "-f", "-", given=quota)

        async def counted() -> bool:
            return bool(await self.kubectl("get", "resourcequota", "none", "-o=jsonpath={.status.hard.pods}"))

        await contract.eventually(counted, "the quota is in force")
        return await self.cluster.create(Kind.JOB, self.namespace, body)


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> Iterator[lifecycle.Cluster]:
    """A cluster of our own, unless the environment names one.

    An operator that runs in the session's would answer to the resources made here.
    """
    named = bool(os.environ.get("KUBECONFIG") and os.environ.get("IMAGE_REGISTRY"))
    given = nullcontext(request.getfixturevalue("cluster")) if named else owned_cluster("port", audit=False)
    with given as running:
        running.kubectl("apply", "--server-side", "-f", CRDS)
        running.kubectl("wait", "--for=condition=Established", f"crd/{names.PLURAL}.{names.GROUP}")
        yield running


@pytest.fixture
def namespace(real: lifecycle.Cluster) -> Iterator[str]:
    name = f"port-{uuid.uuid4().hex[:8]}"
    real.kubectl("create", "namespace", name)
    real.kubectl("label", "namespace", name, "contract=yes")
    yield name
    real.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
async def world(real: lifecycle.Cluster, namespace: str) -> AsyncIterator[contract.World]:
    kube = await Kube.connect(kubeconfig=str(real.kubeconfig))
    async with aclosing(kube):
        yield RealWorld(real, kube, namespace)


class TestSchemas(suite.Schemas):
    """See the suite."""


class TestJobs(suite.Jobs):
    """See the suite."""


class TestSmall(suite_small.Small):
    """See the suite."""


class TestLease:
    """The Lease as the API server takes it; short times, the real clock."""

    async def test_other_replica_leads_when_the_first_dies_and_at_once_when_it_releases(
        self, world: contract.World
    ) -> None:
        timing = Timing(duration=3, renew=1, retry=0.5, answer=1, give_up=2.5)

        def replica(name: str) -> Lease:
            return Lease(world.cluster, world.namespace, "leader", name, timing=timing)

        first, second, third = replica("a"), replica("b"), replica("c")
        await first.acquire()
        keeping = asyncio.create_task(first.keep())
        waiting = asyncio.create_task(second.acquire())

        async def renewed_for_longer_than_its_duration() -> bool:
            spec = (await world.cluster.get(Kind.LEASE, world.namespace, "leader"))["spec"]
            held = datetime.fromisoformat(spec["renewTime"]) - datetime.fromisoformat(spec["acquireTime"])
            return held.total_seconds() >= timing.duration + 2 * timing.retry

        await contract.eventually(renewed_for_longer_than_its_duration, "the Lease to be kept")
        assert not waiting.done()
        keeping.cancel()
        died = time.monotonic()
        await asyncio.wait_for(waiting, 4.5)
        assert time.monotonic() - died >= 1.5
        await second.release()
        await asyncio.wait_for(third.acquire(), 1)
        spec = (await world.cluster.get(Kind.LEASE, world.namespace, "leader"))["spec"]
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("c", 2)
