"""What the tests' servers stand on: their ports."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path

import pytest

from . import processes
from .processes import checked, free_port

REPOSITORY = Path(__file__).parents[2]
OFFERED = """
import itertools
from tests.cluster import processes
offers = itertools.chain([{}], itertools.count())
processes.secrets.randbelow = lambda _: next(offers)
print(processes.free_port() - processes._FIRST_PORT)
"""


def test_an_outgoing_connection_cannot_take_a_free_port() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(free_port() < lowest for _ in range(20))


def test_two_processes_get_two_free_ports_though_neither_listens_yet() -> None:
    ours = free_port() - processes._FIRST_PORT
    assert int(checked([sys.executable, "-c", OFFERED.format(ours)], folder=REPOSITORY)) != ours


def test_a_port_that_a_server_listens_on_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
        server.listen()
        listened = server.getsockname()[1] - processes._FIRST_PORT
        processes._reservations.clear()  # the server could be anybody's
        assert int(checked([sys.executable, "-c", OFFERED.format(listened)], folder=REPOSITORY)) != listened


def test_an_address_that_this_machine_lacks_is_an_error() -> None:
    with pytest.raises(OSError, match="assign") as refused:
        free_port("192.0.2.1")
    assert refused.value.errno == errno.EADDRNOTAVAIL
