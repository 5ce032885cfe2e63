"""Plans of the past: how many are kept, which always, and that their SQL goes with them."""

from __future__ import annotations

from alembic_operator.cluster.port import Kind

from .story import NAMESPACE, Story
from .test_plan_stories import planned, reviewed


async def planned_one_by_one(story: Story) -> list[str]:
    """Three plans, each for one revision, applied; their names."""
    names = []
    for revision in ("a1", "b2", "c3"):
        story.moment = story.moment.replace(minute=story.moment.minute + 1)
        await story.apply(revision=revision, review=story.review, historyLimit=1)
        await story.runs()
        names.append(story.status["plan"]["name"])
        await story.runs()
    return names


def held(story: Story) -> tuple[list[str], list[str]]:
    plans = [item["metadata"]["name"] for item in story.cluster.plans(NAMESPACE)]
    maps = [item["metadata"]["name"] for item in story.cluster.config_maps(NAMESPACE)]
    return plans, [name for name in maps if name != story.runner.config_map]


async def test_old_plans_go_with_their_sql_at_the_slow_look() -> None:
    story = reviewed()
    *_, last = await planned_one_by_one(story)
    assert len(held(story)[0]) == 3
    await story.resync.look()
    assert held(story) == ([last], [f"{last}-0"])
    await story.settle()
    assert story.ready() == ("True", "UpToDate")


async def test_plans_stay_when_a_run_goes_on() -> None:
    story = reviewed()
    await planned_one_by_one(story)
    await story.annotate(reconcile_at="1")
    await story.resync.look()
    assert len(held(story)[0]) == 3


async def test_rejection_of_what_is_wanted_stays_when_it_is_old() -> None:
    story = reviewed(mode="Required")
    rejected = await planned(story)
    story.cluster.decide_plan(NAMESPACE, rejected, "Reject")
    await story.settle()
    other = story.cluster.plan(NAMESPACE, rejected)
    other["metadata"] = {**other["metadata"], "name": "shop-ffffffff"}
    story.moment = story.moment.replace(minute=30)
    await story.cluster.create(Kind.PLAN, NAMESPACE, {"metadata": {"name": "shop-ffffffff"}, "spec": other["spec"]})
    story.cluster.put_schema(NAMESPACE, "shop", {**story.cluster.schema(NAMESPACE, "shop")["spec"]})
    before = story.cluster.schema(NAMESPACE, "shop")
    before["spec"]["historyLimit"] = 0
    story.cluster.change("databaseschemas", before)
    await story.resync.look()
    assert rejected in held(story)[0]


async def test_plans_of_others_stay_when_old_ones_go() -> None:
    story = reviewed()
    await planned_one_by_one(story)
    spec = story.cluster.plans(NAMESPACE)[0]["spec"]
    foreign = {**spec, "schemaRef": {"name": "other", "uid": "another"}}
    await story.cluster.create(Kind.PLAN, NAMESPACE, {"metadata": {"name": "other-00000000"}, "spec": foreign})
    await story.resync.look()
    assert "other-00000000" in held(story)[0]
