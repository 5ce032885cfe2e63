"""The real control loop on the in-memory cluster, with a clock that a test moves and a database that is a list.

What stands in is only what is not ours: Kubernetes (tests/component/memory_cluster.py) and the run inside the pod
(database.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.component.memory_cluster import MemoryCluster

from alembic_operator.cluster.port import Raw
from alembic_operator.contract import job_env
from alembic_operator.contract.plan_records import pack
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunRequest
from alembic_operator.contract.result import Failure, Outcome, RunResult
from alembic_operator.control.gc.collect import Leftovers
from alembic_operator.control.gc.orphans import Orphans
from alembic_operator.control.queue import Key, KeyQueue
from alembic_operator.control.reconcile.observe import Scope
from alembic_operator.control.reconcile.plan_log import NotChecked
from alembic_operator.control.reconcile.plan_store import PlanStore
from alembic_operator.control.reconcile.reconcile import Reconciler, work
from alembic_operator.control.runner_config_map import RunnerConfigMap
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.watch.event_filter import EventFilter
from alembic_operator.control.watch.resync import Resync
from alembic_operator.core.model.installation import Installation
from alembic_operator.review.result import Lint

from .database import Database

NAMESPACE, NAME = "shop", "shop"
IMAGE = "registry.example/shop@sha256:" + "0" * 64
SPEC: dict[str, Any] = {
    "database": {"secretRef": {"name": "shop-db"}},
    "migrations": {"image": IMAGE},
    "revision": "c3",
    "review": {"mode": "Auto", "evidence": "Static"},
}
SECONDS = 20.0  # within which work that is due must be done; a plan is read in a thread


class DueKeys(KeyQueue):
    """A queue that is over for its one worker when nothing is due: time does not pass by itself."""

    async def take(self) -> Key | None:
        """The next key that is due now, None when there is none."""
        return await super().take() if self.depth() else None


class Story:
    """One DatabaseSchema `shop/shop`, its database, and the lives of one operator."""

    def __init__(self, *, runner: bytes = b"the runner") -> None:
        self.moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self.cluster = MemoryCluster(now=lambda: self.moment)
        self.cluster.add_namespace(NAMESPACE)
        self.database = Database()
        self.runner = RunnerConfigMap(runner)
        self.checked = Lint((), ())
        self.lint_fault = ""
        self.review: dict[str, Any] = {}
        self.lives = 0
        self.crashes: Iterator[tuple[int, bool]] = iter(())  # where the next lives are to end: effect, before or after
        self.start()

    # The operator

    def start(self) -> None:
        """A new life of the operator: nothing of the old one is known but what the cluster holds."""
        self.lives += 1
        life = self.lives
        cluster_id = "11111111-1111-4111-8111-111111111111"
        self.queue, self.event_filter, self.metrics = DueKeys(self._seconds), EventFilter(), Metrics()
        self.orphans = Orphans(self.cluster, self._seconds)
        queue, event_filter, orphans = self.queue, self.event_filter, self.orphans

        def feed(
            wake: Callable[[str | None, Raw], list[Any]], note: Callable[[str | None, Raw], None]
        ) -> Callable[[str | None, Mapping[str, Any]], None]:
            def deliver(event: str | None, raw: Mapping[str, Any]) -> None:
                if life == self.lives:
                    note(event, raw)
                    for key in wake(event, raw):
                        queue.add(key)

            return deliver

        wakes = (
            ("databaseschemas", event_filter.schema, orphans.schema),
            ("schemaplans", event_filter.plan, orphans.made),
            ("jobs", event_filter.job, orphans.made),
            ("pods", event_filter.pod, orphans.made),
        )
        for resource, wake, note in wakes:
            self.cluster.watch(resource, feed(wake, note))
        self.reconciler = Reconciler(
            cluster=self.cluster,
            installation=Installation(cluster_id, self.runner.sha256, ""),
            where=Scope(cluster_id),
            runner=self.runner,
            plans=PlanStore(self.cluster, clock=self._seconds),
            lint=self.lint,
            event_filter=event_filter,
            metrics=self.metrics,
            pod="alembic-operator-0",
            now=lambda: self.moment,
        )
        self.resync = Resync(
            cluster=self.cluster,
            namespaces=(),
            queue=queue,
            event_filter=event_filter,
            leftovers=Leftovers(self.cluster, (), self.runner, orphans),
            orphans=orphans,
            metrics=self.metrics,
            interval=3600.0,
            clock=self._seconds,
        )

    def _seconds(self) -> float:
        return self.moment.timestamp()

    async def lint(self, text: str, today: date) -> Lint:
        """The rules: what the test says that they find."""
        if self.lint_fault:
            raise NotChecked(self.lint_fault)
        return self.checked

    async def settle(self) -> None:
        """Let one worker do all that is due now. Raises what ends the process, as Crash."""
        try:
            async with asyncio.timeout(SECONDS):
                await work(self.queue, self.reconciler)
        except TimeoutError:
            raise AssertionError("the work that is due does not come to an end") from None

    async def passes(self, seconds: float) -> None:
        """Time passes, second by second."""
        for _ in range(round(seconds)):
            self.moment += timedelta(seconds=1)
            await self.settle()
            await self.orphans.remove()

    async def until(self, reached: Callable[[], object], at_most: float = 60.0) -> float:
        """Time passes until it is so; the seconds that it took."""
        began = self.moment
        await self.settle()
        while not reached():
            elapsed = (self.moment - began).total_seconds()
            assert elapsed < at_most, f"not within {at_most} s; the status is {self.status}"
            await self.passes(1)
        return (self.moment - began).total_seconds()

    # People

    async def apply(self, **changes: Any) -> None:
        """Create the resource, or change fields of its spec; the operator looks."""
        found = [item for item in self.cluster.all("databaseschemas", NAMESPACE) if item["metadata"]["name"] == NAME]
        spec = found[0]["spec"] if found else SPEC
        self.cluster.put_schema(NAMESPACE, NAME, {**spec, **changes})
        await self.settle()

    def spec(self) -> dict[str, Any]:
        """The spec that a resource has when nothing else is said."""
        return dict(SPEC)

    def owner(self, namespace: str, name: str, uid: str) -> Owner:
        """A DatabaseSchema of this cluster as the journal names it."""
        return Owner(self.reconciler.where.cluster_id, namespace, name, uid)

    async def annotate(self, **annotations: str) -> None:
        """Set annotations, `retry_at="1"` for alembic-operator.dev/retry-at; the operator looks."""
        prefixed = {f"alembic-operator.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.cluster.annotate(NAMESPACE, NAME, prefixed)
        await self.settle()

    def uid(self) -> str:
        """The resource's uid."""
        found = next(
            item for item in self.cluster.all("databaseschemas", NAMESPACE) if item["metadata"]["name"] == NAME
        )
        uid: str = found["metadata"]["uid"]
        return uid

    # The pod

    def job(self) -> str:
        """The newest Job that nothing says is over."""
        running = [job for job in self.cluster.jobs(NAMESPACE) if not self.is_over(job)]
        assert len(running) == 1, f"one run is under way, not {[job['metadata']['name'] for job in running]}"
        name: str = running[0]["metadata"]["name"]
        return name

    def is_over(self, job: Raw) -> bool:
        """Whether the Job's container has ended, or the Job by its condition."""
        pods = [
            pod
            for pod in self.cluster.pods(NAMESPACE)
            if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == job["metadata"]["name"]
        ]
        ended = bool(pods) and all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in pods)
        return ended or any(c["type"] in ("Complete", "Failed") for c in job["status"].get("conditions", ()))

    def request(self, job: str) -> RunRequest:
        """What the Job asks of the runner."""
        found = next(item for item in self.cluster.jobs(NAMESPACE) if item["metadata"]["name"] == job)
        env = found["spec"]["template"]["spec"]["containers"][0]["env"]
        return RunRequest.from_json(next(v["value"] for v in env if v["name"] == job_env.REQUEST_VARIABLE))

    async def runs(self, look: Callable[[], Awaitable[None]] | None = None) -> RunResult:
        """The run's pod starts, does its work and says so; the operator looks after each, or those of `look` do."""
        look = look or self.settle
        job = self.job()
        self.cluster.start_pod(NAMESPACE, job)
        await look()
        result = self.database.answer(self.request(job))
        if job in self.database.documents:
            self.log_plan(job)
        self.cluster.finish_pod(NAMESPACE, job, result.to_json(), exit_code=1 if result.failure else 0)
        await look()
        return result

    def log_plan(self, job: str, pod: str = "") -> None:
        """The run's log with its plan in it, between other lines; its only pod writes it when none is named."""
        if not pod:
            (pod,) = (
                pod["metadata"]["name"]
                for pod in self.cluster.pods(NAMESPACE)
                if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == job
            )
        parts = pack(self.database.documents[job]).parts
        records = [{"event": "plan", "part": at, "of": len(parts), "data": part} for at, part in enumerate(parts, 1)]
        lines = [job_env.RECORD_PREFIX + json.dumps(record) for record in records]
        self.cluster.write_log(NAMESPACE, pod, ["Hello", '@alembic-operator {"event":"plan"', *lines, "Bye"])

    async def fails(self, reason: Reason, message: str = "It went wrong.", **more: Any) -> None:
        """The run's pod starts, and says that it failed."""
        job = self.job()
        self.cluster.start_pod(NAMESPACE, job)
        await self.settle()
        request = self.request(job)
        result = RunResult(
            request.kind,
            Outcome.FAILED,
            request.target.uid,
            request.generation,
            job,
            failure=Failure(reason, message),
            **more,
        )
        self.cluster.finish_pod(NAMESPACE, job, result.to_json(), exit_code=1)
        await self.settle()

    # What is there to see

    @property
    def status(self) -> dict[str, Any]:
        """The resource's status."""
        return self.cluster.status(NAMESPACE, NAME)

    def ready(self) -> tuple[str, str]:
        """Status and reason of Ready."""
        found = self.condition("Ready")
        return (found["status"], found["reason"]) if found else ("", "")

    def message(self) -> str:
        """The message of Ready."""
        text: str = self.condition("Ready")["message"]
        return text

    def condition(self, kind: str) -> dict[str, Any]:
        """A condition, {} when there is none."""
        return next((dict(c) for c in self.status.get("conditions", ()) if c["type"] == kind), {})

    def events(self) -> list[str]:
        """Reasons of the events, the oldest first, without Kubernetes' own."""
        return [e["reason"] for e in self.cluster.events(NAMESPACE) if e["involvedObject"]["kind"] == "DatabaseSchema"]

    def job_names(self) -> list[str]:
        """Names of the Jobs."""
        return [job["metadata"]["name"] for job in self.cluster.jobs(NAMESPACE)]

    def unfinished(self) -> list[str]:
        """Jobs that may still do something."""
        return [job["metadata"]["name"] for job in self.cluster.jobs(NAMESPACE) if not self.is_over(job)]

    def plain_status(self) -> dict[str, Any]:
        """The status without what differs from story to story: times, uids, and the numbers of attempts."""
        text = json.dumps(self.status)
        for job in sorted({entry["job"] for entry in self.status.get("history", ())}, key=len, reverse=True):
            text = text.replace(job, "JOB")
        plan = self.status.get("plan", {"name": "PLAN", "digest": "DIGEST"})  # they hold the resource's random uid
        text = text.replace(plan["name"], "PLAN").replace(plan["digest"], "DIGEST")
        kept: dict[str, Any] = json.loads(text)
        for key in ("attempts", "history", "lastHandledReconcileAt"):
            kept.pop(key, None)
        for condition in kept["conditions"]:
            condition.pop("lastTransitionTime")
        return kept
