"""The API server fails, refuses or is slow; others write too. Nothing is done twice, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from alembic_operator.cluster.errors import Conflict, NotFound, Refused, Unavailable
from alembic_operator.cluster.port import Kind, Raw, made_for
from alembic_operator.contract.reasons import Reason
from alembic_operator.control.queue import Key

from .story import NAME, NAMESPACE, Story

READS = [("get", "databaseschemas"), ("list", "jobs"), ("list", "pods"), ("get", "configmaps")]
WRITES = [("create", "configmaps"), ("create", "jobs"), ("patch", "databaseschemas/status"), ("create", "events")]


async def succeed(story: Story) -> None:
    """The resource is applied and its pods do their work, however long the operator needs."""
    await story.apply()
    for _ in range(5):
        await story.until(lambda: story.unfinished() or story.ready()[0] == "True")
        if not story.unfinished():
            return
        await story.runs()
    raise AssertionError(f"no end; the status is {story.status}")


async def plain() -> Story:
    story = Story()
    await succeed(story)
    return story


def like(story: Story, other: Story) -> bool:
    """Whether two stories ended the same."""
    same = story.plain_status() == other.plain_status()
    return same and len(story.job_names()) == len(other.job_names())


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("verb", "resource"), READS + WRITES)
async def test_status_is_the_same_when_the_api_server_is_away_for_a_while(verb: str, resource: str, times: int) -> None:
    story = Story()
    story.cluster.fail(verb, resource, Unavailable, times=times)
    await succeed(story)
    assert like(story, await plain())
    assert story.database.runs == story.job_names()


@pytest.mark.parametrize(("verb", "resource"), WRITES)
async def test_nothing_is_done_twice_when_the_answer_to_a_write_is_lost(verb: str, resource: str) -> None:
    story = Story()
    story.cluster.fail(verb, resource, Unavailable, times=2, after=True)
    await succeed(story)
    assert like(story, await plain())
    assert story.database.runs == story.job_names()


async def test_server_is_asked_again_when_it_says_so_and_not_before() -> None:
    story = Story()
    story.cluster.fail("get", "databaseschemas", Unavailable("read", "busy", 30.0))
    await story.apply()
    assert await story.until(story.unfinished) == 30


async def test_resource_is_looked_at_again_at_once_when_its_status_changed_meanwhile() -> None:
    story = Story()
    story.cluster.fail("patch", "databaseschemas/status", Conflict, times=3)
    await story.apply()
    assert story.ready() == ("Unknown", "Migrating")
    assert len(story.job_names()) == 1
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


def meanwhile(story: Story, monkeypatch: pytest.MonkeyPatch, people: Callable[[], object]) -> None:
    """Let people do something once, just after the operator has made a Job and before it writes the status."""
    real = story.cluster.create

    async def create(kind: Kind, namespace: str, body: Raw) -> Raw:
        made = await real(kind, namespace, body)
        if kind is Kind.JOB:
            monkeypatch.undo()
            people()
        return made

    monkeypatch.setattr(story.cluster, "create", create)


async def test_new_resource_does_not_get_the_old_ones_status_when_it_was_made_anew_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story()

    def anew() -> None:
        story.cluster.remove_schema(NAMESPACE, NAME)
        story.cluster.put_schema(NAMESPACE, NAME, {**story.spec(), "revision": "b2"})

    meanwhile(story, monkeypatch, anew)
    await story.apply()
    await story.runs()
    assert (story.ready(), story.status["current"]) == (("True", "UpToDate"), "b2")
    assert story.job_names() == story.database.runs
    assert story.status["attempts"] == 1


async def test_job_is_replaced_when_the_spec_changed_before_the_status_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story()
    meanwhile(
        story,
        monkeypatch,
        lambda: story.cluster.put_schema(NAMESPACE, NAME, {**story.spec(), "revision": "b2"}),
    )
    await story.apply()
    await story.until(lambda: story.status["observedGeneration"] == 2, at_most=5)
    await story.runs()
    assert (story.ready(), story.status["current"]) == (("True", "UpToDate"), "b2")
    assert len(story.job_names()) == 1
    assert [entry["generation"] for entry in story.status["history"]] == [2]


@pytest.mark.parametrize("error", [Refused("create Event", "quota"), NotFound("create Event", "gone"), Unavailable])
async def test_status_is_written_when_its_event_cannot_be(error: Refused | NotFound | type[Unavailable]) -> None:
    story = Story()
    story.cluster.fail("create", "events", error, times=99)
    await succeed(story)
    assert like(story, await plain())


async def test_resource_says_so_when_its_namespace_is_terminating() -> None:
    story = Story()
    words = 'jobs.batch "x" is forbidden: unable to create new content in namespace shop because it is being terminated'
    story.cluster.fail("create", "jobs", Refused("create Job", words), times=9)
    await story.apply()
    assert story.ready() == ("False", "JobRefused")
    assert "being terminated" in story.message()
    story.cluster.remove_schema(NAMESPACE, NAME)
    await story.passes(120)
    assert (story.job_names(), story.queue.depth()) == ([], 0)


@pytest.mark.parametrize(("verb", "resource"), [("create", "jobs"), ("create", "configmaps")])
async def test_nothing_is_tried_again_when_the_namespace_is_gone(verb: str, resource: str) -> None:
    story = Story()
    story.cluster.fail(verb, resource, NotFound("create", 'namespaces "shop" not found'), times=9)
    await story.apply()
    requests = len(story.cluster.requests)
    await story.passes(60)
    assert len(story.cluster.requests) == requests


@pytest.mark.parametrize(
    "found",
    [
        {"immutable": True, "binaryData": {"runner.pyz": "ZXZpbA=="}},
        {"immutable": False, "binaryData": {"runner.pyz": "dGhlIHJ1bm5lcg=="}},
        {"binaryData": {"another.pyz": "dGhlIHJ1bm5lcg=="}, "immutable": True},
        {},
    ],
    ids=["other content", "can be changed", "other key", "empty"],
)
async def test_runner_is_put_in_its_place_when_a_config_map_of_its_name_holds_something_else(found: Raw) -> None:
    story = Story()
    await story.cluster.create(Kind.CONFIG_MAP, NAMESPACE, {"metadata": {"name": story.runner.config_map}, **found})
    await story.apply()
    (kept,) = story.cluster.config_maps(NAMESPACE)
    assert kept["binaryData"] == {"runner.pyz": "dGhlIHJ1bm5lcg=="}
    assert kept["immutable"] is True
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def strangers(story: Story, count: int) -> list[str]:
    """So many Jobs of somebody else with the names that the resource's first runs would have; the names."""
    await story.apply(suspend=True)
    twin = Story()
    twin.cluster.take_over(story.cluster)
    await twin.apply(suspend=False)
    taken = twin.cluster.jobs(NAMESPACE)[0]
    stem = taken["metadata"]["name"].removesuffix("1")
    names = [f"{stem}{number}" for number in range(1, count + 1)]
    for name in names:
        head = {**taken["metadata"], "name": name, "ownerReferences": [], "labels": {"app": "theirs"}}
        await story.cluster.create(Kind.JOB, NAMESPACE, {**taken, "metadata": head})
    return names


async def test_run_takes_the_next_name_when_another_has_its_own() -> None:
    story = Story()
    (taken,) = await strangers(story, 1)
    await story.apply(suspend=False)
    (ours,) = [job for job in story.cluster.jobs(NAMESPACE) if job["metadata"]["labels"] != {"app": "theirs"}]
    assert ours["metadata"]["name"] == taken.removesuffix("1") + "2"
    assert story.status["attempts"] == 2
    story.cluster.drop("jobs", NAMESPACE, taken)
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_job_is_left_alone_when_it_has_our_name_and_another_owner_again_and_again() -> None:
    story = Story()
    taken = await strangers(story, 5)
    await story.apply(suspend=False)
    assert story.ready() == ("False", "JobNameConflict")
    assert story.message().startswith(
        f"Cannot create Job {taken[-1]}: an object with that name exists and is not owned"
    )
    assert [job["metadata"]["labels"] for job in story.cluster.jobs(NAMESPACE)] == [{"app": "theirs"}] * 5
    for name in taken:
        story.cluster.drop("jobs", NAMESPACE, name)
    await story.annotate(retry_at="1")
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_forged_jobs_and_pods_count_for_nothing() -> None:
    story = Story()
    await story.apply()
    job = story.cluster.jobs(NAMESPACE)[0]
    forged = {**job["metadata"], "name": "forged", "ownerReferences": []}
    forged["annotations"] = {**forged["annotations"], "alembic-operator.dev/attempt": "99"}
    await story.cluster.create(Kind.JOB, NAMESPACE, {**job, "metadata": forged})
    result = story.database.answer(replace(story.request("forged"), job=job["metadata"]["name"]))
    labels = {**job["spec"]["template"]["metadata"]["labels"]}
    ended = {"exitCode": 0, "message": result.to_json(), "startedAt": story.cluster.stamp()}
    statuses = [{"name": "migration", "state": {"terminated": ended}}]
    pod = {
        "metadata": {"name": "forged", "labels": labels},
        "status": {"phase": "Succeeded", "containerStatuses": statuses},
    }
    story.cluster.add("pods", NAMESPACE, pod)
    await story.passes(30)
    assert story.ready() == ("Unknown", "Migrating")
    ours = job["metadata"]["name"]
    story.cluster.finish_pod(NAMESPACE, ours, story.database.answer(story.request(ours)).to_json())
    await story.passes(30)
    assert story.ready() == ("True", "UpToDate")
    assert (story.status["attempts"], story.status.get("run")) == (1, None)


async def test_one_job_is_made_when_two_operators_act_at_once() -> None:
    story, other = Story(), Story()
    other.cluster, other.reconciler = story.cluster, replace(other.reconciler, cluster=story.cluster)
    await asyncio.gather(*(each.settle() for each in (story, other)))
    story.cluster.put_schema(NAMESPACE, NAME, story.spec())
    (key,) = story.event_filter.schema(None, story.cluster.schema(NAMESPACE, NAME))
    for each in (story, other):
        each.queue.add(key)
    await asyncio.gather(*(each.settle() for each in (story, other)))
    assert len(story.job_names()) == 1
    assert story.ready() == ("Unknown", "Migrating")
    await story.runs()
    other.queue.add(key)
    await asyncio.gather(*(each.settle() for each in (story, other)))
    assert story.ready() == ("True", "UpToDate")
    assert len(story.job_names()) == 1


async def test_end_of_a_run_is_found_when_no_event_tells_it() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    story.cluster.start_pod(NAMESPACE, job)
    await story.settle()
    story.cluster.deaf = True
    story.cluster.finish_pod(NAMESPACE, job, story.database.answer(story.request(job)).to_json())
    await story.until(lambda: story.ready()[0] == "True", at_most=25)
    assert story.ready() == ("True", "UpToDate")
    assert story.database.runs == [job]


async def test_end_of_a_run_is_worth_a_look_when_our_own_write_has_not_come_back_yet() -> None:
    story = Story()
    story.cluster.deaf = True
    story.cluster.put_schema(NAMESPACE, NAME, story.spec())
    key = Key(NAMESPACE, NAME)
    await story.reconciler.reconcile(key)
    job = story.job()
    pod = story.cluster.finish_pod(NAMESPACE, job, story.database.answer(story.request(job)).to_json())
    assert story.event_filter.pod("MODIFIED", pod) == [key]
    await story.reconciler.reconcile(key)
    assert story.event_filter.pod("MODIFIED", pod) == []


async def test_work_on_others_goes_on_when_one_resource_cannot_be_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    real = story.cluster.list_all
    broken = story.cluster.put_schema(NAMESPACE, "broken", story.spec())["metadata"]["uid"]

    async def list_all(kind: Kind, namespace: str, **selectors: str) -> object:
        if selectors.get("labels") == made_for(broken):
            raise ZeroDivisionError
        return await real(kind, namespace, **selectors)

    monkeypatch.setattr(story.cluster, "list_all", list_all)
    await story.apply()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert 'alembic_operator_reconcile_seconds_count{result="error"}' in story.metrics.exposition().decode()


async def test_resource_stays_readable_when_a_failure_is_longer_than_its_status() -> None:
    story = Story()
    await story.apply()
    await story.fails(Reason.MIGRATION_FAILED, "ERROR: " + "x" * 3000)
    assert story.ready() == ("False", "MigrationFailed")
    assert len(story.message()) <= 1024
    await story.annotate(reconcile_at="t" * 5000)
    await story.runs()
    assert story.ready() == ("False", "MigrationFailed")
    jobs = story.job_names()
    await story.passes(30)
    assert story.job_names() == jobs
