"""The slow look at everything: what the watch missed, and what no event tells.

It reads the list page by page and wakes what is not settled, or stands still for a reason that may have gone by itself
(a namespace's label). It writes nothing but the removal of runner ConfigMaps that no version and no running Job uses,
and of plans that are more than the resource keeps.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_operator.cluster.errors import ClusterError, Gone, NotFound
from alembic_operator.cluster.port import Cluster, Page
from alembic_operator.control import log
from alembic_operator.core.observed import controlled_by
from alembic_operator.core.pruning import Keeping, Planned, keeping_of, planned_of, surplus

from .interest import Interest
from .metrics import Metrics
from .queue import Key, KeyQueue
from .runnerfile import SELECTOR, RunnerFile

PAGE = 200

_log = log.get(__name__)
Raw = Mapping[str, Any]


@dataclass
class Resync:
    """A full look every `interval` seconds, spread by a fifth so that installations do not march in step."""

    cluster: Cluster
    namespaces: tuple[str, ...]
    queue: KeyQueue
    interest: Interest
    runner: RunnerFile
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
                _log.warning("resync cut short", error=str(error))

    async def look(self) -> None:
        """One full look. Raises ClusterError."""
        known_before = self.interest.uids()
        seen, settled = set[str](), dict[str, Keeping]()
        async for raw in self._listed(self.cluster.page_schemas):
            seen.add(raw["metadata"]["uid"])
            if (keeping := keeping_of(raw)) is not None:
                settled[raw["metadata"]["uid"]] = keeping
            keys = self.interest.schema(None, raw)
            if not keys and _stands_still(raw):
                keys = [Key(raw["metadata"]["namespace"], raw["metadata"]["name"])]
            for key in keys:
                self.queue.add(key)
        # What came into being while the pages were read is known now and was not before: it stays.
        self.interest.keep_only(seen | (self.interest.uids() - known_before))
        await self._remove_old_runners()
        await self._remove_old_plans(settled)
        self.last = self.clock()
        self.metrics.resynced()

    async def _remove_old_runners(self) -> None:
        async def page(namespace: str, limit: int, token: str) -> Page:
            return await self.cluster.page_config_maps(namespace, SELECTOR, limit, token)

        old = [raw async for raw in self._listed(page) if raw["metadata"]["name"] != self.runner.config_map]
        for raw in old:
            namespace, name = raw["metadata"]["namespace"], raw["metadata"]["name"]
            if not await self._in_use(namespace, name):
                await self.cluster.delete_config_map(namespace, name, raw["metadata"]["uid"])
                _log.info("an old version's runner was removed", namespace=namespace, config_map=name)

    async def _remove_old_plans(self, settled: Mapping[str, Keeping]) -> None:
        """Of resources that rest: no Job uses their plans, and their status says what the runs came to."""
        plans: dict[str, list[Planned]] = {}
        async for raw in self._listed(self.cluster.page_plans):
            plan = planned_of(raw)
            if plan.schema in settled:
                plans.setdefault(plan.schema, []).append(plan)
        for uid, own in plans.items():
            for old in surplus(own, settled[uid]):
                await self._remove_plan(uid, old)

    async def _remove_plan(self, uid: str, old: Planned) -> None:
        """Its SQL first: a plan that is left can be removed the next time."""
        for name in old.config_maps:
            try:
                found = await self.cluster.get_config_map(old.namespace, name)
            except NotFound:
                continue
            if controlled_by(found, uid):
                await self.cluster.delete_config_map(old.namespace, name, found["metadata"]["uid"])
        await self.cluster.delete_plan(old.namespace, old.name, old.uid)
        _log.info("an old plan was removed", namespace=old.namespace, plan=old.name)

    async def _in_use(self, namespace: str, name: str) -> bool:
        def mounts(job: Raw) -> bool:
            volumes = job["spec"]["template"]["spec"].get("volumes") or ()
            return any((volume.get("configMap") or {}).get("name") == name for volume in volumes)

        def ended(job: Raw) -> bool:
            conditions = (job.get("status") or {}).get("conditions") or ()
            return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)

        return any(mounts(job) and not ended(job) for job in await self.cluster.list_jobs(namespace))

    async def _listed(self, page: Callable[[str, int, str], Any]) -> AsyncIterator[Raw]:
        for namespace in self.namespaces or ("",):
            token = ""
            while True:
                try:
                    part: Page = await page(namespace, PAGE, token)
                except Gone:
                    token = ""  # the pages have expired: from the start, looking twice does no harm
                    continue
                for raw in part.items:
                    yield raw
                token = part.token
                if not token:
                    break


def _stands_still(raw: Raw) -> bool:
    conditions = (raw.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Stalled" and c["status"] == "True" for c in conditions)
