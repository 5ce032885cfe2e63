"""An env.py that becomes another role, planned on the server that the role is on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.component.cli.conftest import Tool
from tests.component.runner.databases import USER
from tests.component.runner.project import Project

ENV = """
from alembic import context
from sqlalchemy import create_engine, event

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))


@event.listens_for(engine, "connect")
def become_owner(connection, record):
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE {role}")
    connection.commit()


with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.fixture
def role(tool: Tool, project: Project) -> Iterator[str]:
    """A role that owns a table, and that env.py becomes."""
    server, name = tool.database.server, f"{tool.database.name}_owner"
    server.execute(f"CREATE ROLE {name} NOLOGIN")
    server.execute(f"GRANT {name} TO {USER}")
    with server.connect(tool.database.name) as connection:
        connection.execute(f"CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO {name}")
    (project.directory / "migrations" / "env.py").write_text(ENV.replace("{role}", name))
    yield name
    server.drop_database(tool.database.name)
    server.execute(f"DROP ROLE {name}")


def _plan(tool: Tool, project: Project, statement: str) -> tuple[int, str, list[str]]:
    project.sql("r1", statement)
    done = tool(project, "--baseline", "", "--format", "json", shadow=tool.database.server.uri())
    return done.code, done.err, done.statements if done.out else []


@pytest.mark.parametrize("statement", ["CREATE TABLE users (id int)", "ALTER TABLE orders ADD COLUMN note text"])
def test_is_planned_when_the_role_may_do_on_the_target_what_the_revision_does(
    tool: Tool, project: Project, role: str, statement: str
) -> None:
    tool.database.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}")
    code, err, statements = _plan(tool, project, statement)
    assert code in (0, 1), err
    assert statements[-1] == statement


def test_is_refused_when_the_role_may_not_do_it_on_the_target(tool: Tool, project: Project, role: str) -> None:
    code, err, _ = _plan(tool, project, "CREATE TABLE users (id int)")
    assert code == 2
    assert "permission denied for schema public" in err
