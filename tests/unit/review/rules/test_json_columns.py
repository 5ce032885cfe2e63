"""Columns of the type json: a matter of taste in a new table, an outage in one that programs read."""

from __future__ import annotations

import pytest
from tests.unit.review.plans import TODAY, found, plan, step

from alembic_operator.contract.plan import Column, Table
from alembic_operator.review.lint import lint


@pytest.mark.parametrize(("new", "expected"), [(True, "jsonb:warning"), (False, "jsonb:error")])
def test_json_is_graver_when_the_table_is_in_use(new: bool, expected: str) -> None:
    column = Column("prefs", "json")
    table = Table("public.users", "a1", new, columns=[column], new_columns=["prefs"], primary_key=["prefs"])
    result = lint(plan(step("SELECT 1"), tables=[table]), TODAY)
    assert expected in found(result)


def test_nothing_is_said_when_the_json_column_was_there_before() -> None:
    table = Table("public.users", "a1", False, columns=[Column("prefs", "json")])
    assert found(lint(plan(step("SELECT 1"), tables=[table]), TODAY)) == set()
