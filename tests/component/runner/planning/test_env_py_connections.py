"""Where env.py works on more than one connection, or as another role, the shadow has what it did before."""

from __future__ import annotations

import pytest
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

SCHEMAS = """
from alembic import context
from sqlalchemy import create_engine, pool, text

engine = create_engine(context.config.get_main_option("sqlalchemy.url"){more})
with engine.begin() as connection:
    for schema in ("sales", "audit"):
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {{schema}}"))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.parametrize("more", ["", ", poolclass=pool.NullPool"])
def test_schemas_that_env_py_makes_are_there_when_it_migrates_on_another_connection(
    planner: Planner, project: Project, more: str
) -> None:
    (project.directory / "migrations" / "env.py").write_text(SCHEMAS.format(more=more))
    project.sql("r1", "CREATE TABLE sales.invoice (id int)", "CREATE TABLE audit.entry (id int)")
    plan = planner(project, environment="Project")
    assert [step.revision for step in plan.steps] == ["env.py", "r1"]
    assert [one.sql for one in plan.steps[0].statements] == [
        "CREATE SCHEMA IF NOT EXISTS sales",
        "CREATE SCHEMA IF NOT EXISTS audit",
    ]
