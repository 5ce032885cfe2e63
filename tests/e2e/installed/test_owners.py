"""Two resources for one database: the first owns it, and the other can take it over."""

from __future__ import annotations

import pytest

from .place import Place


@pytest.fixture
def rivals(place: Place) -> Place:
    """A place where `shop` owns the database and `rival` was refused."""
    place.apply("plain", "a1")
    place.wait("UpToDate")
    place.apply("plain", "a2", name="rival", retry={"backoff": "10m"})
    place.wait("TargetOwned", "rival")
    return place


def test_second_resource_is_refused_with_the_name_of_the_owner(rivals: Place) -> None:
    assert rivals.conditions("rival") == {
        "Ready": ("False", "TargetOwned"),
        "Reconciling": ("True", "RetryingAfterFailure"),
    }
    assert rivals.message("rival") == (
        f'Claiming the history public.alembic_version for DatabaseSchema "{rivals.namespace}/rival": DatabaseSchema '
        f'"{rivals.namespace}/shop" (uid UID) already manages it, according to the journal in schema '
        "alembic_operator. Nothing was sent. Delete one of the two, or take over with the annotation "
        "alembic-operator.dev/take-over: UID. Next attempt at TIME."
    )
    assert rivals.schema("shop")["metadata"]["uid"] in rivals.condition("Ready", "rival")["message"]
    assert rivals.revisions() == ["a1"]


def test_second_resource_takes_over_when_told_to(rivals: Place) -> None:
    rivals.annotate("take-over", rivals.schema("shop")["metadata"]["uid"], "rival")

    rivals.wait("UpToDate", "rival")

    assert rivals.revisions() == ["a2"]
    rivals.annotate("reconcile-at", "now", "shop")
    rivals.wait("TargetOwned", "shop")
    assert f'DatabaseSchema "{rivals.namespace}/rival" (uid UID) already manages it' in rivals.message("shop")


def test_second_resource_takes_over_by_itself_when_the_owner_is_gone(rivals: Place) -> None:
    rivals.kubectl("delete", "dbs", "shop")

    rivals.wait("UpToDate", "rival")

    assert rivals.message("rival") == "Job rival/2 applied 1 revision in SECONDS: a2. The database is at revision a2."
    assert rivals.rows("SELECT name FROM alembic_operator.owner") == [("rival",)]
