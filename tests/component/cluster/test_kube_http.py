"""What the adapter sends and how it meets a server that misbehaves, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from importlib import metadata
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from alembic_operator.api import names
from alembic_operator.cluster import kube as adapter
from alembic_operator.cluster.errors import Conflict, Gone, Unavailable
from alembic_operator.cluster.kube import Kube
from alembic_operator.cluster.port import OURS, Cluster, Kind, made_for

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """An API server that answers what a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.bodies: list[Any] = []
        self.answers: list[Handler | web.Response] = []

    def say(self, code: int, **body: Any) -> None:
        """The next answer."""
        self.answers.append(web.Response(status=code, text=json.dumps(body), content_type="application/json"))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.asked.append(request)
        self.bodies.append(json.loads(text) if text else None)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, web.Response) else await answer(request)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def address(server: Server) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def kubeconfig(folder: Path, address: str, token: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": address}}],
        "users": [{"name": "x", "user": {"token": token}}],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config))
    return str(file)


@pytest.fixture
async def kube(address: str, tmp_path: Path) -> AsyncIterator[Kube]:
    async with aclosing(await Kube.connect(kubeconfig=kubeconfig(tmp_path, address, "first"))) as connected:
        yield connected


def test_adapter_is_a_cluster_when_types_are_checked(kube: Kube) -> None:
    cluster: Cluster = kube
    assert cluster is kube


async def test_version_token_and_selectors_are_sent_when_jobs_are_listed(server: Server, kube: Kube) -> None:
    server.say(200, items=[{"metadata": {"name": "a"}}], metadata={"continue": "more"})
    server.say(200, items=[{"metadata": {"name": "b"}}], metadata={})
    found = await kube.list_all(Kind.JOB, "shop", labels=made_for("u-1"))
    first, second = server.asked
    assert [item["metadata"]["name"] for item in found] == ["a", "b"]
    assert first.path == "/apis/batch/v1/namespaces/shop/jobs"
    assert first.query["labelSelector"] == f"app.kubernetes.io/managed-by=alembic-operator,{names.LABEL_UID}=u-1"
    assert (first.query["limit"], second.query["continue"]) == ("500", "more")
    assert first.headers["User-Agent"] == f"alembic-operator/{metadata.version('alembic-operator')}"
    assert first.headers["Authorization"] == "Bearer first"


async def test_status_is_applied_by_our_manager_with_force_at_the_version_when_it_is_written(
    server: Server, kube: Kube
) -> None:
    server.say(200, metadata={})
    await kube.apply_status(Kind.SCHEMA, "shop", "db", {"observedGeneration": 1}, uid="u-1", version="7")
    (asked,), (body,) = server.asked, server.bodies
    assert (asked.method, asked.path) == (
        "PATCH",
        "/apis/alembic-operator.dev/v1alpha1/namespaces/shop/databaseschemas/db/status",
    )
    assert dict(asked.query) == {"fieldManager": "alembic-operator", "force": "true"}
    assert asked.headers["Content-Type"] == "application/apply-patch+yaml"
    assert body["metadata"] == {"namespace": "shop", "name": "db", "uid": "u-1", "resourceVersion": "7"}
    assert body["status"] == {"observedGeneration": 1}


async def test_pods_go_first_and_only_of_that_job_when_it_is_deleted(server: Server, kube: Kube) -> None:
    server.say(409, reason="Conflict", message="Precondition failed: UID in precondition: u-1, UID in object meta: u-2")
    await kube.delete(Kind.JOB, "shop", "run-1", "u-1")
    assert server.asked[0].method == "DELETE"
    assert server.bodies[0]["preconditions"] == {"uid": "u-1"}
    assert server.bodies[0]["propagationPolicy"] == "Foreground"


async def test_listing_begins_anew_when_its_token_expired(server: Server, kube: Kube) -> None:
    server.say(200, items=[{"metadata": {"name": "a"}}], metadata={"continue": "more"})
    server.say(410, reason="Expired", message="The provided continue parameter is too old")
    server.say(200, items=[{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}], metadata={})
    assert [item["metadata"]["name"] for item in await kube.list_all(Kind.JOB, "shop", labels=OURS)] == ["a", "b"]
    assert "continue" not in server.asked[2].query


async def test_gone_when_the_token_of_a_page_expired(server: Server, kube: Kube) -> None:
    server.say(410, reason="Expired", message="The provided continue parameter is too old")
    with pytest.raises(Gone, match="too old"):
        await kube.page(Kind.SCHEMA, "", 500, "old")


async def test_tail_is_text_when_a_log_is_read(server: Server, kube: Kube) -> None:
    server.answers.append(web.Response(body=b"one\n\xff\n"))
    assert await kube.read_log("shop", "run-1-x", "migration", 20) == "one\n\N{REPLACEMENT CHARACTER}\n"
    assert dict(server.asked[0].query) == {"container": "migration", "tailLines": "20", "limitBytes": "1048576"}


async def test_not_served_when_the_group_or_the_kind_is_unknown(server: Server, kube: Kube) -> None:
    server.answers.append(web.Response(status=404, text="404 page not found\n"))
    server.say(200, resources=[{"name": "others"}])
    server.say(200, resources=[{"name": "databaseschemas"}, {"name": "databaseschemas/status"}])
    assert [await kube.serves_schemas() for _ in range(3)] == [False, False, True]


async def test_new_token_is_read_when_the_old_one_is_not_accepted(
    server: Server, address: str, kube: Kube, tmp_path: Path
) -> None:
    kubeconfig(tmp_path, address, "second")
    server.say(401, reason="Unauthorized", message="Unauthorized")
    server.say(200, metadata={"name": "shop"})
    await kube.get(Kind.NAMESPACE, "", "shop")
    assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer first", "Bearer second"]


async def test_every_try_is_told_when_requests_are_counted(server: Server, address: str, tmp_path: Path) -> None:
    heard: list[tuple[str, str, int]] = []
    file = kubeconfig(tmp_path, address, "x")
    connected = await Kube.connect(lambda verb, resource, code, seconds: heard.append((verb, resource, code)), file)
    server.say(503, message="busy")
    server.say(409, reason="Conflict", message="modified")
    async with aclosing(connected):
        with pytest.raises(Conflict):
            await connected.replace(Kind.LEASE, "operator", "leader", {})
    assert heard == [("update", "leases", 503), ("update", "leases", 409)]


async def test_unavailable_when_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        address = f"http://127.0.0.1:{once.getsockname()[1]}"
    codes: list[int] = []
    file = kubeconfig(tmp_path, address, "x")
    async with aclosing(
        await Kube.connect(lambda verb, resource, code, seconds: codes.append(code), file)
    ) as connected:
        with pytest.raises(Unavailable, match=r"create Job shop/run-1: no connection: .*127\.0\.0\.1"):
            await connected.create(Kind.JOB, "shop", {"metadata": {"name": "run-1"}})
    assert codes == [0, 0, 0]


async def test_creation_is_sent_once_when_the_connection_breaks_before_the_answer(server: Server, kube: Kube) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    server.answers += [hang_up, hang_up]
    with pytest.raises(Unavailable, match="create Job shop/run-1: the connection broke"):
        await kube.create(Kind.JOB, "shop", {"metadata": {"name": "run-1"}})
    assert len(server.asked) == 1


async def test_unavailable_when_no_answer_comes_in_time(
    server: Server, kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    never = asyncio.Event()

    async def wait(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    server.answers.append(wait)
    with pytest.raises(Unavailable, match="create Job shop/run-1: no answer within 0 s"):
        await kube.create(Kind.JOB, "shop", {"metadata": {"name": "run-1"}})
    never.set()


async def test_remedy_is_named_when_there_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Unavailable, match="run in a pod with a service account, or set KUBECONFIG"):
        await Kube.connect()
