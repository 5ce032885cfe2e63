"""Everything that goes wrong every day: the reason, the whole message, and what the database holds afterwards."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

from .databases import Database
from .harness import Runner, failed
from .project import Project


def test_keeps_the_server_s_words_and_rolls_back_when_a_statement_fails(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN j int", "ALTER TABLE items ADD COLUMN k int")
    ended = runner(project, database.uri)
    assert failed(ended, Reason.MIGRATION_FAILED) == (
        'Applying revision "r2" (r2.py), statement 2: SQLSTATE 42P01: relation "items" does not exist. It was '
        "rolled back. Correct the revision, or what it conflicts with in the database."
    )
    result = ended.result
    assert result.failure is not None
    assert (result.failure.revision, result.failure.statement, result.failure.sqlstate) == ("r2", 2, "42P01")
    assert ([one.revision for one in result.applied], result.current, result.pending) == (["r1"], ["r1"], 1)
    assert database.heads() == ["r1"]
    assert database.journal() == [("r1", "done")]
    assert database.all("SELECT 1 FROM pg_attribute WHERE attname = 'j' AND attrelid = 'item'::regclass") == []


@pytest.mark.parametrize(
    ("statement", "sqlstate", "found"),
    [
        ("SELECT 'geheim'::date", "22007", "invalid input syntax for type date"),
        (
            "INSERT INTO item VALUES (77123), (77123)",
            "23505",
            'duplicate key value violates unique constraint "item_pkey"',
        ),
        ("ALTER ROLE shop PASSWORD geheim", "42601", 'syntax error at or near "…"'),
        ("DO $$BEGIN RAISE EXCEPTION 'geheim'; END$$", "P0001", "the server's message is withheld"),
    ],
)
def test_shows_no_value_when_the_server_s_words_hold_one(
    database: Database, project: Project, runner: Runner, *, statement: str, sqlstate: str, found: str
) -> None:
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY)", statement)
    ended = runner(project, database.uri)
    assert f"statement 2: SQLSTATE {sqlstate}: {found}" in failed(ended, Reason.MIGRATION_FAILED)
    everything = ended.message + ended.stdout + ended.stderr
    assert "geheim" not in everything
    assert "77123" not in everything


def test_names_file_and_line_and_not_the_text_when_python_fails(
    database: Database, project: Project, runner: Runner
) -> None:
    project.add("r1", "op.execute('CREATE TABLE item (id int)')\nraise ValueError('row 77123')")
    ended = runner(project, database.uri)
    assert failed(ended, Reason.MIGRATION_FAILED) == (
        'Applying revision "r1" (r1.py), after 1 statements: ValueError in r1.py, line 14; the traceback is in the '
        "log of "
        "the Job's pod. It was rolled back. Correct the revision, and build a new image."
    )
    assert "ValueError: row 77123" in ended.stderr  # the user's own words, in the user's own log
    assert database.all("SELECT to_regclass('item')") == [(None,)]


def test_names_the_module_when_a_revision_cannot_be_imported(
    database: Database, project: Project, runner: Runner
) -> None:
    path = project.sql("r1", "SELECT 1")
    path.write_text("import nothing_like_this\n" + path.read_text())
    assert failed(runner(project, database.uri), Reason.INVALID_HISTORY) == (
        "Importing the migration file r1.py: the module nothing_like_this is missing. The traceback is in the log "
        "of the Job's pod. Correct the file, or what it imports, and build a new image."
    )


def test_names_the_heads_when_the_revision_is_not_in_the_image(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("abc1", "SELECT 1")
    assert failed(runner(project, database.uri, revision="abc"), Reason.REVISION_NOT_FOUND) == (
        f'Looking for spec.revision "abc" in {project.directory}/alembic.ini of the image: no file declares it among '
        "1 revisions; its heads are abc1. Did you mean abc1? Prefixes are not accepted. Name a full revision id, or "
        "an image that has it."
    )


def test_names_the_file_when_there_is_no_configuration(database: Database, project: Project, runner: Runner) -> None:
    (project.directory / "alembic.ini").unlink()
    assert failed(runner(project, database.uri), Reason.INVALID_SPEC) == (
        f"Reading {project.directory}/alembic.ini in the image: the file does not exist. Correct "
        "spec.migrations.path (where the file is) or spec.migrations.configFile (its name)."
    )


@pytest.mark.parametrize(
    ("more", "reason", "found"),
    [
        (
            "for n in ('psycopg', 'psycopg2'): sys.modules[n] = None",
            Reason.DRIVER_MISSING,
            "Connecting needs psycopg 3 or",
        ),
        (
            "sys.modules['alembic'] = None",
            Reason.ALEMBIC_MISSING,
            "the module alembic is missing. Add alembic to the image's",
        ),
        (
            "import alembic; alembic.__version__ = '1.12.1'",
            Reason.ALEMBIC_TOO_OLD,
            "it is version 1.12.1, and the runner needs",
        ),
    ],
)
def test_names_what_the_image_lacks_when_it_is_missing_or_too_old(
    database: Database, project: Project, runner: Runner, *, more: str, reason: Reason, found: str
) -> None:
    assert found in failed(runner(project, database.uri, more=more), reason)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg"])
def test_says_that_env_py_can_stay_when_asyncpg_is_the_only_driver(
    database: Database, project: Project, runner: Runner, scheme: str
) -> None:
    alone = "sys.modules['psycopg'] = sys.modules['psycopg2'] = None"
    uri = database.uri.replace("postgresql", scheme, 1)
    message = failed(runner(project, uri, more=alone, environment="Project"), Reason.DRIVER_MISSING)
    assert message == (
        "Connecting needs psycopg 3 or psycopg2 in the image, but none could be imported. asyncpg is installed, but "
        "the runner needs a synchronous driver. Add psycopg[binary] to the image's requirements. env.py and its "
        "URLs can stay unchanged: their engines use that connection."
    )


def test_asks_for_the_right_when_the_user_may_not_make_the_journal(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "SELECT 1")
    database.server.execute(f'ALTER DATABASE "{database.name}" OWNER TO postgres')
    database.server.execute("GRANT CREATE ON SCHEMA public TO shop", database=database.name)
    message = failed(runner(project, database.uri), Reason.PERMISSION_DENIED)
    assert message.startswith(
        "Making the journal in schema alembic_operator of the database: the user of the Secret lacks"
    )
    database.server.execute("CREATE SCHEMA alembic_operator AUTHORIZATION shop", database=database.name)
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE VIEW alembic_version AS SELECT 'r1'::text AS version_num", "it is a view, not a plain table"),
        ("CREATE TABLE alembic_version (v int)", "it has no text column version_num"),
        (
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES (NULL)",
            "empty, NULL, too long",
        ),
        (
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version SELECT 'x' || "
            "generate_series(1,200)",
            "it has more than 100 rows",
        ),
    ],
)
def test_says_what_is_wrong_when_the_version_table_is_no_sane_table(
    database: Database, project: Project, runner: Runner, statement: str, found: str
) -> None:
    database.execute(statement)
    project.sql("r1", "SELECT 1")
    message = failed(runner(project, database.uri), Reason.VERSION_TABLE_INVALID)
    assert message.startswith("Reading the version table public.alembic_version: ")
    assert found in message


def test_runs_nothing_when_the_pinned_hash_differs(database: Database, project: Project, runner: Runner) -> None:
    ended = runner(project, database.uri, sha256="0" * 64)
    message = failed(ended, Reason.RUNNER_PROTOCOL_ERROR)
    assert message.startswith(f"Starting the runner: {runner.pyz} has sha256 {runner.sha256}, and the Job pins 0000")
    assert ended.result.job == "db-1a2b3c4d-1"
    assert ended.records == []


def test_warns_when_postgresql_skipped_a_statement_and_when_a_file_changed(
    database: Database, project: Project, runner: Runner
) -> None:
    raised = "DO $$ BEGIN RAISE NOTICE 'row 4711 exists' USING ERRCODE = '42P07'; END $$"  # never a word of it
    first = project.sql("r1", "CREATE TABLE item (id int)", "CREATE TABLE IF NOT EXISTS item (id int, j int)", raised)
    ended = runner(project, database.uri)
    assert ended.result.warnings == [
        'Revision "r1", statement 2: PostgreSQL skipped it (relation "item" already exists, skipping).'
    ]
    first.write_text(first.read_text() + "\n# edited\n")
    project.sql("r2", "SELECT 1")
    assert runner(project, database.uri).result.warnings == [
        '"r1" (r1.py) changed after being applied; the database still has the old version.'
    ]


def test_warns_when_an_index_is_invalid_after_the_run(database: Database, project: Project, runner: Runner) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item VALUES (1), (1)")
    project.add(
        "r2",
        """
        try:
            with op.get_context().autocommit_block():
                op.execute("CREATE UNIQUE INDEX CONCURRENTLY ix ON item (id)")
        except sa.exc.IntegrityError:
            pass
        """,
    )
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert ended.result.warnings == [
        "Index public.ix became INVALID in this run: PostgreSQL does not use it. Drop and rebuild it."
    ]
