"""/healthz and /readyz on one port, /metrics on another. The body of a 503 says what is wrong, in sentences.

Ours and not kopf's endpoint, because kopf's answers 200 from the moment that its loop turns, and retries a failing
check for 60 s inside the probe's request. A loop that hangs answers nothing, which is a failed probe as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web

Check = Callable[[], str | None]


class Health:
    """Serves the endpoints from `start` to `stop`. A check gives None when all is well, else a sentence.

    Attributes:
        ports: where it listens, in the order health, metrics (port 0 takes a free one).
    """

    def __init__(
        self,
        *,
        health_port: int,
        metrics_port: int,
        metrics: Callable[[], bytes],
        live: Mapping[str, Check],
        ready: Mapping[str, Check],
        host: str = "0.0.0.0",  # noqa: S104 (the kubelet and Prometheus come from outside the pod)
    ) -> None:
        self.ports: tuple[int, ...] = ()
        self._wanted = (health_port, metrics_port)
        self._host = host
        self._metrics = metrics
        self._live = live
        self._ready = ready
        self._runners: list[web.AppRunner] = []

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        health = web.Application()
        health.router.add_get("/healthz", self._healthz)
        health.router.add_get("/readyz", self._readyz)
        metrics = web.Application()
        metrics.router.add_get("/metrics", self._exposition)
        try:
            for application, port in zip((health, metrics), self._wanted, strict=True):
                runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
                self._runners.append(runner)
                await runner.setup()
                await web.TCPSite(runner, self._host, port).start()
                self.ports += (runner.addresses[0][1],)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the ports."""
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return _verdict(self._live)

    async def _readyz(self, _request: web.Request) -> web.Response:
        return _verdict(self._ready)

    async def _exposition(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def no_older(what: str, age: Callable[[], float], limit: float) -> Check:
    """A check that fails when the age, in seconds, is above the limit."""

    def check() -> str | None:
        seconds = age()
        return None if seconds <= limit else f"{what} is {seconds:.0f} s old, well is at most {limit:.0f} s"

    return check


def _verdict(checks: Mapping[str, Check]) -> web.Response:
    """200 and "ok", or 503 and a line for each check that failed; a check that breaks has failed."""
    troubles = [f"{name}: {trouble}" for name, check in checks.items() if (trouble := _ask(check)) is not None]
    return web.Response(status=503 if troubles else 200, text="\n".join(troubles or ["ok"]) + "\n")


def _ask(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:
        return f"the check itself failed: {error!r}"
