"""Whatever a database or a user's code says, the status fits the CRD."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from tests.unit.api.crd import FIELDS

from alembic_operator.api import codec, status_bounds
from alembic_operator.api.status import Status
from alembic_operator.api.status_bounds import bounded, cut
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import DatabaseFacts, Outcome

from .laws import check_status
from .world import World, migrating

WRITTEN_BY_US = {"type", "status", "lastTransitionTime", "kind", "at", "startedAt", "finishedAt", "nextRunAfter"}


def texts(cls: type[Any], path: str) -> list[tuple[str, str, str]]:
    """Every text of the status: the field's name, its path in the CRD, and its name there."""
    found = []
    for field, hint in get_type_hints(cls).items():
        raw = codec.raw_name(field)
        at = f"{path}.{raw}"
        options = [hint, *get_args(hint)] if get_origin(hint) is not UnionType else [*get_args(hint)]
        for option in options:
            if is_dataclass(option):
                inner = f"{at}[]" if get_origin(hint) is tuple else at
                found += texts(option, inner)  # type: ignore[arg-type]
        if hint is str:
            found.append((field, at, raw))
    return found


TEXTS = texts(Status, "status")


@pytest.mark.parametrize(("field", "path", "raw"), TEXTS, ids=[path for _, path, _ in TEXTS])
def test_limit_is_the_crds_when_a_text_comes_from_outside(field: str, path: str, raw: str) -> None:
    limit: int = FIELDS[path].get("maxLength", 0)
    if raw in WRITTEN_BY_US:
        assert field not in status_bounds._LIMITS
    else:
        assert status_bounds._LIMITS[field] <= limit


def test_every_text_of_the_status_is_met_when_it_is_walked() -> None:
    assert len(TEXTS) > 30
    assert {f.name for f in fields(Status)} >= {field for field, path, _ in TEXTS if path.count(".") == 1}


@pytest.mark.parametrize("length", [0, 9, 10])
def test_text_is_left_as_it_is_when_it_is_short(length: int) -> None:
    assert cut("x" * length, 10) == "x" * length


def test_text_ends_with_an_ellipsis_when_it_is_cut() -> None:
    assert cut("x" * 11, 10) == "x" * 9 + "…"


def test_status_is_left_as_it_is_when_it_fits() -> None:
    world = migrating()
    assert bounded(world.parsed) == world.parsed


def wordy() -> World:
    world = migrating()
    world.fails(
        Reason.MIGRATION_FAILED,
        "ERROR: " + "x" * 1500,
        revision="r" * 300,
        sqlstate="12345678",
        blocked_by="pid 1; " * 160,
    )
    return world


def test_status_fits_when_the_runner_said_more_than_it_holds() -> None:
    world = wordy()
    failure = world.parsed.last_failure
    assert failure is not None
    assert [len(text) for text in (failure.message, failure.revision, failure.sqlstate, failure.blocked_by)] == [
        1024,
        255,
        5,
        1024,
    ]
    assert len(world.ready()[2]) == 1024
    assert world.ready()[2].endswith("…")
    check_status(world.parsed)


def test_nothing_is_written_again_when_a_text_was_cut() -> None:
    world = wordy()
    world.look()
    assert world.writes == 2


def test_status_fits_when_the_version_table_has_many_rows() -> None:
    world = migrating()
    rows = [f"{number:03}" for number in range(100)]
    world.reports(Outcome.UP_TO_DATE, current=rows, before=rows, database=DatabaseFacts("P" * 99, "v" * 99, "i" * 999))
    assert len(world.parsed.current_revisions or ()) == 64
    check_status(world.parsed)


def test_status_fits_when_a_row_of_the_version_table_is_long() -> None:
    world = migrating()
    world.reports(Outcome.UP_TO_DATE, current=["r" * 300] * 4)
    assert [len(row) for row in world.parsed.current_revisions or ()] == [255] * 4
    assert len(world.parsed.current) == 1024
    check_status(world.parsed)
