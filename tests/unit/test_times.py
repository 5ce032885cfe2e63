"""The table of times: sums by level and phase, and what was slowest."""

from __future__ import annotations

from tests.times import Took, table

NOTED = [
    Took("tests/unit/test_a.py::test_one", "setup", 0.1, "gw0"),
    Took("tests/unit/test_a.py::test_one", "call", 0.4, "gw0"),
    Took("tests/e2e/test_b.py::test_two", "call", 30.0, "gw1"),
    Took("tests/e2e/conftest.py: cluster (session)", "fixture", 12.0, "gw1"),
]


def test_seconds_are_summed_by_level_when_several_workers_noted_them() -> None:
    lines = [line.split() for line in table(NOTED)]

    assert ["unit", "1", "0.1", "0.4", "0.0", "0.5"] in lines
    assert ["e2e", "1", "0.0", "30.0", "0.0", "30.0"] in lines


def test_fixture_is_listed_apart_from_the_tests_that_waited_for_it() -> None:
    text = "\n".join(table(NOTED))

    assert text.index("the slowest fixtures") < text.index("tests/e2e/conftest.py: cluster (session)")
    assert text.count("12.0") == 1
