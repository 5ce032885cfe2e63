"""A resource that is deleted and made again takes its database over from its own predecessor, whatever the review."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Failure, Outcome, RunResult

from .story import NAMESPACE, SPEC, Story

REVIEWS: dict[str, dict[str, Any]] = {
    "without review": SPEC["review"],
    "with a plan": {"mode": "OnFindings", "evidence": "Shadow"},
    "with a decision": {"mode": "Required", "evidence": "Shadow"},
}


async def made_again(review: dict[str, Any], revision: str) -> Story:
    """`shop` brought the database to b2, was deleted, and is there again under the same name."""
    story = Story()
    await story.apply(revision="b2")
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    story.cluster.remove_schema(NAMESPACE, "shop")
    await story.settle()
    await story.apply(**SPEC | {"revision": revision, "review": review})
    return story


async def runs_to_its_end(story: Story) -> list[str]:
    """Every run does its work, and plans are approved; what the runs came to, `Kind Outcome` each."""
    done = []
    for _ in range(60):
        if story.unfinished():
            result = await story.runs()
            done.append(
                f"{result.kind.value} {result.failure.reason.value if result.failure else result.outcome.value}"
            )
        elif story.ready()[1] == Reason.AWAITING_APPROVAL.value:
            await story.passes(120)  # people take their time, and the operator knows by then whom it may replace
            story.cluster.decide_plan(NAMESPACE, story.status["plan"]["name"], "Approve")
        elif story.ready()[0] == "True":
            return done
        await story.passes(1)
    raise AssertionError(f"it does not end: {done}, {story.status}")


@pytest.mark.parametrize("revision", ["b2", "c3"], ids=["nothing is pending", "a revision is pending"])
@pytest.mark.parametrize("review", REVIEWS.values(), ids=REVIEWS)
async def test_database_is_taken_over_from_the_dead_predecessor_when_a_resource_is_made_again(
    review: dict[str, Any], revision: str
) -> None:
    story = await made_again(review, revision)

    done = await runs_to_its_end(story)

    planned = [f"Plan {'Planned' if revision == 'c3' else 'Behind'}"] if review["evidence"] == "Shadow" else []
    first = "Plan" if planned else "Apply"
    applied = "Apply Applied" if revision == "c3" else "Apply UpToDate"
    assert done == [f"{first} TargetOwned", *planned, applied]
    assert story.ready() == ("True", "UpToDate")
    assert story.database.owner == story.owner(NAMESPACE, "shop", story.uid())
    assert "owner" not in story.status


async def test_take_over_goes_on_when_a_run_of_it_fails_for_another_reason() -> None:
    story = await made_again(REVIEWS["with a plan"], "c3")
    await story.runs()
    await story.settle()
    assert story.request(story.job()).replace_owner
    await story.fails(Reason.CONNECTION_LOST, "The server went away.")

    done = await runs_to_its_end(story)

    assert done == ["Plan Planned", "Apply Applied"]


async def test_another_resource_is_not_replaced_when_it_is_there() -> None:
    story = await made_again(REVIEWS["with a plan"], "c3")
    rival = story.cluster.put_schema(NAMESPACE, "rival", {**SPEC, "suspend": True})
    story.database.owner = story.owner(NAMESPACE, "rival", rival["metadata"]["uid"])

    await story.runs()
    await story.passes(5)

    assert story.ready() == ("False", "TargetOwned")
    assert story.unfinished() == []
    assert story.status["owner"]["name"] == "rival"


async def test_owner_that_took_the_database_meanwhile_is_not_replaced_by_an_apply_run() -> None:
    story = await made_again(REVIEWS["with a plan"], "c3")
    await story.runs()
    await story.settle()
    rival = story.cluster.put_schema(NAMESPACE, "rival", {**SPEC, "suspend": True})
    await story.runs()
    assert story.request(story.job()).kind is RunKind.APPLY
    story.database.owner = story.owner(NAMESPACE, "rival", rival["metadata"]["uid"])

    result: RunResult = await story.runs()
    await story.passes(5)

    assert (result.outcome, result.failure) == (
        Outcome.FAILED,
        Failure(Reason.TARGET_OWNED, "Another one manages it."),
    )
    assert story.ready() == ("False", "TargetOwned")
    assert story.database.current == ["a1", "b2"]
