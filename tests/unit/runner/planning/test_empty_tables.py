"""Both ways of a step that reads rows: what differs is told and approved, and nothing between the two passes."""

from __future__ import annotations

import pytest

from alembic_operator.contract.digests import statements_digest
from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.guard import Guard, NotApproved
from alembic_operator.contract.plan import Statement, Step, StepKind
from alembic_operator.runner.planning.empty_tables import with_both_ways

COUNT, DROP, ADD = "SELECT count(*) FROM item", "DROP TABLE item", "ALTER TABLE item ADD n int"


def step(*sent: str) -> Step:
    return Step("r", StepKind.SQL, statements=[Statement(sql, [], *text_fingerprint(sql)) for sql in sent])


def passes(planned: Step, *sent: str) -> bool:
    checker = Guard.from_parts(Guard.of([planned]).to_parts()).begin("r", "up")
    try:
        for sql in sent:
            checker.check(sql, False)
        checker.finish()
    except NotApproved:
        return False
    return True


def test_either_way_passes_from_beginning_to_end_when_rows_decide() -> None:
    (both,) = with_both_ways([step(COUNT, ADD)], [step(COUNT, DROP)])
    assert "where its tables are empty" in both.rows
    assert passes(both, COUNT, ADD)
    assert passes(both, COUNT, DROP)


@pytest.mark.parametrize("sent", [(ADD, DROP), (COUNT,), (COUNT, DROP, ADD), (COUNT, "DROP TABLE other")])
def test_nothing_else_passes_when_there_are_two_ways(sent: tuple[str, ...]) -> None:
    (both,) = with_both_ways([step(COUNT, ADD)], [step(COUNT, DROP)])
    assert not passes(both, *sent)


def test_step_stays_as_it_is_when_rows_change_the_number_of_statements_alone() -> None:
    fill = "UPDATE item SET n = 1 WHERE id = 2"
    assert with_both_ways([step(COUNT, fill, ADD)], [step(COUNT, fill, fill, ADD)]) == [step(COUNT, fill, ADD)]


def test_step_stays_as_it_is_when_it_was_not_reached_with_empty_tables() -> None:
    assert with_both_ways([step(COUNT, ADD)], []) == [step(COUNT, ADD)]


def test_digest_covers_the_second_way_when_there_is_one() -> None:
    (both,) = with_both_ways([step(COUNT, ADD)], [step(COUNT, DROP)])
    assert statements_digest([both]) != statements_digest([step(COUNT, ADD)])
