"""What the journal says of how a schema is known to be the history's."""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.contract.verification import VerifiedReason
from alembic_operator.runner.assessment.verification import journalled

from .test_assess import NOTHING, entry, journal

COMPARED = replace(entry("a", "adopted"), verified="Compared", fingerprint="sha256:1", remark="It is equal.")


def test_nothing_is_known_of_an_empty_database() -> None:
    assert journalled(NOTHING, set()) is None


def test_operator_applied_it_when_every_row_of_the_journal_is_its_own() -> None:
    found = journalled(journal(entry("a"), entry("b", number=2)), {"a", "b"})
    assert found is not None
    assert found.reason is VerifiedReason.APPLIED


def test_comparison_is_told_when_it_was_journalled_and_the_operator_went_on() -> None:
    found = journalled(journal(COMPARED, entry("b", number=2)), {"a", "b"})
    assert found is not None
    assert (found.reason, found.message, found.fingerprint) == (VerifiedReason.COMPARED, "It is equal.", "sha256:1")


def test_newest_adoption_counts_when_there_are_several() -> None:
    later = replace(entry("b", "adopted", number=7), verified="NotCompared", remark="No shadow.")
    found = journalled(journal(COMPARED, later), {"a", "b"})
    assert found is not None
    assert (found.reason, found.message) == (VerifiedReason.NOT_COMPARED, "No shadow.")


def test_nothing_counts_as_compared_when_an_older_version_adopted_it() -> None:
    found = journalled(journal(entry("a", "adopted")), {"a"})
    assert found is not None
    assert (found.reason, "without a comparison" in found.message) == (VerifiedReason.NOT_COMPARED, True)


def test_nothing_counts_as_compared_when_the_journal_lacks_a_revision() -> None:
    for known in (NOTHING, journal(COMPARED)):
        found = journalled(known, {"a", "b"})
        assert found is not None
        assert (found.reason, "has not compared" in found.message) == (VerifiedReason.NOT_COMPARED, True)
