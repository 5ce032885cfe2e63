"""Plans in the cluster: created, read, and their SQL compared; and the label by which a namespace wants reviews."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from alembic_operator.api import names
from alembic_operator.api.controller import controlled_by
from alembic_operator.api.plan import REJECT, InvalidPlan, SchemaPlan, parse_plan, plan_to_raw
from alembic_operator.cluster.errors import AlreadyExists, ClusterError, NotFound, Refused
from alembic_operator.cluster.port import Cluster, Kind
from alembic_operator.control.serve import log
from alembic_operator.core.model.decision import (
    ActionFailed,
    CreatePlan,
    NameTaken,
    NotAdmitted,
    PlanPhase,
    Read,
    ReadFloor,
    ReadPlan,
    ReadSql,
)
from alembic_operator.core.model.observed import DatabaseSchema, Observed
from alembic_operator.core.plans.build import sql_fault, tells_as_much

FLOOR_KEPT = 60.0  # seconds that a namespace's label minimum-review is remembered

_log = log.get(__name__)


class NotDone(Exception):
    """An action could not be carried out; `failed` says why, for the next decision."""

    def __init__(self, failed: ActionFailed) -> None:
        super().__init__(failed)
        self.failed = failed


@dataclass
class PlanStore:
    """Plans in the cluster; `ask_namespaces` is False where Namespaces cannot be read."""

    cluster: Cluster
    ask_namespaces: bool = True
    clock: Callable[[], float] = time.monotonic
    _floors: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def create(self, observed: Observed, wanted: CreatePlan) -> Observed:
        """Create a plan; the world with it as it is in the cluster then.

        Raises:
            NotDone: a part of it was refused, or has a name that something else has.
            ClusterError: the cluster could not be told.
        """
        stored = await self._store(observed.schema, wanted.plan, wanted.config_maps)
        return _with_plan(observed, wanted.plan.name, stored)

    async def read(self, observed: Observed, missing: Read) -> Observed:
        """The world with what was missing in it.

        Raises:
            ClusterError: the cluster could not be asked.
        """
        schema = observed.schema
        match missing:
            case ReadPlan(name):
                return _with_plan(observed, name, await self._read(schema.namespace, name))
            case ReadSql(plan):
                fault = await self._sql_fault(schema, plan)
                return replace(observed, sql_faults={**observed.sql_faults, plan.name: fault})
            case ReadFloor():
                return replace(observed, floor=await self._floor(schema.namespace))
            case _:
                assert_never(missing)

    async def note(self, namespace: str, note: PlanPhase) -> None:
        """Write the phase of a plan, for people; a failure is logged, and changes nothing."""
        try:
            await self.cluster.apply_status(Kind.PLAN, namespace, note.plan, {"phase": note.phase})
        except NotFound:
            return  # deleted: nobody reads it any more
        except ClusterError as error:
            _log.warning("could not write the phase of a plan", plan=note.plan, phase=note.phase, error=str(error))

    async def _read(self, namespace: str, name: str) -> SchemaPlan | None:
        try:
            return parse_plan(await self.cluster.get(Kind.PLAN, namespace, name))
        except (NotFound, InvalidPlan):
            return None

    async def _store(
        self, schema: DatabaseSchema, plan: SchemaPlan, config_maps: tuple[Mapping[str, Any], ...]
    ) -> SchemaPlan | None:
        for body in config_maps:
            await self._store_config_map(schema, body)
        try:
            stored = await self.cluster.create(Kind.PLAN, schema.namespace, plan_to_raw(plan))
        except AlreadyExists:
            return await self._there_already(schema, plan, config_maps)
        except Refused as error:
            raise NotDone(NotAdmitted(f"the SchemaPlan {plan.name}", error.detail)) from None
        _log.info("plan created", plan=plan.name, digest=plan.plan.digest)
        return parse_plan(stored)

    async def _there_already(
        self, schema: DatabaseSchema, plan: SchemaPlan, config_maps: tuple[Mapping[str, Any], ...]
    ) -> SchemaPlan | None:
        """The plan of that name; one of ours that says less than is known now is made anew, but for a rejection."""
        try:
            found = parse_plan(await self.cluster.get(Kind.PLAN, schema.namespace, plan.name))
        except NotFound:
            return await self._store(schema, plan, config_maps)  # it was going
        except InvalidPlan:
            return None
        if found.schema_uid != schema.uid or found.plan.digest != plan.plan.digest:
            return found
        rejected = found.decision is not None and found.decision.type == REJECT
        if rejected or found.deleting or tells_as_much(found.plan, plan.plan):
            return found
        _log.warning("recreating a plan whose findings are outdated", plan=plan.name)
        await self.cluster.delete(Kind.PLAN, schema.namespace, found.name, found.uid)
        return await self._store(schema, plan, config_maps)

    async def _store_config_map(self, schema: DatabaseSchema, body: Mapping[str, Any]) -> None:
        name = body["metadata"]["name"]
        try:
            await self.cluster.create(Kind.CONFIG_MAP, schema.namespace, body)
            return
        except Refused as error:
            raise NotDone(NotAdmitted(f"the ConfigMap {name} with a plan's SQL", error.detail)) from None
        except AlreadyExists:
            try:
                found = await self.cluster.get(Kind.CONFIG_MAP, schema.namespace, name)
            except NotFound:
                return await self._store_config_map(schema, body)  # it was going
        same = all((found.get(key) or {}) == (body.get(key) or {}) for key in ("data", "binaryData"))
        if same and found.get("immutable") and controlled_by(found, schema.uid):
            return
        # Of an earlier plan whose words or times differ: the same digest, and so the same statements.
        if not controlled_by(found, schema.uid):
            raise NotDone(NameTaken(f"ConfigMap {name} with a plan's SQL"))
        if await self._read(schema.namespace, name.rsplit("-", 1)[0]) is not None:
            return  # it belongs to the plan that is there, which pins it
        await self.cluster.delete(Kind.CONFIG_MAP, schema.namespace, name, found["metadata"]["uid"])
        await self.cluster.create(Kind.CONFIG_MAP, schema.namespace, body)

    async def _sql_fault(self, schema: DatabaseSchema, plan: SchemaPlan) -> str:
        found: dict[str, Mapping[str, Any] | None] = {}
        for part in plan.plan.sql:
            try:
                found[part.config_map] = await self.cluster.get(Kind.CONFIG_MAP, schema.namespace, part.config_map)
            except NotFound:
                found[part.config_map] = None
        return sql_fault(plan.plan, found)

    async def _floor(self, namespace: str) -> str:
        if not self.ask_namespaces:
            return ""
        known = self._floors.get(namespace)
        if known is not None and self.clock() - known[0] < FLOOR_KEPT:
            return known[1]
        labels = (await self.cluster.get(Kind.NAMESPACE, "", namespace))["metadata"].get("labels") or {}
        floor = str(labels.get(names.LABEL_MINIMUM_REVIEW, ""))
        self._floors[namespace] = (self.clock(), floor)
        return floor


def _with_plan(observed: Observed, name: str, plan: SchemaPlan | None) -> Observed:
    return replace(observed, plans={**observed.plans, name: plan})
