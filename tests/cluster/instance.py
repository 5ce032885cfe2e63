"""One cluster among several on a machine: its name, number, addresses and files."""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .locks import locked
from .processes import NotPossible

# Short, as the sockets in it must stay under 108 bytes; on a disk, as it holds images.
ROOT = Path("/var/opt/alembic-operator")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?")
_LAST_NUMBER = 250


@dataclass(frozen=True)
class Instance:
    """Where an instance lives. The number decides every address, so that instances never meet."""

    name: str
    number: int

    @property
    def state(self) -> Path:
        """Its files; none of them outlives `down`."""
        return ROOT / self.name

    @property
    def bin(self) -> Path:
        """The Kubernetes programs."""
        return self.state / "bin"

    @property
    def logs(self) -> Path:
        """One file for each server."""
        return self.state / "logs"

    @property
    def host(self) -> str:
        """The host's end of the link to the node."""
        return f"10.78.{self.number}.1"

    @property
    def node(self) -> str:
        """The node's end of the link."""
        return f"10.78.{self.number}.2"

    @property
    def pods(self) -> str:
        """The addresses of pods."""
        return f"10.80.{self.number}.0/24"

    @property
    def services(self) -> str:
        """The addresses of Services."""
        return f"10.96.{self.number}.0/24"

    @property
    def first_service(self) -> str:
        """The address of the Service `kubernetes`."""
        return f"10.96.{self.number}.1"

    @property
    def host_link(self) -> str:
        """The host's end of the link, as an interface."""
        return f"aop{self.number}h"

    @property
    def node_link(self) -> str:
        """The node's end of the link, as an interface."""
        return f"aop{self.number}n"

    @property
    def cgroup(self) -> str:
        """Where the pods' cgroups are."""
        return f"/alembic-operator-{self.name}"

    @property
    def api(self) -> str:
        """The API server's address."""
        return f"https://{self.host}:6443"


def checked_name(name: str) -> str:
    """The name, or NotPossible where it cannot be one."""
    if not _NAME.fullmatch(name):
        raise NotPossible(f"no name for a cluster: {name!r}; use up to 20 lower-case letters, digits and hyphens")
    return name


def lock_of(name: str) -> Path:
    """The file that is locked while an instance changes."""
    return ROOT / f"{checked_name(name)}.lock"


def known(name: str) -> Instance | None:
    """The instance of that name, up or half up; None where there is no trace of its number."""
    try:
        record = json.loads((ROOT / checked_name(name) / "instance.json").read_text())
        return Instance(name, int(record["number"]))
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        return None


def names() -> list[str]:
    """Every instance that has files here."""
    try:
        return sorted(folder.name for folder in ROOT.iterdir() if folder.is_dir())
    except FileNotFoundError:
        return []


def claim(name: str) -> Instance:
    """A new instance with a number whose addresses nobody on this machine uses."""
    state = ROOT / checked_name(name)
    with locked(ROOT / ".numbers.lock"):
        if state.exists():
            shutil.rmtree(state)
        taken = {instance.number for other in names() if (instance := known(other)) is not None}
        used = _used_networks()
        for number in range(1, _LAST_NUMBER):
            instance = Instance(name, number)
            networks = [f"{instance.host}/24", instance.pods, instance.services]
            if number not in taken and not any(
                ipaddress.ip_network(ours, strict=False).overlaps(theirs) for ours in networks for theirs in used
            ):
                (state / "logs").mkdir(parents=True)
                record = state / "instance.json"
                record.with_suffix(".new").write_text(json.dumps({"number": number}))
                record.with_suffix(".new").rename(record)
                return instance
    raise NotPossible("no free subnet among 10.78.*.0/24: end a cluster with `python -m tests.cluster down --name …`")


def _used_networks() -> list[ipaddress.IPv4Network]:
    """What the host's routes and addresses cover; the default route does not count."""
    routes = json.loads(subprocess.run(["ip", "-4", "-j", "route"], capture_output=True, check=True).stdout or "[]")
    links = json.loads(subprocess.run(["ip", "-4", "-j", "address"], capture_output=True, check=True).stdout or "[]")
    texts = [route["dst"] for route in routes if route["dst"] != "default"]
    texts += [f"{a['local']}/{a['prefixlen']}" for link in links for a in link.get("addr_info", [])]
    networks = (ipaddress.ip_network(text, strict=False) for text in texts)
    return [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
