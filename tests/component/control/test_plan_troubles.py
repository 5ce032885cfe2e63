"""Plans that cannot be read, checked, stored or trusted, and those that wait for reasons of their own: nothing runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alembic_operator.api import names
from alembic_operator.cluster.errors import Refused
from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.plan import Direction, PlanDocument, StepKind
from alembic_operator.review.result import Lint

from .database import draft_document
from .story import NAMESPACE, Story
from .test_plan_stories import planned, reviewed


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
    namespace = story.cluster.read("namespaces", "", NAMESPACE)
    namespace["metadata"]["labels"] = {names.LABEL_MINIMUM_REVIEW: "Required"}
    story.cluster.change("namespaces", namespace)
    await story.apply()  # Auto and Static: without the label one Job does it all
    await story.runs()
    assert story.ready() == ("False", "AwaitingApproval")


async def test_decision_counts_for_nothing_when_anybody_may_have_written_it() -> None:
    story = reviewed(mode="Required")
    object.__setattr__(story.reconciler.installation, "admission_policies", False)
    name = await planned(story)
    story.cluster.decide_plan(NAMESPACE, name, "Approve")
    await story.settle()
    assert story.ready() == ("False", "AwaitingApproval")
    assert "spec.decision" not in story.message()
    await story.apply(review={**story.review, "approvedDigest": story.status["plan"]["digest"]})
    await story.runs()
    assert story.ready() == ("True", "UpToDate")


async def test_plan_cannot_be_approved_when_its_sql_was_taken_away() -> None:
    story = reviewed(mode="Required")
    name = await planned(story)
    (part,) = (
        item["metadata"]["name"] for item in story.cluster.config_maps(NAMESPACE) if name in item["metadata"]["name"]
    )
    story.cluster.drop("configmaps", NAMESPACE, part)
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

    monkeypatch.setattr("tests.component.control.database.draft_document", forged)
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

    monkeypatch.setattr("tests.component.control.database.draft_document", opaque)
    story = reviewed(evidence="Static")
    await planned(story)
    assert story.ready() == ("False", "AwaitingApproval")
    assert "no rule has checked what it sends" in story.message()
    assert story.database.runs == []
