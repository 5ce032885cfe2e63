"""Ids in messages: the one that was most likely meant, and how YAML needs them."""

from __future__ import annotations

import pytest
import yaml

from alembic_operator.runner.assessment.baseline import heads_of
from alembic_operator.runner.errors import RunFailed
from alembic_operator.runner.history.graph import Graph, RevisionFile
from alembic_operator.runner.history.ids import flow, hint


def _graph(*ids: str) -> Graph:
    return Graph({one: RevisionFile(one, (), (), f"{one}.py", "sha") for one in ids})


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ("0021", "17"),
        ("0021", "21"),
        ("12e7", "120000000"),
        ("12e7", "1.2e+08"),
        ("1753948224", "1.753948224e+09"),
        ("0x1f", "31"),
    ],
)
def test_id_in_quotes_is_proposed_when_yaml_made_a_number_of_it(declared: str, wanted: str) -> None:
    assert hint(wanted, _graph(declared, "zzzz")) == (
        f' Did you mean "{declared}"? YAML read it as a number: put it in quotes.'
    )


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [("8b7d0e44aa10", "8b7d0e44aa01"), ("20260820_add_poller_feed", "20260820_add_poler_feed"), ("a.b_c", "a_b_c")],
)
def test_nearest_id_is_proposed_when_one_is_near(declared: str, wanted: str) -> None:
    assert hint(wanted, _graph(declared, "zzzz")) == f' Did you mean "{declared}"?'


@pytest.mark.parametrize("wanted", ["qqqq", "99", "nan", "1e999"])
def test_nothing_is_proposed_when_no_id_is_near(wanted: str) -> None:
    assert hint(wanted, _graph("8b7d0e44aa10", "0021")) == ""


@pytest.mark.parametrize(
    "revision", ["0021", "1753948224", "12e7", "1_000", "0x1f", "0o17", "1.5", "null", "No", "a b", "#1", "*a", "été!"]
)
def test_id_is_in_quotes_when_yaml_takes_it_for_something_else(revision: str) -> None:
    assert flow([revision, "a1"]) == f'["{revision}", a1]'
    assert yaml.safe_load(flow([revision, "a1"])) == [revision, "a1"]


@pytest.mark.parametrize("revision", ["8b7d0e44aa10", "20260820_add_poller_feed", "a.b_c", "e12", "12e7a", "été"])
def test_id_is_written_as_it_is_when_yaml_reads_a_string(revision: str) -> None:
    assert flow([revision]) == f"[{revision}]"
    assert yaml.safe_load(revision) == revision


def test_more_ids_are_told_when_there_are_too_many() -> None:
    assert (flow(["a", "b", "c"], 2), flow(["a", "b"], 2)) == ("[a, b, …]", "[a, b]")


def test_id_of_the_baseline_is_proposed_when_yaml_made_a_number_of_it() -> None:
    with pytest.raises(RunFailed, match=r'Did you mean "0021"\? YAML read it as a number: put it in quotes'):
        heads_of(["17"], _graph("0021", "zzzz"))
