"""Connection errors by their words, and the settings of a session."""

from __future__ import annotations

import os

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest, Timeouts
from alembic_operator.runner.database.connect import connect_failure, drop_libpq_variables, session_settings

PREFIX = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: FATAL:  '


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PREFIX + 'password authentication failed for user "geheim"', Reason.AUTHENTICATION_FAILED),
        ("connection to server failed: fe_sendauth: no password supplied", Reason.AUTHENTICATION_FAILED),
        (PREFIX + 'role "geheim" does not exist', Reason.AUTHENTICATION_FAILED),
        (PREFIX + 'role "geheim" is not permitted to log in', Reason.AUTHENTICATION_FAILED),
        (PREFIX + 'no pg_hba.conf entry for host "1.2.3.4", user "geheim"', Reason.AUTHENTICATION_FAILED),
        (PREFIX + 'database "geheim" does not exist', Reason.DATABASE_NOT_FOUND),
        (PREFIX + 'permission denied for database "geheim"', Reason.PERMISSION_DENIED),
        (PREFIX + "sorry, too many clients already", Reason.TOO_MANY_CONNECTIONS),
        (PREFIX + 'too many connections for database "geheim"', Reason.TOO_MANY_CONNECTIONS),
        (PREFIX + "remaining connection slots are reserved for roles", Reason.TOO_MANY_CONNECTIONS),
        (PREFIX + "the database system is starting up", Reason.DATABASE_UNREACHABLE),
        (PREFIX + "the database system is in recovery mode", Reason.DATABASE_UNREACHABLE),
        ("unsupported startup parameter: options", Reason.POOLER_UNSUPPORTED),
        ("connection to server failed: session is read-only", Reason.TARGET_READ_ONLY),
        ('could not translate host name "geheim" to address: Name or service not known', Reason.DATABASE_UNREACHABLE),
        ("connection failed: Connection refused", Reason.DATABASE_UNREACHABLE),
        ("connection timeout expired", Reason.DATABASE_UNREACHABLE),
        ("server does not support SSL, but SSL was required", Reason.DATABASE_UNREACHABLE),
        ('invalid sslmode value: "geheim"', Reason.INVALID_CONNECTION_SECRET),
        ('invalid connection option "load_balance_hosts"', Reason.INVALID_CONNECTION_SECRET),
        ('FATAL: password para "geheim" no es correcta', Reason.DATABASE_UNREACHABLE),
        ('invalid percent-encoded token: "geheim%zz"', Reason.DATABASE_UNREACHABLE),
    ],
)
def test_classifies_without_the_driver_s_words_when_connecting_fails(text: str, reason: Reason) -> None:
    failure = connect_failure(text, "db-app").failure
    assert failure.reason == reason
    assert failure.message.startswith('Connecting to the database that Secret "db-app" names: ')
    assert "geheim" not in failure.message
    assert "10.0.0.1" not in failure.message


def test_drops_every_libpq_variable_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "geheim")
    monkeypatch.setenv("PGSERVICEFILE", "/x")
    monkeypatch.setenv("APP_PG", "1")
    drop_libpq_variables()
    assert not [name for name in os.environ if name.startswith("PG")]
    assert os.environ["APP_PG"] == "1"


def _request(timeouts: Timeouts) -> RunRequest:
    return RunRequest(RunKind.APPLY, Owner("c", "n", "d", "u"), 1, "j", "head", "s", timeouts=timeouts)


def test_pins_the_settings_of_a_session() -> None:
    settings = session_settings(_request(Timeouts(lock=0.5, statement=0)), ("app", 'o"dd'), 150000, monitor=False)
    assert settings == {
        "search_path": '"app", "o""dd"',
        "lock_timeout": "500",
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "600000",
        "client_connection_check_interval": "1000",
    }


def test_leaves_out_what_an_older_server_does_not_know() -> None:
    assert "client_connection_check_interval" not in session_settings(
        _request(Timeouts()), ("app", 'o"dd'), 130000, monitor=False
    )


def test_reads_only_when_the_session_watches() -> None:
    settings = session_settings(_request(Timeouts()), ("app", 'o"dd'), 150000, monitor=True)
    assert settings["default_transaction_read_only"] == "on"
    assert settings["search_path"] == "pg_catalog"


def test_leaves_the_role_its_own_search_path_when_none_is_given() -> None:
    assert "search_path" not in session_settings(_request(Timeouts()), (), 150000, monitor=False)
