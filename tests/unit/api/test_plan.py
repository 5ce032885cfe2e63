"""The SchemaPlan: what is written is read again, and fits the CRD; what is too large is made to fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from alembic_operator.api import names, review
from alembic_operator.api.plan import (
    APPROVE,
    PHASES,
    REJECT,
    Decision,
    InvalidPlan,
    PlanFinding,
    PlanSpec,
    SchemaPlan,
    parse_plan,
    plan_to_raw,
)
from alembic_operator.api.plan_bounds import MOST_FINDINGS, MOST_STEPS, STEPS_LIMIT, bounded
from alembic_operator.api.plan_spec import plan_spec_to_raw
from alembic_operator.contract.plan import Direction, StepKind
from alembic_operator.core.model.findings import Finding

from .crd import PLAN_CRD, PLAN_FIELDS, PLAN_ROOT
from .manifests import changed
from .plans import FINDING, HUGE, ILLEGAL_PLANS, LEGAL_PLANS, PLAIN_PLAN, PLAN, PLAN_SPEC, STEPS, WAIVED, PlanCase
from .test_status import strict

SPEC: dict[str, Any] = PLAN_ROOT["properties"]["spec"]
DECISION = Decision(APPROVE, "dana@example.com", "2026-11-27T01:00:00Z", "read it")
PLANS = {
    "a new one": PLAN,
    "a stored one": replace(PLAN, uid="0f4c", version="17", phase="Pending"),
    "a decided one": replace(PLAN, decision=DECISION, phase="Approved"),
    "one that was rejected without a word": replace(PLAN, decision=Decision(REJECT, "dana"), phase="Rejected"),
    "one from base without a guard": replace(
        PLAN, plan=replace(PLAN_SPEC, from_revisions=(), guard_sha256="", image="")
    ),
    "one without steps": replace(PLAN, plan=replace(PLAN_SPEC, steps=(), sql=())),
    "one whose steps did not all fit": replace(PLAN, plan=replace(PLAN_SPEC, steps_left_out=9, findings_left_out=4)),
    "one with a finding about the whole": replace(PLAN, plan=replace(PLAN_SPEC, findings=(WAIVED,))),
}


def faults(raw_spec: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(strict(SPEC)).iter_errors(raw_spec)]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_plan_is_read_as_it_was_written(plan: SchemaPlan) -> None:
    assert parse_plan(plan_to_raw(plan)) == plan


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_plan_fits_the_crd_when_the_operator_writes_it(plan: SchemaPlan) -> None:
    assert faults(plan_to_raw(plan)["spec"]) == []


@pytest.mark.parametrize("case", LEGAL_PLANS, ids=lambda case: case.name)
def test_plan_is_read_when_the_crd_takes_it(case: PlanCase) -> None:
    assert faults(case.manifest["spec"]) == []
    assert parse_plan(case.manifest).plan.digest == PLAN_SPEC.digest


SHAPELESS = [case for case in ILLEGAL_PLANS if case.message.endswith("Required value")]


@pytest.mark.parametrize("case", SHAPELESS, ids=lambda case: case.name)
def test_plan_is_refused_with_its_name_when_a_part_is_missing(case: PlanCase) -> None:
    with pytest.raises(InvalidPlan, match=r"^cannot read the SchemaPlan shop/shop-01234567: "):
        parse_plan(case.manifest)


@pytest.mark.parametrize("part", ["spec.plan", "spec.schemaRef", "spec.plan.steps", "spec.plan.stepCount"])
def test_plan_is_refused_when_a_part_is_of_another_type(part: str) -> None:
    with pytest.raises(InvalidPlan, match="a part is of another type"):
        parse_plan(changed(PLAIN_PLAN, {part: "x"}))


def test_plan_belongs_to_its_schema_so_that_it_goes_with_it() -> None:
    [owner] = plan_to_raw(PLAN)["metadata"]["ownerReferences"]

    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == (
        names.KIND, PLAN.schema_name, PLAN.schema_uid, True,
    )  # fmt: skip


def test_new_plan_names_no_uid_and_no_version() -> None:
    assert set(plan_to_raw(PLAN)["metadata"]) == {"name", "namespace", "labels", "ownerReferences"}


def test_plan_is_being_deleted_when_its_deletion_was_asked_for() -> None:
    assert parse_plan(changed(PLAIN_PLAN, {"metadata.deletionTimestamp": "2026-11-27T01:00:00Z"})).deleting


def test_words_are_those_of_the_crd() -> None:
    assert tuple(PLAN_FIELDS["spec.decision.type"]["enum"]) == (APPROVE, REJECT)
    assert tuple(PLAN_FIELDS["status.phase"]["enum"]) == PHASES
    assert PLAN_FIELDS["spec.plan.direction"]["enum"] == [each.value for each in Direction]
    assert PLAN_FIELDS["spec.plan.steps[].kind"]["enum"] == [each.value for each in StepKind]
    assert tuple(PLAN_FIELDS["spec.plan.evidence"]["enum"]) == review.EVIDENCE
    assert PLAN_FIELDS["spec.plan.steps"]["maxItems"] == MOST_STEPS
    assert PLAN_FIELDS["spec.plan.findings"]["maxItems"] == MOST_FINDINGS
    assert PLAN_CRD["spec"]["names"]["kind"] == names.PLAN_KIND
    assert PLAN_CRD["spec"]["names"]["plural"] == names.PLAN_PLURAL


def test_finding_of_a_plan_has_the_fields_of_a_finding() -> None:
    assert list(PlanFinding.__dataclass_fields__) == list(Finding.__dataclass_fields__)


def test_every_field_of_the_crd_is_written() -> None:
    full = replace(PLAN_SPEC, findings=(replace(WAIVED, fix="x"),), findings_left_out=1)
    written = set(paths(plan_to_raw(replace(PLAN, plan=full, decision=DECISION))["spec"], "spec"))
    known = {path.replace("[]", "") for path in PLAN_FIELDS if path.startswith("spec.") and not path.endswith("[]")}

    assert written == known


def paths(raw: Any, path: str) -> list[str]:
    if isinstance(raw, dict):
        return [below for key, value in raw.items() for below in (f"{path}.{key}", *paths(value, f"{path}.{key}"))]
    return [below for item in raw for below in paths(item, path)] if isinstance(raw, list) else []


@pytest.mark.parametrize("plan", [replace(PLAN_SPEC, steps=steps) for steps in HUGE.values()], ids=HUGE)
def test_plan_fits_the_crd_when_it_was_too_large(plan: PlanSpec) -> None:
    small = bounded(plan)
    raw = plan_spec_to_raw(small)

    assert faults({**PLAIN_PLAN["spec"], "plan": raw}) == []
    assert len(str(raw["steps"]).encode()) < STEPS_LIMIT * 1.1
    assert raw["stepCount"] == len(plan.steps)
    assert small.findings_left_out == found(plan) - found(small)
    assert (small.errors, small.warnings) == (plan.errors, plan.warnings)


def found(plan: PlanSpec) -> int:
    return sum(len(step.findings) for step in plan.steps)


def test_plan_stays_as_it_is_when_it_fits() -> None:
    assert bounded(PLAN_SPEC) == PLAN_SPEC


def test_errors_stay_when_findings_have_to_go() -> None:
    error = replace(FINDING, severity="error", rule="rewrite")
    findings = (WAIVED,) * 100 + (FINDING,) * 100 + (error,)

    [step] = bounded(replace(PLAN_SPEC, steps=(replace(STEPS[0], findings=findings),))).steps

    assert error in step.findings
    assert WAIVED not in step.findings


def test_findings_stay_when_shorter_texts_do() -> None:
    plan = replace(PLAN_SPEC, steps=HUGE["texts of any length"][:1] * 40)

    assert bounded(plan).findings_left_out == 0
