"""One look at one DatabaseSchema: observe, decide, act. Killed on any line, the next look decides the same.

The effects come in this order: the runner's ConfigMap, then Jobs, then the phases of plans, then the status, then
events. A status can be derived again from Jobs and the database; a Job could never be derived from a status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import assert_never

from alembic_operator.api.controller import controlled_by
from alembic_operator.api.status import status_to_raw
from alembic_operator.cluster.errors import AlreadyExists, ClusterError, Conflict, NotFound, Refused, Unavailable
from alembic_operator.cluster.port import Cluster, Kind, named
from alembic_operator.contract.reasons import Reason
from alembic_operator.control.events import event_body
from alembic_operator.control.queue import Key, KeyQueue
from alembic_operator.control.reconcile.lint_slot import COME_BACK, LintSlot, SlotBusy
from alembic_operator.control.reconcile.observe import Scope, observe
from alembic_operator.control.reconcile.plan_log import Lint, PlanLinter
from alembic_operator.control.reconcile.plan_store import NotDone, PlanStore
from alembic_operator.control.runner_config_map import RunnerConfigMap
from alembic_operator.control.serve import log
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.watch.event_filter import EventFilter
from alembic_operator.core.decide import decide
from alembic_operator.core.job.manifest import build_job
from alembic_operator.core.model.decision import (
    ActionFailed,
    CreatePlan,
    Decision,
    DeleteJob,
    JobNameTaken,
    NotAdmitted,
    StartRun,
)
from alembic_operator.core.model.draft import Draft
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema, Observed

AT_ONCE = 0.0
AWAY = 20.0  # seconds at most between two looks while the API server is away: nothing tells that it is back
MOST_NAMES = 5  # that are tried for a Job: one that has lost its owner, or is another's, keeps its name
MOST_READS = 8  # of one decision: a plan, its SQL, the namespace's label

_log = log.get(__name__)


@dataclass(frozen=True)
class Reconciler:
    """What a look needs: the cluster, what the installation fixes, and where to tell what happened."""

    cluster: Cluster
    installation: Installation
    where: Scope
    runner: RunnerConfigMap
    plans: PlanStore
    lint: Lint
    event_filter: EventFilter
    metrics: Metrics
    pod: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    lint_slot: LintSlot = field(default_factory=LintSlot)

    async def reconcile(self, key: Key) -> float | None:
        """Look at the resource and do what follows; seconds until the next look, or None.

        Raises:
            SlotBusy: a plan of it is to be checked, and others come first.
            ClusterError: the cluster could not be asked or told; nothing is lost by trying again.
        """
        async with self.lint_slot.acquire() as take:  # to its end: a plan that was read is in memory until then
            return await self._reconcile(key, PlanLinter(self.lint, take))

    async def _reconcile(self, key: Key, linter: PlanLinter) -> float | None:
        observed = await observe(self.cluster, key.namespace, key.name, self.where, self.now(), linter=linter)
        return None if observed is None else await self._carry_out(observed)

    async def _carry_out(self, observed: Observed, failed: ActionFailed | None = None) -> float | None:
        """Decide and act, until there is a status to write: after a plan was created, and where one could not be."""
        try:
            observed, decision = await self._decide(observed, failed)
            with log.bound(**_subject(observed.schema, decision)):
                changed = await self._act(observed, decision)
                if changed is None:
                    await self._mend(observed.schema, decision)
                    return await self._write(observed.schema, decision)
        except NotDone as error:
            if isinstance(error.failed, JobNameTaken) and observed.passed_names + 1 < MOST_NAMES:
                return await self._carry_out(replace(observed, passed_names=observed.passed_names + 1))
            return await self._carry_out(observed, error.failed)
        except NotFound:
            return None  # the namespace is going, and everything in it
        return await self._carry_out(changed)

    async def _decide(self, observed: Observed, failed: ActionFailed | None) -> tuple[Observed, Decision]:
        """Decide, having read what is missing for it; the world as it is known then."""
        for _ in range(MOST_READS):
            if any(isinstance(job.draft, Draft) for job in observed.jobs):
                # To write 5 MiB of SQL down takes seconds, in which others and the probes must be answered.
                decision = await asyncio.to_thread(decide, observed, self.now(), self.installation, failed)
            else:
                decision = decide(observed, self.now(), self.installation, failed)
            if decision.missing is None:
                return observed, decision
            observed = await self.plans.read(observed, decision.missing)
        raise AssertionError("a decision asks again for what was read")

    async def _act(self, observed: Observed, decision: Decision) -> Observed | None:
        """Carry the actions out; the world that they changed, where it must be decided on anew before the status."""
        schema = observed.schema
        for action in decision.actions:
            match action:
                case CreatePlan():
                    return await self.plans.create(observed, action)
                case StartRun():
                    await self._start(schema, action)
                case DeleteJob():
                    await self.cluster.delete(Kind.JOB, schema.namespace, action.name, action.uid)
                    _log.info("job deleted", job=action.name)
                case _:
                    assert_never(action)
        return None

    async def _mend(self, schema: DatabaseSchema, decision: Decision) -> None:
        """Where a pod hangs on its volumes, the runner's ConfigMap may be what it lacks: that was remembered."""
        ready = decision.status.condition("Ready")
        if decision.status.run is not None and ready is not None and ready.reason == Reason.POD_NOT_STARTING.value:
            try:
                await self.runner.ensure(self.cluster, schema.namespace, anew=True)
            except ClusterError as error:
                _log.warning("could not check the runner's ConfigMap", error=str(error))

    async def _start(self, schema: DatabaseSchema, run: StartRun) -> None:
        if schema.spec is None:
            raise AssertionError("a run was decided for a spec that cannot be read")
        body = build_job(schema, schema.spec, run, self.installation)
        job = run.request.job
        try:
            await self.runner.ensure(self.cluster, schema.namespace)
        except Refused as error:
            failed = NotAdmitted(f"the ConfigMap {self.runner.config_map} of the runner", error.detail)
            raise NotDone(failed) from None
        try:
            await self.cluster.create(Kind.JOB, schema.namespace, body)
        except Refused as error:
            raise NotDone(NotAdmitted("the Job", error.detail)) from None
        except AlreadyExists:
            found = await self.cluster.list_all(Kind.JOB, schema.namespace, fields=named(job))
            if any(not controlled_by(raw, schema.uid) for raw in found):
                raise NotDone(JobNameTaken(f"Job {job}")) from None
            _log.info("job already exists", job=job)
            return
        wanted = ", ".join(run.request.wanted)
        _log.info("job created", job=job, kind=run.request.kind.value, attempt=run.attempt, revision=wanted)

    async def _write(self, schema: DatabaseSchema, decision: Decision) -> float | None:
        for note in decision.plan_phases:
            await self.plans.note(schema.namespace, note)
        if decision.status != schema.status:
            try:
                body = status_to_raw(decision.status)
                raw = await self.cluster.apply_status(
                    Kind.SCHEMA, schema.namespace, schema.name, body, uid=schema.uid, version=schema.version
                )
            except NotFound:
                return None
            except Conflict:
                return AT_ONCE  # changed since it was read, or made anew: what was decided may not hold
            self.event_filter.written(raw)
            ready = decision.status.condition("Ready")
            _log.info("status written", message=ready.message if ready else "")
        for run in decision.finished:
            self.metrics.run_finished(run.kind.value, run.outcome, run.seconds or 0.0)
        for old in decision.old_jobs:
            await self._forget(schema, old)
        for event in decision.events:
            await self._post(schema, event_body(schema, event, self.now(), self.pod))
        return decision.requeue_after

    async def _forget(self, schema: DatabaseSchema, old: DeleteJob) -> None:
        try:
            await self.cluster.delete(Kind.JOB, schema.namespace, old.name, old.uid)
        except ClusterError as error:
            # It stays a while longer, at most until its ttlSecondsAfterFinished; the resource itself is well.
            _log.warning("could not delete an old job", job=old.name, error=str(error))

    async def _post(self, schema: DatabaseSchema, body: dict[str, object]) -> None:
        try:
            await self.cluster.create(Kind.EVENT, schema.namespace, body)
        except ClusterError as error:
            # Whatever it tells stands in the status too.
            _log.warning("could not post an event", reason=body["reason"], error=str(error))


def _subject(schema: DatabaseSchema, decision: Decision) -> dict[str, str]:
    """What every line about a decision names beside the resource: the run that goes on, or has just ended."""
    ready, run = decision.status.condition("Ready"), decision.status.run or schema.status.run
    return {"job": run.job if run else "", "reason": ready.reason if ready else ""}


async def work(queue: KeyQueue, reconciler: Reconciler) -> None:
    """Handle keys until the queue is closed; a failure is logged, counted, and tried again."""
    while (key := await queue.take()) is not None:
        started = time.monotonic()
        with log.bound(namespace=key.namespace, name=key.name):
            result = await _handle(queue, reconciler, key)
        reconciler.metrics.reconciled(result, time.monotonic() - started)


async def _handle(queue: KeyQueue, reconciler: Reconciler, key: Key) -> str:
    try:
        queue.done(key, await reconciler.reconcile(key))
        return "done"
    except SlotBusy:
        queue.done(key, COME_BACK)
        return "busy"
    except ClusterError as error:
        if isinstance(error, Unavailable):
            pause = queue.failed(key, at_least=error.retry_after, at_most=AWAY)
        else:
            pause = queue.failed(key)
        _log.warning("will retry", error=str(error), pause=round(pause, 1))
        return "unavailable"
    except Exception:
        # A fault of ours must not stop the work on other resources; it is loud, and counted.
        pause = queue.failed(key)
        _log.exception("reconcile failed", pause=round(pause, 1))
        return "error"
