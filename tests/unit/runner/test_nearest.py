"""The id that was most likely meant, where no file declares the one that is wanted."""

from __future__ import annotations

import pytest

from alembic_operator.runner.graph import Graph, RevisionFile
from alembic_operator.runner.history import _hint


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
    assert _hint(wanted, _graph(declared, "zzzz")) == (
        f' Did you mean "{declared}"? YAML took it for a number: write it in quotes.'
    )


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [("8b7d0e44aa10", "8b7d0e44aa01"), ("20260820_add_poller_feed", "20260820_add_poler_feed"), ("a.b_c", "a_b_c")],
)
def test_nearest_id_is_proposed_when_one_is_near(declared: str, wanted: str) -> None:
    assert _hint(wanted, _graph(declared, "zzzz")) == f' Did you mean "{declared}"?'


@pytest.mark.parametrize("wanted", ["qqqq", "99", "nan", "1e999"])
def test_nothing_is_proposed_when_no_id_is_near(wanted: str) -> None:
    assert _hint(wanted, _graph("8b7d0e44aa10", "0021")) == ""
