"""NOT NULL, step by step."""

from __future__ import annotations

from typing import LiteralString

import pytest
from sqlalchemy.exc import OperationalError
from tests.cluster.processes import wait_until
from tests.component.helpers.conftest import Project, each_version

from alembic_operator_helpers import HelperError, columns, on_progress
from alembic_operator_helpers.blocks import Progress

TABLE = 'CREATE TABLE "Odd table" (id int PRIMARY KEY, "a column" int)'
ROWS = 'INSERT INTO "Odd table" SELECT n, n FROM generate_series(1, 100) n'
NOT_NULL = "SELECT attnotnull FROM pg_attribute WHERE attrelid = '\"Odd table\"'::regclass AND attname = 'a column'"
CHECKS = "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
CALL = 'add_not_null("Odd table", "a column")'


@pytest.fixture(autouse=True)
def table(project: Project) -> None:
    project.execute(TABLE, ROWS)


@pytest.fixture
def steps() -> list[Progress]:
    """What the helpers tell."""
    told: list[Progress] = []
    on_progress.set(told.append)
    return told


@each_version
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_column_is_not_null_when_every_row_has_a_value(project: Project, steps: list[Progress], driver: str) -> None:
    project.migrate(CALL, driver=driver)
    assert project.value(NOT_NULL) is True
    assert project.value(CHECKS) == 0
    assert [step["step"] for step in steps] == [
        "look for nulls",
        "check not valid",
        "validate",
        "set not null",
        "drop the check",
    ]
    steps.clear()
    project.migrate(CALL, CALL, driver=driver)
    assert [step["step"] for step in steps] == ["already not null"]


@each_version
def test_table_is_read_twice_only_when_the_check_proves_the_rest(project: Project) -> None:
    """Once to look for NULLs and once to validate; SET NOT NULL, under ACCESS EXCLUSIVE, does not read it."""
    scans: LiteralString = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'Odd table'"
    before = project.value(scans)
    validated: list[bool] = []

    def look(progress: Progress) -> None:
        if progress["step"] == "validate":
            validated.append(
                project.value("SELECT convalidated FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0")
            )

    on_progress.set(look)
    project.migrate(CALL)
    # A session's counts are there when it has gone, which it does a moment after its client.
    alone: LiteralString = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
    wait_until(lambda: project.value(alone), "the migration's session to end", 20)
    assert project.value(scans) - before == 2
    assert validated == [False], "adding the CHECK has read the table, under ACCESS EXCLUSIVE"


@each_version
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("CHECK NOT VALID", ["validate", "set not null", "drop the check"]),
        ("CHECK VALID", ["set not null", "drop the check"]),
        ("NOT NULL", ["drop the check"]),
    ],
)
def test_work_goes_on_where_it_was_when_an_earlier_run_was_killed(
    project: Project, steps: list[Progress], before: str, expected: list[str]
) -> None:
    add: LiteralString = (
        'ALTER TABLE "Odd table" ADD CONSTRAINT alembic_operator_not_null_4423e73dd54c CHECK ("a column" IS NOT NULL)'
    )
    project.execute(add + " NOT VALID" if before == "CHECK NOT VALID" else add)
    if before == "NOT NULL":
        project.execute('ALTER TABLE "Odd table" ALTER "a column" SET NOT NULL')
    project.migrate(CALL)
    assert [step["step"] for step in steps] == expected
    assert project.value(NOT_NULL) is True
    assert project.value(CHECKS) == 0


def test_nothing_changes_when_rows_still_hold_null(project: Project) -> None:
    project.execute('INSERT INTO "Odd table" VALUES (0, NULL)')
    with pytest.raises(HelperError) as caught:
        project.migrate(CALL)
    assert str(caught.value) == (
        "add_not_null: rows of public.Odd table still hold NULL in a column; nothing was changed. Fill them first, by"
        " backfill(…) in a revision before, and see that no running release still writes NULL there."
    )
    assert project.value(NOT_NULL) is False
    assert project.value(CHECKS) == 0


def test_check_is_taken_back_when_a_null_slips_in_before_it(project: Project, steps: list[Progress]) -> None:
    def slip_in(progress: Progress) -> None:
        steps.append(progress)
        if progress["step"] == "check not valid":
            project.execute('INSERT INTO "Odd table" VALUES (0, NULL)')

    on_progress.set(slip_in)
    with pytest.raises(HelperError, match="still hold NULL"):
        project.migrate(CALL)
    assert [step["step"] for step in steps] == ["look for nulls", "check not valid", "validate"]
    assert project.value(CHECKS) == 0
    on_progress.set(None)
    project.execute('UPDATE "Odd table" SET "a column" = 1 WHERE id = 0')
    project.migrate()
    assert project.value(NOT_NULL) is True


def test_readers_are_not_held_up_for_long_when_somebody_holds_the_table(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "DEFAULT_LOCK_TIMEOUT", "200ms")
    with project.connect() as reader:
        reader.execute("BEGIN")
        reader.execute('SELECT count(*) FROM "Odd table"')
        with pytest.raises(OperationalError, match="lock timeout"):
            project.migrate(CALL)
    assert project.value(NOT_NULL) is False
    project.migrate()
    assert project.value(NOT_NULL) is True


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('add_not_null("Odd table", "b")', "public.Odd table has no column 'b'; it has id, a column"),
        ('add_not_null("odd", "b")', "there is no table 'odd' in the search path"),
        ("add_not_null(None, 'b')", "table must be a name, got None"),
        ('add_not_null("Odd table", "")', "column must be a name, got ''"),
    ],
)
def test_error_names_the_object_when_it_is_not_there(project: Project, call: str, message: str) -> None:
    with pytest.raises(HelperError) as caught:
        project.migrate(call)
    assert message in str(caught.value)
