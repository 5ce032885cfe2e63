"""What a run decides to do, from what it read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_operator.api.status_bounds import CONDITION_MESSAGE_LIMIT
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.runner.assessment.assess import Reading, assess, remedy
from alembic_operator.runner.database.journal import Entry, Journal
from alembic_operator.runner.database.session import VersionTable
from alembic_operator.runner.errors import RunFailed
from alembic_operator.runner.history.graph import Graph, RevisionFile, Standing
from alembic_operator.runner.terms import IN_A_JOB

ME = Owner("c1", "shop", "db", "uid-1")
PLACE = VersionTable("public", "alembic_version")
REQUEST = RunRequest(RunKind.APPLY, ME, 1, "job", "c", "db-app")
GRAPH = Graph(
    {
        revision: RevisionFile(revision, (down,) if down else (), (), f"{revision}.py", f"sha-{revision}")
        for revision, down in (("a", ""), ("b", "a"), ("c", "b"))
    }
)


def entry(
    revision: str, state: str = "done", *, resumable: bool = False, sha256: str | None = None, number: int = 1
) -> Entry:
    return Entry(
        number, revision, "up", state, resumable, sha256 or f"sha-{revision}", "image", "2026-01-01 10:00:00+00"
    )


def journal(*entries: Entry, owner: Owner | None = ME) -> Journal:
    return Journal(True, owner, {one.revision: one for one in entries})


NOTHING = Journal(False, None, {})


def reason_of(reading: Reading, target: str = "c", request: RunRequest = REQUEST) -> tuple[Reason, str]:
    with pytest.raises(RunFailed) as raised:
        assess(reading, GRAPH, [target], request, PLACE)
    assert len(raised.value.failure.message) <= CONDITION_MESSAGE_LIMIT
    return raised.value.failure.reason, raised.value.failure.message


def test_everything_is_pending_when_the_database_is_empty() -> None:
    found = assess(Reading([], NOTHING), GRAPH, ["c"], REQUEST, PLACE)
    assert (found.standing, found.pending, found.adopt) == (Standing.BEHIND, ["a", "b", "c"], [])


def test_adopts_the_lineage_when_there_are_rows_and_no_journal() -> None:
    found = assess(Reading(["b"], NOTHING), GRAPH, ["c"], REQUEST, PLACE)
    assert (found.pending, found.adopt, found.warnings) == (["c"], ["a", "b"], [])


def test_warns_when_somebody_else_applied_a_revision_beside_the_operator() -> None:
    found = assess(Reading(["b"], journal(entry("a"))), GRAPH, ["c"], REQUEST, PLACE)
    assert found.adopt == ["b"]
    assert found.warnings == ['"b" (b.py) was applied outside the operator; the journal records it as adopted.']


def test_warns_when_a_revision_was_taken_back_outside() -> None:
    found = assess(Reading(["a"], journal(entry("a"), entry("b"))), GRAPH, ["b"], REQUEST, PLACE)
    assert found.pending == ["b"]
    assert "was applied before and reverted outside the operator" in found.warnings[0]


def test_warns_when_a_file_changed_after_it_was_applied() -> None:
    found = assess(Reading(["a"], journal(entry("a", sha256="other"))), GRAPH, ["a"], REQUEST, PLACE)
    assert found.warnings == ['"a" (a.py) changed after being applied; the database still has the old version.']


def test_warns_when_the_file_of_an_applied_revision_is_gone() -> None:
    reading = Reading(["b"], journal(entry("a"), entry("gone", number=2), entry("b", number=3)))
    (warning,) = assess(reading, GRAPH, ["b"], REQUEST, PLACE).warnings
    assert warning.translate(IN_A_JOB).startswith(
        '"gone" was applied here, but no file of this image declares it any more'
    )


def test_says_nothing_of_files_that_are_gone_when_the_schema_was_compared_since() -> None:
    squashed = replace(entry("a", "adopted", number=3), verified="Compared")
    reading = Reading(["a"], journal(entry("gone"), entry("gone-too", number=2), squashed))
    assert assess(reading, GRAPH, ["a"], REQUEST, PLACE).warnings == []


def test_refuses_when_there_are_tables_and_no_row() -> None:
    reason, message = reason_of(Reading([], NOTHING, ["public.a", "public.b", "public.c", "public.d"]))
    assert reason == Reason.BASELINE_REQUIRED
    assert "(public.a, public.b, public.c, …)" in message


def test_starts_from_base_when_the_baseline_is_empty() -> None:
    request = replace(REQUEST, baseline=[])
    assert assess(Reading([], NOTHING, ["public.a"]), GRAPH, ["a"], request, PLACE).pending == ["a"]


@pytest.mark.parametrize("owner", [replace(ME, uid="uid-2"), replace(ME, uid="uid-2", cluster="c2")])
def test_names_the_owner_when_it_is_somebody_else(owner: Owner) -> None:
    reason, message = reason_of(Reading([], journal(owner=owner)))
    assert reason == Reason.TARGET_OWNED
    assert "(uid uid-2)" in message
    assert ("of the cluster c2" in message) == (owner.cluster == "c2")


def test_takes_over_from_the_named_uid_alone() -> None:
    reading = Reading([], journal(owner=replace(ME, uid="uid-2")))
    assert assess(reading, GRAPH, ["a"], replace(REQUEST, replace_owner="uid-2"), PLACE).standing == Standing.BEHIND
    assert reason_of(reading, request=replace(REQUEST, replace_owner="uid-3"))[0] == Reason.TARGET_OWNED


def test_refuses_when_a_revision_is_half_applied() -> None:
    reason, message = reason_of(Reading(["a"], journal(entry("a"), entry("b", "intent"))))
    assert reason == Reason.OUTCOME_UNKNOWN
    assert (
        "DELETE FROM alembic_operator.revision_journal WHERE state = 'intent' AND revision = 'b' AND history" in message
    )
    assert "AND history = 'public.alembic_version'. Then set" in message


def test_remedy_is_sql_when_a_name_has_a_quote_in_it() -> None:
    assert "AND revision = 'it''s' AND history = 'o''neill.v'. Then" in remedy("it's", VersionTable("o'neill", "v"))


def test_goes_on_when_the_intent_may_be_resumed() -> None:
    reading = Reading(["a"], journal(entry("a"), entry("b", "intent", resumable=True)))
    assert assess(reading, GRAPH, ["b"], REQUEST, PLACE).pending == ["b"]


def test_resolves_the_intent_when_the_version_row_says_it_is_applied() -> None:
    found = assess(Reading(["b"], journal(entry("a"), entry("b", "intent", number=7))), GRAPH, ["b"], REQUEST, PLACE)
    assert (found.resolved, found.adopt, found.standing) == ([7], [], Standing.EQUAL)


def test_is_ahead_when_the_journal_has_the_target_and_the_image_not_the_row() -> None:
    reading = Reading(["z"], journal(entry("a"), entry("b", number=2), entry("z", number=3)))
    assert assess(reading, GRAPH, ["b"], REQUEST, PLACE).standing == Standing.AHEAD


@pytest.mark.parametrize(
    ("rows", "entries"),
    [
        (["z"], [entry("b")]),
        (["z"], [entry("z"), entry("b", number=2)]),
        (["z"], [entry("b"), entry("z", "intent", resumable=True, number=2)]),
        (["y", "z"], [entry("b"), entry("y", number=2)]),
        (["z"], [entry("b", "intent", resumable=True), entry("z", number=2)]),
    ],
    ids=["unseen", "older", "half-applied", "one-of-two-unseen", "target-half-applied"],
)
def test_diverges_when_the_journal_did_not_see_every_unknown_row_come_after_the_target(
    rows: list[str], entries: list[Entry]
) -> None:
    reason, message = reason_of(Reading(rows, journal(*entries)), "b")
    assert reason == Reason.DIVERGED
    assert 'the database is at "z"' in message


def test_diverges_when_neither_image_nor_journal_knows_the_row() -> None:
    reason, message = reason_of(Reading(["z"], NOTHING))
    assert reason == Reason.DIVERGED
    assert 'the database is at "z", which no migration file of this image declares' in message


def test_refuses_when_a_row_lies_before_another() -> None:
    assert reason_of(Reading(["a", "c"], NOTHING))[0] == Reason.VERSION_TABLE_INVALID


def test_refuses_when_rows_are_gone_although_the_journal_knows_revisions() -> None:
    reading = Reading([], journal(entry("a")), ["public.item"])
    assert reason_of(reading, request=replace(REQUEST, baseline=[]))[0] == Reason.VERSION_TABLE_INVALID
