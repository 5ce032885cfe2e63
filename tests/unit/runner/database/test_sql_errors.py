"""Reasons by SQLSTATE, and which of the server's words are told."""

from __future__ import annotations

import psycopg
import psycopg.errors
import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.runner.database.sql_errors import SqlError, find_sql_error, printable, told


@pytest.mark.parametrize(
    ("sqlstate", "text", "expected"),
    [
        ("22P02", 'invalid input syntax for type integer: "geheim"', "invalid input syntax for type integer"),
        ("22P02", 'invalid input syntax for type integer: "ge"he"im"', "invalid input syntax for type integer"),
        ("22003", 'value "77123" is out of range for type integer', 'value "…" is out of range for type integer'),
        ("22P02", "ungültige Eingabesyntax für Typ integer: »geheim«", "ungültige Eingabesyntax für Typ integer"),
        ("22021", 'invalid byte sequence for encoding "UTF8": 0xe9 0x73', 'invalid byte sequence for encoding "…"'),
        ("22012", "division by zero", "division by zero"),
        ("42601", 'syntax error at or near "geheim"', 'syntax error at or near "…"'),
        ("42P01", 'relation "items" does not exist', 'relation "items" does not exist'),
        (
            "23505",
            'duplicate key value violates unique constraint "k"',
            'duplicate key value violates unique constraint "k"',
        ),
        ("P0001", "geheim", ""),
        ("AB123", "geheim", ""),
        ("XX000", "geheim", ""),
        ("42P01", "two\nlines\x1b[31m", "two lines [31m"),
    ],
)
def test_cuts_what_can_hold_a_value_when_words_are_told(sqlstate: str, text: str, expected: str) -> None:
    assert told(sqlstate, text) == expected


@pytest.mark.parametrize(
    ("sqlstate", "reason"),
    [
        ("55P03", Reason.LOCK_TIMEOUT),
        ("40P01", Reason.DEADLOCK),
        ("40001", Reason.SERIALIZATION_FAILURE),
        ("42501", Reason.PERMISSION_DENIED),
        ("53100", Reason.DATABASE_FULL),
        ("53300", Reason.TOO_MANY_CONNECTIONS),
        ("25006", Reason.TARGET_READ_ONLY),
        ("57P01", Reason.CONNECTION_LOST),
        ("08006", Reason.CONNECTION_LOST),
        ("", Reason.CONNECTION_LOST),
        ("57014", Reason.MIGRATION_FAILED),
        ("42P01", Reason.MIGRATION_FAILED),
    ],
)
def test_reason_follows_from_the_sqlstate(sqlstate: str, reason: Reason) -> None:
    assert SqlError(sqlstate, "").reason == reason


def test_finds_the_cause_when_a_later_error_hides_it() -> None:
    try:
        try:
            raise psycopg.errors.UndefinedTable("x")
        except psycopg.Error:
            raise psycopg.errors.InFailedSqlTransaction("y")  # noqa: B904
    except psycopg.Error as error:
        found = find_sql_error(error)
    assert found is not None
    assert found.sqlstate == "42P01"


def test_finds_the_original_when_sqlalchemy_wraps_it() -> None:
    wrapped = RuntimeError("wrapped")
    wrapped.orig = psycopg.errors.LockNotAvailable("x")  # type: ignore[attr-defined]
    found = find_sql_error(wrapped)
    assert found is not None
    assert found.reason == Reason.LOCK_TIMEOUT


def test_finds_nothing_when_no_database_error_is_in_the_chain() -> None:
    assert find_sql_error(ValueError("x")) is None
    assert find_sql_error(None) is None
    assert find_sql_error(psycopg.ProgrammingError("the driver complains of a parameter")) is None


def test_says_withheld_when_nothing_may_be_told() -> None:
    assert SqlError("P0001", "").words().startswith("SQLSTATE P0001: the server's message is withheld")
    assert SqlError("", "").words() == "the connection to the server was lost"


def test_makes_one_printable_line_of_limited_length() -> None:
    assert printable("a\u202eb\x00c", 10) == "a b c"
    assert printable("x" * 20, 5) == "xxxx…"
