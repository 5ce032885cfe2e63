"""A real image registry on the host's end of the link, over plain HTTP."""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from . import daemons
from .processes import wait_until

if TYPE_CHECKING:
    from .instance import Instance

_PORT = 5000


def address(instance: Instance) -> str:
    """Host and port, the same for the host, the node and the pods."""
    return f"{instance.host}:{_PORT}"


def start(instance: Instance) -> None:
    """Start the registry and tell containerd how to reach it."""
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": f"{instance.state}/registry"}, "delete": {"enabled": True}},
        "http": {"addr": address(instance)},
    }
    file = instance.state / "registry.yaml"
    file.write_text(json.dumps(config))
    daemons.start(instance, "docker-registry", ["docker-registry", "serve", file])
    trust(instance, address(instance))


def trust(instance: Instance, registry: str) -> None:
    """Let the node pull from a registry over plain HTTP."""
    hosts = instance.state / "registries" / registry / "hosts.toml"
    hosts.parent.mkdir(parents=True, exist_ok=True)
    hosts.write_text(f'server = "http://{registry}"\n[host."http://{registry}"]\ncapabilities = ["pull", "resolve"]\n')


def wait(instance: Instance) -> None:
    """Wait until the registry answers."""

    def answers() -> bool:
        if daemons.process_of(instance.name, "docker-registry") is None:
            raise RuntimeError(f"docker-registry ended:\n{daemons.log_tail(instance, 'docker-registry')}")
        connection = http.client.HTTPConnection(instance.host, _PORT, timeout=2)
        with suppress(OSError):
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        return False

    wait_until(answers, f"the registry at {address(instance)}")
