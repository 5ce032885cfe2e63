"""The slow look at everything: what the watch missed, and what no event tells.

It reads the list page by page and wakes what is not settled, or stands still for a reason that may have gone by itself
(a namespace's label). It writes nothing but the removal of what is left over.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_operator.cluster.errors import ClusterError
from alembic_operator.cluster.port import Cluster, Kind
from alembic_operator.control.gc.collect import Leftovers
from alembic_operator.control.gc.orphans import Orphans
from alembic_operator.control.gc.paging import listed
from alembic_operator.control.queue import Key, KeyQueue
from alembic_operator.control.serve import log
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.watch.event_filter import EventFilter
from alembic_operator.core.model.glance import glance
from alembic_operator.core.plans.prune import RetentionPolicy, keeping_of

_log = log.get(__name__)
Raw = Mapping[str, Any]


@dataclass
class Resync:
    """A full look every `interval` seconds, spread by a fifth so that installations do not march in step."""

    cluster: Cluster
    namespaces: tuple[str, ...]
    queue: KeyQueue
    event_filter: EventFilter
    leftovers: Leftovers
    orphans: Orphans
    metrics: Metrics
    interval: float
    clock: Callable[[], float] = time.monotonic
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.clock()

    def age(self) -> float:
        """Seconds since the last full look ended."""
        return self.clock() - self.last

    async def keep(self) -> None:
        """Look again and again, until cancelled; kopf's own listing was the first look."""
        while True:
            await asyncio.sleep(self.interval * random.uniform(0.8, 1.2))  # noqa: S311
            try:
                await self.look()
            except ClusterError as error:
                _log.warning("resync incomplete", error=str(error))

    async def look(self) -> None:
        """One full look. Raises ClusterError."""
        known_before = self.event_filter.uids()
        seen, settled = set[str](), dict[str, RetentionPolicy]()
        async for raw in listed(self.cluster, Kind.SCHEMA, self.namespaces):
            seen.add(raw["metadata"]["uid"])
            if (keeping := keeping_of(raw)) is not None:
                settled[raw["metadata"]["uid"]] = keeping
            keys = self.event_filter.schema(None, raw)
            if not keys and glance(raw).stalled:
                keys = [Key(raw["metadata"]["namespace"], raw["metadata"]["name"])]
            for key in keys:
                self.queue.add(key)
        # What came into being while the pages were read is known now and was not before: it stays.
        there = seen | (self.event_filter.uids() - known_before)
        self.event_filter.keep_only(there)
        self.orphans.keep_only(there)
        await self.leftovers.remove(settled)
        self.last = self.clock()
        self.metrics.resynced()
