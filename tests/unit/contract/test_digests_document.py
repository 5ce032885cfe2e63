"""docs/digests.md and the vectors say the same, and the document names everything that the code knows."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from tests.unit.contract.vectors import VECTORS

from alembic_operator.contract import bundle, digests, guard, statements

TEXT = (Path(__file__).parents[3] / "docs" / "digests.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(.+)` \| `(.+)` \| `([0-9a-f]{32})` \|$", TEXT, re.MULTILINE)


def test_shows_a_good_part_of_the_vectors() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("sql", "hashed", "value"), ROWS)
def test_each_line_is_a_vector(sql: str, hashed: str, value: str) -> None:
    found = [case["statements"] for case in VECTORS["fingerprints"] if case["sql"] == sql]
    assert [(one["hashed"], one["value"]) for one in found[0]] == [(hashed, value)]
    assert hashlib.sha256(hashed.encode()).hexdigest().startswith(value)


@pytest.mark.parametrize(
    ("name", "part"),
    [("bundleDigest", "bundle"), ("inputsDigest", "inputs"), ("statementsDigest", "statements"), ("digest", "plan")],
)
def test_shows_the_digests_of_the_vectors(name: str, part: str) -> None:
    assert f"| {name} | `{VECTORS[part]['digest']}` |" in TEXT


@pytest.mark.parametrize("key", [*VECTORS["inputs"]["value"], *VECTORS["inputs"]["value"]["steering"]])
def test_names_every_input(key: str) -> None:
    assert f"`{key}`" in TEXT


@pytest.mark.parametrize("word", sorted(statements.ROW | statements.AS_IS - {"ANALYSE"}))
def test_names_every_statement_that_is_no_ddl(word: str) -> None:
    assert re.search(rf"\b{word}\b", TEXT.split("### Tokens")[0])


@pytest.mark.parametrize("name", sorted(statements.TIMEOUTS))
def test_names_every_setting_that_may_change(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_versions_are_those_of_the_code() -> None:
    assert "inputsDigest, statementsDigest and digest: **2**; of bundleDigest and of the fingerprints: **1**" in TEXT
    assert (bundle.VERSION, digests.VERSION, guard.VERSION, VECTORS["version"]) == (1, 2, 1, 2)
