"""kopf is asked to watch our kinds, Jobs and pods, and never to write."""

from __future__ import annotations

from typing import Any

import kopf
import pytest
from tests.component.memory_cluster import MemoryCluster

from alembic_operator.control.gc.orphans import Orphans
from alembic_operator.control.queue import Key, KeyQueue
from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.watch import handlers
from alembic_operator.control.watch.event_filter import EventFilter

from .test_event_filter import RUN, job, pod, schema

LABELS = {"app.kubernetes.io/component": "migration", "alembic-operator.dev/schema-uid": "uid-gone"}
LOST = {"metadata": {"namespace": "shop", "name": "shop-1", "labels": LABELS}}


def parts() -> tuple[kopf.OperatorRegistry, Orphans, KeyQueue, Metrics]:
    orphans, queue, metrics = Orphans(MemoryCluster(), clock=lambda: 0.0), KeyQueue(), Metrics()
    return handlers.registry(EventFilter(), orphans, queue, metrics), orphans, queue, metrics


async def deliver(registry: kopf.OperatorRegistry, name: str, event: str | None, raw: dict[str, Any]) -> None:
    (handler,) = [h for h in registry._watching.get_all_handlers() if h.id.endswith(f".{name}")]
    call: Any = handler.fn
    await call(event={"type": event, "object": raw}, unneeded=1)


async def test_keys_come_into_the_queue_when_events_are_worth_a_look() -> None:
    registry, _, queue, metrics = parts()
    await deliver(registry, "schema", None, schema("Migrating", run=RUN))
    assert await queue.take() == Key("shop", "shop")
    queue.done(Key("shop", "shop"))
    await deliver(registry, "pod", "MODIFIED", pod({"running": {}}))
    assert queue.depth() == 0
    await deliver(registry, "pod", "MODIFIED", pod({"terminated": {}}))
    assert queue.depth() == 1
    await deliver(registry, "job", "MODIFIED", job(condition="Complete"))
    assert queue.depth() == 1
    told = metrics.exposition().decode()
    assert 'kind="DatabaseSchema"' in told
    assert 'event="LISTED"' in told


@pytest.mark.parametrize(
    ("name", "event", "raw", "due"),
    [
        pytest.param("schema", "DELETED", schema(), True, id="a resource is gone"),
        pytest.param("schema", "MODIFIED", schema(), False, id="a resource changed"),
        pytest.param("job", "MODIFIED", job(condition=""), False, id="a Job has its owner"),
        *(
            pytest.param(name, event, LOST, True, id=f"{name} {event}")
            for name in ("job", "pod", "plan")
            for event in ("MODIFIED", None)
        ),
        pytest.param("job", "DELETED", LOST, False, id="it is gone"),
    ],
)
async def test_namespace_is_looked_at_for_orphans_when(name: str, event: str, raw: dict[str, Any], due: bool) -> None:
    registry, orphans, *_ = parts()
    await deliver(registry, name, event, raw)
    assert orphans.due() == (5.0 if due else None)


def test_kopf_only_watches_when_it_is_told_what() -> None:
    registry, *_ = parts()
    handlers = list(registry._watching.get_all_handlers())
    selectors = {(h.selector.group, h.selector.version, h.selector.plural) for h in handlers if h.selector}
    assert sorted(h.id.rsplit(".", 1)[-1] for h in handlers) == ["job", "plan", "pod", "schema"]
    assert len(selectors) == 3  # of groups; both of our kinds are in one
    others = (registry._changing, registry._spawning, registry._indexing, registry._webhooks)
    assert [handler for kind in others for handler in kind.get_all_handlers()] == []


def test_settings_keep_kopf_from_writing_and_from_foreign_objects() -> None:
    settings = handlers.settings()
    assert settings.peering.standalone
    assert settings.scanning.disabled
    assert not settings.posting.enabled
    selectors = settings.watching.label_selectors
    assert len(selectors) == 3
    assert set(selectors.values()) == {"app.kubernetes.io/managed-by=alembic-operator"}


@pytest.mark.parametrize(
    ("host", "server"),
    [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")],
)
def test_api_server_is_asked_by_its_address_when_it_runs_in_a_pod(
    monkeypatch: pytest.MonkeyPatch, host: str, server: str
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = handlers._by_address(kopf.ConnectionInfo(server="https://kubernetes.default.svc"))
    assert found is not None
    assert found.server == server


def test_api_server_is_asked_as_configured_when_it_runs_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    configured = kopf.ConnectionInfo(server="https://127.0.0.1:6443")
    assert handlers._by_address(configured) is configured
    assert handlers._by_address(None) is None
