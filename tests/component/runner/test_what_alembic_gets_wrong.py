"""Each case in which plain Alembic does the wrong thing: first it is shown doing it, then the runner handling it.

Rows of the table in the design that need a plan (an empty downgrade, a baseline's fingerprint) are not here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

from .databases import Database
from .harness import Runner
from .project import Project


def _copy(database: Database, name: str) -> Database:
    """Another database for plain Alembic, so that both begin alike."""
    other = Database(database.server, f"{database.name}_{name}", database.warm)
    database.server.create_database(other.name, owner="shop")
    return other


def test_commits_when_the_project_leaves_a_transaction_open_before_alembic_runs(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    env = project.directory / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace(
            "    context.configure", "    connection.exec_driver_sql('SELECT 1')\n    context.configure"
        )
    )
    plain = database.alembic(project)
    assert plain.returncode == 0
    assert database.all("SELECT to_regclass('item')") == [(None,)]  # exit 0, and nothing committed

    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    assert database.heads() == ["r1"]


def test_says_schema_ahead_when_the_database_is_beyond_the_target(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "ALTER TABLE item ADD COLUMN j int")
    assert runner(project, database.uri).exit_code == 0
    plain = database.alembic(project, "upgrade", "r1")
    assert (plain.returncode, database.heads()) == (0, ["r2"])  # exit 0, no word

    ended = runner(project, database.uri, revision="r1")
    assert (ended.exit_code, ended.result.outcome, ended.result.current) == (0, Outcome.AHEAD, ["r2"])
    assert (
        ended.stdout.splitlines()[-1]
        == "alembic-operator: SchemaAhead: the database is at r2, beyond r1; nothing was done."
    )


def test_says_schema_ahead_when_an_older_image_no_longer_has_the_databases_revision(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    newest = project.sql("r2", "ALTER TABLE item ADD COLUMN j int")
    assert runner(project, database.uri).exit_code == 0
    newest.unlink()
    plain = database.alembic(project, "upgrade", "r1")
    assert plain.returncode != 0
    assert "Can't locate revision identified by 'r2'" in plain.stdout + plain.stderr

    assert runner(project, database.uri, revision="r1").result.outcome == Outcome.AHEAD


def test_says_diverged_when_the_target_is_a_sibling_of_the_databases_revision(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2a", "op.execute('SELECT 1')", down="r1")
    project.add("r2b", "op.execute('SELECT 2')", down="r1")
    other = _copy(database, "plain")
    try:
        for target in ("r2a", "r2b"):
            assert other.alembic(project, "upgrade", target).returncode == 0
        assert other.heads() == ["r2a", "r2b"]  # exit 0, and a second head
    finally:
        database.server.drop_database(other.name)

    assert runner(project, database.uri, revision="r2a").exit_code == 0
    ended = runner(project, database.uri, revision="r2b")
    assert ended.result.failure is not None
    assert ended.result.failure.reason == Reason.DIVERGED
    assert ended.failure == (
        'Comparing public.alembic_version with revision "r2b": the database is at r2a, on another branch; the '
        'branches split after "r1". Nothing was sent. Name a revision that contains both (a merge revision), one on '
        "the database's branch, or all heads that the database must have: spec.revisions: [r2a, r2b]."
    )
    assert database.heads() == ["r2a"]


def test_names_the_revision_when_it_was_inserted_into_applied_history(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    last = project.sql("r3", "ALTER TABLE item ADD COLUMN k int")
    assert runner(project, database.uri).exit_code == 0
    project.add("r2", "op.execute('ALTER TABLE item ADD COLUMN j int')", down="r1", file="0002_late.py")
    last.write_text(last.read_text().replace("down_revision = 'r1'", "down_revision = 'r2'"))
    plain = database.alembic(project)
    assert plain.returncode == 0
    assert ("j",) not in database.all("SELECT attname FROM pg_attribute WHERE attrelid = 'item'::regclass")  # skipped

    ended = runner(project, database.uri)
    assert ended.result.failure is not None
    assert (ended.result.failure.reason, ended.result.failure.revision) == (Reason.INVALID_HISTORY, "r2")
    assert ended.failure == (
        'Comparing the image\'s history with the journal of public.alembic_version: "r2" (0002_late.py) precedes '
        "applied revisions but was never applied; Alembic would skip it. Set its down_revision to the newest "
        "revision, and build a new image."
    )


def test_says_outcome_unknown_when_an_index_build_failed_and_left_an_invalid_index(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item VALUES (1), (1)")
    project.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON item (id)")
        """,
    )
    other = _copy(database, "plain")
    try:
        assert other.alembic(project, "upgrade", "r1").returncode == 0
        assert other.alembic(project).returncode != 0
        assert other.alembic(project).returncode == 0  # the second time exit 0
        assert other.heads() == ["r2"]
        assert other.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [
            (False,)
        ]  # and still INVALID
    finally:
        database.server.drop_database(other.name)

    first = runner(project, database.uri)
    assert first.result.failure is not None
    failure = first.result.failure
    assert (failure.reason, failure.revision, failure.statement) == (Reason.OUTCOME_UNKNOWN, "r2", 1)
    assert failure.sqlstate == "23505"
    assert first.failure == (
        'Applying revision "r2" (r2.py), statement 1: SQLSTATE 23505: could not create unique index "ix". The '
        "revision had already committed part of its work (an autocommit block). Check the database. If the whole "
        "revision is applied: alembic stamp it. To run it again: undo what is there (also INVALID indexes), then "
        "DELETE FROM alembic_operator.revision_journal WHERE state = 'intent' AND revision = 'r2' AND history = "
        "'public.alembic_version'. Then set the annotation alembic-operator.dev/retry-at."
    )
    second = runner(project, database.uri)
    assert second.result.failure is not None
    assert second.result.failure.reason == Reason.OUTCOME_UNKNOWN
    assert "a run that started at 20" in second.failure
    assert database.heads() == ["r1"]

    # What the message advises works.
    database.execute("DROP INDEX ix")
    database.execute("DELETE FROM item")
    database.execute("DELETE FROM alembic_operator.revision_journal WHERE state = 'intent' AND revision = 'r2'")
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    assert database.journal() == [("r1", "done"), ("r2", "done")]


def test_applies_the_data_once_when_two_runs_start_at_once(
    database: Database, project: Project, runner: Runner, tmp_path: Path
) -> None:
    project.sql("r1", "CREATE TABLE account (balance int)", "INSERT INTO account VALUES (0)")
    project.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("SELECT pg_sleep(1.5)")
            op.execute("UPDATE account SET balance = balance + 5")
        """,
    )
    other = _copy(database, "plain")
    try:
        assert other.alembic(project, "upgrade", "r1").returncode == 0
        url = other.uri.replace("postgresql://", "postgresql+psycopg://")
        plain = [
            subprocess.Popen(
                [runner.python, "-m", "alembic", "upgrade", "head"],
                cwd=project.directory,
                env={"DATABASE_URL": url},
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for process in plain:
            process.communicate(timeout=60)
        assert other.all("SELECT balance FROM account") == [(10,)]  # twice
    finally:
        database.server.drop_database(other.name)

    assert runner(project, database.uri, revision="r1").exit_code == 0
    runs = [runner.start(project, database.uri) for _ in range(2)]
    ended = [run.end() for run in runs]
    assert sorted(one.result.outcome for one in ended) == [Outcome.APPLIED, Outcome.UP_TO_DATE]
    assert database.all("SELECT balance FROM account") == [(5,)]
    waited = next(one for one in ended if one.result.outcome == Outcome.UP_TO_DATE)
    assert "(alembic-operator/shop/db/job-uid-" in waited.events("waiting")[0]["holder"]


def test_names_ids_and_files_when_the_history_is_broken(database: Database, project: Project, runner: Runner) -> None:
    project.sql("r1", "SELECT 1")
    project.add("r2", "pass", down="gone")
    plain = database.alembic(project)
    assert "KeyError: 'gone'" in plain.stderr  # a bare KeyError
    ended = runner(project, database.uri)
    assert ended.result.failure is not None
    assert ended.result.failure.reason == Reason.INVALID_HISTORY
    assert (
        f'{project.directory}/alembic.ini of the image: r2.py names "gone" in down_revision, which no file'
        in ended.failure
    )

    project.add("r2", "pass", down="r1")
    project.add("r2", "pass", down="r1", file="again.py")
    plain = database.alembic(project)
    assert "Revision r2 is present more than once" in plain.stderr  # a warning that names no file
    assert "again.py" not in plain.stdout + plain.stderr
    ended = runner(project, database.uri)
    assert 'revision "r2" is declared by again.py and r2.py' in ended.failure


def test_names_the_heads_and_their_files_when_head_is_not_one_revision(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "SELECT 1")
    project.add("r2a", "pass", down="r1")
    project.add("r2b", "pass", down="r1", file="other.py")
    assert "Multiple head revisions are present" in database.alembic(project).stdout  # names neither
    ended = runner(project, database.uri)
    assert ended.result.failure is not None
    assert ended.result.failure.reason == Reason.MULTIPLE_HEADS
    assert ended.failure == (
        f"Resolving spec.revision head: {project.directory}/alembic.ini of the image has 2 heads: r2a (r2a.py), r2b "
        "(other.py). To apply all of them, write heads, or spec.revisions: [r2a, r2b]; otherwise name one full "
        "revision id, or add a merge revision (alembic merge heads)."
    )


def test_asks_for_a_baseline_when_a_live_schema_has_no_version_row(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    other = _copy(database, "plain")
    try:
        other.execute("CREATE TABLE users (id int)")
        assert other.alembic(project).returncode == 0
        assert other.all("SELECT to_regclass('item') IS NOT NULL") == [(True,)]  # migrated from base into it
    finally:
        database.server.drop_database(other.name)

    database.execute("CREATE TABLE users (id int)")
    database.server.execute("CREATE EXTENSION pg_stat_statements", database=database.name)
    ended = runner(project, database.uri)
    assert ended.result.failure is not None
    assert ended.result.failure.reason == Reason.BASELINE_REQUIRED
    told, _, fingerprint = ended.failure.partition(" The schema's fingerprint is ")
    assert told == (
        "Looking for the database's revision in public.alembic_version: it has no row, but the database has tables "
        "(public.users). Nothing was sent, because migrating a live schema from base would break it. To start from "
        "base, set spec.baseline to {revisions: []}; if the schema is at a revision, name it in spec.baseline."
    )
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\.", fingerprint)
    assert database.all("SELECT 1 FROM pg_namespace WHERE nspname = 'alembic_operator'") == []
    assert runner(project, database.uri, baseline=[]).result.outcome == Outcome.APPLIED


def test_migrates_the_secrets_database_when_the_projects_env_py_names_another(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    other = _copy(database, "other")
    try:
        url = other.uri.replace("postgresql://", "postgresql+psycopg://")
        env = project.directory / "migrations" / "env.py"
        env.write_text(env.read_text().replace('os.environ["DATABASE_URL"]', repr(url)))
        assert database.alembic(project).returncode == 0
        assert other.heads() == ["r1"]  # another database, exit 0

        assert runner(project, database.uri).result.outcome == Outcome.APPLIED
        assert database.heads() == ["r1"]
    finally:
        database.server.drop_database(other.name)
