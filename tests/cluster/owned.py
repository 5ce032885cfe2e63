"""Clusters of one test run: their names tell the process that the run is, and they end with it, however it ends."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import lifecycle
from .instance import names
from .processes import process_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWNED = re.compile(r"[a-z0-9-]+-p(\d+)")


def name_of(part: str) -> str:
    """The name, in this run, of the cluster of a part of the tests; the same in each of the run's workers."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    return f"{part}-p{os.getppid() if worker else os.getpid()}"


@contextmanager
def owned_cluster(part: str, *, audit: bool = True) -> Iterator[lifecycle.Cluster]:
    """A cluster that is up, and is down afterwards; with KEEP_CLUSTER set it is called like the part, and stays."""
    if os.environ.get("KEEP_CLUSTER"):
        yield lifecycle.up(part, audit=audit)
        return
    end_those_of_dead_runs()
    name = name_of(part)
    try:
        yield lifecycle.up(name, audit=audit)
    finally:
        lifecycle.down(name)


def end_those_of(process: int) -> None:
    """Take down what is left of the clusters of a run: of a worker that was killed, or interrupted while it cleaned."""
    for name in names():
        if owner_of(name) == process:
            lifecycle.down(name)


def end_those_of_dead_runs() -> None:
    """Take down what runs left that were killed themselves."""
    for name in names():
        owner = owner_of(name)
        if owner is not None and not process_runs(owner):
            lifecycle.down(name)


def owner_of(name: str) -> int | None:
    """The process whose cluster this is; None for one that a person started."""
    found = _OWNED.fullmatch(name)
    return int(found[1]) if found else None
