"""SQL whose plan somebody deleted: it goes at the slow look, and never what is, or is about to be, needed."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.cluster.port import Kind, Page

from .story import NAMESPACE, Story
from .test_old_plans import held
from .test_plan_stories import planned, reviewed


async def applied(story: Story) -> str:
    """A plan was made and applied; its name."""
    name = await planned(story)
    await story.runs()
    return name


async def test_sql_goes_when_its_plan_was_deleted() -> None:
    story = reviewed()
    await story.apply(revision="a1", review=story.review)
    await story.runs()
    lost = story.status["plan"]["name"]
    await story.runs()
    await story.apply(revision="c3")
    await story.runs()
    await story.runs()
    kept = story.status["plan"]["name"]
    story.cluster.remove_plan(NAMESPACE, lost)
    await story.settle()
    await story.resync.look()
    assert held(story) == ([kept], [f"{kept}-0"])
    assert story.ready() == ("True", "UpToDate")


async def test_nothing_is_asked_of_sql_when_its_plan_is_there() -> None:
    story = reviewed()
    await applied(story)
    story.cluster.requests.clear()
    await story.resync.look()
    asked = [f"{request.verb} {request.resource}" for request in story.cluster.requests]
    assert asked == ["list databaseschemas", "list configmaps", "list configmaps", "list schemaplans"]


async def test_sql_stays_when_the_run_of_its_deleted_plan_goes_on() -> None:
    story = reviewed()
    name = await planned(story)
    story.cluster.remove_plan(NAMESPACE, name)
    await story.resync.look()
    assert held(story) == ([], [f"{name}-0"])
    await story.runs()
    await story.resync.look()
    assert held(story) == ([], [])
    assert story.ready() == ("True", "UpToDate")


async def test_sql_stays_when_a_job_mounts_it_that_no_status_tells_of_yet() -> None:
    story = reviewed()
    name = await planned(story)
    (running,) = [job for job in story.cluster.jobs(NAMESPACE) if not story.is_over(job)]
    await story.runs()
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()
    head = {**running["metadata"], "name": "another", "uid": "", "resourceVersion": ""}
    await story.cluster.create(Kind.JOB, NAMESPACE, {"metadata": head, "spec": running["spec"]})
    await story.resync.look()
    assert held(story) == ([], [f"{name}-0"])


async def test_sql_stays_when_only_its_labels_say_that_it_is_a_plans() -> None:
    story = reviewed()
    name = await applied(story)
    labels = story.cluster.config_maps(NAMESPACE)[-1]["metadata"]["labels"]
    await story.cluster.create(Kind.CONFIG_MAP, NAMESPACE, {"metadata": {"name": "mine-0", "labels": labels}})
    owner = {"kind": "DatabaseSchema", "name": "shop", "uid": "another", "controller": True}
    meta = {"name": "other-0", "labels": labels, "ownerReferences": [owner]}
    await story.cluster.create(Kind.CONFIG_MAP, NAMESPACE, {"metadata": meta})
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()
    await story.resync.look()
    assert held(story) == ([], ["mine-0", "other-0"])


@pytest.mark.parametrize("meanwhile", ["the plan is made", "the spec changes"])
async def test_sql_stays_when_it_is_wanted_again_meanwhile(meanwhile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story = reviewed()
    name = await applied(story)
    plan = story.cluster.plan(NAMESPACE, name)
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()

    real = story.cluster.page

    async def page(kind: Kind, namespace: str, limit: int, token: str = "", **options: Any) -> Page:
        if kind is not Kind.PLAN:
            return await real(kind, namespace, limit, token, **options)
        if meanwhile == "the plan is made":
            await story.cluster.create(Kind.PLAN, NAMESPACE, {"metadata": {"name": name}, "spec": plan["spec"]})
        else:
            spec = story.cluster.schema(NAMESPACE, "shop")["spec"]
            story.cluster.put_schema(NAMESPACE, "shop", {**spec, "revision": "b2"})
        return Page((), "")

    monkeypatch.setattr(story.cluster, "page", page)
    await story.resync.look()
    assert held(story)[1] == [f"{name}-0"]
