"""The operator's own life: health, a graceful stop, two replicas, a restart among settled resources, fewer rights."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import process_runs, wait_until

from .api import Api
from .audit import Audit
from .installation import Installation, make_namespace
from .place import Place, Places
from .test_interruptions import ALL, PATIENT

SETTLED = 50
METRICS = (
    *(
        "alembic_operator_reconcile_seconds",
        "alembic_operator_queue_depth",
        "alembic_operator_queue_oldest_age_seconds",
    ),
    *("alembic_operator_run_seconds", "alembic_operator_api_request_seconds", "alembic_operator_leader"),
    *("alembic_operator_resources", "alembic_operator_watch_events_total"),
)


def metric(operator: Installation, name: str, pod: str = "") -> float:
    """The sum of a metric's samples; `name` may select by labels."""
    _, body = operator.ask("/metrics", 9090, pod)
    return sum(float(line.rpartition(" ")[2]) for line in body.splitlines() if line.startswith(name))


def test_health_and_metrics_tell_what_happened(operator: Installation, place: Place) -> None:
    before = metric(operator, 'alembic_operator_run_seconds_count{kind="Apply",outcome="Applied"}')
    place.apply("plain", "a1")
    place.wait("UpToDate")

    assert operator.ask("/healthz") == (200, "ok\n")
    assert operator.ask("/readyz") == (200, "ok\n")
    assert metric(operator, 'alembic_operator_run_seconds_count{kind="Apply",outcome="Applied"}') == before + 1
    assert metric(operator, "alembic_operator_leader") == 1
    assert metric(operator, 'alembic_operator_resources{reason="UpToDate"}') >= 1
    assert metric(operator, 'alembic_operator_reconcile_seconds_count{result="done"}') >= 2
    assert metric(operator, 'alembic_operator_reconcile_seconds_count{result="error"}') == 0
    assert metric(operator, "alembic_operator_queue_oldest_age_seconds") < 60
    created = 'alembic_operator_api_request_seconds_count{code="201",resource="jobs",verb="create"}'
    assert metric(operator, created) >= 1
    assert set(METRICS) <= set(re.findall(r"^# TYPE (\S+)", operator.ask("/metrics", 9090)[1], re.M))


def test_lines_of_the_log_name_resource_job_and_reason(operator: Installation, place: Place) -> None:
    place.apply("plain", "a1")
    place.wait("UpToDate")

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
def pair(operator: Installation) -> Iterator[Installation]:
    """Two replicas, which look at everything every ten seconds."""
    operator.install(replicas=2, resync=10)
    yield operator
    operator.install(replicas=1, resync=3600)


def test_other_replica_takes_over_when_the_leader_is_killed(pair: Installation, place: Place) -> None:
    with place.gate():
        place.apply("gated", "a3", timeouts=PATIENT)
        place.wait_at_gate()
        leader = pair.leader()
        names = [pod["metadata"]["name"] for pod in pair.pods() if "deletionTimestamp" not in pod["metadata"]]
        standby = next(name for name in names if name != leader)
        assert (metric(pair, "alembic_operator_leader", leader), metric(pair, "alembic_operator_leader", standby)) == (
            1,
            0,
        )
        assert pair.ask("/readyz", pod=standby) == (200, "ok\n")

        killed = pair.destroy(leader)
        holder = wait_until(lambda: (now := pair.leader()) != leader and now, "another leader", 30, every=0.05)
        took = time.monotonic() - killed

    place.wait("UpToDate", timeout=90)
    print(f"take-over by {holder}: {took:.1f} s after kill -9")
    assert took < 20
    assert place.rows("SELECT revision FROM ran") == ALL
    assert len(place.jobs()) == 1
    pair.wait_until_ready()


def test_runner_of_an_older_version_is_removed_and_ours_stays(pair: Installation, place: Place) -> None:
    place.apply("plain", "a1")
    place.wait("UpToDate")
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
    place.apply("plain", "a1")
    status = place.wait("UpToDate")
    operator.scale(0)
    names = [f"settled-{number}" for number in range(SETTLED)]
    manifests = [place.manifest(name, "plain", "a1") for name in names]
    place.create(*manifests)
    settled = [{**manifest, "status": status} for manifest in manifests]
    place.kubectl(
        *("apply", "--server-side", "--subresource=status", "--field-manager=alembic-operator", "--force-conflicts"),
        *("-f", "-"),
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": settled}),
    )
    assert place.condition("Ready", names[-1])["status"] == "True"
    audit = Audit(cluster.audit_log)

    operator.scale(1)
    listed = 'alembic_operator_watch_events_total{event="LISTED",kind="DatabaseSchema"}'
    wait_until(lambda: metric(operator, listed) > SETTLED, "the operator to have seen them all", 30, every=0.2)
    wait_until(lambda: metric(operator, "alembic_operator_queue_depth") == 0, "an empty queue", 30, every=0.2)

    asked = [one for one in audit.requests(operator.account) if one.namespace == place.namespace]
    assert asked == []
    assert metric(operator, 'alembic_operator_resources{reason="UpToDate"}') > SETTLED


def test_one_namespace_is_served_with_roles_alone(
    operator: Installation, places: Places, cluster: Cluster, api: Api, built: dict[str, str]
) -> None:
    audit = Audit(cluster.audit_log)
    with places() as place, places() as outside:
        operator.scale(0)
        make_namespace(cluster, "scoped")
        scoped = Installation(cluster, api, built, "scoped")
        try:
            scoped.install(
                watchNamespaces=[place.namespace],
                developmentNamespaces=[place.namespace],
                clusterId="e2e",
                admissionPolicies=False,
                crds={"install": False},
            )
            for one in (place, outside):
                one.secret()
                one.apply("plain", "a1")
            place.wait("UpToDate")
            place.patch(revision="a3")
            place.wait("UpToDate")

            assert place.revisions() == ["a3"]
            assert outside.status() == {"observedGeneration": -1}
            roles = cluster.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
            assert "scoped" not in roles
            assert [one for one in audit.requests(scoped.account) if not one.allowed] == []
            assert {one.namespace for one in audit.requests(scoped.account)} == {place.namespace, "scoped"}
        finally:
            scoped.uninstall()
            cluster.kubectl("delete", "namespace", "scoped")
            operator.scale(1)
        outside.wait("UpToDate")
