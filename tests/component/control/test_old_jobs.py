"""Jobs that have ended: how many are kept, and what follows when they may not go."""

from __future__ import annotations

from alembic_operator.cluster.errors import Refused

from .story import Story


async def test_old_jobs_go_when_there_are_more_than_the_limit() -> None:
    story = Story()
    await story.apply(historyLimit=1)
    for revision in ("a1", "b2", "c3"):
        await story.apply(revision=revision)
        if story.unfinished():
            await story.runs()
    assert len(story.job_names()) == 1
    assert story.ready() == ("True", "UpToDate")


async def test_resource_is_ready_when_its_old_jobs_may_not_be_deleted() -> None:
    story = Story()
    story.cluster.fail("delete", "jobs", Refused("delete Job", "forbidden by a webhook"), times=99)
    await story.apply(historyLimit=1, revision="a1")
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    await story.apply(revision="c3")
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert len(story.job_names()) == 2


async def test_job_that_is_not_wanted_stays_alone_when_it_may_not_be_deleted() -> None:
    story = Story()
    story.cluster.fail("delete", "jobs", Refused("delete Job", "forbidden by a webhook"), times=3)
    await story.apply(revision="b2")
    await story.apply(revision="c3")
    assert len(story.unfinished()) == 1
    await story.until(lambda: story.status["observedGeneration"] == 2, at_most=30)
    assert len(story.unfinished()) == 1
    await story.runs()
    assert (story.ready(), story.status["current"]) == (("True", "UpToDate"), "c3")
