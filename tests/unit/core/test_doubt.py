"""A run that is over without a word that counts: only the database knows what it did, so a check reads it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome
from alembic_operator.core.model.decision import EventReason

from .world import APPLY, CHECK, World, migrating, request_of

PRINTED = "See its log: kubectl logs job/JOB."
NO_RESULT = f"Job JOB exited with code 1 and left no result. {PRINTED}"
KILLED: list[tuple[dict[str, object], str, str]] = [
    (
        {"exit_code": 137, "reason": "OOMKilled"},
        "OutOfMemory",
        "Job JOB ran out of memory and was killed. Raise spec.job.resources.limits.memory.",
    ),
    ({"exit_code": 137, "reason": "Error"}, "Interrupted", "Job JOB was killed (exit code 137)."),
    ({"exit_code": 143, "reason": "Error"}, "Interrupted", "Job JOB was killed (exit code 143)."),
    ({"exit_code": 0}, "RunnerProtocolError", f"Job JOB exited with code 0 and left no result. {PRINTED}"),
    ({"exit_code": 1, "message": "Trace"}, "RunnerProtocolError", NO_RESULT),
    ({"exit_code": 1, "message": "{}"}, "RunnerProtocolError", NO_RESULT),
]


@pytest.mark.parametrize(("end", "reason", "message"), KILLED)
def test_check_reads_the_database_when_a_run_left_no_result(end: dict[str, object], reason: str, message: str) -> None:
    world = migrating()
    world.starts()
    job = world.run().name
    decision = world.ends(**end)  # type: ignore[arg-type]
    run = world.run()
    assert request_of(run).kind is CHECK
    said = message.replace("JOB", job)
    assert world.ready() == ("Unknown", "Checking", f"{said} Checking the database to see what was applied.")
    assert world.others() == {"Reconciling": "Checking"}
    assert world.parsed.failures == 1
    assert world.parsed.last_failure is not None
    assert (world.parsed.last_failure.reason, world.parsed.last_failure.message) == (reason, said)
    assert [entry.outcome for entry in world.parsed.history] == [reason]
    assert decision.events == ()


def doubted(**spec: object) -> World:
    world = migrating(**spec)
    world.starts()
    world.ends(exit_code=137)
    return world


def test_resource_is_ready_when_the_check_finds_the_work_done() -> None:
    world = doubted()
    job = world.run().name
    decision = world.reports(Outcome.UP_TO_DATE)
    assert world.ready() == ("True", "UpToDate", f"The database is at revision b2, read by Job {job}.")
    assert (world.parsed.failures, world.parsed.last_failure) == (0, None)
    assert [event.reason for event in decision.events] == [EventReason.MIGRATION_SUCCEEDED]


def test_run_is_tried_again_after_a_pause_when_the_check_finds_work_left() -> None:
    world = doubted()
    first = next(iter(world.runs))
    decision = world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert decision.actions == ()
    assert world.ready()[:2] == ("False", "Interrupted")
    assert world.ready()[2] == (
        f"Job {first} was killed (exit code 137). Next attempt at {world.status['nextRunAfter']} (retry 1 of 5)."
    )
    assert (world.parsed.current, world.parsed.pending_revisions) == ("a1", 1)
    world.wait()
    assert request_of(world.run()).kind is APPLY
    assert world.parsed.failures == 1


def test_resource_stalls_when_the_check_finds_work_left_and_no_retry_is() -> None:
    world = doubted(retry={"limit": 0, "backoff": "10s"})
    world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert world.reason() == "RetriesExceeded"
    assert world.ready()[2].startswith("Gave up after 1 failed run (spec.retry.limit 0). Last failure: Job ")


@pytest.mark.parametrize("reason", [Reason.OUTCOME_UNKNOWN, Reason.DATABASE_UNREACHABLE, Reason.DEADLOCK])
def test_resource_says_what_the_check_says_when_the_check_fails(reason: Reason) -> None:
    world = doubted()
    world.fails(reason)
    assert world.reason() == reason.value


def test_failures_are_two_when_the_check_of_a_doubt_is_killed_too() -> None:
    world = doubted(retry={"limit": 0, "backoff": "10s"})
    world.starts()
    world.ends(exit_code=137, reason="OOMKilled")
    assert (world.reason(), world.parsed.failures) == ("RetriesExceeded", 2)


def test_check_follows_when_the_job_of_the_run_is_gone() -> None:
    world = migrating()
    world.starts()
    (job,) = world.runs
    world.runs.clear()
    world.look()
    assert request_of(world.run()).kind is CHECK
    assert world.ready()[2] == (
        f"Job {job} was deleted before its outcome could be read. Checking the database to see what was applied."
    )


def test_check_follows_when_the_deadline_ended_a_run_that_had_started() -> None:
    world = migrating()
    world.starts()
    run = world.run()
    world.meets_deadline(run)
    world.look()
    assert world.ready()[2] == (
        f"Job {run.name} exceeded its deadline. Raise spec.timeouts.run if it needs longer. Checking the database to "
        "see what was applied."
    )


def test_check_follows_when_the_pod_was_evicted_without_a_word() -> None:
    world = migrating()
    world.starts()
    run = world.run()
    run.pods.clear()
    world.finish_job(run, reason="PodFailurePolicy")
    world.look()
    assert world.ready()[2] == (
        f"Job {run.name} ended without a status from its pod (PodFailurePolicy). Checking the database to see what "
        "was applied."
    )


def test_check_follows_when_the_kubelet_lost_track_of_the_container() -> None:
    world = migrating()
    world.starts()
    run = world.run()
    lost = {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None, "message": "?"}
    world.pod(run, {"terminated": lost})
    world.look()
    assert world.reason() == "Checking"
    assert request_of(world.run()).kind is CHECK


def test_check_follows_when_a_job_ran_in_two_pods() -> None:
    world = migrating()
    run = world.run()
    text = world.result(Outcome.APPLIED).to_json()
    for _ in range(2):
        ended = {"exitCode": 0, "message": text, "startedAt": "2026-11-23T12:00:00Z"}
        world.pod(run, {"terminated": ended})
    world.look()
    assert world.ready() == (
        "Unknown",
        "Checking",
        f"Job {run.name} ran in 2 pods instead of one. Checking the database to see what was applied.",
    )


def test_run_goes_on_when_one_of_two_pods_has_not_ended() -> None:
    world = migrating()
    run = world.run()
    world.pod(run, {"terminated": {"exitCode": 137, "startedAt": "2026-11-23T12:00:00Z"}})
    world.pod(run, {"running": {}})
    world.look()
    assert world.reason() == "Migrating"


@pytest.mark.parametrize(
    "forged",
    [{"target_uid": "another"}, {"job": "another"}, {"generation": 7}, {"kind": CHECK}],
    ids=lambda forged: next(iter(forged)),
)
def test_result_does_not_count_when_it_is_of_another_run(forged: dict[str, object]) -> None:
    world = migrating()
    result = replace(world.result(Outcome.APPLIED), **forged)  # type: ignore[arg-type]
    world.ends(result.to_json())
    assert world.reason() == "Checking"


def test_result_does_not_count_when_an_apply_run_says_that_it_left_work() -> None:
    world = migrating()
    world.reports(Outcome.BEHIND, pending=1)
    assert (world.reason(), len(world.started)) == ("Checking", 2)


def test_result_does_not_count_when_a_check_says_that_it_has_applied() -> None:
    world = doubted()
    world.reports(Outcome.APPLIED, applied_count=1)
    assert world.reason() == "RunnerProtocolError"


def test_result_does_not_count_when_the_job_asks_for_something_else() -> None:
    world = migrating()
    run = world.run()
    env = run.job["spec"]["template"]["spec"]["containers"][0]["env"]
    variable = next(item for item in env if item["name"] == "ALEMBIC_OPERATOR_RUN")
    variable["value"] = json.dumps({**json.loads(variable["value"]), "revision": "evil"})
    text = world.result(Outcome.APPLIED, run).to_json()
    world.ends(text)
    assert world.ready()[2] == (
        f"Job {run.name} does not match this resource's spec. Checking the database to see what was applied."
    )


def test_results_are_accounted_for_in_order_when_the_status_was_lost() -> None:
    world = migrating()
    world.reports(Outcome.APPLIED, applied_count=1)
    world.edit(revision="c3")
    world.look()
    world.reports(Outcome.APPLIED, current=["c3"], applied_count=1)
    before = copy.deepcopy(world.status)
    world.status = {"observedGeneration": -1}
    world.look()
    assert world.status == before


def test_run_starts_when_the_status_names_a_failure_that_nobody_knows() -> None:
    world = doubted()
    world.status["lastFailure"]["reason"] = "FromTheFuture"
    world.reports(Outcome.BEHIND, current=["a1"], pending=1)
    assert request_of(world.run()).kind is APPLY
