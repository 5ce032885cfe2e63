"""What the PostgreSQL of the tests promises."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from .postgres import VERSIONS, Postgres, Version
from .processes import process_runs, wait_until

HELD = """
import sys
from tests.cluster.postgres import Postgres
with Postgres(16) as server:
    print(server.directory, server._server.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_asked_version_answers_when_started(version: Version, tmp_path: Path) -> None:
    with Postgres(version, tmp_path / "server") as server, server.connect() as connection:
        assert connection.info.server_version // 10000 == version
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_a_role_works_in_its_database_when_its_password_is_no_url_part() -> None:
    with Postgres(16) as server:
        server.create_role("shop owner", "p@ss/%zz:'\"")
        server.create_database("shop", "shop owner")
        with server.connect("shop", "shop owner", "p@ss/%zz:'\"") as connection:
            connection.execute("CREATE TABLE t (i int)")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect("shop", "shop owner", "wrong")
        server.drop_database("shop")
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            server.connect("shop")


def test_data_and_port_stay_when_the_server_stops_and_starts() -> None:
    with Postgres(16) as server:
        server.execute("CREATE TABLE kept AS SELECT 42 AS n")
        uri = server.uri()
        server.stop()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(uri, connect_timeout=5)
        server.start()
        with psycopg.connect(uri) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    assert not server.directory.exists()


def test_nothing_is_left_when_the_test_process_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as holder:
        assert holder.stdout is not None
        directory, pid = holder.stdout.readline().split()
        assert process_runs(int(pid))
        os.kill(holder.pid, signal.SIGKILL)
        wait_until(lambda: not process_runs(int(pid)), "the server's end")
        wait_until(lambda: not Path(os.fsdecode(directory)).exists(), "the removal of its files")


def test_the_error_names_the_log_when_the_server_cannot_start() -> None:
    server = Postgres(16, settings={"max_connections": "nonsense"})
    with pytest.raises(RuntimeError, match='invalid value for parameter "max_connections"'), server:
        raise AssertionError("it started")
    assert not server.directory.exists()
