"""Legal and illegal Secrets; no value of one in any message."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_operator.contract import job_env
from alembic_operator.contract.reasons import Reason
from alembic_operator.runner.database.secret import Target, parse_uri, read_secret
from alembic_operator.runner.errors import RunFailed


def _parts(target: Target) -> tuple[str, str, str, str, str]:
    return target.host, target.port, target.dbname, target.user, target.password


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("postgresql://u:p@h/d", ("h", "5432", "d", "u", "p")),
        ("postgres://u:p@h:6543/d", ("h", "6543", "d", "u", "p")),
        ("postgresql+asyncpg://u:p@h/d", ("h", "5432", "d", "u", "p")),
        ("postgresql://u@h/d", ("h", "5432", "d", "u", "")),
        ("postgresql://u:p%40%2F%3A%25zz@h/d%20e", ("h", "5432", "d e", "u", "p@/:%zz")),
        ("postgresql://u:a:b/c@h/d", ("h", "5432", "d", "u", "a:b/c")),
        ("postgresql://u:p@[::1]:6543/d", ("::1", "6543", "d", "u", "p")),
        ("postgresql://u:p@a:1,b/d?target_session_attrs=read-write", ("a,b", "1,5432", "d", "u", "p")),
    ],
)
def test_reads_the_parts_when_the_uri_is_legal(uri: str, parts: tuple[str, ...]) -> None:
    assert _parts(parse_uri(uri, "s", "uri")) == parts


def test_keeps_the_driver_and_the_options_when_the_uri_has_them() -> None:
    target = parse_uri("postgresql+psycopg2://u:p@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem", "s", "uri")
    assert target.driver == "psycopg2"
    assert target.options == {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "postgresql:/u:geheim@h/d",
        "mysql://u:geheim@h/d",
        "host=h password=geheim",
        "postgresql://u:geheim%zz@h/d",
        "postgresql://u:geheim@h:port/d",
        "postgresql://u:geheim@h:0/d",
        "postgresql://u:geheim@h:65536/d",
        "postgresql://u:geheim@/d",
        "postgresql:///d?host=/tmp",
        "postgresql://u:geheim@%2Fvar%2Frun/d",
        "postgresql://u:geheim@h",
        "postgresql://:geheim@h/d",
        "postgresql://u:geheim@h/d?passfile=/geheim",
        "postgresql://u:geheim@h/d?service=x",
        "postgresql://u:geheim@h/d?options=-csearch_path=x",
        "postgresql://u:geheim@h/d?host=/tmp",
        "postgresql://u:geheim@h/d?sslmode=a&sslmode=b",
        "postgresql://u:geheim@h/d?GEHEIM",
        "postgresql://u:geheim@h/d%00",
        "postgresql://u:gehe@im@h/d",
    ],
)
def test_refuses_without_a_word_of_it_when_the_uri_is_illegal(uri: str) -> None:
    with pytest.raises(RunFailed) as raised:
        parse_uri(uri, "db-app", "uri")
    assert raised.value.failure.reason == Reason.INVALID_CONNECTION_SECRET
    message = raised.value.failure.message
    assert message.startswith('Reading the connection from Secret "db-app": ')
    assert "gehe" not in message.lower()
    assert raised.value.__cause__ is None


def test_never_shows_a_part_when_a_target_is_printed() -> None:
    assert repr(parse_uri("postgresql://u:geheim@h/d?sslmode=require", "s", "uri")) == "Target(driver='')"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(job_env, "SECRET_DIRECTORY", str(tmp_path))
    return tmp_path


def test_takes_the_parts_as_they_are_when_the_secret_is_cloudnativepg_s(directory: Path) -> None:
    for key, value in {"host": "h\n", "dbname": "d", "username": "u", "password": "p%zz\r\n", "pgpass": "x"}.items():
        (directory / key).write_text(value, newline="")
    assert _parts(read_secret("s", "uri")) == ("h", "5432", "d", "u", "p%zz")


def test_prefers_the_named_key_when_there_are_parts_too(directory: Path) -> None:
    for key, value in {"host": "h", "dbname": "d", "user": "u", "dsn": "postgresql://a:b@c/e"}.items():
        (directory / key).write_text(value)
    assert _parts(read_secret("s", "dsn")) == ("c", "5432", "e", "a", "b")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, Reason.SECRET_NOT_FOUND),
        ({"password": "geheim"}, Reason.SECRET_NOT_FOUND),
        ({"host": "h", "user": "u"}, Reason.SECRET_NOT_FOUND),
        ({"host": "/tmp", "dbname": "d", "user": "u"}, Reason.INVALID_CONNECTION_SECRET),
        ({"host": "h", "dbname": "d", "user": "u", "port": "geheim"}, Reason.INVALID_CONNECTION_SECRET),
        ({"uri": "\udc80"}, Reason.INVALID_CONNECTION_SECRET),
    ],
)
def test_says_what_is_missing_when_keys_are(directory: Path, keys: dict[str, str], reason: Reason) -> None:
    for key, value in keys.items():
        (directory / key).write_bytes(value.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunFailed) as raised:
        read_secret("s", "uri")
    assert raised.value.failure.reason == reason
    assert "geheim" not in raised.value.failure.message


def test_says_not_found_when_the_directory_is_not_mounted(directory: Path) -> None:
    directory.rmdir()
    with pytest.raises(RunFailed) as raised:
        read_secret("s", "uri")
    assert raised.value.failure.reason == Reason.SECRET_NOT_FOUND
