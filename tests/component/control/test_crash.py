"""The operator is killed before and after each of its effects, and started again.

Each time: one apply run sends something to the database, at most one run goes on at a time, and in the end the status
is the one that it is without a crash.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest
from tests.component.memory_cluster import Crash

from alembic_operator.contract.reasons import Reason

from .story import NAMESPACE, Story

Plot = Callable[[Story], Awaitable[None]]


async def migration(story: Story) -> None:
    """A new resource."""
    await lives_on(story, story.apply())


async def failure_then_success(story: Story) -> None:
    """A lock is held during the first run; the second succeeds."""
    await lives_on(story, story.apply())
    await under_way(story)
    await lives_on(story, story.fails(Reason.LOCK_TIMEOUT))
    await restful(story, 40)


async def doubt(story: Story) -> None:
    """The pod of the first run is killed: a check reads the database, and a second run goes on from there."""
    await lives_on(story, story.apply())
    await under_way(story)
    story.cluster.start_pod(NAMESPACE, story.job())
    await restful(story, 1)
    story.cluster.finish_pod(NAMESPACE, story.job(), exit_code=137)
    await restful(story, 40)


async def edit(story: Story) -> None:
    """The spec changes while the first run's image cannot be pulled: it is replaced."""
    await lives_on(story, story.apply(revision="b2"))
    await under_way(story)
    story.cluster.waiting(NAMESPACE, story.job(), "ImagePullBackOff", "not found")
    await restful(story, 1)
    await lives_on(story, story.apply(revision="c3"))
    await restful(story, 10)


async def retry(story: Story) -> None:
    """A migration fails for good, and a person asks for another try."""
    await lives_on(story, story.apply(retry={"limit": 0, "backoff": "10s"}))
    await under_way(story)
    await lives_on(story, story.fails(Reason.DEADLOCK))
    await restful(story, 5)
    assert story.ready() == ("False", "RetriesExceeded")
    await lives_on(story, story.annotate(retry_at="1"))


async def recheck(story: Story) -> None:
    """A database that was put back to an older state is found out by reconcile-at."""
    await migration(story)
    await finished(story)
    story.database.current = ["a1"]
    story.database.runs.clear()
    await lives_on(story, story.annotate(reconcile_at="1"))


ON_FINDINGS = {"mode": "OnFindings", "evidence": "Shadow"}


async def plan(story: Story) -> None:
    """A change that needs no decision: a plan run, then an apply run."""
    await lives_on(story, story.apply(review=ON_FINDINGS))


async def approval(story: Story) -> None:
    """A plan waits, and a person approves it."""
    await lives_on(story, story.apply(review={**ON_FINDINGS, "mode": "Required"}))
    await under_way(story)
    await lives_on(story, story.runs())
    for _ in range(30):
        await restful(story, 5)
        if story.ready()[1] == "AwaitingApproval":
            break
        if story.unfinished():
            await lives_on(story, story.runs())
    story.cluster.decide_plan(NAMESPACE, story.status["plan"]["name"], "Approve")
    await restful(story, 1)


PLOTS: dict[str, tuple[Plot, int]] = {
    "migration": (migration, 6),
    "failure_then_success": (failure_then_success, 10),
    "doubt": (doubt, 12),
    "edit": (edit, 13),
    "retry": (retry, 11),
    "recheck": (recheck, 13),
    "plan": (plan, 11),
    "approval": (approval, 17),
}


async def lives_on(story: Story, doing: Awaitable[object]) -> None:
    """Do it; an operator that is killed meanwhile is started again."""
    try:
        await doing
    except Crash:
        story.start()
        again = next(story.crashes, None)
        if again is not None:
            story.cluster.crash(again[0], after=again[1])
        await restful(story, 0)


async def restful(story: Story, seconds: int) -> None:
    """So much time passes, through crashes."""
    for _ in range(seconds + 1):
        await lives_on(story, story.settle())
        if seconds:
            await lives_on(story, story.passes(1))


async def under_way(story: Story) -> None:
    """Until a run is under way."""
    for _ in range(30):
        await restful(story, 1)
        if story.unfinished():
            return
    raise AssertionError(f"no run within half a minute; the status is {story.status}")


async def finished(story: Story) -> None:
    """Pods do their work, until nothing is left to do."""
    for _ in range(30):
        await restful(story, 10)
        if not story.unfinished() and story.ready()[0] == "True":
            return
        if story.unfinished():
            await lives_on(story, story.runs())
    raise AssertionError(f"no end within five minutes; the status is {story.status}")


TOLD: dict[str, Story] = {}


async def told(name: str) -> Story:
    """The story without a crash."""
    if name not in TOLD:
        story = Story()
        await PLOTS[name][0](story)
        await finished(story)
        TOLD[name] = story
    return TOLD[name]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("name", "effect"), [(name, n) for name, (_, most) in PLOTS.items() for n in range(1, most + 1)]
)
async def test_status_is_the_same_and_one_run_migrates_when_the_operator_is_killed(
    name: str, effect: int, after: bool
) -> None:
    plot = PLOTS[name][0]
    plain = await told(name)
    story = Story()
    story.cluster.crash(effect, after=after)
    await plot(story)
    await finished(story)
    assert story.lives == 2, f"the story has less than {effect} effects"
    assert len(story.database.runs) == len(plain.database.runs) == 1
    assert story.plain_status() == plain.plain_status()
    assert len(story.cluster.jobs(NAMESPACE)) == len(plain.cluster.jobs(NAMESPACE))
    assert [entry["outcome"] for entry in story.status["history"]] == [
        entry["outcome"] for entry in plain.status["history"]
    ]


@pytest.mark.parametrize("name", PLOTS)
async def test_every_effect_is_tried_when_the_operator_is_killed(name: str) -> None:
    story = await told(name)
    assert len(story.cluster.writes()) == PLOTS[name][1]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", PLOTS)
async def test_status_is_the_same_and_one_run_migrates_when_the_operator_is_killed_again_and_again(
    name: str, seed: int
) -> None:
    plain = await told(name)
    dice = random.Random(f"{name} {seed}")  # noqa: S311
    story = Story()
    story.crashes = iter([(dice.randint(1, 2), dice.random() < 0.5) for _ in range(5)])
    story.cluster.crash(dice.randint(1, 2))
    await PLOTS[name][0](story)
    await finished(story)
    assert story.lives > 2
    assert len(story.database.runs) == 1
    assert story.plain_status() == plain.plain_status()
    assert len(story.cluster.jobs(NAMESPACE)) == len(plain.cluster.jobs(NAMESPACE))
