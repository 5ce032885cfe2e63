"""The cluster that the demo runs on: the one that the environment names, or one of its own."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster import binary, lifecycle
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import CommandFailed, NotPossible
from tests.cluster.progress import console

from . import places
from .lasting import Left

DATABASE_HOST = "DEMO_DATABASE_HOST"


@dataclass(frozen=True)
class Target:
    """A cluster, and whether the demo made it."""

    cluster: Cluster
    own: bool


def check_machine() -> None:
    """Raise NotPossible, with the remedy in one line, where the demo cannot run."""
    if sys.platform != "linux":
        raise NotPossible("the demo needs Linux: run it in a Debian 12 virtual machine or container")
    if os.geteuid() != 0:
        raise NotPossible("the demo needs root, to build images and start servers: sudo make demo")
    if shutil.which("apt-get") is None:
        raise NotPossible("the demo installs Debian packages, and there is no apt-get: run it on Debian 12")


def given() -> bool:
    """Whether the environment names a cluster that is not the demo's own; says so where it does so by half."""
    config, registry = os.environ.get("KUBECONFIG", ""), os.environ.get("IMAGE_REGISTRY", "")
    own = lifecycle.find(places.INSTANCE)
    if own is not None and config == str(own.kubeconfig):
        return False
    if bool(config) != bool(registry):
        there, missing = ("KUBECONFIG", "IMAGE_REGISTRY") if config else ("IMAGE_REGISTRY", "KUBECONFIG")
        console.print(f"{there} is set, {missing} is not: the demo uses a cluster of its own.", style="yellow")
    return bool(config and registry)


def find_or_build() -> Target:
    """The cluster that is given, else the demo's own, started where it is not up."""
    if given():
        return Target(_given(), own=False)
    running = lifecycle.find(places.INSTANCE)
    if running is not None:
        console.print("[green]✓[/] the cluster demo runs already")
    return Target(running or lifecycle.up(places.INSTANCE), own=True)


def _given() -> Cluster:
    cluster = remembered(Left(os.environ["KUBECONFIG"], os.environ["IMAGE_REGISTRY"]))
    try:
        server = cluster.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").strip()
        cluster.kubectl("version", timeout=30)
    except CommandFailed as failed:
        said = failed.said.strip().splitlines()[-1]
        raise NotPossible(
            f"KUBECONFIG={cluster.kubeconfig} leads to no cluster ({said}): correct or unset it"
        ) from None
    _check_registry(cluster.registry)
    console.print(f"[green]✓[/] using the cluster at {server} and the registry {cluster.registry}")
    host = os.environ.get(DATABASE_HOST) or _address_towards(server)
    return replace(cluster, host_address=host)


def _check_registry(registry: str) -> None:
    """Look before the images are built: that takes a while."""
    parts = urlsplit(f"//{registry}")
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=5).close()
    except (OSError, ValueError) as error:
        raise NotPossible(f"IMAGE_REGISTRY={registry} does not answer ({error}): correct or unset it") from None


def _programs() -> Path:
    """A folder with kubectl and helm: the machine's own, else built."""
    links = places.STATE / "bin"
    path = os.pathsep.join(folder for folder in os.get_exec_path() if Path(folder) != links)
    found = [shutil.which(name, path=path) for name in ("kubectl", "helm")]
    programs = [Path(program) for program in found if program]
    if len(programs) < len(found):
        return binary.programs()
    if programs[0].parent == programs[1].parent:
        return programs[0].parent
    links.mkdir(parents=True, exist_ok=True)
    for program in programs:
        (links / program.name).unlink(missing_ok=True)
        (links / program.name).symlink_to(program)
    return links


def _address_towards(server: str) -> str:
    """This machine's address, as the API server sees it; nothing is sent to find it."""
    parts = urlsplit(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((parts.hostname, parts.port or 443))
        except OSError as error:
            raise NotPossible(f"no way to the cluster at {server} ({error}): correct KUBECONFIG") from None
        return str(probe.getsockname()[0])


def remembered(left: Left) -> Cluster:
    """The cluster that an earlier `up` was given."""
    return Cluster(
        name="given",
        kubeconfig=Path(left.kubeconfig),
        registry=left.registry,
        private_registry="",
        host_address="",
        bin=_programs(),
        audit_log=Path(os.devnull),
    )
