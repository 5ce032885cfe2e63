"""The page that the results are kept in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from benchmarks import report
from benchmarks.samples import Result, Row, Verdict


def result(title: str, value: float, target: float = 0.9) -> Result:
    rows = [Row("ours", "s", [1.0, 2.5, 4.0])]
    verdicts = [Verdict("ours / theirs", value, target, [0.5, 1.2])]
    return Result(title, "How.", rows, verdicts, ["A note."], date="2026-11-23", commit="abc1234")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "KEPT", tmp_path / "results.json")
    monkeypatch.setattr(report, "PAGE", tmp_path / "benchmarks.md")
    return tmp_path / "benchmarks.md"


def test_the_page_has_median_range_ratio_date_and_commit(kept: Path) -> None:
    report.keep({"change": [result("One change", 0.602)]})
    page = kept.read_text()
    assert "| ours | 2.5 s | 1 to 4 | 3 |" in page
    assert "**ours / theirs: 0.602 (0.5 to 1.2), target at most 0.9: reached**" in page
    assert "Measured 2026-11-23, commit abc1234." in page


def test_the_page_says_not_reached_when_a_target_is_missed(kept: Path) -> None:
    report.keep({"change": [result("One change", 0.95)]})
    assert "target at most 0.9: not reached**" in kept.read_text()


def test_other_results_stay_when_one_is_measured_anew(kept: Path) -> None:
    report.keep({"change": [result("One change", 0.6)], "idle": [result("Idle", 0.1)]})
    report.keep({"idle": [result("Idle", 0.2)]})
    page = kept.read_text()
    assert "## One change" in page
    assert "ours / theirs: 0.2 " in page
    assert "ours / theirs: 0.1 " not in page


def test_the_page_names_nothing_of_this_machine_but_its_size(kept: Path) -> None:
    report.keep({"change": [result("One change", 0.6)]})
    page = kept.read_text()
    assert str(Path.home()) not in page
    assert "cores" in page


def test_the_page_in_the_repository_is_made_from_the_results_that_are_kept() -> None:
    assert report.PAGE.read_text() == report.page(json.loads(report.KEPT.read_text()))


def test_a_result_is_the_same_when_it_was_kept(kept: Path) -> None:
    one = result("One change", 0.6)
    report.keep({"change": [one]})
    raw = json.loads(report.KEPT.read_text())["change"][0]
    assert raw == asdict(one)
