"""One schema, one fingerprint, on every supported major version of PostgreSQL."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import psycopg
import psycopg2
import pytest
from tests.cluster.postgres import VERSIONS, Postgres, Version, binaries

from alembic_operator.runner.database.session import VersionTable
from alembic_operator.runner.schema import Snapshot, differences, snapshot

from .schema_corpus import CORPUS

PLACE = VersionTable("public", "alembic_version")
SCHEMAS = ["public", "app"]


@pytest.fixture(scope="module")
def databases(servers: Callable[[Version], Postgres]) -> Iterator[Callable[[Version], Postgres]]:
    """Servers with the corpus in their database `corpus`."""
    made: list[Postgres] = []

    def with_corpus(version: Version) -> Postgres:
        server = servers(version)
        if server not in made:
            server.create_database("corpus")
            made.append(server)
            server.execute(CORPUS, "corpus")
        return server

    yield with_corpus
    for server in made:
        server.drop_database("corpus")


def _read(connection: object) -> Snapshot:
    return snapshot(connection, SCHEMAS, PLACE)  # type: ignore[arg-type]


def test_finds_no_difference_when_the_same_sql_made_the_schema_on_another_version(
    databases: Callable[[Version], Postgres],
) -> None:
    found = {}
    for version in VERSIONS:
        with databases(version).connect("corpus") as connection:
            found[version] = _read(connection)
    assert len(found[15].objects) > 45
    for version in VERSIONS[1:]:
        assert differences(found[15], found[version]) == []
        assert found[version].fingerprint == found[15].fingerprint


@pytest.mark.parametrize("version", VERSIONS)
def test_reads_the_same_when_the_session_has_other_settings_or_another_driver(
    databases: Callable[[Version], Postgres], version: Version
) -> None:
    server = databases(version)
    with server.connect("corpus") as connection:
        plain = _read(connection)
        connection.execute("SET search_path = app, public; SET timezone = 'Asia/Tokyo'; SET datestyle = 'German, DMY'")
        connection.execute("SET default_transaction_read_only = on; SET intervalstyle = iso_8601")
        assert _read(connection) == plain
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with psycopg2.connect(server.uri("corpus")) as other:
        assert _read(other) == plain
    other.close()


def test_leaves_the_transaction_open_when_it_reads_amid_one(databases: Callable[[Version], Postgres]) -> None:
    with psycopg.connect(databases(15).uri("corpus")) as connection:
        before = _read(connection)
        connection.execute("CREATE TABLE later (id integer)")
        assert differences(before, _read(connection)) == ["table public.later is only in the database"]
        connection.rollback()
        assert _read(connection) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_finds_no_difference_when_the_schema_was_dumped_and_restored(
    databases: Callable[[Version], Postgres], version: Version
) -> None:
    server = databases(version)
    server.create_database("restored")
    try:
        dump = subprocess.run(
            [binaries(version) / "pg_dump", "--schema-only", server.uri("corpus")], check=True, capture_output=True
        )
        psql = [str(binaries(version) / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", server.uri("restored")]
        subprocess.run(psql, input=dump.stdout, check=True, capture_output=True)
        with server.connect("corpus") as one, server.connect("restored") as other:
            # A dump leaves INVALID indexes out.
            wanted, found = _read(one).without_invalid_indexes(), _read(other)
        assert differences(wanted, found) == []
    finally:
        server.drop_database("restored")
