"""Locks that others hold: the revision is tried again inside the run, and the blocker is named."""

from __future__ import annotations

import pytest
from tests.cluster.processes import wait_until
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Timeouts
from alembic_operator.contract.result import Outcome

IMPATIENT = Timeouts(lock=0.5)
TWO_TRIES = """
import alembic_operator.runner.migrate.migration as apply
apply.TRIES, apply.FIRST_PAUSE = 2, 0.1
"""


@pytest.mark.parametrize("scheme", ["postgresql+psycopg://", "postgresql+psycopg2://"])
def test_tries_again_and_applies_when_a_lock_is_released(
    database: Database, project: Project, runner: Runner, scheme: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "CREATE TABLE other (id int)", "ALTER TABLE item ADD COLUMN j int")
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("SET application_name = 'reporting'")
    blocker.execute("SELECT * FROM item")
    run = runner.start(project, database.uri.replace("postgresql://", scheme), timeouts=IMPATIENT)
    run.wait_for('"event":"retry"')
    blocker.rollback()
    ended = run.end()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    retry = ended.events("retry")[0]
    assert (retry["revision"], retry["statement"], retry["sqlstate"], retry["of"]) == ("r2", 2, "55P03", 10)
    assert retry["blockedBy"].startswith(f"pid {blocker.info.backend_pid} (reporting), idle in transaction for ")
    assert ended.events("running")[0]["blockedBy"].startswith(f"pid {blocker.info.backend_pid} (reporting), idle in ")
    assert [(one.revision, one.statements) for one in ended.result.applied] == [("r2", 2)]
    assert database.journal() == [("r1", "done"), ("r2", "done")]


def test_names_the_blocker_in_the_result_when_the_tries_are_used_up(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN j int")
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("SET application_name = 'reporting'")
    blocker.execute("SELECT * FROM item")
    ended = runner(project, database.uri, timeouts=IMPATIENT, more=TWO_TRIES)
    failed(ended, Reason.LOCK_TIMEOUT)
    failure = ended.result.failure
    assert failure is not None
    assert failure.blocked_by.startswith(f"pid {blocker.info.backend_pid} (reporting), idle in transaction for ")
    assert failure.message == (
        'Applying revision "r2" (r2.py), statement 1: a lock was not granted within 0.5 s, held by '
        f"{failure.blocked_by} (SQLSTATE 55P03). It was rolled back. End the session that holds the lock, or raise "
        "spec.timeouts.lock."
    )
    assert len(ended.events("retry")) == 1
    assert ended.result.current == ["r1"]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["SET lock_timeout = '200ms'", "ALTER TABLE item ADD COLUMN j int"], "2: a lock was not granted within 0.2 s"),
        (["LOCK TABLE item IN ACCESS EXCLUSIVE MODE NOWAIT"], "1: a lock was not granted at once"),
    ],
)
def test_tells_the_time_that_was_waited_when_the_revision_says_how_long(
    database: Database, project: Project, runner: Runner, statements: list[str], found: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", *statements)
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("SELECT * FROM item")
    message = failed(runner(project, database.uri, timeouts=Timeouts(lock=20), more=TWO_TRIES), Reason.LOCK_TIMEOUT)
    assert f'Applying revision "r2" (r2.py), statement {found}' in message
    assert "or change the lock_timeout or NOWAIT of env.py or the revision" in message


def test_file_is_run_anew_when_it_keeps_something_from_the_first_try(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    path = project.add(
        "r2",
        """
        sa.Table("other", metadata, sa.Column("id", sa.Integer)).create(op.get_bind())
        op.add_column("item", sa.Column("j", sa.Integer))
        """,
    )
    path.write_text(path.read_text().replace("revision =", "metadata = sa.MetaData()\nrevision =", 1))
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("SELECT * FROM item")
    run = runner.start(project, database.uri, timeouts=IMPATIENT)
    run.wait_for('"event":"retry"')
    blocker.rollback()
    ended = run.end()
    assert ended.result.outcome == Outcome.APPLIED, ended.message


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_tries_again_when_the_server_gives_up_a_transaction(
    database: Database, project: Project, runner: Runner, sqlstate: str
) -> None:
    project.sql("r1", "CREATE SEQUENCE tries", "CREATE TABLE item (id int)")
    project.sql(
        "r2",
        "INSERT INTO item VALUES (1)",
        # A sequence's step is not rolled back: the second try is another one.
        f"DO $$BEGIN IF nextval('tries') < 2 THEN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END IF; END$$",
    )
    ended = runner(project, database.uri, more=TWO_TRIES)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert [retry["sqlstate"] for retry in ended.events("retry")] == [sqlstate]
    assert database.all("SELECT count(*) FROM item") == [(1,)]


def test_does_not_try_again_when_a_part_of_the_revision_was_committed(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE SEQUENCE tries")
    project.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("SELECT nextval('tries')")
        op.execute("DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END$$")
        """,
    )
    ended = runner(project, database.uri, more=TWO_TRIES)
    failed(ended, Reason.OUTCOME_UNKNOWN)
    assert ended.events("retry") == []
    assert database.all("SELECT last_value FROM tries") == [(1,)]


def test_tells_how_far_an_index_build_is_when_it_takes_long(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY ix ON item (id)")
        """,
    )
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("INSERT INTO item VALUES (0)")
    run = runner.start(project, database.uri, timeouts=Timeouts(lock=60))
    line = run.wait_for('"event":"running"')
    assert '"index":{"blocksDone":0,"blocksTotal":0,"phase":"waiting for writers before build","table":"item"}' in line
    blocker.rollback()
    assert run.end().result.outcome == Outcome.APPLIED


def test_has_two_connections_at_most_when_it_waits_for_a_lock(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN j int")
    assert runner(project, database.uri, revision="r1").exit_code == 0
    blocker = database.connect(autocommit=False)
    blocker.execute("SELECT * FROM item")
    run = runner.start(project, database.uri, timeouts=Timeouts(lock=60))
    run.wait_for('"event":"running"')
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'alembic-operator/shop/db/job-uid-%'"
    wait_until(lambda: database.all(mine) == [(2,)], "both sessions of the run")
    blocker.rollback()
    assert run.end().result.outcome == Outcome.APPLIED


def test_second_run_waits_without_blocking_an_index_build_when_both_start_at_once(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item SELECT generate_series(1, 1000)")
    project.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("SELECT pg_sleep(1)")
            op.execute("CREATE INDEX CONCURRENTLY ix ON item (id)")
        """,
    )
    assert runner(project, database.uri, revision="r1").exit_code == 0
    ended = [run.end() for run in [runner.start(project, database.uri) for _ in range(2)]]
    assert sorted(one.result.outcome for one in ended) == [Outcome.APPLIED, Outcome.UP_TO_DATE]
    assert database.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]


def test_names_table_and_holder_when_the_schema_of_a_strange_database_cannot_be_read(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "CREATE TABLE other (id int)")
    holder = database.connect(autocommit=False)
    holder.execute("SET application_name = 'repacking'")
    holder.execute("CREATE TABLE item (id serial)")
    holder.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    holder.execute("INSERT INTO alembic_version VALUES ('r1')")
    holder.commit()
    holder.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
    message = failed(runner(project, database.uri, timeouts=IMPATIENT), Reason.LOCK_TIMEOUT)
    assert message.startswith(
        "Reading the schema (public, shop), to compare it: a table is locked in ACCESS EXCLUSIVE mode and was not "
        f"released in time (public.item is held by pid {holder.info.backend_pid} (repacking), idle in transaction"
    )
    assert "Nothing was sent." in message
    holder.rollback()
    assert runner(project, database.uri, timeouts=IMPATIENT).result.outcome == Outcome.APPLIED
