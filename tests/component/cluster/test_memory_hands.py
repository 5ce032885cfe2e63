"""What tests do to the in-memory cluster: faults, crashes, watches, pods. A stand-in that lies makes every test lie."""

from __future__ import annotations

from typing import Any

import pytest
from tests.component.cluster.contract import SPEC, STATUS, config_map, event, job, lease
from tests.component.memory_cluster import Crash, MemoryCluster

from alembic_operator.cluster.errors import Gone, NotFound, Refused, Unavailable
from alembic_operator.cluster.port import OURS, Kind, Raw, named, of_job


@pytest.fixture
def cluster() -> MemoryCluster:
    made = MemoryCluster()
    made.add_namespace("shop")
    return made


def feed(cluster: MemoryCluster, resource: str) -> list[tuple[str | None, str]]:
    """What a watch of the resource delivers."""
    seen: list[tuple[str | None, str]] = []

    def deliver(event: str | None, item: Raw) -> None:
        seen.append((event, item["metadata"]["name"]))

    cluster.watch(resource, deliver)
    return seen


async def test_process_ends_before_or_after_the_nth_effect_when_a_crash_is_set(cluster: MemoryCluster) -> None:
    cluster.crash(2)
    await cluster.create(Kind.JOB, "shop", job("a"))
    await cluster.list_all(Kind.JOB, "shop", labels=OURS)
    await cluster.create(Kind.LEASE, "shop", lease("leader", "x"))
    with pytest.raises(Crash):
        await cluster.create(Kind.JOB, "shop", job("b"))
    assert [item["metadata"]["name"] for item in cluster.jobs()] == ["a"]
    cluster.crash(1, after=True)
    with pytest.raises(Crash):
        await cluster.create(Kind.JOB, "shop", job("b"))
    assert [item["metadata"]["name"] for item in cluster.jobs()] == ["a", "b"]
    await cluster.create(Kind.JOB, "shop", job("c"))


async def test_effect_is_there_or_not_when_an_answer_is_lost_or_a_request_fails(cluster: MemoryCluster) -> None:
    cluster.fail("create", "jobs", Unavailable)
    cluster.fail("create", "jobs", Refused("create Job", "exceeded quota"), times=1, after=True)
    with pytest.raises(Unavailable, match="injected"):
        await cluster.create(Kind.JOB, "shop", job("a"))
    assert cluster.jobs() == []
    with pytest.raises(Refused, match="exceeded quota"):
        await cluster.create(Kind.JOB, "shop", job("a"))
    assert len(cluster.jobs()) == 1
    await cluster.create(Kind.JOB, "shop", job("b"))


async def test_requests_and_writes_are_counted_when_they_are_made(cluster: MemoryCluster) -> None:
    cluster.put_schema("shop", "db", SPEC)
    found = await cluster.get(Kind.SCHEMA, "shop", "db")
    await cluster.create(Kind.JOB, "shop", job("a"))
    about = found["metadata"]
    await cluster.apply_status(Kind.SCHEMA, "shop", "db", STATUS, uid=about["uid"], version=about["resourceVersion"])
    await cluster.create(Kind.EVENT, "shop", event(found, "shop"))
    await cluster.create(Kind.LEASE, "shop", lease("leader", "x"))
    assert [(each.verb, each.resource) for each in cluster.requests] == [
        ("get", "databaseschemas"),
        ("create", "jobs"),
        ("patch", "databaseschemas/status"),
        ("create", "events"),
        ("create", "leases"),
    ]
    assert len(cluster.writes()) == 3


async def test_watch_delivers_as_kopf_does_when_objects_come_change_and_go(cluster: MemoryCluster) -> None:
    cluster.put_schema("shop", "old", SPEC)
    seen = feed(cluster, "databaseschemas")
    cluster.put_schema("shop", "new", SPEC)
    cluster.put_schema("shop", "new", SPEC)
    cluster.annotate("shop", "new", {"a": "b"})
    cluster.deaf = True
    cluster.annotate("shop", "new", {"a": None})
    cluster.deaf = False
    cluster.remove_schema("shop", "old")
    assert seen == [(None, "old"), ("ADDED", "new"), ("MODIFIED", "new"), ("DELETED", "old")]
    assert cluster.schema("shop", "new")["metadata"]["annotations"] == {}


async def test_what_is_read_is_a_copy_when_it_is_changed(cluster: MemoryCluster) -> None:
    cluster.put_schema("shop", "db", SPEC)
    read: Any = await cluster.get(Kind.SCHEMA, "shop", "db")
    read["spec"]["revision"] = "changed"
    assert cluster.schema("shop", "db")["spec"]["revision"] == SPEC["revision"]


@pytest.mark.parametrize(
    "spec",
    [{**SPEC, "invented": 1}, {**SPEC, "revision": 7}, {"revision": "a"}, {**SPEC, "historyLimit": 0}],
    ids=["unknown", "type", "required", "minimum"],
)
def test_refused_when_a_spec_does_not_fit_the_crd(cluster: MemoryCluster, spec: Raw) -> None:
    with pytest.raises(Refused, match="spec"):
        cluster.put_schema("shop", "db", spec)


async def test_jobs_and_pods_go_when_their_schema_goes(cluster: MemoryCluster) -> None:
    owner = cluster.put_schema("shop", "db", SPEC)
    await cluster.create(Kind.JOB, "shop", job("a", owner))
    await cluster.create(Kind.JOB, "shop", job("other"))
    cluster.start_pod("shop", "a")
    gone = feed(cluster, "pods")
    cluster.remove_schema("shop", "db")
    assert [item["metadata"]["name"] for item in cluster.jobs()] == ["other"]
    assert [event for event, _ in gone] == [None, "DELETED"]


async def test_gone_when_page_tokens_expired(cluster: MemoryCluster) -> None:
    for name in ("a", "b"):
        cluster.put_schema("shop", name, SPEC)
    token = (await cluster.page(Kind.SCHEMA, "", 1)).token
    cluster.expire_tokens()
    with pytest.raises(Gone):
        await cluster.page(Kind.SCHEMA, "", 1, token)


async def test_pod_goes_through_its_states_when_the_kubelet_says_so(cluster: MemoryCluster) -> None:
    uid = (await cluster.create(Kind.JOB, "shop", job("a")))["metadata"]["uid"]
    waiting = cluster.waiting("shop", "a", "ImagePullBackOff", "Back-off pulling image")
    assert waiting["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    with pytest.raises(Refused, match="waiting to start"):
        await cluster.read_log("shop", waiting["metadata"]["name"], "migration", 5)
    running = cluster.start_pod("shop", "a")
    cluster.write_log("shop", running["metadata"]["name"], ["one", "two", "three"])
    assert await cluster.read_log("shop", running["metadata"]["name"], "migration", 2) == "two\nthree\n"
    ended = cluster.finish_pod("shop", "a", "{}", complete=False)
    assert {waiting["metadata"]["uid"], running["metadata"]["uid"]} == {ended["metadata"]["uid"]}
    (found,) = await cluster.list_all(Kind.JOB, "shop", fields=named("a"))
    assert "conditions" not in found["status"]
    cluster.complete_job("shop", "a")
    assert [each["type"] for each in cluster.jobs()[0]["status"]["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert len(await cluster.list_all(Kind.POD, "shop", labels=of_job(uid))) == 1


async def test_second_pod_is_there_when_the_first_has_ended(cluster: MemoryCluster) -> None:
    uid = (await cluster.create(Kind.JOB, "shop", job("a")))["metadata"]["uid"]
    cluster.finish_pod("shop", "a", "{}", complete=False)
    cluster.start_pod("shop", "a")
    assert len(await cluster.list_all(Kind.POD, "shop", labels=of_job(uid))) == 2


async def test_job_fails_and_its_pod_is_gone_when_the_pod_is_deleted_or_the_deadline_passes(
    cluster: MemoryCluster,
) -> None:
    for name in ("a", "b"):
        await cluster.create(Kind.JOB, "shop", job(name))
    cluster.delete_pod("shop", cluster.start_pod("shop", "a")["metadata"]["name"])
    cluster.start_pod("shop", "b")
    cluster.fail_job("shop", "b", "DeadlineExceeded", "Job was active longer than specified deadline")
    assert [item["status"]["conditions"][-1]["reason"] for item in cluster.jobs()] == [
        "BackoffLimitExceeded",
        "DeadlineExceeded",
    ]
    assert cluster.pods() == []


async def test_deleted_job_stays_until_its_pod_has_ended_when_it_runs(cluster: MemoryCluster) -> None:
    uid = (await cluster.create(Kind.JOB, "shop", job("a")))["metadata"]["uid"]
    cluster.start_pod("shop", "a")
    await cluster.delete(Kind.JOB, "shop", "a", uid)
    assert "deletionTimestamp" in cluster.jobs()[0]["metadata"]
    assert "deletionTimestamp" in cluster.pods()[0]["metadata"]
    cluster.finish_pod("shop", "a", "{}", 1, complete=False)
    assert (cluster.jobs(), cluster.pods()) == ([], [])


async def test_unschedulable_is_a_condition_of_the_pod_when_no_node_takes_it(cluster: MemoryCluster) -> None:
    await cluster.create(Kind.JOB, "shop", job("a"))
    pod = cluster.unschedulable("shop", "a", "0/1 nodes are available")
    assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"
    with pytest.raises(NotFound):
        cluster.start_pod("shop", "none")


async def test_config_maps_are_seen_when_they_were_created(cluster: MemoryCluster) -> None:
    await cluster.create(Kind.CONFIG_MAP, "shop", config_map("runner"))
    assert [item["metadata"]["name"] for item in cluster.config_maps("shop")] == ["runner"]
