"""What spec.baseline can still mean: it takes effect, is contradicted, or comes too late; it is never ignored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunRequest
from alembic_operator.runner.assessment.assess import Reading, assess
from alembic_operator.runner.terms import IN_A_JOB

from .test_assess import GRAPH, NOTHING, PLACE, REQUEST, entry, journal, reason_of

PINNED = "sha256:" + "1" * 64


def asking(*revisions: str, fingerprint: str = "") -> RunRequest:
    return replace(REQUEST, baseline=list(revisions), baseline_fingerprint=fingerprint)


def warnings(reading: Reading, request: RunRequest) -> list[str]:
    return assess(reading, GRAPH, ["c"], request, PLACE).warnings


@pytest.mark.parametrize(
    "request_", [asking("b"), asking("a", "b"), asking("b", fingerprint=PINNED)], ids=["same", "ancestor", "pinned"]
)
def test_nothing_is_said_when_the_version_rows_are_the_same(request_: RunRequest) -> None:
    assert warnings(Reading(["b"], NOTHING), request_) == []


@pytest.mark.parametrize("named", ["a", "c"])
def test_baseline_is_refused_when_the_version_rows_are_others(named: str) -> None:
    reason, message = reason_of(Reading(["b"], NOTHING), request=asking(named))
    assert reason == Reason.BASELINE_MISMATCH
    assert f"spec.baseline names {named}, but the table has b. Nothing was sent." in message


def test_baseline_is_refused_when_the_image_does_not_know_it() -> None:
    reason, message = reason_of(Reading(["b"], NOTHING), request=asking("zz"))
    assert (reason, "no file declares it" in message) == (Reason.REVISION_NOT_FOUND, True)


def test_baseline_is_refused_when_a_schema_is_pinned_and_the_database_is_empty() -> None:
    reason, message = reason_of(Reading([], NOTHING), request=asking("b", fingerprint=PINNED))
    assert (reason, "there are no tables" in message) == (Reason.BASELINE_MISMATCH, True)


@pytest.mark.parametrize(
    ("reading", "request_", "words"),
    [
        (Reading(["b"], NOTHING), asking(), "spec.baseline is base but has no effect: the database is at b."),
        (Reading([], NOTHING), asking("b"), "spec.baseline names b but has no effect: the database was empty."),
        (
            Reading(["b"], journal(entry("a"), entry("b", number=2))),
            asking("b"),
            "spec.baseline names b but has no effect: the journal already records this database's revisions.",
        ),
        (
            Reading(["a"], journal(replace(entry("a", "adopted"), fingerprint="sha256:2"))),
            asking("a", fingerprint=PINNED),
            "spec.baseline.fingerprint has no effect: the journal records sha256:2 as the fingerprint of the "
            "adopted schema.",
        ),
    ],
    ids=["base", "empty", "journal", "fingerprint"],
)
def test_it_is_told_when_a_baseline_comes_too_late(reading: Reading, request_: RunRequest, words: str) -> None:
    assert [one.translate(IN_A_JOB) for one in warnings(reading, request_)] == [words]


@pytest.mark.parametrize(
    ("reading", "request_"),
    [
        (Reading([], NOTHING, ["public.a"]), asking()),
        (Reading([], NOTHING), asking()),
        (Reading(["a"], journal(entry("a"))), asking()),
        (Reading(["a"], journal(replace(entry("a", "adopted"), fingerprint=PINNED))), asking("a", fingerprint=PINNED)),
        (Reading(["b"], journal(entry("a", "adopted"), entry("b", number=2))), asking("a")),
    ],
    ids=["beside", "base-of-empty", "base-was-meant", "adopted-so", "adopted-and-moved-on"],
)
def test_nothing_is_said_when_a_baseline_has_taken_effect(reading: Reading, request_: RunRequest) -> None:
    assert warnings(reading, request_) == []
