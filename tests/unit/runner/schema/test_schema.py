"""Snapshots held against each other, and definitions made alike. The vectors are those of docs/fingerprint.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alembic_operator.runner.schema import Snapshot, compared, differences
from alembic_operator.runner.schema.text import full_name, name, normal, view

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["fingerprints"], ids=lambda one: one["what"])
def test_fingerprint_is_the_vector_s(vector: dict[str, Any]) -> None:
    assert Snapshot(vector["objects"]).fingerprint == vector["fingerprint"]


@pytest.mark.parametrize("vector", VECTORS["texts"], ids=lambda one: one["postgres"])
def test_definition_is_normal_as_in_the_vector(vector: dict[str, str]) -> None:
    assert (view if vector["kind"] == "query" else normal)(vector["postgres"]) == vector["normal"]


def test_vectors_stand_in_the_document() -> None:
    document = (Path(__file__).parents[4] / "docs" / "fingerprint.md").read_text()
    for vector in VECTORS["fingerprints"]:
        assert vector["fingerprint"] in document
    for vector in VECTORS["texts"]:
        assert vector["normal"].replace("|", "\\|") in document


def test_names_are_quoted_when_their_characters_ask_for_it() -> None:
    assert [name("orders"), name("select"), name("Mixed"), name('a"b'), name("1st"), name("ä")] == [
        "orders",
        "select",
        '"Mixed"',
        '"a""b"',
        '"1st"',
        '"ä"',
    ]
    assert full_name("a.b", "c") == '"a.b".c'


def _of(**parts: Any) -> Snapshot:
    return Snapshot({"table public.orders": {"": {}, **parts}})


def test_no_difference_when_both_are_equal() -> None:
    assert differences(_of(a={"x": 1}), _of(a={"x": 1})) == []


def test_every_difference_is_told_when_there_are_several() -> None:
    wanted = _of(**{"column a": {"type": "text"}, "column b": {"type": "text"}, "column c": {"type": "text"}})
    found = _of(**{"column a": {"type": "date", "not null": True}, "column c": {"type": "text"}, "index i": {}})
    assert differences(wanted, found, "the shadow") == [
        "table public.orders: column a differs: not null is set in the shadow, expected none; "
        "type is date in the shadow, expected text",
        "table public.orders: column b is missing in the shadow",
        "table public.orders: index i is only in the shadow",
    ]


def test_name_is_told_alone_when_a_constraint_or_index_is_the_same_otherwise() -> None:
    unique, index = {"definition": "UNIQUE (email)"}, "CREATE INDEX {} ON public.orders USING btree (n)"
    wanted = _of(**{"constraint uq": unique, "index ix": {"definition": index.format("ix")}, "trigger t": {"x": 1}})
    found = _of(
        **{
            "constraint orders_key": unique,
            "constraint other": {"definition": "CHECK (n > 0)"},
            'index "Ix"': {"definition": index.format('"Ix"')},
            "trigger u": {"x": 1},
        }
    )
    assert [(one.sentence, one.extra) for one in compared(wanted, found)] == [
        ("table public.orders: constraint other is only in the database", True),
        ("table public.orders: constraint uq is named orders_key in the database, and is the same otherwise", False),
        ('table public.orders: index ix is named "Ix" in the database, and is the same otherwise', False),
        ("table public.orders: trigger t is missing in the database", False),
        ("table public.orders: trigger u is only in the database", True),
    ]


def test_long_values_and_bodies_are_not_quoted() -> None:
    wanted, found = _of(a={"definition": "x" * 81, "body": "1"}), _of(a={"definition": "y", "body": "2"})
    (sentence,) = differences(wanted, found)
    assert sentence == (
        "table public.orders: a differs: it has another body in the database; it has another definition in the database"
    )


def test_invalid_indexes_are_named_and_left_out_but_for_those_of_partitioned_tables() -> None:
    broken = {"definition": "CREATE INDEX", "invalid": True}
    one = Snapshot(
        {
            'materialized view "a.b".v': {"": {}, "index m": broken},
            "table public.parts": {"": {"partitioned by": "RANGE (at)"}, "index p": broken},
            "table public.t": {"": {}, "index ok": {"definition": "CREATE INDEX"}, 'index "I"': broken},
        }
    )
    assert one.invalid_indexes == ['"a.b".m', 'public."I"']
    assert differences(one, one.without_invalid_indexes()) == [
        'materialized view "a.b".v: index m is missing in the database',
        'table public.t: index "I" is missing in the database',
    ]


@pytest.mark.parametrize(
    ("written", "restored"),
    [
        (
            "CHECK (((code)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
            "CHECK (((code)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
        ),
        ("((ARRAY[f(a, 1), b[2]])::numeric(8,2)[])", "(ARRAY[(f(a, 1))::numeric(8,2), (b[2])::numeric(8,2)])"),
        ("(((a >= 1) AND (a <= 2)) AND b)", "((a >= 1) AND (a <= 2) AND b)"),
        ("((f(x) OR (t.flag OR (NOT c))) OR EXISTS ( SELECT 1))", "(f(x) OR t.flag OR (NOT c) OR EXISTS ( SELECT 1))"),
        ("((a OR b) AND (c OR (d AND e)))", "((a OR b) AND (c OR (d AND e)))"),
        ("sum(x) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", "sum(x) OVER (ROWS BETWEEN 1 PRECEDING AND 0 ROW)"),
        ("('a AND b' AND (c AND d))", "('a AND b' AND c AND d)"),
        ("(a AND ((b OR c)) AND (d", "(a AND ((b OR c)) AND (d"),
    ],
)
def test_definition_is_the_same_when_it_was_dumped_and_restored(written: str, restored: str) -> None:
    assert normal(written) == restored.replace("AND 0 ROW", "AND CURRENT ROW")
