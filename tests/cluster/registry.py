"""A real image registry on the host's end of the link, over plain HTTP, open and with a password."""

from __future__ import annotations

import http.client
import json
from functools import partial
from typing import TYPE_CHECKING

from . import daemons
from .processes import wait_until

if TYPE_CHECKING:
    from .instance import Instance

# The same images again, for who knows the password: what pull secrets are tested with.
USER, PASSWORD = "puller", "pull secret"
_HTPASSWD = "puller:$2b$05$tFFtPJn39dptt3ZtBt4gPuOf5nt16FqOWPoltDYsxuyi/MRzMWRAO\n"
_PORTS = {"docker-registry": 5000, "private-registry": 5001}


def address(instance: Instance, part: str = "docker-registry") -> str:
    """Host and port, the same for the host, the node and the pods."""
    return f"{instance.host}:{_PORTS[part]}"


def start(instance: Instance) -> None:
    """Start the open and the private registry, and tell containerd how to reach them."""
    passwords = instance.state / "htpasswd"
    passwords.write_text(_HTPASSWD)
    for part in _PORTS:
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": f"{instance.state}/registry"}, "delete": {"enabled": True}},
            "http": {"addr": address(instance, part), "secret": instance.name},
        }
        if part == "private-registry":
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
        file = instance.state / f"{part}.yaml"
        file.write_text(json.dumps(config))
        daemons.start(instance, part, ["docker-registry", "serve", file])
        _trust(instance, address(instance, part))


def _trust(instance: Instance, registry: str) -> None:
    """Let the node pull from a registry over plain HTTP."""
    hosts = instance.state / "registries" / registry / "hosts.toml"
    hosts.parent.mkdir(parents=True, exist_ok=True)
    hosts.write_text(f'server = "http://{registry}"\n[host."http://{registry}"]\ncapabilities = ["pull", "resolve"]\n')


def wait(instance: Instance) -> None:
    """Wait until both answer."""
    for part in _PORTS:
        wait_until(partial(_answers, instance, part), f"the registry at {address(instance, part)}")


def _answers(instance: Instance, part: str) -> bool:
    if daemons.process_of(instance.name, part) is None:
        raise RuntimeError(f"{part} ended:\n{daemons.log_tail(instance, part)}")
    connection = http.client.HTTPConnection(address(instance, part), timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in {200, 401}
    except OSError:
        return False
    finally:
        connection.close()
