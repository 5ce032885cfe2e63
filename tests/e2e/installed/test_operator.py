"""The operator's own life: health, a graceful stop, two replicas, a restart among settled resources, fewer rights."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import process_runs, wait_until

from .api import Api
from .audit import Audit
from .installation import Installation, make_namespace
from .place import Place, Places
from .test_interruptions import ALL, PATIENT

SETTLED = 50
SCOPED = "scoped"  # the release and namespace of an operator for one namespace
UNSEEN = {"observedGeneration": -1}  # as the API server defaults a status
METRICS = (
    *(
        "alembic_operator_reconcile_seconds",
        "alembic_operator_queue_depth",
        "alembic_operator_queue_oldest_age_seconds",
    ),
    *("alembic_operator_run_seconds", "alembic_operator_api_request_seconds", "alembic_operator_leader"),
    *("alembic_operator_resources", "alembic_operator_watch_events_total"),
)


def test_health_and_metrics_tell_what_happened(operator: Installation, place: Place) -> None:
    before = operator.metric('alembic_operator_run_seconds_count{kind="Apply",outcome="Applied"}')
    place.reach("plain", "a1")

    assert operator.ask("/healthz") == (200, "ok\n")
    assert operator.ask("/readyz") == (200, "ok\n")
    assert operator.metric('alembic_operator_run_seconds_count{kind="Apply",outcome="Applied"}') == before + 1
    assert operator.metric("alembic_operator_leader") == 1
    assert operator.metric('alembic_operator_resources{reason="UpToDate"}') >= 1
    assert operator.metric('alembic_operator_reconcile_seconds_count{result="done"}') >= 2
    assert operator.metric('alembic_operator_reconcile_seconds_count{result="error"}') == 0
    assert operator.metric("alembic_operator_queue_oldest_age_seconds") < 60
    created = 'alembic_operator_api_request_seconds_count{code="201",resource="jobs",verb="create"}'
    assert operator.metric(created) >= 1
    assert set(METRICS) <= set(re.findall(r"^# TYPE (\S+)", operator.ask("/metrics", 9090)[1], re.M))


def test_lines_of_the_log_name_resource_job_and_reason(operator: Installation, place: Place) -> None:
    place.reach("plain", "a1")

    job = place.jobs()[0]["metadata"]["name"]
    lines = [json.loads(line) for line in operator.log().splitlines()]
    ours = [line for line in lines if line.get("namespace") == place.namespace]
    assert [(line["event"], line["name"], line["job"], line["reason"]) for line in ours] == [
        ("job created", "shop", job, "Migrating"),
        ("status written", "shop", job, "Migrating"),
        ("status written", "shop", job, "UpToDate"),
    ]
    assert all({"timestamp", "level", "event", "logger"} <= line.keys() for line in lines)


def test_operator_stops_gracefully_while_a_run_goes_on(operator: Installation, place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        pod, started = operator.leader(), time.monotonic()
        process = operator.process(pod)
        os.kill(process, signal.SIGTERM)
        wait_until(lambda: not process_runs(process), "the operator to stop", 25)
        took = time.monotonic() - started
    print(f"graceful stop: {took:.1f} s")

    ended = wait_until(lambda: operator.ending(pod), "the kubelet to tell", 30)
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert json.loads(operator.log(pod, previous=True).splitlines()[-1])["event"] == "stopped"
    place.wait("UpToDate", timeout=90)
    assert len(place.jobs()) == 1


@pytest.fixture
def audit_from_now(cluster: Cluster) -> Audit:
    """What the API server is asked in this test."""
    return Audit(cluster.audit_log)


@pytest.fixture
def pair(operator: Installation) -> Iterator[Installation]:
    """Two replicas, which look at everything every ten seconds."""
    operator.install(replicas=2, resync=10)
    yield operator
    operator.install(replicas=1, resync=3600)


def test_other_replica_takes_over_when_the_leader_is_killed(pair: Installation, place: Place) -> None:
    leader, standby = pair.leader(), pair.standby()
    assert (pair.leads(leader), pair.leads(standby)) == (True, False)
    assert pair.ask("/readyz", pod=standby) == (200, "ok\n")

    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        killed = pair.destroy(leader)
        holder = pair.wait_for_another_leader(than=leader)
        took = time.monotonic() - killed

    place.wait("UpToDate", timeout=90)
    print(f"take-over by {holder}: {took:.1f} s after kill -9")
    assert took < 20
    assert place.rows("SELECT revision FROM ran") == ALL
    assert len(place.jobs()) == 1
    pair.wait_until_ready()


def test_runner_of_an_older_version_is_removed_and_ours_stays(pair: Installation, place: Place) -> None:
    place.reach("plain", "a1")
    ours = json.loads(place.kubectl("get", "configmaps", "-l", "app.kubernetes.io/managed-by", "-o", "json"))["items"][
        0
    ]
    assert re.fullmatch("alembic-operator-runner-[0-9a-f]{12}", ours["metadata"]["name"])
    assert ours["immutable"] is True
    old = {"name": "alembic-operator-runner-000000000000", "labels": ours["metadata"]["labels"]}
    place.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": old, "immutable": True})

    place.kubectl("wait", "--for=delete", "configmap/alembic-operator-runner-000000000000", "--timeout=60s")

    assert place.kubectl("get", "configmap", ours["metadata"]["name"], "-o", "name")


def test_restart_writes_nothing_when_every_resource_is_settled(
    operator: Installation, place: Place, cluster: Cluster
) -> None:
    status = place.reach("plain", "a1")
    operator.scale(0)
    place.settle([f"settled-{number}" for number in range(SETTLED)], "plain", "a1", status)
    audit = Audit(cluster.audit_log)

    operator.scale(1)
    operator.wait_until_seen(SETTLED)

    assert [one for one in audit.requests(operator.account) if one.namespace == place.namespace] == []
    assert operator.metric('alembic_operator_resources{reason="UpToDate"}') > SETTLED


@pytest.fixture
def installed_for(
    operator: Installation, cluster: Cluster, api: Api, built: dict[str, str]
) -> Callable[[str], AbstractContextManager[Installation]]:
    """Installs an operator for one namespace in the place of the one for all, without any right on the cluster."""

    @contextmanager
    def install(namespace: str) -> Iterator[Installation]:
        operator.scale(0)
        make_namespace(cluster, SCOPED)
        scoped = Installation(cluster, api, built, SCOPED)
        try:
            scoped.install(
                watchNamespaces=[namespace],
                developmentNamespaces=[namespace],
                clusterId="e2e",
                admissionPolicies=False,
                crds={"install": False},
            )
            yield scoped
        finally:
            scoped.uninstall()
            cluster.kubectl("delete", "namespace", SCOPED)
            operator.scale(1)

    return install


def test_one_namespace_is_served_with_roles_alone(
    installed_for: Callable[[str], AbstractContextManager[Installation]], places: Places, audit_from_now: Audit
) -> None:
    with places() as inside, places() as outside:
        with installed_for(inside.namespace) as scoped:
            for place in (inside, outside):
                place.secret()
                place.apply("plain", "a1")
            inside.wait("UpToDate")
            inside.patch(revision="a3")
            inside.wait("UpToDate")

            assert inside.revisions() == ["a3"]
            assert outside.status() == UNSEEN
            assert SCOPED not in scoped.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
            asked = list(audit_from_now.requests(scoped.account))
            assert [one for one in asked if not one.allowed] == []
            assert {one.namespace for one in asked} == {inside.namespace, SCOPED}
        outside.wait("UpToDate")
