"""One replica, put together: what it needs to start, how it stands by and stops, and what it tells of itself.

The watch needs a real API server and is tested end to end; everything else is here.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import aiohttp
import pytest
from tests.component.memory_cluster import MemoryCluster

from alembic_operator.cluster.errors import Unavailable
from alembic_operator.cluster.port import Kind
from alembic_operator.control import app as module
from alembic_operator.control.app import App, NotServed
from alembic_operator.control.queue import Key
from alembic_operator.control.reconcile.observe import Scope
from alembic_operator.control.runner_config_map import RunnerConfigMap
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.settings import Settings

from .story import NAME, NAMESPACE, SPEC


def replica(cluster: MemoryCluster, pod: str = "operator-0", **settings: Any) -> App:
    chosen = Settings(namespace="default", pod=pod, health_port=0, metrics_port=0, **settings)
    return App(chosen, cluster, RunnerConfigMap(b"the runner"), Metrics())


@pytest.fixture
def cluster() -> MemoryCluster:
    cluster = MemoryCluster()
    cluster.add_namespace(NAMESPACE)
    return cluster


async def test_replica_says_what_is_missing_when_the_crd_is_not_installed(cluster: MemoryCluster) -> None:
    cluster.serves = False
    with pytest.raises(NotServed) as caught:
        await replica(cluster).run()
    assert str(caught.value) == (
        "the API server does not serve databaseschemas.alembic-operator.dev: install the CRD "
        "(the chart does, unless crds.install is false), then the operator starts automatically"
    )


async def test_replica_stands_by_and_stops_when_another_one_leads(cluster: MemoryCluster) -> None:
    leader, other = replica(cluster), replica(cluster, "operator-1")
    await leader.lease.acquire()
    standing = asyncio.create_task(other.run())
    await asyncio.wait_for(cluster.asked("get", "leases"), 5)
    assert not standing.done()
    assert other._watch_trouble() is None
    other.stop.set()
    await asyncio.wait_for(standing, 5)
    assert not other.lease.held


async def test_replica_leads_when_the_lease_is_free(cluster: MemoryCluster) -> None:
    alone = replica(cluster)
    assert await asyncio.wait_for(alone._leads(), 5) is True
    assert alone.lease.held
    missing = "the watch has not found the API server's resources yet"
    assert alone._watch_trouble() == missing
    alone.watching.set()  # kopf raises this before the API server has answered anything
    assert alone._watch_trouble() == missing
    alone.insights.ready_resources.set()
    assert alone._watch_trouble() is None


async def test_work_is_done_by_several_when_they_lead(cluster: MemoryCluster) -> None:
    alone = replica(cluster)
    for number in range(20):
        cluster.put_schema(NAMESPACE, f"{NAME}{number}", SPEC)
    made = asyncio.Event()
    cluster.watch("jobs", lambda *_: made.set() if len(cluster.jobs(NAMESPACE)) == 20 else None)
    async with alone._workers():
        for number in range(20):
            alone.queue.add(Key(NAMESPACE, f"{NAME}{number}"))
        await asyncio.wait_for(made.wait(), 10)
    assert len(cluster.jobs(NAMESPACE)) == 20
    assert await alone.queue.take() is None
    assert len(cluster.config_maps(NAMESPACE)) == 1


async def test_work_in_hand_is_cut_off_when_it_does_not_end(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, begun = replica(cluster), asyncio.Event()

    real = cluster.get

    async def get(kind: Kind, namespace: str, name: str) -> object:
        if kind is not Kind.SCHEMA:
            return await real(kind, namespace, name)
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("it never ends")

    monkeypatch.setattr(cluster, "get", get)
    monkeypatch.setattr(module, "LAST_WORK", 0.05)
    async with asyncio.timeout(10):
        async with alone._workers():
            alone.queue.add(Key(NAMESPACE, NAME))
            await begun.wait()
    assert alone.queue.depth() == 1


async def test_cluster_is_known_by_the_uid_of_kube_system_or_by_its_setting(cluster: MemoryCluster) -> None:
    uid = (await cluster.get(Kind.NAMESPACE, "", "kube-system"))["metadata"]["uid"]
    assert (await replica(cluster)._reconciler()).installation.cluster == uid
    named = await replica(cluster, cluster_id="blue")._reconciler()
    assert (named.installation.cluster, named.where) == ("blue", Scope("blue"))


async def test_namespaces_for_development_are_the_settings_when_the_installation_is_namespaced(
    cluster: MemoryCluster,
) -> None:
    reconciler = await replica(
        cluster, cluster_id="blue", watch_namespaces=("shop", "till"), development_namespaces=("till",)
    )._reconciler()
    assert reconciler.where == Scope("blue", frozenset({"till"}), reads_namespaces=False)
    assert [request.resource for request in cluster.requests] == []


async def test_health_and_metrics_are_served_when_it_stands_by(cluster: MemoryCluster) -> None:
    other = replica(cluster)
    await other._reaches_the_cluster()
    async with other._health() as health, aiohttp.ClientSession() as http:
        base = [f"http://127.0.0.1:{port}" for port in health.ports]
        async with http.get(f"{base[0]}/healthz") as answer:
            assert answer.status == 200
        async with http.get(f"{base[0]}/readyz") as answer:
            assert answer.status == 200
        async with http.get(f"{base[1]}/metrics") as answer:
            assert "alembic_operator_queue_depth 0.0" in await answer.text()


async def test_lease_is_released_when_the_process_is_asked_to_end(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = replica(cluster)

    async def watch_until_stopped() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await alone.stop.wait()

    monkeypatch.setattr(alone, "_watch", watch_until_stopped)
    async with asyncio.timeout(10):
        await alone.run()
    assert not alone.lease.held
    assert (await cluster.get(Kind.LEASE, "default", "alembic-operator"))["spec"].get("holderIdentity", "") == ""


async def test_start_waits_and_says_so_when_the_api_server_is_away(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "AWAY", 0.01)
    cluster.fail("get", "apis", Unavailable, times=3)
    alone = replica(cluster)
    assert alone._cluster_trouble() == "the API server has not answered yet"

    assert await alone._reaches_the_cluster()

    assert alone._cluster_trouble() is None
    assert capsys.readouterr().out.count("waiting for the API server") == 3


async def test_replica_stops_when_it_is_asked_to_while_the_api_server_is_away(cluster: MemoryCluster) -> None:
    cluster.fail("get", "apis", Unavailable, times=1000)
    alone = replica(cluster)
    running = asyncio.create_task(alone.run())
    await asyncio.wait_for(cluster.asked("get", "apis"), 5)
    assert not running.done()

    alone.stop.set()

    await asyncio.wait_for(running, 5)
    assert not alone.lease.held
