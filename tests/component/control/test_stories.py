"""Whole stories: what a person does, what the cluster and the database answer, what the resource says in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.errors import Refused
from alembic_operator.contract.reasons import Reason
from alembic_operator.control.reconcile.observe import Scope

from .story import IMAGE, NAME, NAMESPACE, Story


async def ready_story() -> Story:
    story = Story()
    await story.apply()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    return story


async def test_resource_is_ready_when_its_migration_succeeds() -> None:
    story = Story()
    await story.apply()
    assert story.ready() == ("Unknown", "Migrating")
    job = story.job()
    assert story.message() == f"Job {job} is migrating the database to revision c3."
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.message() == f"Job {job} applied 3 revisions in 0.3 s: a1, b2, c3. The database is at revision c3."
    assert story.events() == ["MigrationStarted", "MigrationSucceeded"]
    assert story.condition("Reconciling") == story.condition("Stalled") == {}
    assert story.unfinished() == []


async def test_outcome_is_told_at_once_when_the_jobs_condition_is_yet_to_come() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    story.cluster.start_pod(NAMESPACE, job)
    result = story.database.answer(story.request(job))
    story.cluster.finish_pod(NAMESPACE, job, result.to_json(), complete=False)
    await story.settle()
    assert story.ready() == ("True", "UpToDate")
    writes = len(story.cluster.writes())
    story.cluster.complete_job(NAMESPACE, job)
    await story.passes(60)
    assert len(story.cluster.writes()) == writes


async def test_database_is_read_again_when_an_outcome_is_found_long_after_the_run() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    story.cluster.start_pod(NAMESPACE, job)
    result = replace(story.database.answer(story.request(job)), finished_at="2026-11-23T11:00:00Z")
    story.cluster.finish_pod(NAMESPACE, job, result.to_json())
    await story.settle()
    assert story.ready() == ("Unknown", "Checking")
    assert story.message() == f"Job {story.job()} is checking the database's current revision."
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.database.runs == [job]


async def test_run_is_tried_again_when_the_secret_is_created() -> None:
    story = Story()
    await story.apply()
    await story.fails(Reason.SECRET_NOT_FOUND, "Secret shop-db does not exist in namespace shop.")
    assert story.ready() == ("False", "SecretNotFound")
    assert story.condition("Reconciling")["reason"] == "RetryingAfterFailure"
    waited = await story.until(story.unfinished, at_most=14)
    assert waited >= 8
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.events() == ["MigrationStarted", "RetryScheduled", "MigrationSucceeded"]


async def test_resource_goes_on_within_the_same_run_when_its_image_can_be_pulled() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    for words in ("not found", "back-off 10s", "back-off 20s"):
        story.cluster.waiting(NAMESPACE, job, "ImagePullBackOff", words)
        await story.passes(20)
    assert story.ready() == ("False", "ImagePullFailed")
    assert len([w for w in story.cluster.writes() if w.resource == "databaseschemas/status"]) == 2
    story.cluster.start_pod(NAMESPACE, job)
    await story.settle()
    assert story.ready() == ("Unknown", "Migrating")
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.job_names() == [job]


async def test_job_is_replaced_when_the_image_is_corrected() -> None:
    story = Story()
    await story.apply()
    typo = story.job()
    story.cluster.waiting(NAMESPACE, typo, "ImagePullBackOff", "not found")
    await story.settle()
    await story.apply(migrations={"image": IMAGE.replace("shop@", "shop2@")})
    await story.until(lambda: story.job_names() != [typo] and story.unfinished(), at_most=5)
    assert typo not in story.job_names()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


@pytest.mark.parametrize("resource", ["jobs", "configmaps"])
async def test_resource_waits_when_a_quota_keeps_its_job_out(resource: str) -> None:
    story = Story()
    what = {"jobs": "the Job", "configmaps": f"the ConfigMap {story.runner.config_map} of the runner"}[resource]
    story.cluster.fail("create", resource, Refused("create", "it is forbidden: exceeded quota"), times=2)
    await story.apply()
    assert story.ready() == ("False", "JobRefused")
    assert story.message().startswith(
        f"The API server refused to create {what}: it is forbidden: exceeded quota. Raise the quota, "
        "or change spec.job or the policy that rejects it; the operator retries automatically. Next attempt at "
        "2026-11-23T12:00:"
    )
    await story.until(story.unfinished, at_most=60)
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_resource_waits_when_a_quota_keeps_its_pod_out() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    story.cluster.refuse_pods(NAMESPACE, job, 'Error creating: pods "x" is forbidden: exceeded quota')
    await story.until(lambda: story.ready()[1] == "JobRefused", at_most=16)
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_resource_says_so_when_a_volume_of_its_pod_cannot_be_mounted() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    pod = story.cluster.waiting(NAMESPACE, job, "ContainerCreating", "")["metadata"]
    await story.passes(9)
    about = {"kind": "Pod", "namespace": NAMESPACE, "name": pod["name"], "uid": pod["uid"]}
    words = 'MountVolume.SetUp failed for volume "ca" : configmap "ca" not found'
    event = {"involvedObject": about, "reason": "FailedMount", "message": words, "lastTimestamp": story.cluster.stamp()}
    story.cluster.add("events", NAMESPACE, {"metadata": {"generateName": "x"}, **event})
    await story.until(lambda: story.ready() == ("False", "PodNotStarting"), at_most=10)
    assert story.message() == (
        f"Pod {pod['name']} is not starting (FailedMount): {words}. Check spec.job and what it names."
    )
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_database_is_read_first_when_the_pod_was_killed() -> None:
    story = Story()
    await story.apply()
    pod = story.cluster.start_pod(NAMESPACE, story.job())
    await story.settle()
    story.cluster.delete_pod(NAMESPACE, pod["metadata"]["name"])
    await story.settle()
    assert story.ready() == ("Unknown", "Checking")
    await story.runs()
    assert story.ready() == ("False", "Interrupted")
    assert story.status["pendingRevisions"] == 3
    await story.until(story.unfinished, at_most=14)
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert [entry["outcome"] for entry in story.status["history"]] == ["Applied", "Interrupted"]


async def test_database_is_read_first_when_the_job_was_deleted() -> None:
    story = Story()
    await story.apply()
    job = story.job()
    story.cluster.start_pod(NAMESPACE, job)
    await story.settle()
    story.database.current = ["a1", "b2", "c3"]  # it had done its work
    story.cluster.drop("jobs", NAMESPACE, job)
    await story.settle()
    assert story.message() == (
        f"Job {job} was deleted before its outcome could be read. Checking the database to see what was applied."
    )
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.database.runs == []


async def test_nothing_is_left_when_the_resource_is_deleted_during_its_run() -> None:
    story = Story()
    await story.apply()
    story.cluster.start_pod(NAMESPACE, story.job())
    await story.settle()
    writes = len(story.cluster.writes())
    story.cluster.remove_schema(NAMESPACE, NAME)
    await story.passes(60)
    assert story.cluster.jobs(NAMESPACE) == []
    assert len(story.cluster.writes()) == writes
    assert story.queue.depth() == 0


async def test_new_resource_begins_anew_when_it_has_the_name_of_an_old_one() -> None:
    story = await ready_story()
    before = story.job_names()
    story.cluster.remove_schema(NAMESPACE, NAME)
    await story.apply()
    assert story.ready() == ("Unknown", "Migrating")
    assert story.job_names() != before
    await story.runs()  # finds that another one managed the database
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.status["attempts"] == 2


async def test_outcome_of_the_old_spec_is_history_when_the_spec_changes_mid_run() -> None:
    story = Story()
    await story.apply(revision="b2")
    story.cluster.start_pod(NAMESPACE, story.job())
    await story.settle()
    await story.apply(revision="c3")
    assert story.status["observedGeneration"] == 1
    await story.runs()
    assert (story.status["observedGeneration"], story.status["current"]) == (2, "b2")
    assert story.ready() == ("Unknown", "Migrating")
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert [(entry["generation"], entry["to"]) for entry in story.status["history"]] == [(2, "c3"), (1, "b2")]


async def test_nothing_starts_until_it_is_wanted_when_the_resource_is_suspended() -> None:
    story = Story()
    await story.apply(suspend=True)
    await story.passes(60)
    assert (story.ready(), story.job_names()) == (("False", "Suspended"), [])
    await story.apply(suspend=False)
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_run_starts_at_the_next_resync_when_the_namespace_becomes_one_for_development() -> None:
    story = Story()
    await story.apply(migrations={"image": "registry.example/shop:1.4"})
    assert story.ready() == ("False", "ImageNotPinned")
    namespace = story.cluster.read("namespaces", "", NAMESPACE)
    namespace["metadata"]["labels"] = {names.LABEL_ENVIRONMENT: names.DEVELOPMENT}
    story.cluster.change("namespaces", namespace)
    await story.resync.look()
    await story.settle()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


@pytest.mark.parametrize("reads", [True, False], ids=["in every namespace", "in some namespaces"])
async def test_tag_is_accepted_when_the_installation_names_the_namespace_for_development(reads: bool) -> None:
    story = Story()
    scope = Scope(story.reconciler.where.cluster_id, frozenset({NAMESPACE}), reads_namespaces=reads)
    object.__setattr__(story.reconciler, "where", scope)
    await story.apply(migrations={"image": "registry.example/shop:1.4"})
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_progress_is_told_when_a_run_takes_long() -> None:
    story = Story()
    await story.apply()
    pod = story.cluster.start_pod(NAMESPACE, story.job())["metadata"]["name"]
    await story.settle()
    record = '@alembic-operator {"event":"running","revision":"b2","statement":4,"blockedBy":"pid 4711 (reporting)"}'
    story.cluster.write_log(
        NAMESPACE,
        pod,
        [
            "Hello",
            record,
            '@alembic-operator {"event":"other"}',
            "@alembic-operator {",
            "@alembic-operator " + "[" * 9000,
        ],
    )
    await story.until(lambda: story.status["run"].get("revision"), at_most=25)
    run = story.status["run"]
    assert (run["revision"], run["statement"], run["blockedBy"]) == ("b2", 4, "pid 4711 (reporting)")
    writes = len(story.cluster.writes())
    await story.passes(60)
    assert len(story.cluster.writes()) == writes


async def test_database_is_taken_over_when_its_owner_is_deleted() -> None:
    story = Story()
    story.cluster.add_namespace("other")
    spec = story.cluster.put_schema(NAMESPACE, NAME, {**story.spec(), "suspend": True})["spec"]
    owner = story.cluster.put_schema("other", "till", {**spec, "suspend": True})
    uid = owner["metadata"]["uid"]
    await story.apply(suspend=False)
    await story.fails(Reason.TARGET_OWNED, "other/till manages it.", owner=story.owner("other", "till", uid))
    await story.passes(1)
    assert story.ready() == ("False", "TargetOwned")
    assert story.unfinished() == []
    story.cluster.remove_schema("other", "till")
    await story.settle()
    assert story.request(story.job()).replace_owner == uid
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
