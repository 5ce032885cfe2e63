"""kopf as the watch layer only: raw events of our resources, their Jobs and pods, filtered, into the queue.

No handler that detects changes, no timer, daemon, index, finalizer or annotation: kopf never writes to the cluster.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import kopf

from alembic_operator.api import names
from alembic_operator.cluster.port import OURS
from alembic_operator.control.gc.orphans import Orphans
from alembic_operator.control.queue import KeyQueue
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.watch.event_filter import EventFilter


def registry(event_filter: EventFilter, orphans: Orphans, queue: KeyQueue, metrics: Metrics) -> kopf.OperatorRegistry:
    """The handlers: each only wakes, none can fail."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        # Explicitly, so that kopf does not guess from the insides of the client library.
        return _by_address(kopf.login_with_service_account(**kwargs)) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=handlers)
    async def schema(event: kopf.RawEvent, **_: Any) -> None:
        metrics.watched("DatabaseSchema", event["type"] or "LISTED")
        orphans.schema(event["type"], event["object"])
        for key in event_filter.schema(event["type"], event["object"]):
            queue.add(key)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLAN_PLURAL, registry=handlers)
    async def plan(event: kopf.RawEvent, **_: Any) -> None:
        metrics.watched("SchemaPlan", event["type"] or "LISTED")
        orphans.made(event["type"], event["object"])
        for key in event_filter.plan(event["type"], event["object"]):
            queue.add(key)

    @kopf.on.event("batch", "v1", "jobs", registry=handlers)
    async def job(event: kopf.RawEvent, **_: Any) -> None:
        metrics.watched("Job", event["type"] or "LISTED")
        orphans.made(event["type"], event["object"])
        for key in event_filter.job(event["type"], event["object"]):
            queue.add(key)

    @kopf.on.event("", "v1", "pods", registry=handlers)
    async def pod(event: kopf.RawEvent, **_: Any) -> None:
        metrics.watched("Pod", event["type"] or "LISTED")
        orphans.made(event["type"], event["object"])
        for key in event_filter.pod(event["type"], event["object"]):
            queue.add(key)

    return handlers


def _by_address(pod: kopf.ConnectionInfo | None) -> kopf.ConnectionInfo | None:
    """The API server by the address that every pod is told, as our other requests go: kopf would need DNS for it."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    if pod is None or not host or not port:
        return pod
    return replace(pod, server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")


def settings() -> kopf.OperatorSettings:
    """Kopf's settings, each with the reason that it has."""
    chosen = kopf.OperatorSettings()
    # Filtered by the API server: foreign Jobs and pods cost nothing.
    chosen.watching.label_selectors["batch", "v1", "jobs"] = OURS
    chosen.watching.label_selectors["", "v1", "pods"] = OURS
    chosen.watching.label_selectors[names.GROUP, names.VERSION, names.PLAN_PLURAL] = OURS
    chosen.watching.chunk_size = 500  # bounds the memory of the first listing
    chosen.watching.server_timeout = 600
    chosen.watching.connect_timeout = 10
    chosen.networking.request_timeout = 30  # 300 by default: five minutes of silence on a dead connection
    chosen.networking.connect_timeout = 5
    chosen.queueing.idle_timeout = 1  # half the memory after the first listing; the handlers only enqueue
    chosen.peering.standalone = True  # a Lease decides who leads
    chosen.scanning.disabled = True  # no watch of CRDs and namespaces: no right for it is needed
    chosen.posting.enabled = False  # our events are posted on transitions only, by us
    chosen.process.ultimate_exiting_timeout = 25  # within the pod's 30 s of grace
    return chosen
