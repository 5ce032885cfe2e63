"""What may not start, what is held, and what a change of the spec does to a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_operator.api.rules import REVISION_RULE
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome
from alembic_operator.core.model.decision import DeleteJob

from .world import APPLY, CHECK, INSTALLATION, World, migrating, request_of, up_to_date

TAGGED = "registry.example/shop:1.4"
CASES: dict[str, tuple[World, str, str]] = {
    "suspended": (
        World(spec={**World().spec, "suspend": True}),
        "Suspended",
        "spec.suspend is true, so no Job starts. Set it to false to resume.",
    ),
    "invalid": (
        World(spec={**World().spec, "revision": "base"}),
        "InvalidSpec",
        f"spec.revision: {REVISION_RULE}",
    ),
    "not pinned": (
        World(spec={**World().spec, "migrations": {"image": TAGGED}}, development=False),
        "ImageNotPinned",
        f"spec.migrations.image: {TAGGED} is not pinned by a digest. Outside a namespace labelled "
        "alembic-operator.dev/environment=development, write it as name@sha256:<64 hex>, so that what was reviewed is "
        "what runs.",
    ),
    "head": (
        World(spec={**World().spec, "revision": "head"}, development=False),
        "InvalidSpec",
        "spec.revision: head and heads are accepted only in a namespace labelled "
        "alembic-operator.dev/environment=development. Name the revision, or all of them in spec.revisions.",
    ),
    "heads": (
        World(spec={**World().spec, "revision": "heads"}, development=False),
        "InvalidSpec",
        "spec.revision: head and heads are accepted only in a namespace labelled "
        "alembic-operator.dev/environment=development. Name the revision, or all of them in spec.revisions.",
    ),
    "no image for a ConfigMap": (
        World(spec={**World().spec, "migrations": {"configMap": {"name": "shop-migrations"}}}),
        "InvalidSpec",
        "spec.migrations.configMap needs a runner image, and this installation has none. Set runnerImage in the "
        "chart's "
        "values, or build the migrations into an image and name it in spec.migrations.image.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_starts_when_the_spec_is_held(case: str) -> None:
    world, reason, message = CASES[case]
    decision = world.look()
    assert world.ready() == ("False", reason, message)
    assert world.others() == ({} if reason == "Suspended" else {"Stalled": reason})
    assert (decision.actions, decision.events, decision.requeue_after) == ((), (), None)
    assert world.parsed.observed_generation == 1


@pytest.mark.parametrize("spec", [{"migrations": {"image": TAGGED}}, {"revision": "head"}])
def test_run_starts_when_the_namespace_becomes_one_for_development(spec: dict[str, object]) -> None:
    world = World(spec={**World().spec, **spec}, development=False)
    world.look()
    world.development = True
    world.look()
    assert request_of(world.run()).kind is APPLY


def test_run_starts_when_the_installation_gets_an_image_for_config_maps() -> None:
    world = World(spec={**World().spec, "migrations": {"configMap": {"name": "shop-migrations"}}})
    world.look()
    world.installation = replace(INSTALLATION, runner_image="registry.example/runner:1")
    world.look()
    assert world.reason() == "Migrating"


def test_target_is_unknown_until_the_run_says_it_when_the_revision_is_head() -> None:
    world = World(spec={**World().spec, "revision": "head"}, development=True)
    world.look()
    assert world.parsed.target_revision == ""
    world.reports(Outcome.UP_TO_DATE)
    assert world.parsed.target_revision == "b2"


def test_job_is_deleted_when_it_is_suspended_before_its_container_started() -> None:
    world = migrating()
    run = world.run()
    world.edit(suspend=True)
    decision = world.look()
    assert decision.actions == (DeleteJob(run.name, "uid-1"),)
    assert decision.requeue_after == 2
    assert world.look().actions == ()
    world.sweep()
    world.look()
    assert world.reason() == "Suspended"
    assert (world.parsed.run, world.parsed.attempts, world.parsed.history) == (None, 1, ())


def test_run_goes_on_when_it_is_suspended_after_its_container_started() -> None:
    world = migrating()
    world.starts()
    world.edit(suspend=True)
    assert world.look().actions == ()
    assert (world.reason(), world.parsed.observed_generation) == ("Migrating", 1)
    world.reports(Outcome.APPLIED, applied_count=1)
    assert (world.reason(), world.parsed.observed_generation) == ("Suspended", 2)
    assert [(entry.outcome, entry.generation) for entry in world.parsed.history] == [("Applied", 1)]
    assert world.parsed.current == "b2"


def test_run_starts_when_it_is_no_longer_suspended() -> None:
    world = up_to_date(suspend=False)
    world.edit(suspend=True)
    world.look()
    world.edit(suspend=False)
    world.look()
    assert request_of(world.run()).kind is APPLY


def test_pending_revisions_are_unknown_when_the_target_changed_while_suspended() -> None:
    world = up_to_date()
    assert world.parsed.pending_revisions == 0
    world.edit(suspend=True, revision="c3")
    world.look()
    assert world.parsed.target_revision == "c3"
    assert world.parsed.pending_revisions is None


def test_job_is_replaced_when_the_spec_changes_before_its_container_started() -> None:
    world = migrating()
    old = world.run()
    world.pod(old, {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}})
    world.look()
    world.edit(migrations={"image": world.spec["migrations"]["image"].replace("0", "1")})
    assert world.look().actions == (DeleteJob(old.name, "uid-1"),)
    assert world.look().actions == ()  # while it is going
    world.sweep()
    world.look()
    assert request_of(world.run()).generation == 2
    assert (world.reason(), world.parsed.attempts) == ("Migrating", 2)


def test_job_goes_on_when_the_spec_changes_after_its_container_started() -> None:
    world = migrating()
    world.starts()
    world.edit(revision="c3")
    decision = world.look()
    assert (decision.actions, world.parsed.observed_generation) == ((), 1)
    world.fails(Reason.MIGRATION_FAILED)
    assert request_of(world.run()).revision == "c3"
    assert (world.reason(), world.parsed.observed_generation, world.parsed.target_revision) == ("Migrating", 2, "c3")
    assert [(entry.outcome, entry.generation) for entry in world.parsed.history] == [("MigrationFailed", 1)]
    assert (world.parsed.failures, world.parsed.last_failure) == (0, None)


def test_check_is_deleted_when_the_spec_changes_after_its_container_started() -> None:
    world = up_to_date()
    world.annotate(reconcile_at="1")
    world.look()
    world.starts()
    check = world.run()
    world.edit(revision="c3")
    assert world.look().actions == (DeleteJob(check.name, "uid-2"),)


def test_run_of_the_new_spec_starts_when_the_old_one_ended_in_doubt() -> None:
    world = migrating()
    world.starts()
    world.edit(revision="c3")
    world.ends(exit_code=137)
    assert (request_of(world.run()).kind, request_of(world.run()).revision) == (APPLY, "c3")


def test_failures_begin_anew_when_the_spec_changes() -> None:
    world = migrating(retry={"limit": 0, "backoff": "10s"})
    world.fails(Reason.DEADLOCK)
    assert world.reason() == "RetriesExceeded"
    world.edit(revision="c3")
    world.look()
    assert (world.parsed.failures, world.parsed.last_failure) == (0, None)
    assert world.others() == {"Reconciling": "Migrating"}


def test_run_starts_when_a_failing_resource_is_allowed_again() -> None:
    world = migrating(migrations={"image": TAGGED})
    world.fails(Reason.MIGRATION_FAILED)
    world.development = False
    world.look()
    assert world.reason() == "ImageNotPinned"
    world.development = True
    world.look()
    assert world.reason() == "Migrating"


def test_looks_are_rarer_when_a_job_does_not_go() -> None:
    world = migrating()
    world.edit(revision="c3")
    pauses = [world.look().requeue_after or 0]
    for _ in range(4):
        world.passes(300)
        pauses.append(world.look().requeue_after or 0)
    assert pauses == [2, 60, 120, 120, 120]
    assert len(world.started) == 1


def test_job_is_not_deleted_again_when_a_person_did_so() -> None:
    world = migrating()
    world.run().job["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    world.edit(revision="c3")
    assert world.look().actions == ()


@pytest.mark.parametrize("killed", [False, True], ids=["on time", "after the operator was killed"])
def test_failures_begin_anew_when_the_job_of_a_new_spec_was_made(killed: bool) -> None:
    world = migrating(retry={"limit": 1, "backoff": "10s"})
    world.fails(Reason.DEADLOCK)
    world.wait()
    world.fails(Reason.DEADLOCK)
    world.edit(revision="c3")
    world.look(crash=killed)
    world.fails(Reason.DEADLOCK)
    assert (world.reason(), world.parsed.failures) == ("Deadlock", 1)


@pytest.mark.parametrize("reason", ["refused", "taken"])
def test_failures_begin_anew_when_the_job_of_a_new_spec_could_not_be_made(reason: str) -> None:
    world = migrating(retry={"limit": 1, "backoff": "10s"})
    world.fails(Reason.DEADLOCK)
    world.edit(revision="c3")
    world.refusal, world.taken = ("exceeded quota", False) if reason == "refused" else ("", True)
    world.look()
    assert (world.parsed.failures, world.parsed.target_revision, world.parsed.observed_generation) == (0, "c3", 2)


def test_resource_waits_when_the_job_is_refused() -> None:
    world = World(refusal='pods "shop" is forbidden: exceeded quota: compute')
    decision = world.look()
    assert world.ready() == (
        "False",
        "JobRefused",
        'The API server refused to create the Job: pods "shop" is forbidden: exceeded quota: compute. Raise the quota, '
        "or change spec.job or the policy that rejects it; the operator retries automatically. "
        f"Next attempt at {world.status['nextRunAfter']}.",
    )
    assert (decision.actions, world.parsed.run, world.parsed.attempts) == ((), None, 0)
    world.refusal = ""
    world.wait()
    assert request_of(world.run()).kind is APPLY


def test_resource_stalls_when_the_name_of_its_job_is_taken() -> None:
    world = World(taken=True)
    decision = world.look()
    name = world.ready()[2].split()[3].rstrip(":")
    assert name.startswith("shop-")
    assert world.ready() == (
        "False",
        "JobNameConflict",
        f"Cannot create Job {name}: an object with that name exists and is not owned by this resource. It was left "
        "unchanged. Delete or rename it, then set the annotation alembic-operator.dev/retry-at to a new value.",
    )
    assert decision.actions == ()
    world.taken = False
    world.annotate(retry_at="1")
    world.look()
    assert world.run().name == name


def test_behind_is_not_forgotten_when_a_job_is_just_being_deleted() -> None:
    world = up_to_date()
    world.annotate(reconcile_at="1")
    world.look()
    check = world.run()
    check.job["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    decision = world.ends(world.result(Outcome.BEHIND, check, current=["a1"], pending=1).to_json(), run=check)
    assert (decision.actions, decision.requeue_after) == ((), 2)
    assert world.ready() == (
        "Unknown",
        "Migrating",
        f"Job {check.name} found the database at revision a1 with pending revisions; starting an apply Job.",
    )
    world.sweep()
    world.look()
    assert request_of(world.run()).kind is APPLY


def test_check_is_kept_apart_when_it_is_of_another_kind_of_name() -> None:
    world = up_to_date()
    world.annotate(reconcile_at="1")
    world.look()
    assert request_of(world.run()).kind is CHECK
    assert world.run().name.rsplit("-", 1)[0] not in {name.rsplit("-", 1)[0] for name in list(world.runs)[:1]}
