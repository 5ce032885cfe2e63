"""Each way for a shadow to fail: one sentence with what to do, and no secret; and every moment to end it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.cluster import postgres_image
from tests.cluster.postgres import Postgres, Version, binaries
from tests.cluster.processes import free_port, service_user, wait_until
from tests.component.shadow.harness import PATH, Shadow, parameters

from alembic_operator.contract import job_env

needs_root = pytest.mark.skipif(service_user() is None, reason="changes its user")


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that the shadow's user may read."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def reader(target: Postgres, database: str) -> Iterator[dict[str, str]]:
    """A user who may connect, and no more."""
    target.create_role("reviewer", "hunter2'$x")
    yield parameters(target, database, "reviewer", "hunter2'$x")
    target.execute("DROP OWNED BY reviewer", database)
    target.execute("DROP ROLE reviewer")


def failed(shadow: Shadow, given: dict[str, str]) -> str:
    shadow.tell(given)
    said = shadow.answer()
    for secret in (given["PGPASSWORD"], "postgresql://"):
        assert secret not in said + shadow.log
    assert said.endswith(".")
    assert "\n" not in said
    assert said in shadow.log
    return said


# Of the image


@needs_root
def test_user_id_is_named_when_the_image_has_no_such_user() -> None:
    prefix = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all,+dac_override")
    with Shadow(prefix=(*prefix, "--ambient-caps=-all,+dac_override", "--")) as shadow:
        assert shadow.answer() == (
            "Starting the shadow: the user id 54321 is not in its image's passwd file, so PostgreSQL does not "
            "start. Set spec.review.shadow.runAsUser to the id of the image's postgres user (999 in Debian's "
            "images, 70 in Alpine's)."
        )
        assert shadow.stop() == 0


def test_missing_program_is_named_when_the_image_is_none_of_postgresql() -> None:
    with Shadow(path=PATH) as shadow:
        assert shadow.answer() == (
            "Starting the shadow: the program initdb is not on its image's PATH. Set spec.review.shadow.image to a "
            "PostgreSQL image."
        )


@needs_root
def test_missing_program_is_named_before_the_user_id_when_the_image_has_neither() -> None:
    prefix = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all,+dac_override")
    with Shadow(path=PATH, prefix=(*prefix, "--ambient-caps=-all,+dac_override", "--")) as shadow:
        assert "the program initdb is not on its image's PATH" in shadow.answer()


@needs_root
def test_volume_is_named_when_it_cannot_be_written_to() -> None:
    shadow = Shadow()
    shadow.data.chmod(0o755)
    with shadow:
        said = shadow.answer()
        assert said.startswith("Starting the shadow: the user id ")
        assert "spec.review.shadow.runAsUser cannot write" in said


def test_both_versions_are_named_when_the_images_is_another(servers: Callable[[Version], Postgres]) -> None:
    server = servers(15)
    with Shadow(16) as shadow:
        assert failed(shadow, parameters(server, "postgres")) == (
            "The shadow's image has PostgreSQL 16, but the target is PostgreSQL 15: they must be the same. The next "
            "run uses the image for 15 from the operator's shadow.images; an image in spec.review.shadow.image must "
            "also be PostgreSQL 15."
        )


def test_extension_is_named_when_the_image_lacks_it(target: Postgres, database: str, readable: Path) -> None:
    target.execute("CREATE EXTENSION vector; CREATE TABLE t (v vector(3))", database)
    programs = postgres_image.install(readable, 16)
    (programs.parent / "share/postgresql/extension/vector.control").unlink()
    with Shadow(path=f"{programs}:{PATH}") as shadow:
        assert failed(shadow, parameters(target, database)) == (
            'Restoring the target\'s schema in the shadow: its image lacks the extension "vector". Set '
            "spec.review.shadow.image to a PostgreSQL 16 image that has it."
        )


# Of the target


def test_right_is_named_when_the_user_may_not_read_a_table(
    target: Postgres, database: str, reader: dict[str, str]
) -> None:
    target.execute("CREATE TABLE private (id int)", database)
    with Shadow() as shadow:
        assert failed(shadow, reader) == (
            "Dumping the target's schema for the shadow: permission denied for table private. The review user needs "
            "SELECT on every table and USAGE on every schema: GRANT pg_read_all_data to it."
        )


def test_shadow_is_ready_when_the_user_has_what_the_sentence_names(
    target: Postgres, database: str, reader: dict[str, str]
) -> None:
    target.execute("CREATE SCHEMA hidden; CREATE TABLE hidden.private (id int)", database)
    target.execute("GRANT pg_read_all_data TO reviewer")
    with Shadow() as shadow:
        shadow.tell(reader)
        assert shadow.answer() == ""


def with_impatient_dump(folder: Path) -> str:
    """A PATH whose pg_dump gives up a lock after a tenth of a second: of two such options the last one counts."""
    program = folder / "pg_dump"
    program.write_text(f'#!/bin/sh\nexec {binaries(16)}/pg_dump "$@" --lock-wait-timeout=100ms\n')
    program.chmod(0o755)
    return f"{folder}:{binaries(16)}:{PATH}"


def test_lock_is_named_when_a_table_stays_locked(target: Postgres, database: str, readable: Path) -> None:
    target.execute("CREATE TABLE busy (id int)", database)
    path = with_impatient_dump(readable)
    with psycopg.connect(target.uri(database)) as holder, Shadow(path=path) as shadow:
        holder.execute("LOCK TABLE busy IN ACCESS EXCLUSIVE MODE")
        assert failed(shadow, parameters(target, database)) == (
            "Dumping the target's schema for the shadow: another session has held a table lock for longer than 10 "
            "s. The next run retries; end that session if it stays."
        )
        holder.rollback()


def broken(target: Postgres, given: dict[str, str], case: str) -> dict[str, str]:
    if case == "connections":
        target.execute("ALTER ROLE reviewer CONNECTION LIMIT 0")
    changes = {
        "password": {"PGPASSWORD": "another secret"},
        "port": {"PGPORT": str(free_port())},
        "certificate": {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nowhere/ca.pem"},
        "tls": {"PGSSLMODE": "require"},
        "connections": {},
    }
    return {**given, **changes[case]}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("password", "the server rejects the user from the shadow's container, although it accepted the runner."),
        ("port", "the connection failed or broke."),
        ("certificate", "the TLS connection failed."),
        ("tls", "the TLS connection failed."),
        ("connections", "the server, the database or the role has no free connections."),
    ],
)
def test_connection_is_told_in_own_words_when_it_fails(
    case: str, expected: str, target: Postgres, reader: dict[str, str]
) -> None:
    with Shadow(15) as shadow:  # whose libpq can do TLS
        said = failed(shadow, broken(target, reader, case))
        assert said.startswith(f"Reading the target's version and roles for the shadow: {expected}")
        assert reader["PGHOST"] not in said


# Of the machine


@needs_root
@pytest.mark.parametrize("megabytes", [8, 48])
def test_disk_is_named_when_it_is_full(megabytes: int, target: Postgres, database: str) -> None:
    target.execute(
        "DO $d$ BEGIN FOR i IN 1..1200 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, b text)', i); "
        "END LOOP; END $d$",
        database,
    )
    mounting = 'mount -t tmpfs -o mode=1777,size="$1" shadow-test "$2"; shift 2; exec "$@"'
    shadow = Shadow()
    unshare = ["unshare", "--mount", "/bin/sh", "-ec", mounting, "sh"]
    shadow.command = [*unshare, f"{megabytes}m", str(shadow.data), *shadow.command]
    with shadow:
        said = failed(shadow, parameters(target, database))
    assert "the disk is full: give the node more ephemeral storage" in said


def test_failure_is_told_when_the_container_is_in_its_second_life(target: Postgres, database: str) -> None:
    with Shadow() as shadow:
        shadow.tell(parameters(target, database))
        assert shadow.answer() == ""
        assert shadow.process is not None
        shadow.process.kill()
        shadow.process.wait()
        for process in shadow.left():
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: not shadow.left(), "the end of the first life")
        shadow.start()
        assert shadow.failure().startswith("The shadow was killed while it ran, most likely out of memory.")
        assert not (shadow.shared / job_env.SHADOW_READY_FILE).exists()


def test_failure_takes_back_that_it_was_ready_when_the_server_ends(target: Postgres, database: str) -> None:
    with Shadow() as shadow:
        shadow.tell(parameters(target, database))
        assert shadow.answer() == ""
        os.kill(int((shadow.data / "server/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        assert shadow.failure().startswith("The shadow's server stopped while it was in use")
        assert not (shadow.shared / job_env.SHADOW_READY_FILE).exists()
        assert shadow.stop() == 0


# The end


def make_server(shadow: Shadow, given: dict[str, str]) -> None:
    wait_until((shadow.data / "server").exists, "the shadow's initdb")


def wait_for_source(shadow: Shadow, given: dict[str, str]) -> None:
    shadow.says("runs")


def dump(shadow: Shadow, given: dict[str, str]) -> None:
    shadow.tell(given)
    shadow.says("dumping")


def be_ready(shadow: Shadow, given: dict[str, str]) -> None:
    shadow.tell(given)
    assert shadow.answer() == ""


def fail(shadow: Shadow, given: dict[str, str]) -> None:
    shadow.tell({**given, "PGPORT": "1"})
    assert shadow.answer() != ""


@pytest.mark.parametrize("stage", [make_server, wait_for_source, dump, be_ready, fail])
def test_shadow_ends_at_once_and_whole_when_it_is_asked_to(
    stage: Callable[[Shadow, dict[str, str]], None], target: Postgres, database: str
) -> None:
    target.execute("CREATE TABLE busy (id int)", database)
    with psycopg.connect(target.uri(database)) as holder, Shadow() as shadow:
        if stage is dump:
            holder.execute("LOCK TABLE busy IN ACCESS EXCLUSIVE MODE")  # so that it lasts
        stage(shadow, parameters(target, database))
        began = time.monotonic()
        assert shadow.stop() == 0
        assert time.monotonic() - began < 1
        holder.rollback()


def test_what_was_said_is_what_the_runner_reads_when_words_are_not_ascii(target: Postgres, database: str) -> None:
    target.execute('CREATE ROLE "rôle"')
    try:
        with Shadow() as shadow:
            shadow.tell(parameters(target, database))
            assert shadow.answer() == ""
            with shadow.connect() as connection:
                assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'rôle'").fetchone() == (1,)
    finally:
        target.execute('DROP ROLE "rôle"')
