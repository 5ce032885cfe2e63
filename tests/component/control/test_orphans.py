"""What a resource that is gone left behind, and Kubernetes leaves because nobody owns it any more, is taken away."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.errors import Unavailable
from alembic_operator.contract.reasons import Reason

from .story import NAMESPACE, SPEC, Story

REVIEWED = {"mode": "OnFindings", "evidence": "Shadow"}


def made(story: Story) -> list[str]:
    """The kinds of what is there with our label, the runner's ConfigMap aside."""
    found = [
        resource
        for resource in ("jobs", "pods", "schemaplans", "configmaps")
        for item in story.cluster.all(resource, NAMESPACE)
        if names.LABEL_UID in item["metadata"].get("labels", {})
    ]
    return sorted(set(found))


async def migrating(story: Story, **changes: Any) -> None:
    """The apply run of a plan is in the middle of its work."""
    await story.apply(**SPEC | {"review": REVIEWED} | changes)
    await story.runs()
    story.cluster.start_pod(NAMESPACE, story.job())
    await story.passes(1)
    assert story.ready() == ("Unknown", "Migrating")


async def test_everything_goes_when_a_resource_is_deleted_with_cascade_orphan() -> None:
    story = Story()
    await migrating(story)
    assert made(story) == ["configmaps", "jobs", "pods", "schemaplans"]
    job = story.job()

    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)
    await story.passes(10)

    (left,) = story.cluster.jobs(NAMESPACE)[-1:]
    assert left["metadata"]["name"] == job
    assert "deletionTimestamp" in left["metadata"], "it ends its pod first, which has its grace period"
    story.cluster.finish_pod(NAMESPACE, job, exit_code=143, complete=False)
    await story.passes(10)
    assert made(story) == []
    assert [item["metadata"]["name"] for item in story.cluster.all("configmaps", NAMESPACE)] == [
        story.runner.config_map
    ]


async def test_pod_goes_when_its_job_was_deleted_with_cascade_orphan_and_then_the_resource() -> None:
    story = Story()
    await migrating(story)
    story.cluster.lose_job(NAMESPACE, story.job())
    await story.passes(10)
    assert len(story.cluster.pods(NAMESPACE)) >= 1, "of a resource that is there, a run goes on to its end"

    story.cluster.remove_schema(NAMESPACE, "shop")
    await story.passes(10)

    assert made(story) == []


async def test_job_without_owner_goes_on_as_long_as_its_resource_is_there() -> None:
    story = Story()
    await migrating(story)
    lost = story.job()
    story.cluster.orphan(NAMESPACE, story.uid())

    await story.passes(30)

    assert lost in story.job_names()
    story.cluster.finish_pod(NAMESPACE, lost, exit_code=143)
    story.cluster.remove_schema(NAMESPACE, "shop")
    await story.passes(10)
    assert made(story) == []


async def test_only_the_predecessors_things_go_when_a_resource_is_made_again() -> None:
    story = Story()
    await story.apply()
    story.cluster.start_pod(NAMESPACE, story.job())
    await story.settle()
    old = story.job_names()
    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)
    await story.apply(**SPEC)
    (new,) = set(story.job_names()) - set(old)

    await story.passes(10)

    going = {job["metadata"]["name"]: "deletionTimestamp" in job["metadata"] for job in story.cluster.jobs(NAMESPACE)}
    assert going == {old[0]: True, new: False}


async def test_leftovers_go_when_the_resource_went_while_no_operator_was_there() -> None:
    story = Story()
    await migrating(story)
    story.lives += 1  # the operator is gone
    story.cluster.finish_pod(NAMESPACE, story.job(), exit_code=143)
    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)

    story.start()
    await story.passes(10)

    assert made(story) == []


@pytest.mark.parametrize("again", [True, False], ids=["made again", "gone for good"])
async def test_leftovers_go_when_the_deletion_fell_into_a_gap_of_the_watch(again: bool) -> None:
    story = Story()
    await story.apply(**SPEC | {"review": REVIEWED | {"mode": "Required"}})
    await story.runs()
    plan = story.status["plan"]["name"]
    assert "configmaps" in made(story)
    story.cluster.deaf = True
    story.cluster.drop("schemaplans", NAMESPACE, plan)
    for job in story.job_names():
        story.cluster.drop("jobs", NAMESPACE, job)
    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)
    story.cluster.deaf = False
    assert made(story) == ["configmaps"]

    if again:
        story.cluster.put_schema(NAMESPACE, "shop", SPEC | {"suspend": True})
    else:
        await story.resync.look()
    await story.passes(10)

    assert made(story) == []


async def test_sql_without_plan_goes_with_the_hourly_look_when_its_resource_went_while_no_operator_was_there() -> None:
    story = Story()
    await story.apply(**SPEC | {"review": REVIEWED | {"mode": "Required"}})
    await story.runs()
    story.lives += 1  # the operator is gone
    story.cluster.drop("schemaplans", NAMESPACE, story.status["plan"]["name"])
    for job in story.job_names():
        story.cluster.drop("jobs", NAMESPACE, job)
    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)
    story.cluster.put_schema(NAMESPACE, "shop", SPEC | {"suspend": True})
    story.start()
    await story.passes(10)
    assert made(story) == ["configmaps"], "nothing tells of it"

    await story.resync.look()
    await story.passes(10)

    assert made(story) == []


async def test_leftovers_go_later_when_the_api_server_cannot_be_asked() -> None:
    story = Story()
    await story.apply()
    await story.runs()
    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)
    story.cluster.fail("list", "pods", Unavailable, times=1)
    await story.passes(10)
    assert made(story) == ["jobs", "pods"]

    await story.passes(30)

    assert made(story) == []


async def test_nothing_of_others_goes_when_it_has_no_owner() -> None:
    story = Story()
    await story.apply()
    await story.runs()
    foreign = {"name": "foreign", "labels": {"app.kubernetes.io/managed-by": "helm"}}
    unmarked = {"name": "unmarked", "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY}}
    for head in (foreign, unmarked):
        story.cluster.add("configmaps", NAMESPACE, {"metadata": head, "data": {}})
    story.cluster.remove_schema(NAMESPACE, "shop", orphan=True)

    await story.passes(10)

    kept = {item["metadata"]["name"] for item in story.cluster.all("configmaps", NAMESPACE)}
    assert kept == {"foreign", "unmarked", story.runner.config_map}


async def test_deletion_costs_one_look_and_no_write_when_the_garbage_collector_takes_everything() -> None:
    story = Story()
    await story.apply()
    await story.runs()
    before, writes = len(story.cluster.requests), len(story.cluster.writes())
    story.cluster.remove_schema(NAMESPACE, "shop")

    await story.passes(60)

    assert len(story.cluster.requests) - before == 4
    assert len(story.cluster.writes()) == writes


async def test_run_is_asked_about_again_when_its_job_has_lost_its_label() -> None:
    story = Story()
    await story.apply()
    story.cluster.start_pod(NAMESPACE, story.job())
    await story.settle()
    raw = story.cluster.read("jobs", NAMESPACE, story.job())
    raw["metadata"]["labels"][names.LABEL_UID] = "00000000-0000-4000-8000-000000000000"
    story.cluster.change("jobs", raw)

    await story.until(lambda: story.ready()[1] == Reason.CHECKING.value, at_most=2)

    assert raw["metadata"]["name"] in story.job_names()
