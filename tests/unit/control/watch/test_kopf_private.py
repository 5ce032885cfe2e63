"""Private names of kopf: what the operator learns by them, and what the public names do not say."""

from __future__ import annotations

import asyncio
import tomllib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kopf
from aiohttp import web

from alembic_operator.control.watch import handlers, kopf_private

ROOT = Path(__file__).parents[4]


async def start(server: str) -> tuple[kopf_private.Insights, asyncio.Event, asyncio.Task[None]]:
    """Kopf, watching there."""
    registry, insights, ready = kopf.OperatorRegistry(), kopf_private.Insights(), asyncio.Event()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=server)

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def pod(**_: Any) -> None:
        pass

    task = asyncio.create_task(
        kopf.operator(
            registry=registry,
            settings=handlers.settings(),
            identity="a pod",  # type: ignore[arg-type]
            clusterwide=True,
            ready_flag=ready,
            insights=insights,
        )
    )
    return insights, ready, task


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_resources_are_found_when_the_api_server_has_named_them() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"versions": ["v1"], "groups": [], "resources": []})

    server = web.Server(answer)  # type: ignore[arg-type]
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    insights, _, task = await start(f"http://{host}:{port}")
    assert not kopf_private.has_found_resources(insights)
    async with asyncio.timeout(20):
        await insights.ready_resources.wait()
    assert kopf_private.has_found_resources(insights)
    await end(task)
    await runner.cleanup()


async def test_public_flag_is_raised_when_the_api_server_does_not_answer() -> None:
    insights, ready, task = await start("http://127.0.0.1:1")
    async with asyncio.timeout(20):
        await ready.wait()
    assert not kopf_private.has_found_resources(insights)
    await end(task)


def test_kopf_is_the_oldest_that_may_be_installed_and_of_its_only_minor_version() -> None:
    may_be = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    major, minor, _ = version("kopf").split(".")
    tried = f"kopf>={version('kopf')},<{major}.{int(minor) + 1}"
    assert tried in may_be, "try what is installed, and have the bounds say so"
