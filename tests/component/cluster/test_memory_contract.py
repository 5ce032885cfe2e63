"""The in-memory cluster keeps what the port promises."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.component.cluster import contract, suite, suite_small
from tests.component.memory_cluster import MemoryCluster

from alembic_operator.cluster.port import Kind, Raw


class MemoryWorld:
    """A namespace of the in-memory cluster."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.namespace = "contract"
        self.cluster.add_namespace(self.namespace, {"contract": "yes"})

    async def put_schema(self, name: str, spec: Raw, annotations: Mapping[str, str] | None = None) -> None:
        self.cluster.put_schema(self.namespace, name, spec, annotations)

    async def remove_schema(self, name: str) -> None:
        self.cluster.remove_schema(self.namespace, name)

    async def finish_pod(self, job: str, message: str, exit_code: int) -> None:
        self.cluster.finish_pod(self.namespace, job, message, exit_code)

    async def wait_for_pod(self, job: str) -> None:
        self.cluster.unschedulable(self.namespace, job, "0/1 nodes are available")

    async def refuse_pods(self, body: Raw) -> Raw:
        made = await self.cluster.create(Kind.JOB, self.namespace, body)
        self.cluster.refuse_pods(self.namespace, body["metadata"]["name"], "exceeded quota: none")
        return made


@pytest.fixture
def world() -> contract.World:
    return MemoryWorld()


class TestSchemas(suite.Schemas):
    """See the contract."""


class TestJobs(suite.Jobs):
    """See the contract."""


class TestSmall(suite_small.Small):
    """See the contract."""
