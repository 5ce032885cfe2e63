"""What people do while a plan waits, or is about to run: the plan, its phase and the conditions tell the same story."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.errors import AlreadyExists
from alembic_operator.contract.request import RunKind
from alembic_operator.control.reconcile.plan_store import FLOOR_KEPT
from alembic_operator.review.result import Lint

from .story import NAMESPACE, Story
from .test_plan_stories import DANGER, planned, reviewed


def phases(story: Story) -> list[str]:
    return [plan.get("status", {}).get("phase", "") for plan in story.cluster.plans(NAMESPACE)]


def said(story: Story, kind: str) -> tuple[str, str, int]:
    found = story.condition(kind)
    return (found["status"], found["reason"], found["observedGeneration"]) if found else ("", "", 0)


async def test_plan_is_still_said_to_be_made_when_git_approves_it() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    assert said(story, "Planned") == ("True", "PlanMade", 1)
    await story.apply(review={**story.review, "approvedDigest": story.status["plan"]["digest"]})
    assert (said(story, "Planned"), said(story, "Approved")) == (("True", "PlanMade", 2), ("True", "MayRun", 2))
    await story.runs()
    assert (said(story, "Planned"), said(story, "Approved")) == (("True", "PlanMade", 2), ("True", "MayRun", 2))


async def test_plan_is_said_to_wait_when_another_generation_waits_for_the_same() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    await story.apply(suspend=True)
    assert (story.ready(), said(story, "Planned")) == (("False", "Suspended"), ("", "", 0))
    await story.apply(suspend=False)
    assert story.ready() == ("False", "AwaitingApproval")
    assert said(story, "Planned") == ("True", "PlanMade", 3)
    assert said(story, "Approved") == ("False", "AwaitingApproval", 3)


async def test_approval_is_told_when_it_was_given_while_the_resource_was_suspended() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    await story.apply(suspend=True)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.passes(30)
    assert (story.ready(), phases(story), story.unfinished()) == (("False", "Suspended"), ["Pending"], [])
    await story.apply(suspend=False)
    assert phases(story) == ["Running"]
    assert story.events()[-2:] == ["Approved", "MigrationStarted"]
    await story.runs()
    assert phases(story) == ["Applied"]


async def test_plan_is_said_to_be_applied_when_the_spec_changed_while_it_ran() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    story.cluster.start_pod(NAMESPACE, story.job())
    await story.apply(historyLimit=7)
    await story.runs()
    assert phases(story) == ["Applied"]
    assert story.status["history"][0]["plan"] == name


async def test_withdrawn_rejection_counts_when_nobody_was_there_to_see_it() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Reject")
    await story.settle()
    story.cluster.deaf = True
    story.cluster.remove_plan(NAMESPACE, name)
    story.cluster.deaf = False
    story.start()
    await story.settle()
    assert story.ready() == ("Unknown", "Planning")


async def test_nothing_is_said_of_a_plan_when_it_was_deleted_and_is_made_again() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Reject")
    await story.settle()
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()
    assert (said(story, "Planned"), said(story, "Approved")) == (("", "", 0), ("", "", 0))
    await story.runs()
    assert (story.ready(), phases(story)) == (("False", "AwaitingApproval"), ["Pending"])
    assert said(story, "Approved") == ("False", "AwaitingApproval", 1)


@pytest.mark.parametrize("resource", ["configmaps", "schemaplans"])
async def test_plan_is_made_when_what_was_in_its_way_goes_in_this_moment(resource: str) -> None:
    story = reviewed(mode="Required")
    await story.apply(review=story.review)
    story.cluster.fail("create", resource, AlreadyExists("create", "there is one"), times=1)
    await story.runs()
    assert (story.ready(), phases(story)) == (("False", "AwaitingApproval"), ["Pending"])


async def test_plan_waits_when_its_waiver_ends_before_its_job_has_started() -> None:
    story = reviewed()
    last = story.moment.date().isoformat()
    story.checked = Lint((replace(DANGER, waived_by="SHOP-7: unread", waived_until=last),), ())
    await planned(story)
    assert story.ready() == ("Unknown", "Migrating")
    story.moment += timedelta(days=1)
    await story.until(lambda: story.ready() == ("False", "AwaitingApproval"))
    assert (story.unfinished(), story.database.runs, phases(story)) == ([], [], ["Pending"])


@pytest.mark.parametrize("asked", ["retry_at", "reconcile_at"])
async def test_plan_waits_on_in_silence_when_somebody_asks_to_look_again(asked: str) -> None:
    story = reviewed(mode="Required")
    await planned(story)
    events, conditions = story.events(), story.status["conditions"]
    await story.annotate(**{asked: "1"})
    if story.unfinished():
        assert story.request(story.job()).kind is RunKind.CHECK
        await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")
    assert (story.events(), phases(story), story.database.runs) == (events, ["Pending"], [])
    assert [c["reason"] for c in story.status["conditions"]] == [c["reason"] for c in conditions]


async def test_plan_runs_after_the_look_when_it_is_approved_meanwhile() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    await story.annotate(reconcile_at="1")
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    assert story.ready() == ("Unknown", "Checking")
    await story.runs()
    assert (story.ready(), phases(story)) == (("Unknown", "Migrating"), ["Running"])
    await story.runs()
    assert (story.ready(), len(story.database.runs)) == (("True", "UpToDate"), 1)


async def test_plan_is_superseded_when_the_database_is_found_at_its_target() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    story.database.current = ["a1", "b2", "c3"]
    await story.annotate(reconcile_at="1")
    await story.runs()
    assert (story.ready(), phases(story)) == (("True", "UpToDate"), ["Superseded"])
    assert (said(story, "Planned"), said(story, "Approved")) == (("", "", 0), ("", "", 0))


@pytest.mark.parametrize("started", [False, True])
async def test_stricter_mode_counts_unless_the_run_has_begun(started: bool) -> None:
    story = reviewed(mode="Auto")
    await planned(story)
    if started:
        story.cluster.start_pod(NAMESPACE, story.job())
        await story.settle()
    await story.apply(review={**story.review, "mode": "Required"})
    await story.passes(5)
    assert bool(story.unfinished()) is started
    assert story.ready() == (("Unknown", "Migrating") if started else ("False", "AwaitingApproval"))


async def test_resource_stops_and_names_what_is_in_the_way_when_the_sql_has_no_place() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    name = story.status["plan"]["name"]
    part = next(item for item in story.cluster.config_maps(NAMESPACE) if item["metadata"]["name"] == f"{name}-0")
    story.cluster.drop("configmaps", NAMESPACE, f"{name}-0")
    foreign = {**part, "metadata": {"name": f"{name}-0", "namespace": NAMESPACE, "labels": {}}}
    story.cluster.add("configmaps", NAMESPACE, foreign)
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()
    await story.runs()
    assert story.ready() == ("False", "JobNameConflict")
    assert story.message().startswith(
        f"Cannot create ConfigMap {name}-0 with a plan's SQL: an object with that name exists"
    )
    assert (story.cluster.plans(NAMESPACE), story.unfinished()) == ([], [])


async def test_nothing_runs_when_a_deleted_plan_is_held_by_a_finalizer() -> None:
    story = reviewed()
    story.checked = Lint((DANGER,), ())
    name = await planned(story)
    held = story.cluster.plan(NAMESPACE, name)
    held["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    story.cluster.change("schemaplans", held)
    story.checked = Lint((), ())
    await story.annotate(retry_at="1")
    await story.runs()
    assert story.ready() == ("False", "JobRefused")
    assert "finalizer" in story.message()
    assert (story.unfinished(), story.database.runs) == ([], [])
    story.cluster.remove_plan(NAMESPACE, name)
    await story.until(story.unfinished)
    await story.runs()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


@pytest.mark.parametrize("started", [False, True])
async def test_run_without_a_plan_is_taken_back_when_the_namespace_begins_to_demand_one(started: bool) -> None:
    story = Story()  # Auto and Static: one Job does it all
    await story.apply()
    assert story.request(story.job()).kind is RunKind.APPLY
    if started:
        story.cluster.start_pod(NAMESPACE, story.job())
        await story.settle()
    namespace = story.cluster.read("namespaces", "", NAMESPACE)
    namespace["metadata"]["labels"] = {names.LABEL_MINIMUM_REVIEW: "Required"}
    story.cluster.change("namespaces", namespace)
    await story.passes(FLOOR_KEPT + 30)
    assert story.request(story.job()).kind is (RunKind.APPLY if started else RunKind.PLAN)
    assert story.database.runs == []
