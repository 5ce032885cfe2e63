"""What the operator asks of the API server: few requests for a migration, none for what is settled."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.cluster.errors import Conflict
from alembic_operator.cluster.port import Kind
from alembic_operator.control.runner_config_map import RunnerConfigMap

from .story import NAMESPACE, Story


def settled_status(reason: str = "UpToDate") -> dict[str, Any]:
    """A status that wants nothing."""
    moment = "2026-11-23T12:00:00Z"
    status = "True" if reason == "UpToDate" else "False"
    ready = {"type": "Ready", "status": status, "reason": reason, "message": "m", "lastTransitionTime": moment}
    conditions = [{**ready, "observedGeneration": 1}]
    if reason == "MigrationFailed":
        conditions.append({**conditions[0], "type": "Stalled", "status": "True"})
    return {"observedGeneration": 1, "conditions": conditions, "attempts": 1}


def add_settled(story: Story, count: int, reason: str = "UpToDate") -> None:
    for number in range(count):
        raw = story.cluster.put_schema(NAMESPACE, f"s{number}", story.spec())
        story.cluster.change("databaseschemas", {**raw, "status": settled_status(reason)})


async def test_requests_are_few_when_a_migration_succeeds() -> None:
    story = Story()
    await story.runner.ensure(story.cluster, NAMESPACE)  # once a namespace
    story.cluster.requests.clear()
    await story.apply()
    await story.runs()
    await story.passes(600)
    requests = [f"{request.verb} {request.resource}" for request in story.cluster.requests]
    assert len(requests) <= 12, requests
    assert [f"{request.verb} {request.resource}" for request in story.cluster.writes()] == [
        "create jobs",
        "patch databaseschemas/status",
        "create events",
        "patch databaseschemas/status",
        "create events",
    ]


async def test_requests_are_at_most_eight_more_when_a_change_is_planned_and_needs_no_decision() -> None:
    story = Story()
    review = {"mode": "OnFindings", "evidence": "Shadow"}
    await story.apply(revision="a1", review=review)
    await story.runs()
    await story.runs()  # the second change is counted: the namespace is known by now
    story.cluster.requests.clear()
    await story.apply(revision="c3")
    await story.runs()
    await story.runs()
    await story.passes(30)
    assert story.ready() == ("True", "UpToDate")
    requests = [f"{request.verb} {request.resource}" for request in story.cluster.requests]
    assert len(requests) <= 11 + 8, requests


async def test_nothing_is_asked_of_plans_when_the_operator_starts_with_settled_resources() -> None:
    story = Story()
    await story.apply(review={"mode": "OnFindings", "evidence": "Shadow"})
    await story.runs()
    await story.runs()
    story.start()
    story.cluster.requests.clear()
    await story.passes(60)
    assert story.cluster.requests == []


async def test_nothing_is_asked_when_the_operator_starts_with_a_thousand_settled_resources() -> None:
    story = Story()
    add_settled(story, 1000)
    story.start()
    story.cluster.requests.clear()
    await story.passes(5)
    assert story.cluster.requests == []
    assert story.queue.depth() == 0


async def test_nothing_is_written_when_settled_resources_are_listed_slowly() -> None:
    story = Story()
    add_settled(story, 450)
    story.start()
    story.cluster.requests.clear()
    await story.resync.look()
    await story.settle()
    assert story.cluster.writes() == []
    listed = [request for request in story.cluster.requests if request.resource == "databaseschemas"]
    assert [request.verb for request in listed] == ["list"] * 3
    assert story.resync.age() == 0


async def test_resources_that_stand_still_are_read_and_not_written_at_the_slow_look() -> None:
    story = Story()
    add_settled(story, 3, "MigrationFailed")
    story.start()
    await story.settle()
    story.cluster.requests.clear()
    await story.resync.look()
    await story.settle()
    reads = [request.name for request in story.cluster.requests if request.verb == "get"]
    assert (reads, story.cluster.writes()) == (["s0", "s1", "s2"], [])


async def test_what_the_watch_missed_is_found_at_the_slow_look() -> None:
    story = Story()
    add_settled(story, 2)
    story.start()
    story.cluster.deaf = True
    story.cluster.put_schema(NAMESPACE, "s0", {**story.spec(), "revision": "b2"})
    story.cluster.put_schema(NAMESPACE, "new", story.spec())
    gone = story.cluster.schema(NAMESPACE, "s1")["metadata"]["uid"]
    story.cluster.remove_schema(NAMESPACE, "s1")
    await story.passes(60)
    assert story.cluster.jobs() == []
    await story.resync.look()
    await story.settle()
    assert [job["metadata"]["name"].split("-")[0] for job in story.cluster.jobs()] == ["new", "s0"]
    assert gone not in story.event_filter.uids()
    assert len(story.event_filter.uids()) == 2


async def test_listing_begins_again_when_its_pages_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    add_settled(story, 450)
    real, calls = story.cluster.page, 0

    async def page(kind: Kind, namespace: str, limit: int, token: str = "", **options: Any) -> Any:
        if kind is not Kind.SCHEMA:
            return await real(kind, namespace, limit, token, **options)
        nonlocal calls
        calls += 1
        if calls == 3:
            story.cluster.expire_tokens()
        return await real(kind, namespace, limit, token, **options)

    monkeypatch.setattr(story.cluster, "page", page)
    await story.resync.look()
    assert calls == 3 + 3
    assert len(story.event_filter.uids()) == 450


async def test_resource_stays_known_when_it_is_made_while_the_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    add_settled(story, 3)
    real = story.cluster.page

    async def page(kind: Kind, namespace: str, limit: int, token: str = "", **options: Any) -> Any:
        part = await real(kind, namespace, limit, token, **options)
        if kind is Kind.SCHEMA:
            story.cluster.put_schema(NAMESPACE, "new", story.spec())
        return part

    monkeypatch.setattr(story.cluster, "page", page)
    await story.resync.look()
    assert story.cluster.schema(NAMESPACE, "new")["metadata"]["uid"] in story.event_filter.uids()
    assert len(story.event_filter.uids()) == 4


async def test_old_runners_go_at_the_slow_look_when_no_run_uses_them() -> None:
    story = Story(runner=b"an old version")
    await story.apply()
    old = story.runner.config_map
    job = story.job()
    story.runner = RunnerConfigMap(b"a new version")
    story.start()
    await story.runner.ensure(story.cluster, NAMESPACE)
    await story.resync.look()
    held = [item["metadata"]["name"] for item in story.cluster.config_maps(NAMESPACE)]
    assert sorted(held) == sorted([old, story.runner.config_map])
    story.cluster.finish_pod(NAMESPACE, job, story.database.answer(story.request(job)).to_json())
    await story.settle()
    await story.resync.look()
    held = [item["metadata"]["name"] for item in story.cluster.config_maps(NAMESPACE)]
    assert held == [story.runner.config_map]


async def test_foreign_config_maps_stay_when_old_runners_go() -> None:
    story = Story()
    runner = {"metadata": {"name": "alembic-operator-runner-000000000000"}}
    await story.cluster.create(Kind.CONFIG_MAP, NAMESPACE, runner)
    await story.resync.look()
    assert len(story.cluster.config_maps(NAMESPACE)) == 1


async def test_runs_and_looks_are_counted_once_when_a_status_could_not_be_written_at_first() -> None:
    story = Story()
    await story.apply()
    story.cluster.fail("patch", "databaseschemas/status", Conflict, times=2)
    await story.runs()
    told = story.metrics.exposition().decode()
    assert 'alembic_operator_run_seconds_count{kind="Apply",outcome="Applied"} 1.0' in told
