"""The digests of a plan: golden vectors, and what changes them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.contract.vectors import VECTORS

from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.plan import Statement, Step, StepKind


def _steps(raw: list[dict[str, Any]]) -> list[Step]:
    return [
        Step(
            one["revision"],
            StepKind(one["kind"]),
            file_sha256=one["file"],
            statements=[Statement(sql="not counted", **statement) for statement in one["statements"]],
        )
        for one in raw
    ]


def test_come_to_the_golden_values() -> None:
    inputs, statements, plan = (VECTORS[name] for name in ("inputs", "statements", "plan"))
    assert inputs_digest(inputs["value"]) == inputs["digest"]
    assert statements_digest(_steps(statements["steps"])) == statements["digest"]
    assert plan_digest(plan["inputs"], plan["statements"]) == plan["digest"]


def _first(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = steps[0]["statements"]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda steps: steps.reverse(),
        lambda steps: steps.pop(),
        lambda steps: steps[0].update(revision="0009"),
        lambda steps: steps[1].update(file="5" * 64),
        lambda steps: steps[1].update(kind="SQL"),
        lambda steps: _first(steps).reverse(),
        lambda steps: _first(steps).pop(),
        lambda steps: _first(steps)[0].update(autocommit=True),
        lambda steps: _first(steps)[0].update(fingerprint="0" * 32),
        lambda steps: _first(steps)[1].update(ddl=True),
    ],
)
def test_differ_when_a_step_does(change: Callable[[list[dict[str, Any]]], object]) -> None:
    steps = copy.deepcopy(VECTORS["statements"]["steps"])
    change(steps)
    assert statements_digest(_steps(steps)) != VECTORS["statements"]["digest"]


def test_differ_when_any_input_does() -> None:
    value = VECTORS["inputs"]["value"]
    for key in value:
        assert inputs_digest({**value, key: "another"}) != VECTORS["inputs"]["digest"]
        assert inputs_digest({one: value[one] for one in value if one != key}) != VECTORS["inputs"]["digest"]
    plan = VECTORS["plan"]
    assert plan_digest(plan["statements"], plan["inputs"]) != plan["digest"]


def test_do_not_count_what_the_shadow_happened_to_see() -> None:
    steps = _steps(VECTORS["statements"]["steps"])
    slower = [
        Step(one.revision, one.kind, file_sha256=one.file_sha256, statements=one.statements, seconds=9.0)
        for one in steps
    ]
    assert statements_digest(slower) == VECTORS["statements"]["digest"]
