"""Stories of plans: what is made for people to read, what waits for whom, and what runs in the end."""

from __future__ import annotations

from typing import Any

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.core.model.findings import Finding, Severity
from alembic_operator.review.result import Lint

from .story import NAMESPACE, Story

DANGER = Finding("destructive", Severity.ERROR, "b2", "public.orders.note", "It drops a column.", "Drop it later.")


def reviewed(**review: Any) -> Story:
    story = Story()
    story.checked = Lint((), ())
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
    story.checked = Lint((DANGER,), ())
    name = await planned(story)
    assert story.ready() == ("False", "AwaitingApproval")
    assert "destructive" in story.message()
    assert "is waiting for approval: 1 error (3 steps)." in story.message()
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


async def test_plan_is_superseded_when_another_revision_is_wanted() -> None:
    story = reviewed(mode="Required")
    old = await planned(story)
    await story.apply(revision="b2")
    await story.runs()
    new = story.status["plan"]["name"]
    assert new != old
    assert story.cluster.plan(NAMESPACE, old)["status"] == {"phase": "Superseded"}
    assert story.events()[2:] == ["PlanSuperseded", "PlanCreated", "ApprovalRequired"]
    story.cluster.decide_plan(NAMESPACE, old, "Approve")
    await story.passes(30)
    assert (story.ready(), story.database.runs) == (("False", "AwaitingApproval"), [])


async def test_old_digest_approves_nothing_when_another_plan_took_its_place() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    digest = story.status["plan"]["digest"]
    await story.apply(revision="b2", review={**story.review, "approvedDigest": digest})
    await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")
    assert "spec.review.approvedDigest names another plan" in story.message()
    assert story.database.runs == []


async def test_job_is_replaced_by_waiting_when_the_approval_is_withdrawn_before_it_starts() -> None:
    story = reviewed(mode="Required")
    await planned(story)
    await story.apply(review={**story.review, "approvedDigest": story.status["plan"]["digest"]})
    job = story.job()
    await story.apply(review=story.review)
    await story.passes(5)
    assert story.ready() == ("False", "AwaitingApproval")
    assert job not in story.job_names()
    assert story.database.runs == []


async def test_job_is_replaced_when_the_plan_is_deleted_before_it_starts() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    job = story.job()
    story.cluster.remove_plan(NAMESPACE, name)
    await story.passes(5)
    assert job not in story.job_names()
    assert story.ready() == ("Unknown", "Planning")
    await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")


async def test_outcome_is_recorded_when_the_plan_is_deleted_while_it_runs() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    story.cluster.start_pod(NAMESPACE, story.job())
    story.cluster.remove_plan(NAMESPACE, name)
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.status["history"][0]["plan"] == name


async def test_same_plan_is_tried_again_when_its_run_met_a_lock() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    await story.fails(Reason.LOCK_TIMEOUT)
    await story.until(story.unfinished)
    asked = story.request(story.job()).approved
    assert asked is not None
    assert asked.name == name
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_approval_is_used_up_when_the_revision_was_reached() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    await story.runs()
    story.database.current = []
    await story.annotate(reconcile_at="1")
    await story.runs()
    await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")
    assert story.status["plan"]["name"] != name


async def test_it_is_planned_again_when_the_database_moved_and_waits_in_the_end() -> None:
    story = reviewed()
    await planned(story)
    for _ in range(5):
        await story.fails(Reason.PLAN_CHANGED, "Another journal.")
        assert story.ready() == ("Unknown", "Planning")
        await story.runs()
    await story.fails(Reason.PLAN_CHANGED, "Another journal.")
    assert story.ready() == ("False", "PlanChanged")
    await story.until(story.unfinished)
    await story.runs()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_resource_stops_when_a_statement_was_not_approved() -> None:
    story = reviewed()
    await planned(story)
    await story.fails(Reason.STATEMENT_MISMATCH, "Revision b2 was about to send another statement.")
    assert story.ready() == ("False", "StatementMismatch")
    await story.passes(60)
    assert story.unfinished() == []


async def test_plan_is_judged_by_the_rules_of_today_when_the_operator_was_upgraded_before_it_ran() -> None:
    story = reviewed(mode="Required")
    old = await planned(story)
    story.database.version, story.checked = "2", Lint((DANGER,), ())
    story.start()
    await story.apply(review={**story.review, "mode": "OnFindings"})  # the rules of yesterday found nothing in it
    await story.runs()
    await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")
    assert "destructive" in story.message()
    assert story.status["plan"]["name"] != old
    assert story.database.runs == []


async def test_unknown_outcome_is_settled_by_another_plan_when_that_is_asked_for() -> None:
    story = reviewed()
    await planned(story)
    await story.fails(Reason.OUTCOME_UNKNOWN, "Revision b2 was cut off.")
    assert story.ready() == ("False", "OutcomeUnknown")
    assert "a plan run then compares the database in a shadow" in story.message()
    await story.passes(60)
    assert story.unfinished() == []
    await story.annotate(retry_at="1")
    assert story.request(story.job()).kind is RunKind.PLAN
    await story.fails(Reason.OUTCOME_UNKNOWN, "The database is neither as before the revision nor as after it.")
    assert story.ready() == ("False", "OutcomeUnknown")
    assert "compares the database in a shadow" not in story.message()
