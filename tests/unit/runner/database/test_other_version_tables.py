"""Version tables beside the run's own: which of them stop a run, which are told, and which are of no concern."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.runner.database.other_version_tables import OtherTable, OwnTable, check_others
from alembic_operator.runner.database.session import VersionTable, Wanted
from alembic_operator.runner.errors import RunFailed

OWN = VersionTable("public", "alembic_version")
IDS = {"r1", "r2", "r3"}
REQUEST = RunRequest(RunKind.PLAN, Owner("c", "shop", "db", "uid"), 1, "job", "r3", "secret")
UNSAID = Wanted()
APP = VersionTable("app", "alembic_version")
RENAMED = VersionTable("public", "shop_versions")


def _check(
    other: OtherTable, *, own: tuple[str, ...] = (), wanted: Wanted = UNSAID, request: RunRequest = REQUEST
) -> list[str]:
    version_table = VersionTable(wanted.schema or OWN.schema, wanted.table or OWN.table)
    return check_others([other], OwnTable(version_table, own, wanted), request, IDS)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (OtherTable(APP, ("r2",)), "app.alembic_version (at r2)"),
        (OtherTable(RENAMED, ("r2",)), "public.shop_versions (at r2)"),
        (OtherTable(APP, ("foreign",)), "app.alembic_version (at foreign)"),
        (OtherTable(APP, ()), "app.alembic_version (empty)"),
        (OtherTable(APP, None), "app.alembic_version (which the run's role cannot read)"),
        (OtherTable(APP, ("r2",), owner="shop/other"), "app.alembic_version (at r2)"),
    ],
)
def test_stops_and_names_table_and_field_when_the_own_table_has_no_rows(other: OtherTable, words: str) -> None:
    with pytest.raises(RunFailed) as caught:
        _check(other)
    assert caught.value.failure.reason == Reason.VERSION_TABLE_ELSEWHERE
    assert words in caught.value.failure.message
    assert (
        f"{{schema: {other.version_table.schema}, name: {other.version_table.table}}}" in caught.value.failure.message
    )


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (OtherTable(APP, ("r2",)), Wanted(schema="tenant2")),
        (OtherTable(RENAMED, ("r2",)), Wanted(schema="public", table="versions")),
    ],
)
def test_goes_on_with_a_warning_when_the_place_was_named(other: OtherTable, wanted: Wanted) -> None:
    (sentence,) = _check(other, wanted=wanted)
    assert str(other) in sentence


@pytest.mark.parametrize(
    ("other", "wanted", "request_"),
    [
        (OtherTable(OWN, ("foreign",)), Wanted(table="versions"), REQUEST),
        (OtherTable(APP, ("foreign",), owner="b/db"), Wanted(), REQUEST),
        (OtherTable(APP, None, owner="b/db"), Wanted(), REQUEST),
        (OtherTable(APP, ("r2",), owner="shop/t1"), Wanted(), replace(REQUEST, search_path=["tenant2"])),
        (OtherTable(OWN, ("r2",), owner="shop/t1"), Wanted(table="versions"), REQUEST),
    ],
)
def test_says_nothing_when_the_other_is_of_another_history_or_resource(
    other: OtherTable, wanted: Wanted, request_: RunRequest
) -> None:
    assert _check(other, wanted=wanted, request=request_) == []


def test_stops_when_the_schema_was_named_and_the_rows_are_under_another_name_there() -> None:
    with pytest.raises(RunFailed):
        _check(OtherTable(VersionTable("app", "shop_versions"), ("r2",)), wanted=Wanted(schema="app"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (OtherTable(APP, ("r2",)), "revisions of this history are also in app.alembic_version (at r2)"),
        (OtherTable(APP, None), "were not read: app.alembic_version"),
    ],
)
def test_warns_when_the_own_table_has_rows_and_so_may_another(other: OtherTable, words: str) -> None:
    (sentence,) = _check(other, own=("r1",))
    assert words in sentence


@pytest.mark.parametrize(
    "other", [OtherTable(APP, ("foreign",)), OtherTable(APP, ()), OtherTable(APP, ("r2",), owner="shop/tenant")]
)
def test_says_nothing_when_the_own_table_has_rows_and_the_other_is_not_ours(other: OtherTable) -> None:
    assert _check(other, own=("r1",)) == []


def test_names_three_tables_and_counts_the_rest_when_there_are_many() -> None:
    tables = [OtherTable(VersionTable(f"t{number}", "alembic_version"), ("r1",)) for number in range(9)]
    with pytest.raises(RunFailed) as caught:
        check_others(tables, OwnTable(OWN, [], UNSAID), REQUEST, IDS)
    assert "t2.alembic_version (at r1) and 6 more" in caught.value.failure.message
    assert len(caught.value.failure.message) < 1024
