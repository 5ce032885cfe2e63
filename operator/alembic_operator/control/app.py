"""The composition root: everything is made here, started in order, and stopped in the reverse.

Standby: health and metrics are served and the Lease is asked for. Leader: workers first, then kopf's watch, then the
slow resync. A lost Lease ends all of that, and the process begins anew; a signal ends it with 0 after at most 25 s.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import kopf

from alembic_operator.api import names
from alembic_operator.cluster.errors import Unavailable
from alembic_operator.cluster.kube import Kube
from alembic_operator.cluster.port import Cluster, Kind
from alembic_operator.control.gc.collect import Leftovers
from alembic_operator.control.gc.orphans import Orphans
from alembic_operator.control.queue import KeyQueue
from alembic_operator.control.reconcile.lint import Linter
from alembic_operator.control.reconcile.observe import Scope
from alembic_operator.control.reconcile.plan_store import PlanStore
from alembic_operator.control.reconcile.reconcile import Reconciler, work
from alembic_operator.control.runner_config_map import RunnerConfigMap
from alembic_operator.control.serve import log
from alembic_operator.control.serve.health import Health, no_older
from alembic_operator.control.serve.lease import Lease
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.settings import Settings
from alembic_operator.control.watch import handlers, kopf_private
from alembic_operator.control.watch.event_filter import EventFilter
from alembic_operator.control.watch.resync import Resync
from alembic_operator.core.model.installation import Installation

LAST_WORK = 10.0  # seconds for the workers to end what they have in hand
AWAY = 2.0  # seconds between two tries to reach the API server
STUCK = 300.0  # seconds a key may be in hand or overdue; one look takes well under one

_log = log.get(__name__)


class NotServed(Exception):
    """The API server does not know our kind."""

    def __init__(self) -> None:
        super().__init__(
            f"the API server does not serve {names.PLURAL}.{names.GROUP}: install the CRD "
            "(the chart does, unless crds.install is false), then the operator starts automatically"
        )


@dataclass
class App:
    """One replica."""

    settings: Settings
    cluster: Cluster
    runner: RunnerConfigMap
    metrics: Metrics

    def __post_init__(self) -> None:
        self.queue = KeyQueue()
        self.event_filter = EventFilter()
        self.orphans = Orphans(self.cluster)
        self.watching = asyncio.Event()
        self.insights = kopf_private.Insights()
        self.stop = asyncio.Event()
        self.reached = False
        self.resync = Resync(
            cluster=self.cluster,
            namespaces=self.settings.watch_namespaces,
            queue=self.queue,
            event_filter=self.event_filter,
            leftovers=Leftovers(self.cluster, self.settings.watch_namespaces, self.runner, self.orphans),
            orphans=self.orphans,
            metrics=self.metrics,
            interval=self.settings.resync,
        )
        self.lease = Lease(
            self.cluster,
            self.settings.namespace,
            self.settings.lease,
            self.settings.pod,
            on_change=self.metrics.leading,
        )
        self.metrics.follow_queue(self.queue.depth, self.queue.oldest)
        self.metrics.follow_resources(self.event_filter.by_reason)

    async def run(self) -> None:
        """Serve until asked to stop.

        Raises:
            NotServed: the CRD is not installed.
            LeaseLost: another replica leads now.
        """
        self._take_signals()
        async with self._health():
            if not (await self._reaches_the_cluster() and await self._leads()):
                return
            try:
                async with self._workers():
                    await self._watch()
            finally:
                await self.lease.release()

    async def _reaches_the_cluster(self) -> bool:
        """Wait until the API server answers; False when this replica is asked to stop first. Raises NotServed.

        To end instead would have the kubelet wait longer before each start, up to five minutes.
        """
        while not self.stop.is_set():
            try:
                if not await self.cluster.serves_schemas():
                    raise NotServed
            except Unavailable as error:
                _log.error("waiting for the API server", error=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), AWAY)
            else:
                self.reached = True
                return True
        return False

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)

    async def _take_signals_back(self) -> None:
        """Take from kopf what it takes at its start: it would wait 5 s for tasks that it believes its own."""
        await self.watching.wait()
        self._take_signals()
        await self.stop.wait()

    def _health(self) -> Health:
        # One look cut short by the API server, and one that takes its time, are no reason for a restart.
        stale = 3 * self.settings.resync + STUCK
        return Health(
            health_port=self.settings.health_port,
            metrics_port=self.settings.metrics_port,
            metrics=self.metrics.exposition,
            live={
                "queue": no_older("the oldest item of the queue", self.queue.oldest, STUCK),
                "resync": lambda: self._leading(no_older("the last resync", self.resync.age, stale)()),
            },
            ready={"cluster": self._cluster_trouble, "lease": self.lease.trouble, "watch": self._watch_trouble},
        )

    def _cluster_trouble(self) -> str | None:
        return None if self.reached else "the API server has not answered yet"

    def _leading(self, trouble: str | None) -> str | None:
        return trouble if self.lease.held else None

    def _watch_trouble(self) -> str | None:
        found = kopf_private.has_found_resources(self.insights) and self.watching.is_set()
        return self._leading(None if found else "the watch has not found the API server's resources yet")

    async def _leads(self) -> bool:
        """Stand by until this replica leads; False when it is asked to stop first."""
        acquire, stop = asyncio.create_task(self.lease.acquire()), asyncio.create_task(self.stop.wait())
        await asyncio.wait({acquire, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in (acquire, stop):
            task.cancel()
        await asyncio.gather(acquire, stop, return_exceptions=True)
        if acquire.cancelled():
            return False
        acquire.result()
        return True

    @asynccontextmanager
    async def _workers(self) -> AsyncIterator[None]:
        reconciler = await self._reconciler()
        tasks = [asyncio.create_task(work(self.queue, reconciler)) for _ in range(self.settings.workers)]
        try:
            yield
        finally:
            self.queue.close()
            _, late = await asyncio.wait(tasks, timeout=LAST_WORK)
            for task in late:
                task.cancel()
            if late:
                _log.warning(
                    "cancelled unfinished work on shutdown; the next leader reconciles again", workers=len(late)
                )
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _reconciler(self) -> Reconciler:
        settings = self.settings
        system = None if settings.cluster_id else await self.cluster.get(Kind.NAMESPACE, "", "kube-system")
        cluster_id = settings.cluster_id if system is None else system["metadata"]["uid"]
        return Reconciler(
            cluster=self.cluster,
            installation=Installation(
                cluster_id,
                self.runner.sha256,
                settings.runner_image,
                settings.shadow_images,
                settings.admission_policies,
            ),
            where=Scope(
                cluster_id, frozenset(settings.development_namespaces), reads_namespaces=not settings.watch_namespaces
            ),
            runner=self.runner,
            plans=PlanStore(self.cluster, ask_namespaces=not settings.watch_namespaces),
            lint=Linter(),
            event_filter=self.event_filter,
            metrics=self.metrics,
            pod=settings.pod,
        )

    async def _watch(self) -> None:
        """Watch until asked to stop, or the Lease is lost."""
        namespaces = self.settings.watch_namespaces
        tasks = [
            asyncio.create_task(self.lease.keep(), name="lease"),
            asyncio.create_task(self.resync.keep(), name="resync"),
            asyncio.create_task(self.orphans.keep(), name="orphans"),
            asyncio.create_task(self._take_signals_back(), name="stop"),
        ]
        # The last to start: kopf takes every later task for one of its own, and waits for it at the end.
        watcher = asyncio.create_task(
            kopf.operator(
                registry=handlers.registry(self.event_filter, self.orphans, self.queue, self.metrics),
                settings=handlers.settings(),
                # kopf would look for the user's name, which an arbitrary user id (OpenShift's) does not have.
                identity=self.settings.pod,  # type: ignore[arg-type]
                clusterwide=not namespaces,
                namespaces=namespaces,
                ready_flag=self.watching,
                insights=self.insights,
            ),
            name="watch",
        )
        _log.info("leading: the watch starts", namespaces=list(namespaces) or "all")
        done, _ = await asyncio.wait({watcher, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in {watcher, *tasks} - done:
            task.cancel()
        await asyncio.gather(watcher, *tasks, return_exceptions=True)
        for task in done:
            task.result()


async def serve(settings: Settings) -> int:
    """Run one replica; the process's exit code.

    Raises:
        LeaseLost: it may not go on as it is, and can stand by again.
    """
    metrics = Metrics()
    runner = RunnerConfigMap.read(settings.runner_file)
    cluster = await Kube.connect(metrics.request)
    try:
        await App(settings, cluster, runner, metrics).run()
    except NotServed as error:
        _log.error(str(error))
        return 1
    finally:
        await cluster.aclose()
    _log.info("stopped")
    return 0
