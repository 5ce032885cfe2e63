"""A termination message that user code wrote: whatever it holds, the resource says something, and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.effort import some

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner
from alembic_operator.contract.result import AppliedRevision, Failure, Outcome

from .world import World, migrating

WRONG = [None, True, -1, -7, 2**40, 1.5, "", "x", "x" * 3000, [], ["x", 1], {}, {"x": 1}]


def result(world: World, failed: bool) -> dict[str, Any]:
    """A whole result, every field set."""
    failure = Failure(Reason.LOCK_TIMEOUT, "m", "b2", 1, "55P03", "pid 1") if failed else None
    text = world.result(
        Outcome.FAILED if failed else Outcome.APPLIED,
        failure=failure,
        owner=Owner("c", "n", "s", "u"),
        applied=[AppliedRevision("b2", 1, 0.5)],
        applied_count=1,
        warnings=["w"],
        started_at="2026-11-23T11:59:00Z",
        finished_at="2026-11-23T12:00:00Z",
    ).to_json()
    body: dict[str, Any] = json.loads(text)
    return body


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of each value."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


PATHS = sorted({(failed, path) for failed in (False, True) for path in places(result(migrating(), failed))}, key=str)


@pytest.mark.parametrize(("failed", "path"), PATHS, ids=lambda part: str(part).replace("'", ""))
def test_resource_goes_on_when_a_field_of_the_result_is_something_else(
    failed: bool, path: tuple[str | int, ...]
) -> None:
    for value in some(WRONG, path):
        world = migrating()
        body = result(world, failed)
        place: Any = body
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        world.ends(json.dumps(body))
        assert world.reason() in ("UpToDate", "LockTimeout", "Checking")
        assert world.parsed.run is None or world.reason() == "Checking"


@pytest.mark.parametrize("text", ["null", "[]", "7", '"x"', "{}", "[" * 2000, '{"version":1}', "\x00", "NaN"])
def test_run_is_in_doubt_when_the_message_is_no_result(text: str) -> None:
    world = migrating()
    world.ends(text)
    assert world.reason() == "Checking"
