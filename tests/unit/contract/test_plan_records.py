"""A plan among the lines of a log, where code of the project prints what it likes: the pinned one, or none."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from tests.unit.review.plans import plan, step

from alembic_operator.contract import plan_records
from alembic_operator.contract.job_env import RECORD_PREFIX
from alembic_operator.contract.plan_records import EVENT, pack, parts_in, unpack
from alembic_operator.contract.request import ProtocolError

DOCUMENT = plan(step("SELECT 1"))
OTHER = pack(plan(step("DROP TABLE orders")))


def record(part: object, data: object, **facts: object) -> str:
    return RECORD_PREFIX + json.dumps({"event": EVENT, "part": part, "data": data, **facts})


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], str]:
    """The records of a plan in several parts, and its sha256."""
    monkeypatch.setattr(plan_records, "PART", 100)
    packed = pack(DOCUMENT)
    assert len(packed.parts) > 2
    return [record(number, part) for number, part in enumerate(packed.parts, 1)], packed.sha256


NOISE = [
    "ready",
    RECORD_PREFIX,
    RECORD_PREFIX + "plan",
    RECORD_PREFIX + '"plan"',
    RECORD_PREFIX + '["plan"]',
    RECORD_PREFIX + '{"event": "plan"}',
    RECORD_PREFIX + "[" * 100_000 + '"plan"',
    record("1", "x"),
    record(1, 2),
    record(99, "x"),
    record(1, "x", event="applied"),
    "x" + record(1, "x"),
]


@pytest.mark.parametrize("noise", NOISE, ids=range(len(NOISE)))
def test_plan_is_found_when_other_lines_stand_around_it(lines: tuple[list[str], str], noise: str) -> None:
    records, sha256 = lines
    around = [noise, records[0], noise, *records[1:], noise]
    assert unpack(parts_in(around, len(records)), sha256) == DOCUMENT


@pytest.mark.parametrize("data", ["", "no base64!", OTHER.parts[0]])
def test_plan_is_found_when_a_forged_one_was_printed_before(lines: tuple[list[str], str], data: str) -> None:
    records, sha256 = lines
    assert unpack(parts_in([record(1, data), *records], len(records)), sha256) == DOCUMENT


@pytest.mark.parametrize("data", ["", "no base64!", OTHER.parts[0]])
def test_nothing_is_taken_and_the_cause_told_when_a_forged_one_came_after(
    lines: tuple[list[str], str], data: str
) -> None:
    records, sha256 = lines
    with pytest.raises(ProtocolError, match="the project's code prints lines that begin with @alembic-operator after"):
        unpack(parts_in([*records, record(1, data)], len(records)), sha256)


def test_missing_records_are_counted(lines: tuple[list[str], str]) -> None:
    records, _ = lines
    with pytest.raises(ProtocolError, match=f"2 of {len(records)} records are missing"):
        parts_in(records[1:-1], len(records))


def test_nothing_is_taken_when_it_unpacks_to_more_than_is_read() -> None:
    packed = pack(DOCUMENT)
    with pytest.raises(ProtocolError, match="larger than 0 MiB, or cut off"):
        unpack(packed.parts, packed.sha256, 10)


def test_count_of_records_costs_nothing_when_it_is_invented(lines: tuple[list[str], str]) -> None:
    tracemalloc.start()
    with pytest.raises(ProtocolError, match="of 1000000 records are missing"):
        parts_in(lines[0], 1_000_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000  # bytes; the greatest count that a result can hold has 2,147 times as many
