"""What the operator tells Prometheus, in a registry of its own. What others keep is asked for at each scrape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

PREFIX = "alembic_operator"
RUN_BUCKETS = (1, 2, 3, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200)  # seconds: a pod's start to a night's work
RECONCILE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20)


class Metrics:
    """The metrics of one process. Every label's values come from closed sets, but `resource` and `code` of the API."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._reconcile = Histogram(
            f"{PREFIX}_reconcile_seconds",
            "Duration of one reconcile of one resource, by result.",
            ["result"],
            buckets=RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._runs = Histogram(
            f"{PREFIX}_run_seconds",
            "Time from the creation of a Job to its outcome, by kind of run and outcome.",
            ["kind", "outcome"],
            buckets=RUN_BUCKETS,
            registry=self.registry,
        )
        self._requests = Histogram(
            f"{PREFIX}_api_request_seconds",
            "Duration of one request to the Kubernetes API, without watches. Code 0 means no answer.",
            ["verb", "resource", "code"],
            buckets=RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._watched = Counter(
            f"{PREFIX}_watch_events", "Events of the watches.", ["kind", "event"], registry=self.registry
        )
        self._leader = Gauge(f"{PREFIX}_leader", "1 while this replica leads, else 0.", registry=self.registry)
        self._resynced = Gauge(
            f"{PREFIX}_last_resync_timestamp_seconds",
            "Time of the last complete resync; 0 for never.",
            registry=self.registry,
        )

    def reconciled(self, result: str, seconds: float) -> None:
        """One look at one resource is over."""
        self._reconcile.labels(result).observe(seconds)

    def run_finished(self, kind: str, outcome: str, seconds: float) -> None:
        """The outcome of a run was seen for the first time."""
        self._runs.labels(kind, outcome).observe(seconds)

    def request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """A request to the API server was answered, or, with code 0, was not."""
        self._requests.labels(verb, resource, str(code)).observe(seconds)

    def watched(self, kind: str, event: str) -> None:
        """A watch delivered ADDED, MODIFIED, DELETED, or LISTED, which is for what was there at the start."""
        self._watched.labels(kind, event).inc()

    def leading(self, leads: bool) -> None:
        """This replica leads from now on, or does not."""
        self._leader.set(1 if leads else 0)

    def resynced(self) -> None:
        """Every resource was looked at."""
        self._resynced.set(time.time())

    def follow_queue(self, depth: Callable[[], int], oldest: Callable[[], float]) -> None:
        """Ask these at each scrape: how many keys wait, and for how many seconds the oldest of them has."""

        def collect() -> Iterator[GaugeMetricFamily]:
            yield GaugeMetricFamily(f"{PREFIX}_queue_depth", "Resources that wait for a worker.", depth())
            yield GaugeMetricFamily(
                f"{PREFIX}_queue_oldest_age_seconds", "How long the first of them has waited.", oldest()
            )

        self.registry.register(_Asked(collect))

    def follow_resources(self, by_reason: Callable[[], Mapping[str, int]]) -> None:
        """Ask this at each scrape: how many resources have each reason of Ready."""

        def collect() -> Iterator[GaugeMetricFamily]:
            family = GaugeMetricFamily(
                f"{PREFIX}_resources", "DatabaseSchemas by the reason of their Ready condition.", labels=["reason"]
            )
            for reason, count in sorted(by_reason().items()):
                family.add_metric([reason], count)
            yield family

        self.registry.register(_Asked(collect))

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)


class _Asked(Collector):
    def __init__(self, ask: Callable[[], Iterator[GaugeMetricFamily]]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._ask()
