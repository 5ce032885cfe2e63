"""The list of faults is in order, and a fault that cannot be made any more says so; the faults are not made here."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mutants.faults import FAULTS
from tests.mutants.mutant import Mutant, Stale, named
from tests.mutants.trial import copy_of_the_repository

ROOT = Path(__file__).parents[3]
FAULT = Mutant("a check is gone", "core/x.py", "if a < b:", "if a <= b:", "tests/unit/core")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of a copy of the repository."""
    path = tmp_path / FAULT.path
    path.parent.mkdir(parents=True)
    path.write_text("def f(a, b):\n    if a < b:\n        return 1\n")
    return path


def test_code_changes_and_nothing_else_when_a_fault_is_made(file: Path, tmp_path: Path) -> None:
    FAULT.apply(tmp_path)
    assert file.read_text() == "def f(a, b):\n    if a <= b:\n        return 1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pass\n", "`if a < b:` stands no longer in operator/"),
        ("if a < b:\nif a < b:\n", "stands 2 times in operator/"),
    ],
)
def test_fault_is_stale_when_its_code_does_not_stand_there_once(
    file: Path, tmp_path: Path, text: str, said: str
) -> None:
    file.write_text(text)
    with pytest.raises(Stale, match=said):
        FAULT.apply(tmp_path)
    file.unlink()
    with pytest.raises(Stale, match=r"there is no operator/alembic_operator/core/x\.py any more"):
        FAULT.apply(tmp_path)


def test_every_fault_is_told_apart_and_names_tests_that_are_there() -> None:
    assert len(FAULTS) >= 40
    assert len({(one.path, one.code, one.instead) for one in FAULTS}) == len(FAULTS)
    assert [one for one in FAULTS if not (ROOT / one.tests.partition("::")[0]).exists()] == []
    assert [one for one in FAULTS if one.code == one.instead] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.fault)
def test_every_fault_can_still_be_made(fault: Mutant) -> None:
    assert (ROOT / fault.path).read_text().count(fault.code) == 1


def test_words_pick_faults() -> None:
    assert named(FAULTS, []) == list(FAULTS)
    assert {one.path for one in named(FAULTS, ["control/serve/lease.py"])} == {
        "operator/alembic_operator/control/serve/lease.py"
    }
    assert named(FAULTS, ["no such word"]) == []


def test_copy_has_the_sources_and_nothing_that_git_ignores(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path)
    assert (copy / FAULTS[0].path).read_bytes() == (ROOT / FAULTS[0].path).read_bytes()
    assert not (copy / ".venv").exists()
