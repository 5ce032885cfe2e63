"""Takes away what a DatabaseSchema that is gone left behind and the garbage collector leaves, some seconds later.

Events only say in which namespace to look; what is deleted follows from live reads, and goes by uid.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from alembic_operator.cluster.errors import ClusterError
from alembic_operator.cluster.port import CREATED, OURS, Cluster, Kind
from alembic_operator.control.gc.paging import listed
from alembic_operator.control.serve import log
from alembic_operator.core.orphans import is_orphan, is_uncontrolled

Raw = Mapping[str, Any]

PAUSE = 5.0  # seconds from an event to the look: for the garbage collector, and for all that is deleted together
AGAIN = 30.0  # seconds until the next try where the cluster could not be asked

_log = log.get(__name__)


class Orphans:
    """The namespaces that are to be looked at, each with its time by `clock`.

    A deletion during a gap of the watch is told by nobody: it shows where the name has another uid, or where a full
    listing lacks it.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._due: dict[str, float] = {}
        self._known: dict[tuple[str, str], str] = {}  # uids, by namespace and name
        self._added = asyncio.Event()

    def schema(self, event: str | None, raw: Raw) -> None:
        """An event of a DatabaseSchema: one that is gone may leave something."""
        meta = raw["metadata"]
        key = meta["namespace"], meta["name"]
        before = self._known.get(key, meta["uid"])
        if event == "DELETED":
            self._known.pop(key, None)
        else:
            self._known[key] = meta["uid"]
        if event == "DELETED" or before != meta["uid"]:
            self._look(meta["namespace"])

    def made(self, event: str | None, raw: Raw) -> None:
        """An event of a Job, a pod or a SchemaPlan: nobody controls it any more."""
        if event != "DELETED" and is_uncontrolled(raw):
            self._look(raw["metadata"]["namespace"])

    def keep_only(self, uids: Collection[str]) -> None:
        """A full listing of the resources has these."""
        for key in [key for key, uid in self._known.items() if uid not in uids]:
            del self._known[key]
            self._look(key[0])

    def due(self) -> float | None:
        """Seconds until the next look; None when there is none."""
        return max(0.0, min(self._due.values()) - self._clock()) if self._due else None

    async def keep(self) -> None:
        """Look wherever it is due, until cancelled."""
        while True:
            self._added.clear()
            wait = self.due()
            if wait == 0.0:
                await self.remove()
                continue
            try:
                async with asyncio.timeout(wait):
                    await self._added.wait()
            except TimeoutError:
                continue

    async def remove(self) -> None:
        """Look into every namespace that is due."""
        for namespace in [name for name, due in self._due.items() if due <= self._clock()]:
            del self._due[namespace]
            try:
                await self._remove(namespace)
            except ClusterError as error:
                self._due[namespace] = self._clock() + AGAIN
                _log.warning(
                    "could not remove the objects of a deleted resource", namespace=namespace, error=str(error)
                )

    def _look(self, namespace: str) -> None:
        self._due.setdefault(namespace, self._clock() + PAUSE)
        self._added.set()

    async def _remove(self, namespace: str) -> None:
        found = [
            (kind, raw)
            for kind in CREATED
            async for raw in listed(self._cluster, kind, (namespace,), labels=OURS, metadata=True)
            if is_uncontrolled(raw)
        ]
        if not found:
            return
        # Last: what is made for a new resource meanwhile has it in this list.
        living = {raw["metadata"]["uid"] async for raw in listed(self._cluster, Kind.SCHEMA, (namespace,))}
        for kind, raw in found:
            if is_orphan(raw, living):
                name = raw["metadata"]["name"]
                await self._cluster.delete(kind, namespace, name, raw["metadata"]["uid"])
                _log.info("removed an object of a deleted resource", namespace=namespace, kind=kind.value, name=name)
