"""The commands prepare, up, down, status, env and load."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from . import binary, images, packages
from .instance import names
from .lifecycle import Cluster, down, find, up
from .processes import NotPossible
from .progress import console

if TYPE_CHECKING:
    from types import FrameType


def run() -> int:
    """Run the command that the arguments name; the exit code."""
    signal.signal(signal.SIGTERM, _end)
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description="A real Kubernetes on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, help_text in (
        ("prepare", "install and build what a first start needs, once a machine"),
        ("up", "start a cluster, or say that it runs"),
        ("down", "stop it and remove every trace"),
        ("status", "list the clusters"),
        ("env", "print the lines that make a shell use it"),
        ("load", "import OCI archives into its node"),
    ):
        options = commands.add_parser(command, help=help_text)
        options.add_argument("--name", default="default", help="which of several (default: %(default)s)")
        if command == "load":
            options.add_argument("archives", nargs="+", type=Path)
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        console.print("✗ interrupted; nothing of what was begun is left", style="red")
        return 130
    except (NotPossible, RuntimeError, TimeoutError) as problem:
        text = "\n".join([str(problem), *getattr(problem, "__notes__", [])])
        console.print(f"✗ {text}", style="red", soft_wrap=True, markup=False)
        return 1


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(arguments: argparse.Namespace) -> int:
    name: str = arguments.name
    if arguments.command == "prepare":
        prepare()
    elif arguments.command == "up":
        running = find(name)
        cluster = running or up(name)
        console.print(f"The cluster {name} {'runs already' if running else 'is up'}. To use it:", markup=False)
        _print_environment(cluster)
    elif arguments.command == "down":
        console.print(f"The cluster {name} {'is down.' if down(name) else 'was not up.'}", markup=False)
    elif arguments.command == "status":
        for known in names():
            there = find(known)
            state = f"up, registry {there.registry}" if there else "not healthy: being started, or `up` mends it"
            print(f"{known}\t{state}")
    else:
        found = find(name)
        if found is None:
            raise NotPossible(f"the cluster {name} is not up: python -m tests.cluster up --name {name}")
        if arguments.command == "env":
            _print_environment(found)
        else:
            for archive in arguments.archives:
                found.load(archive.resolve())
    return 0


def prepare() -> None:
    """Install the host's packages, build Kubernetes, and make the base of the images: minutes on a new machine."""
    packages.check_machine()
    packages.ensure({**packages.CLUSTER, **packages.IMAGES, **packages.PGBOUNCER})
    binary.programs()
    images.base_image()


def _print_environment(cluster: Cluster) -> None:
    print(f"export KUBECONFIG={cluster.kubeconfig}")
    print(f"export IMAGE_REGISTRY={cluster.registry}")
    print(f'export PATH={cluster.bin}:"$PATH"')
