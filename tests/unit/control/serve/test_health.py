"""Probes that tell the truth, over real sockets."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest

from alembic_operator.control.serve.health import Check, Health, no_older


def health(live: dict[str, Check] | None = None, ready: dict[str, Check] | None = None) -> Health:
    return Health(
        health_port=0,
        metrics_port=0,
        metrics=lambda: b"alembic_operator_leader 1.0\n",
        live=live or {},
        ready=ready or {},
        host="127.0.0.1",
    )


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_ok_when_every_check_is_well() -> None:
    async with health({"queue": lambda: None}, {"lease": lambda: None}) as served:
        port = served.ports[0]
        assert await ask(port, "/healthz") == (200, "ok\n")
        assert await ask(port, "/readyz") == (200, "ok\n")


async def test_every_trouble_is_a_line_of_the_503_when_checks_fail() -> None:
    live: dict[str, Check] = {
        "queue": no_older("the oldest item", lambda: 412.2, 300),
        "loop": lambda: None,
        "resync": lambda: "the last resync is 3 h old",
    }
    async with health(live) as served:
        status, body = await ask(served.ports[0], "/healthz")
        assert (await ask(served.ports[0], "/readyz"))[0] == 200
    assert status == 503
    assert body == ("queue: the oldest item is 412 s old, well is at most 300 s\nresync: the last resync is 3 h old\n")


async def test_unready_and_alive_when_only_a_check_of_readiness_fails() -> None:
    async with health({"queue": lambda: None}, {"watch": lambda: "the watch has not started yet"}) as served:
        assert await ask(served.ports[0], "/readyz") == (503, "watch: the watch has not started yet\n")
        assert (await ask(served.ports[0], "/healthz"))[0] == 200


async def test_503_and_not_500_when_a_check_itself_breaks() -> None:
    async with health({"queue": lambda: str(1 // 0)}) as served:
        status, body = await ask(served.ports[0], "/healthz")
    assert (status, body) == (
        503,
        "queue: the check itself failed: ZeroDivisionError('integer division or modulo by zero')\n",
    )


async def test_checks_are_asked_anew_when_a_probe_comes() -> None:
    age = 10.0
    async with health({"queue": no_older("it", lambda: age, 10)}) as served:
        first = await ask(served.ports[0], "/healthz")
        age = 10.6
        second = await ask(served.ports[0], "/healthz")
    assert (first[0], second[0]) == (200, 503)


async def test_metrics_are_on_their_own_port_when_they_are_scraped() -> None:
    async with health() as served:
        assert await ask(served.ports[1], "/metrics") == (200, "alembic_operator_leader 1.0\n")
        assert (await ask(served.ports[0], "/metrics"))[0] == 404
        assert (await ask(served.ports[1], "/healthz"))[0] == 404


async def test_no_answer_when_the_loop_hangs() -> None:
    async with health() as served:
        port = served.ports[0]

        def probe() -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.settimeout(0.3)
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                return connection.recv(100)

        with ThreadPoolExecutor(1) as pool, pytest.raises(TimeoutError):
            pool.submit(probe).result()  # the loop hangs here


async def test_the_other_port_is_free_again_when_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        wanted = free.getsockname()[1]
        free.close()
        served = Health(
            health_port=wanted, metrics_port=taken.getsockname()[1], metrics=bytes, live={}, ready={}, host="127.0.0.1"
        )
        with pytest.raises(OSError, match="address already in use"):
            await served.start()
        with socket.create_server(("127.0.0.1", wanted)) as again:
            assert again.getsockname()[1] == wanted
