"""Records, their hash, and the last line for people."""

from __future__ import annotations

import hashlib
import json

import pytest

from alembic_operator.contract import job_env
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome, RunResult
from alembic_operator.runner.history.imports import version_of
from alembic_operator.runner.report import Report, summary


def test_hashes_exactly_what_it_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.record("a", x=1)
    report.warn("careful")
    report.warn("careful")
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    texts = [line[len(job_env.RECORD_PREFIX) :] for line in lines]
    assert [json.loads(text)["event"] for text in texts] == ["a", "warning"]
    assert report.count == 2
    assert report.warnings == ["careful"]
    assert report.sha256 == hashlib.sha256("".join(text + "\n" for text in texts).encode()).hexdigest()


def test_stops_writing_records_at_the_limit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alembic_operator.runner.report.RECORDS_LIMIT", 200)
    report = Report()
    for _ in range(10):
        report.record("a", text="x" * 30)
    assert report.count == 2
    assert capsys.readouterr().out.count(job_env.RECORD_PREFIX) == 2


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome.APPLIED, "Applied 1 revision; the database is at r1."),
        (Outcome.UP_TO_DATE, "UpToDate: the database is at r1; nothing to do."),
        (Outcome.AHEAD, "SchemaAhead: the database is at r1, beyond r0; nothing was done."),
        (Outcome.BEHIND, "Behind: the database is at r1; 2 to apply up to r0."),
    ],
)
def test_says_in_a_sentence_how_it_ended(outcome: Outcome, text: str) -> None:
    result = RunResult(
        RunKind.APPLY, outcome, "u", 1, "j", current=["r1"], target_revisions=["r0"], applied_count=1, pending=2
    )
    assert summary(result) == text


@pytest.mark.parametrize(
    ("text", "version"), [("1.13.0", (1, 13)), ("2.0", (2, 0)), ("2.1.0b1", (2, 1)), ("3", (3, 0))]
)
def test_reads_major_and_minor(text: str, version: tuple[int, int]) -> None:
    assert version_of(text) == version
