"""Databases that somebody else has used before: owners, plain Alembic, half-applied revisions."""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

from .databases import Database
from .harness import OWNER, Runner, failed
from .project import Project

OTHER = replace(OWNER, name="db2", uid="uid-2")


def test_adopts_the_revisions_when_plain_alembic_ran_until_now(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN j int")
    assert database.alembic(project).returncode == 0
    project.sql("r3", "ALTER TABLE item ADD COLUMN k int")
    ended = runner(project, database.uri)
    assert (ended.result.outcome, ended.result.applied_count, ended.result.warnings) == (Outcome.APPLIED, 1, [])
    assert database.journal() == [("r1", "adopted"), ("r2", "adopted"), ("r3", "done")]

    project.sql("r4", "ALTER TABLE item ADD COLUMN l int")
    assert database.alembic(project).returncode == 0
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.UP_TO_DATE
    assert ended.result.warnings == [
        '"r4" (r4.py) was applied outside the operator; the journal records it as adopted.'
    ]
    assert database.journal()[-1] == ("r4", "adopted")


def test_names_the_owner_and_takes_over_when_asked_if_another_resource_manages_the_database(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    assert runner(project, database.uri).exit_code == 0
    for kind in (RunKind.APPLY, RunKind.CHECK):
        second = runner(project, database.uri, target=OTHER, kind=kind)
        assert failed(second, Reason.TARGET_OWNED) == (
            'Claiming the history public.alembic_version for DatabaseSchema "shop/db2": DatabaseSchema "shop/db" '
            "(uid uid-1) already manages it, according to the journal in schema alembic_operator. Nothing was sent. "
            "Delete one of the two, or take over with the annotation alembic-operator.dev/take-over: uid-1"
        )
        assert second.result.owner == OWNER
    assert failed(runner(project, database.uri, target=OTHER, replace_owner="uid-9"), Reason.TARGET_OWNED)
    assert runner(project, database.uri, target=OTHER, replace_owner="uid-1").result.outcome == Outcome.UP_TO_DATE
    assert database.all("SELECT name, uid FROM alembic_operator.owner") == [("db2", "uid-2")]
    assert failed(runner(project, database.uri), Reason.TARGET_OWNED)


def test_two_histories_live_in_one_database_when_their_version_tables_differ(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "SELECT 1")
    assert runner(project, database.uri).exit_code == 0
    ended = runner(project, database.uri, target=OTHER, version_table="other_version", baseline=[])
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT history, uid FROM alembic_operator.owner ORDER BY 1") == [
        ("public.alembic_version", "uid-1"),
        ("public.other_version", "uid-2"),
    ]


def test_refuses_when_the_version_rows_were_deleted_from_a_journalled_database(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    assert runner(project, database.uri, baseline=[]).exit_code == 0
    database.execute("DELETE FROM alembic_version")
    message = failed(runner(project, database.uri, baseline=[]), Reason.VERSION_TABLE_INVALID)
    assert (
        "it has no row, but the journal lists 1 applied revisions and the database has tables (public.item" in message
    )


def test_goes_on_when_a_person_completed_and_stamped_a_half_applied_revision(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("ALTER TABLE item ADD COLUMN j int")
            op.execute("ALTER TABLE items ADD COLUMN k int")
        """,
    )
    project.sql("r3", "ALTER TABLE item ADD COLUMN l int")
    assert failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert failed(runner(project, database.uri, kind=RunKind.CHECK), Reason.OUTCOME_UNKNOWN)
    assert database.alembic(project, "stamp", "r2").returncode == 0
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    assert database.journal() == [("r1", "done"), ("r2", "adopted"), ("r3", "done")]


def test_fails_plainly_when_the_first_statement_of_an_autocommit_block_is_refused(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    body = "with op.get_context().autocommit_block():\n    op.execute('CREATE INDEX CONCURRENTLY ix ON {} (id)')"
    project.add("r2", body.format("items"))
    message = failed(runner(project, database.uri), Reason.MIGRATION_FAILED)
    assert message.startswith('Applying revision "r2" (r2.py), statement 1: SQLSTATE 42P01: relation "items" does not')
    assert database.journal() == [("r1", "done")]
    project.last = "r1"
    project.add("r2", body.format("item"))
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED


def test_refuses_before_anything_is_sent_when_an_id_is_too_long(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("x" * 33, "SELECT 1")
    database.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    message = failed(runner(project, database.uri), Reason.INVALID_HISTORY)
    assert "has 33 characters, but the table takes 32. Shorten the id, or widen the column version_num" in message
    database.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(64)")
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED


def test_applies_no_part_of_a_revision_twice_when_it_commits_by_itself_and_then_fails(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "INSERT INTO item VALUES (1)", "COMMIT", "INSERT INTO items VALUES (1)")
    plain = database.alembic(project)
    assert plain.returncode != 0
    assert database.all("SELECT count(*) FROM item") == [(1,)]  # half of it is there
    assert database.alembic(project).returncode != 0
    assert database.all("SELECT count(*) FROM item") == [(2,)]  # and again

    database.execute("DROP TABLE item; DROP TABLE alembic_version")
    assert failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN)
    assert database.all("SELECT count(*) FROM item") == [(1,)]


def test_applies_a_revision_of_two_branches_and_a_dependency_when_the_target_needs_them(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("a2", "op.execute('ALTER TABLE item ADD a int')", down="r1")
    project.add("b2", "op.execute('ALTER TABLE item ADD b int')", down="r1")
    project.add("m3", "pass", down=("a2", "b2"))
    project.add("s1", "op.execute('ALTER TABLE item ADD s int')", down=None, depends="m3")
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert (ended.result.applied_count, ended.result.target_revisions) == (5, ["s1"])
    assert runner(project, database.uri).result.outcome == Outcome.UP_TO_DATE
