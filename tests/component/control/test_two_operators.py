"""Two operators at once, as while a Lease changes hands: one plan, one decision asked for, one run of it."""

from __future__ import annotations

import asyncio

import pytest

from alembic_operator.control.queue import Key
from alembic_operator.review.result import Lint

from .story import NAME, NAMESPACE, Story
from .test_plan_stories import DANGER, reviewed


class Two:
    """Two operators on the cluster of one story; nothing wakes them but the test."""

    def __init__(self) -> None:
        self.story, self.other = reviewed(mode="Required"), Story()
        self.other.cluster = self.story.cluster
        self.other.start()
        self.story.checked = self.other.checked = Lint((DANGER,), ())
        self.story.cluster.deaf = True

    async def look(self) -> None:
        """Both look at the same time, until neither was overtaken."""
        key, again = Key(NAMESPACE, NAME), True
        while again:
            looks = (one.reconciler.reconcile(key) for one in (self.story, self.other))
            again = 0.0 in await asyncio.gather(*looks)

    async def run(self) -> str:
        """The run under way, from its start to its end; its Job."""
        job = self.story.job()
        await self.story.runs(self.look)
        return job


@pytest.mark.parametrize("by", ["a decision", "Git"])
async def test_one_plan_is_made_and_runs_once_when_two_operators_look(by: str) -> None:
    two = Two()
    story = two.story
    story.cluster.put_schema(NAMESPACE, NAME, {**story.spec(), "review": story.review})
    await two.look()
    await two.run()
    assert (story.ready(), len(story.cluster.plans(NAMESPACE))) == (("False", "AwaitingApproval"), 1)
    if by == "Git":
        approved = {**story.review, "approvedDigest": story.status["plan"]["digest"]}
        story.cluster.put_schema(NAMESPACE, NAME, {**story.spec(), "review": approved})
    else:
        story.cluster.decide_plan(NAMESPACE, story.status["plan"]["name"], "Approve")
    await two.look()
    ran = await two.run()
    assert (story.ready(), story.database.runs) == (("True", "UpToDate"), [ran])
    assert len(story.job_names()) == 2
    assert [entry["job"] for entry in story.status["history"]] == [ran]
    assert story.events() == ["PlanCreated", "ApprovalRequired", "Approved", "MigrationStarted", "MigrationSucceeded"]
