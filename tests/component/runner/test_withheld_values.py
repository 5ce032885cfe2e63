"""Values of rows and connection strings stay out of the result and the log, whoever puts them into an error."""

from __future__ import annotations

import textwrap

import pytest

from alembic_operator.contract.reasons import Reason

from .databases import Database
from .harness import Runner, failed
from .project import Project

SCHEMES = pytest.mark.parametrize("scheme", ["postgresql+psycopg://", "postgresql+psycopg2://"])
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'bad email %', NEW.email USING ERRCODE = 'check_violation'; END $$
"""


@SCHEMES
def test_withholds_the_words_when_a_trigger_raises_them_under_a_passing_sqlstate(
    database: Database, project: Project, runner: Runner, scheme: str
) -> None:
    database.execute("CREATE TABLE customer (email text)")
    database.execute("INSERT INTO customer VALUES ('geheim@example.org')")
    database.execute(REFUSE)
    database.execute("CREATE TRIGGER t BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION refuse()")
    database.execute("CREATE TABLE alembic_version (version_num text)")
    database.execute("INSERT INTO alembic_version VALUES ('r1')")
    project.sql("r1", "SELECT 1")
    project.sql("r2", "UPDATE customer SET email = email || '.'")
    ended = runner(project, database.uri.replace("postgresql://", scheme))
    message = failed(ended, Reason.MIGRATION_FAILED)
    assert "statement 1: SQLSTATE 23514: the server's message is withheld" in message
    assert "geheim" not in ended.message + ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        ("postgresql+psycopg://", "op.get_bind().execute(sa.text('SELECT day FROM visit')).all()"),
        ("postgresql+psycopg2://", "op.get_bind().execute(sa.text('SELECT day FROM visit')).all()"),
        ("postgresql+psycopg2://", "raise sa.exc.ArgumentError(os.environ['VALUE'])"),
        (
            "postgresql+psycopg://",
            """
        try:
            raise sa.exc.ArgumentError(os.environ["VALUE"])
        except sa.exc.ArgumentError as error:
            raise ValueError(str(error)) from None
        """,
        ),
    ],
    ids=["psycopg", "psycopg2", "sqlalchemy", "behind-another"],
)
@pytest.mark.parametrize("environment", ["Managed", "Project"])
def test_prints_frames_and_types_alone_when_a_library_s_words_can_hold_a_value(
    database: Database, project: Project, runner: Runner, *, scheme: str, body: str, environment: str
) -> None:
    database.execute("CREATE TABLE alembic_version (version_num text)")
    database.execute("INSERT INTO alembic_version VALUES ('r1')")
    database.execute("CREATE TABLE visit AS SELECT date '77123-01-01' AS day")  # no Python date
    project.sql("r1", "SELECT 1")
    project.add("r2", "import os\n" + textwrap.dedent(body).strip())
    uri = database.uri.replace("postgresql://", scheme)
    ended = runner(project, uri, env={"VALUE": "row 77123"}, environment=environment)
    failed(ended, Reason.MIGRATION_FAILED)
    assert "77123" not in ended.message + ended.stdout + ended.stderr
    assert 'r2.py", line 1' in ended.stderr
    assert "Error\n" in ended.stderr


def test_prints_no_words_when_a_migration_file_cannot_be_imported(
    database: Database, project: Project, runner: Runner
) -> None:
    path = project.sql("r1", "SELECT 1")
    path.write_text("import os\nraise ValueError(os.environ['DATABASE_URL'])\n" + path.read_text())
    ended = runner(project, database.uri, env={"DATABASE_URL": "postgresql://app:geheim@db/shop"})
    assert "Importing the migration file r1.py: ValueError." in failed(ended, Reason.INVALID_HISTORY)
    assert 'r1.py", line 2' in ended.stderr
    assert "\nValueError\n" in ended.stderr
    assert "geheim" not in ended.message + ended.stdout + ended.stderr
