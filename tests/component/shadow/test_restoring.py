"""What the shadow has of the target, with every version of PostgreSQL and every shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.cluster import python_base
from tests.cluster.postgres import VERSIONS, Postgres, Version, binaries
from tests.cluster.processes import checked
from tests.component.shadow.harness import Shadow, parameters

from alembic_operator.contract import job_env

SCHEMA = Path(__file__).with_name("schema.sql").read_text("utf-8")
ROLES = ['it\'s a "role"\\', "reader", "tenant"]
MANY = 1000  # more than twice the locks that a server has by default


def dump(version: Version, uri: str) -> str:
    """What pg_dump says of a schema, but for what is left out on purpose and its own random words."""
    flags = ["--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "--exclude-schema=alembic_operator"]
    text = checked([binaries(version) / "pg_dump", *flags, uri])
    return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "--")))


@pytest.fixture(params=VERSIONS)
def filled(request: pytest.FixtureRequest, servers: Callable[[Version], Postgres]) -> Iterator[Postgres]:
    """A server with a database `everything`."""
    server = servers(request.param)
    server.create_database("everything")
    text = SCHEMA if server.version != 15 else SCHEMA.replace("vector", "citext")
    with server.connect("everything") as connection:
        for statement in text.split(";\n"):
            connection.execute(statement)
    yield server
    server.drop_database("everything")
    with server.connect() as connection:
        connection.execute("DROP TABLESPACE fast")
        for role in ROLES:
            connection.execute('DROP ROLE "{}"'.format(role.replace('"', '""')))


def test_shadow_has_the_whole_schema_and_no_row_when_the_target_has_one_of_everything(filled: Postgres) -> None:
    with Shadow(filled.version) as shadow:
        shadow.tell(parameters(filled, "everything"))
        assert shadow.answer() == ""
        socket = f"postgresql://postgres@/{job_env.SHADOW_DATABASE}?host={shadow.shared}"
        expected = dump(filled.version, filled.uri("everything"))
        assert "CREATE POLICY own" in expected
        assert dump(filled.version, socket) == expected
        with shadow.connect() as connection:
            roles = connection.execute(
                "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
            ).fetchall()
            assert roles == [(name, name == "postgres") for name in sorted([*ROLES, "postgres"])]
            assert connection.execute("SELECT count(*) FROM customers").fetchone() == (0,)
            assert connection.execute("SELECT to_regnamespace('alembic_operator')").fetchone() == (None,)
            assert connection.execute("SELECT count(*) FROM pg_tablespace WHERE spcname = 'fast'").fetchone() == (1,)
            # What a revision may do on the target with a role that is not its own.
            connection.execute("SET ROLE tenant")
            connection.execute("ALTER TABLE orders ADD COLUMN note text")
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.parametrize("shell", [("/bin/dash",), ("/bin/bash",), ("busybox", "sh")], ids=lambda words: words[0])
def test_shadow_is_ready_when_the_shell_is_another(
    shell: tuple[str, ...], target: Postgres, database: str, tmp_path: Path
) -> None:
    path = None
    if shell[0] == "busybox":
        # No program of the machine's but busybox's, as in Alpine's images.
        python_base.skeleton(tmp_path)
        tmp_path.chmod(0o755)
        path = f"{binaries(16)}:{tmp_path}/usr/bin"
        shell = (f"{tmp_path}/usr/bin/sh",)
    target.execute("CREATE TABLE t (id int)", database)
    with Shadow(16, shell=shell, path=path) as shadow:
        shadow.tell(parameters(target, database))
        assert shadow.answer() == ""
        with shadow.connect() as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        assert "not found" not in shadow.log
        assert shadow.stop() == 0


@pytest.mark.parametrize("made", ["LATIN1' LOCALE 'C", "UTF8' LOCALE 'C.UTF-8"])
def test_order_and_encoding_are_the_targets_when_the_image_has_them(
    made: str, servers: Callable[[Version], Postgres]
) -> None:
    server = servers(15)
    server.execute(f"CREATE DATABASE localised TEMPLATE template0 ENCODING '{made}'")
    asked = (
        "SELECT pg_encoding_to_char(encoding), replace(datcollate, 'UTF-8', 'utf8') FROM pg_database WHERE datname ="
    )
    try:
        with Shadow(15) as shadow:
            shadow.tell(parameters(server, "localised"))
            assert shadow.answer() == ""
            with shadow.connect("postgres") as connection, server.connect() as on:
                expected = on.execute(f"{asked} 'localised'").fetchone()
                assert connection.execute(f"{asked} '{job_env.SHADOW_DATABASE}'").fetchone() == expected
    finally:
        server.drop_database("localised")


def test_shadow_is_made_when_the_source_was_there_first(target: Postgres, database: str) -> None:
    shadow = Shadow()
    shadow.tell(parameters(target, database))
    with shadow:
        assert shadow.answer() == ""


def test_target_is_only_read_when_it_is_restored(database: str, target: Postgres) -> None:
    target.execute("CREATE TABLE t (id int)", database)
    asked = "SELECT xact_commit, tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = %s"
    with target.connect() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        before = connection.execute(asked, [database]).fetchone()
        with Shadow() as shadow:
            shadow.tell(parameters(target, database))
            assert shadow.answer() == ""
        after = connection.execute(asked, [database]).fetchone()
    assert before is not None
    assert after is not None
    assert after[1:] == before[1:]


def test_shadow_holds_a_thousand_tables_when_the_target_has_them(
    target: Postgres, database: str, record_property: Callable[[str, object], None]
) -> None:
    column = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, at timestamptz DEFAULT now()"
    target.execute(
        f"DO $d$ BEGIN FOR i IN 1..{MANY} LOOP EXECUTE format('CREATE TABLE t%s ({column})', i); "
        "IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END $d$",
        database,
    )
    with Shadow() as shadow:
        shadow.says("runs")
        began = time.monotonic()
        shadow.tell(parameters(target, database))
        assert shadow.answer() == ""
        seconds = time.monotonic() - began
        with shadow.connect() as connection:
            counted = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '^t[0-9]+$'").fetchone()
            assert counted == (MANY,)
            # One transaction over all of them, as a revision may be.
            connection.execute(
                f"DO $d$ BEGIN FOR i IN 1..{MANY} LOOP EXECUTE format('INSERT INTO t%s DEFAULT VALUES', i); "
                "EXECUTE format('ALTER TABLE t%s ADD COLUMN note text', i); END LOOP; END $d$"
            )
        size = sum(file.stat().st_size for file in (shadow.data / "server").rglob("*") if file.is_file())
    record_property("seconds", seconds)
    record_property("megabytes", size / 1e6)
    print(f"{MANY} tables: {seconds:.1f} s, {size / 1e6:.0f} MB")
    assert seconds < 30


def test_nobody_reaches_another_database_when_the_target_has_foreign_tables(
    servers: Callable[[Version], Postgres],
) -> None:
    server = servers(15)  # Debian's has postgres_fdw
    server.create_database("foreign_tables")
    server.create_role("elsewhere", "hunter2")
    mapping = f"OPTIONS (user 'postgres', password '{server.password}')"
    server.execute(
        f"""
        CREATE EXTENSION postgres_fdw;
        CREATE TABLE there (id int);
        CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw
          OPTIONS (host '127.0.0.1', port '{server.port}', dbname 'foreign_tables');
        CREATE USER MAPPING FOR PUBLIC SERVER loop {mapping};
        CREATE USER MAPPING FOR elsewhere SERVER loop {mapping};
        CREATE FOREIGN TABLE here (id int) SERVER loop OPTIONS (table_name 'there')
        """,
        "foreign_tables",
    )
    try:
        with Shadow(15) as shadow:
            shadow.tell(parameters(server, "foreign_tables"))
            assert shadow.answer() == ""
            with shadow.connect() as connection:
                for role in ("postgres", "elsewhere"):
                    connection.execute(f"SET ROLE {role}")
                    with pytest.raises(psycopg.errors.UndefinedObject, match="user mapping not found"):
                        connection.execute("INSERT INTO here VALUES (1)")
        with server.connect("foreign_tables") as connection:
            connection.execute("INSERT INTO here VALUES (1)")  # as it can on the target
    finally:
        server.drop_database("foreign_tables")
        server.execute("DROP ROLE elsewhere")
