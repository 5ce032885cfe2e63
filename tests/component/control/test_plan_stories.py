"""Stories of plans: what is made for people to read, what waits for whom, and what runs in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.errors import Refused
from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.plan import Direction, PlanDocument, StepKind
from alembic_operator.contract.reasons import Reason
from alembic_operator.core.findings import Finding, Severity
from alembic_operator.review.result import Lint

from .story import NAMESPACE, Story, draft_document

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
    assert "waits for a decision: 1 error (3 steps)." in story.message()
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


async def test_resource_stops_when_a_waiver_is_wrong() -> None:
    story = reviewed()
    story.checked = Lint((), ("versions/b2.review.yaml: the waiver of destructive is used by nothing.",))
    await story.apply(review=story.review)
    await story.runs()
    assert story.ready() == ("False", "WaiverInvalid")
    assert "versions/b2.review.yaml" in story.message()
    assert (story.cluster.plans(NAMESPACE), story.database.runs) == ([], [])


async def test_nothing_runs_when_the_plan_cannot_be_checked() -> None:
    story = reviewed(mode="Auto")
    story.lint_fault = "the rules took more than 30 s."
    await story.apply(review=story.review)
    await story.runs()
    assert story.ready() == ("False", "LintFailed")
    assert (story.cluster.plans(NAMESPACE), story.unfinished()) == ([], [])
    story.lint_fault = ""
    await story.until(story.unfinished)
    await story.runs()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


@pytest.mark.parametrize("lines", [[], ['@alembic-operator {"event":"plan","part":1,"of":1,"data":"AAAA"}']])
async def test_nothing_runs_when_the_log_does_not_hold_the_plan(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = reviewed()
    write = story.cluster.write_log
    monkeypatch.setattr(story.cluster, "write_log", lambda namespace, pod, _: write(namespace, pod, lines))
    await story.apply(review=story.review)
    await story.runs()
    assert story.ready() == ("False", "RunnerProtocolError")
    assert (story.cluster.plans(NAMESPACE), story.unfinished()) == ([], [])


async def test_plan_waits_when_the_namespace_demands_it() -> None:
    story = Story()
    namespace = story.cluster._read("namespaces", "", NAMESPACE)
    namespace["metadata"]["labels"] = {names.LABEL_MINIMUM_REVIEW: "Required"}
    story.cluster._change("namespaces", namespace)
    await story.apply()  # Auto and Static: without the label one Job does it all
    await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")


async def test_decision_counts_for_nothing_when_anybody_may_have_written_it() -> None:
    story = reviewed(mode="Required")
    object.__setattr__(story.reconciler.context, "admission_policies", False)
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    assert story.ready() == ("False", "AwaitingApproval")
    assert "kubectl -n shop patch" not in story.message()
    await story.apply(review={**story.review, "approvedDigest": story.status["plan"]["digest"]})
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_plan_cannot_be_approved_when_its_sql_was_taken_away() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    (part,) = (
        item["metadata"]["name"] for item in story.cluster.config_maps(NAMESPACE) if name in item["metadata"]["name"]
    )
    story.cluster._drop("configmaps", NAMESPACE, part)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    assert story.ready() == ("False", "AwaitingApproval")
    assert f"ConfigMap {part} with a part of its SQL is not there" in story.message()
    assert story.database.runs == []


@pytest.mark.parametrize("resource", ["configmaps", "schemaplans"])
async def test_resource_waits_when_a_part_of_its_plan_is_refused(resource: str) -> None:
    story = reviewed()
    await story.apply(review=story.review)
    story.cluster.fail("create", resource, Refused("create", "exceeded quota"), times=1)
    await story.runs()
    assert story.ready() == ("False", "JobRefused")
    await story.until(story.unfinished)
    await story.runs()
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_sql_can_be_read_whole_when_a_plan_is_made() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    held = next(item for item in story.cluster.config_maps(NAMESPACE) if item["metadata"]["name"] == f"{name}-0")
    assert "CREATE TABLE t_b2 (id bigint PRIMARY KEY);" in held["data"]["plan.sql"]
    assert "-- locks public.old: ShareLock" in held["data"]["plan.sql"]
    step = story.cluster.plan(NAMESPACE, name)["spec"]["plan"]["steps"][0]
    assert step["strongestLock"] == "SHARE on public.old"


@pytest.mark.parametrize("asks", [{"baseline": {"revisions": ["a1"]}}, {"allow_downgrade": True}])
async def test_plan_is_made_when_only_a_plan_may_do_it_although_the_mode_asks_nothing(asks: dict[str, Any]) -> None:
    story = Story()  # Auto and Static: else one Job does it all
    spec = {{"allow_downgrade": "allowDowngrade"}.get(key, key): value for key, value in asks.items()}
    await story.apply(**spec)
    assert story.ready() == ("Unknown", "Planning")
    assert story.database.runs == []


@pytest.mark.parametrize(
    "other",
    [
        {"evidence": "Static"},
        {"direction": Direction.DOWNGRADE},
        {"direction": Direction.BASELINE},
        {"to_revisions": ["b2"]},
        {"from_revisions": ["a1"]},
        {"journal_id": 7},
        {"identity": "sha256:11"},
        {"bundle_digest": "sha256:" + "c" * 64},
        {"image": "registry.example/other@sha256:" + "1" * 64},
        {"schema": "another uid"},
        {"steering": {"role": "admin"}},
        {"opaque": True},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_nothing_runs_when_the_plan_is_not_what_was_asked_for(
    other: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forged(*given: Any, **named: Any) -> PlanDocument:
        document = draft_document(*given, **named)
        inputs = document.inputs | {key: value for key, value in other.items() if key in document.inputs}
        if "steering" in other:
            inputs["steering"] = document.inputs["steering"] | other["steering"]
        fields = {key: value for key, value in other.items() if hasattr(document, key)}
        steps = (
            [replace(step, kind=StepKind.OPAQUE) for step in document.steps] if "opaque" in other else document.steps
        )
        digests = inputs_digest(inputs), statements_digest(steps)
        return replace(
            document,
            inputs=inputs,
            steps=steps,
            inputs_digest=digests[0],
            statements_digest=digests[1],
            digest=plan_digest(*digests),
            **fields,
        )

    monkeypatch.setattr("tests.component.control.story.draft_document", forged)
    story = reviewed(mode="Auto")
    await story.apply(review=story.review)
    await story.runs()
    assert story.ready() == ("False", "RunnerProtocolError")
    assert (story.cluster.plans(NAMESPACE), story.database.runs) == ([], [])


async def test_plan_waits_when_no_rule_could_see_what_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    def opaque(*given: Any, **named: Any) -> PlanDocument:
        document = draft_document(*given, **named)
        steps = [replace(step, kind=StepKind.OPAQUE, statements=[]) for step in document.steps]
        of_steps = statements_digest(steps)
        digest = plan_digest(document.inputs_digest, of_steps)
        return replace(document, steps=steps, statements_digest=of_steps, digest=digest)

    monkeypatch.setattr("tests.component.control.story.draft_document", opaque)
    story = reviewed(evidence="Static")
    await planned(story)
    assert story.ready() == ("False", "AwaitingApproval")
    assert "no rule has seen what it sends" in story.message()
    assert story.database.runs == []


@pytest.mark.parametrize(
    "more", [{"allowDowngrade": True}, {"baseline": {"revisions": ["a1"]}}], ids=lambda one: next(iter(one))
)
async def test_change_is_planned_in_the_mode_auto_too_when_it_may_go_back_or_adopts(more: dict[str, Any]) -> None:
    story = Story()
    await story.apply(**more)
    assert story.ready() == ("Unknown", "Planning")
