"""A plan that code of the project wrote: whatever it holds, it is refused as such, or can be stored."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from tests.unit.core.drafting import document
from tests.unit.core.test_forged import places
from tests.unit.core.world import World

from alembic_operator.contract.plan import (
    Column,
    Dropped,
    ForeignKey,
    HistoryFault,
    Notice,
    PlanDocument,
    Relation,
    ShadowFacts,
    Statement,
    Table,
)
from alembic_operator.contract.plan_types import DEEPEST
from alembic_operator.contract.request import ProtocolError
from alembic_operator.core.model.draft import Draft
from alembic_operator.core.model.observed import parse_schema
from alembic_operator.core.plans.build import build_plan, plan_ref

HALF = "\ud800"  # of a pair of surrogates: JSON can say it, and UTF-8 cannot
WRONG: list[Any] = [None, True, -1, 2**63, 1.5, "x", HALF, [], [HALF], ["x", 1], {}, {"x": HALF}, {HALF: 1}]


def body() -> dict[str, Any]:
    """A plan with something in every place."""
    found: dict[str, Any] = json.loads(_text())
    return found


@cache
def _text() -> str:
    made = document(0, "ALTER TABLE orders ADD note text")
    full = Statement("DROP TABLE old", ["int"], "00", True, drops=[Dropped("table", "old")], notices=[Notice("0", "n")])
    made.steps[0].statements.append(full)
    made.relations.append(Relation("public.orders", "r", 1, 1))
    key = ForeignKey("k", ["a"], "public.b", True)
    made.tables.append(Table("public.t", "b2", True, [Column("a", "int")], ["a"], ["a"], [key], ["k"], ["a"], [["a"]]))
    made.faults.append(HistoryFault("multiple-heads", "b2", "two"))
    made.waivers["b2.review.yaml"] = "rule: x"
    found: dict[str, Any] = json.loads(made.to_json())
    found["shadow"] = ShadowFacts(1.0, 1, 1, "16").__dict__
    return json.dumps(found)


def changed(path: tuple[str | int, ...], value: Any) -> str:
    whole = body()
    place: Any = whole
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return json.dumps(whole)


@pytest.mark.parametrize("path", list(places(body())), ids=lambda path: ".".join(map(str, path)))
def test_plan_is_refused_or_can_be_stored_when_a_field_is_something_else(path: tuple[str | int, ...]) -> None:
    schema = parse_schema(World().raw())
    for value in WRONG:
        try:
            made = PlanDocument.from_json(changed(path, value))
        except ProtocolError:
            continue
        draft = Draft(made)
        plan, parts = build_plan(schema, draft, "mark", "image")
        assert plan.plan.digest == plan_ref(schema, draft).digest
        assert all(part["data"]["plan.sql"].encode() for part in parts)


def test_plan_can_be_read_when_it_has_something_in_every_place() -> None:
    made = PlanDocument.from_json(json.dumps(body()))
    assert made.tables[0].foreign_keys[0].columns == ["a"]
    assert json.loads(made.to_json()) == body()


@pytest.mark.parametrize("deep", [DEEPEST + 1, 900, 100_000])
def test_plan_is_refused_when_its_inputs_are_deep(deep: int) -> None:
    text = json.dumps(body() | {"inputs": "HERE"}).replace('"HERE"', '{"a":' * deep + "1" + "}" * deep)
    with pytest.raises(ProtocolError):
        PlanDocument.from_json(text)
