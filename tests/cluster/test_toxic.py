"""What the proxy and the pooler of the fault tests promise, in front of a real PostgreSQL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from .pgbouncer import PgBouncer
from .postgres import Postgres
from .toxic import ToxicProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT = 5


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres(16) as running:
        yield running


@pytest.fixture
def proxy(server: Postgres) -> Iterator[ToxicProxy]:
    with ToxicProxy("127.0.0.1", server.port) as forwarding:
        yield forwarding


def through(proxy: ToxicProxy, server: Postgres) -> psycopg.Connection:
    uri = server.uri().replace(f":{server.port}/", f":{proxy.port}/")
    return psycopg.connect(uri, autocommit=True, connect_timeout=_TIMEOUT)


def test_queries_pass_when_nothing_is_wrong(proxy: ToxicProxy, server: Postgres) -> None:
    with through(proxy, server) as connection:
        rows = connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 2000)").fetchall()
        assert len(rows) == 2000
        assert proxy.connections == 1
    assert proxy.passed > 2_000_000


def test_both_ends_notice_when_connections_are_cut(proxy: ToxicProxy, server: Postgres) -> None:
    with through(proxy, server) as connection:
        pid = connection.info.backend_pid
        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with server.connect() as direct:
        direct.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert direct.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() == (0,)
    assert through(proxy, server).execute("SELECT 1").fetchone() == (1,)


def test_a_connection_ends_amid_an_answer_when_cut_after_some_bytes(proxy: ToxicProxy, server: Postgres) -> None:
    with through(proxy, server) as connection:
        proxy.cut_after(100_000)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 100000)")


def test_new_connections_are_refused_until_accepted_again(proxy: ToxicProxy, server: Postgres) -> None:
    with through(proxy, server) as before:
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            through(proxy, server)
        assert before.execute("SELECT 1").fetchone() == (1,)
    proxy.accept()
    with through(proxy, server) as after:
        assert after.execute("SELECT 1").fetchone() == (1,)


def test_answers_wait_when_held_or_delayed(proxy: ToxicProxy, server: Postgres) -> None:
    with through(proxy, server) as connection:
        proxy.delay(0.2)
        began = time.monotonic()
        connection.execute("SELECT 1")
        assert 0.4 <= time.monotonic() - began < 2
        proxy.delay(0)
        proxy.hold()
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            through(proxy, server)
        proxy.release()
        assert connection.execute("SELECT 2").fetchone() == (2,)


def test_the_pooler_mixes_sessions_when_in_transaction_mode(server: Postgres) -> None:
    server.create_role("pooled", 'p"%zz')
    server.create_database("pooled", "pooled")
    with PgBouncer(server, {"pooled": 'p"%zz'}) as bouncer:
        uri = bouncer.uri("pooled", "pooled", 'p"%zz')
        with psycopg.connect(uri, autocommit=True) as one, psycopg.connect(uri, autocommit=True) as two:
            pids = {session.execute("SELECT pg_backend_pid()").fetchone() for session in (one, two)}
            assert len(pids) == 1
        with pytest.raises(psycopg.OperationalError, match=r"SASL|password"):
            psycopg.connect(bouncer.uri("pooled", "pooled", "wrong"))
