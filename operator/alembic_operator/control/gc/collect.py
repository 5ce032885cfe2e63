"""What the slow look deletes: runners of old versions, plans beyond what is kept, and SQL whose plan is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.controller import controlled_by
from alembic_operator.cluster.errors import NotFound
from alembic_operator.cluster.port import OURS, Cluster, Kind
from alembic_operator.control.gc.orphans import Orphans
from alembic_operator.control.gc.paging import listed
from alembic_operator.control.runner_config_map import SELECTOR, RunnerConfigMap
from alembic_operator.control.serve import log
from alembic_operator.core.plans.build import COMPONENT
from alembic_operator.core.plans.prune import (
    Part,
    Planned,
    RetentionPolicy,
    beyond_retention,
    keeping_of,
    part_of,
    planned_of,
    uses,
)

PARTS = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY},{names.LABEL_COMPONENT}={COMPONENT}"

_log = log.get(__name__)
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Leftovers:
    """Deletes by uid, and only what no unfinished Job uses."""

    cluster: Cluster
    namespaces: tuple[str, ...]
    runner: RunnerConfigMap
    orphans: Orphans

    async def remove(self, settled: Mapping[str, RetentionPolicy]) -> None:
        """Look once; `settled` has the resources that rest, by uid. Raises ClusterError."""
        await self._remove_runners()
        parts = await self._parts(settled)  # before the plans: what is stored meanwhile has its plan in their list
        plans = await self._plans(settled)
        there = {(plan.namespace, plan.name) for own in plans.values() for plan in own}
        for uid, own in plans.items():
            for old in beyond_retention(own, settled[uid]):
                await self._remove_plan(uid, old)
        for part in parts:
            if (part.namespace, part.plan) not in there:
                await self._remove_part(part)

    async def _remove_runners(self) -> None:
        old = [raw for raw in await self._config_maps(SELECTOR) if raw["metadata"]["name"] != self.runner.config_map]
        for raw in old:
            namespace, name = raw["metadata"]["namespace"], raw["metadata"]["name"]
            if not await self._in_use(namespace, name):
                await self.cluster.delete(Kind.CONFIG_MAP, namespace, name, raw["metadata"]["uid"])
                _log.info("removed the runner of an older version", namespace=namespace, config_map=name)

    async def _config_maps(self, selector: str) -> list[Raw]:
        found = listed(self.cluster, Kind.CONFIG_MAP, self.namespaces, labels=selector, metadata=True)
        return [raw async for raw in found]

    async def _parts(self, settled: Mapping[str, RetentionPolicy]) -> list[Part]:
        raws = await self._config_maps(PARTS)
        for raw in raws:  # no watch tells of them
            self.orphans.made(None, raw)
        found = [part_of(raw) for raw in raws]
        return [part for part in found if part is not None and part.schema in settled]

    async def _plans(self, settled: Mapping[str, RetentionPolicy]) -> dict[str, list[Planned]]:
        """Of resources that rest: no Job uses their plans, and their status says what the runs came to."""
        plans: dict[str, list[Planned]] = {}
        async for raw in listed(self.cluster, Kind.PLAN, self.namespaces):
            plan = planned_of(raw)
            if plan.schema in settled:
                plans.setdefault(plan.schema, []).append(plan)
        return plans

    async def _remove_plan(self, uid: str, old: Planned) -> None:
        """Its SQL first: a plan that is left can be removed the next time."""
        for name in old.config_maps:
            try:
                found = await self.cluster.get(Kind.CONFIG_MAP, old.namespace, name)
            except NotFound:
                continue
            if controlled_by(found, uid):
                await self.cluster.delete(Kind.CONFIG_MAP, old.namespace, name, found["metadata"]["uid"])
        await self.cluster.delete(Kind.PLAN, old.namespace, old.name, old.uid)
        _log.info("removed an old plan", namespace=old.namespace, plan=old.name)

    async def _remove_part(self, part: Part) -> None:
        """SQL that a plan left behind which somebody deleted.

        A plan that is made meanwhile takes over what is there of the same name: asked for last, as a plan run, which
        takes a second at least, comes before that.
        """
        if await self._in_use(part.namespace, part.name) or await self._is_planned(part):
            return
        try:
            schema = await self.cluster.get(Kind.SCHEMA, part.namespace, part.schema_name)
        except NotFound:
            return  # the garbage collector's
        if schema["metadata"]["uid"] == part.schema and keeping_of(schema) is not None:
            await self.cluster.delete(Kind.CONFIG_MAP, part.namespace, part.name, part.uid)
            _log.info("removed the SQL of a deleted plan", namespace=part.namespace, config_map=part.name)

    async def _is_planned(self, part: Part) -> bool:
        try:
            await self.cluster.get(Kind.PLAN, part.namespace, part.plan)
        except NotFound:
            return False
        return True

    async def _in_use(self, namespace: str, name: str) -> bool:
        return any(uses(job, name) for job in await self.cluster.list_all(Kind.JOB, namespace, labels=OURS))
