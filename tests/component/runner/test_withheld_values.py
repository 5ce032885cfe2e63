"""Values of rows and connection strings stay out of the result and the log, whoever puts them into an error."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason

from .conftest import Database
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
    assert "statement 1: SQLSTATE 23514: the server's words are withheld" in message
    assert "geheim" not in ended.message + ended.stdout + ended.stderr
