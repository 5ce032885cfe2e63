"""Stories of plans: what is made for people to read, what waits for whom, and what runs in the end."""

from __future__ import annotations

from typing import Any

from alembic_operator.control.linting import Reviewed
from alembic_operator.core.findings import Finding, Severity

from .story import NAMESPACE, Story

DANGER = Finding("destructive", Severity.ERROR, "b2", "public.orders.note", "It drops a column.", "Drop it later.")


def reviewed(**review: Any) -> Story:
    story = Story()
    story.checked = Reviewed()
    story.review = {"mode": "OnFindings", "evidence": "Shadow", **review}
    return story


async def planned(story: Story) -> str:
    """The plan run has ended; the plan's name."""
    await story.apply(review=story.review)
    assert story.ready() == ("Unknown", "Planning")
    await story.runs()
    name: str = story.status["plan"]["name"]
    return name


async def test_plan_runs_by_itself_when_nothing_is_found() -> None:
    story = reviewed()
    name = await planned(story)
    assert story.ready() == ("Unknown", "Migrating")
    asked = story.request(story.job()).approved
    assert asked is not None
    assert (asked.name, asked.approved_by, asked.to_revisions) == (name, "review.mode OnFindings", ["c3"])
    assert asked.uid == story.cluster.plan(NAMESPACE, name)["metadata"]["uid"]
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.events() == ["MigrationStarted", "MigrationSucceeded"]
    assert story.cluster.plan(NAMESPACE, name)["status"] == {"phase": "Applied"}
    assert story.status["history"][0]["plan"] == name
    assert len(story.database.runs) == 1


async def test_plan_waits_for_a_person_when_something_is_found() -> None:
    story = reviewed()
    story.checked = Reviewed((DANGER,))
    name = await planned(story)
    assert story.ready() == ("False", "AwaitingApproval")
    assert "destructive" in story.message()
    assert len(story.message()) <= 1024
    assert story.events() == ["PlanCreated", "ApprovalRequired"]
    await story.passes(60)
    assert story.unfinished() == []
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.status["history"][0]["approvedBy"] == "dana@example.com"
    assert story.events() == ["PlanCreated", "ApprovalRequired", "Approved", "MigrationStarted", "MigrationSucceeded"]


async def test_plan_runs_when_git_names_its_digest() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    digest = story.status["plan"]["digest"]
    await story.apply(review={**story.review, "approvedDigest": digest})
    assert story.ready() == ("Unknown", "Migrating")  # without another plan
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.status["history"][0]["approvedBy"] == "spec.review.approvedDigest"


async def test_nothing_runs_when_the_plan_is_rejected_until_that_is_withdrawn() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Reject")
    await story.settle()
    assert story.ready() == ("False", "PlanRejected")
    await story.apply(review={**story.review, "approvedDigest": story.status["plan"]["digest"]})
    assert story.ready() == ("False", "PlanRejected")
    assert story.unfinished() == []
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()
    assert story.ready() == ("Unknown", "Planning")
    await story.runs()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
