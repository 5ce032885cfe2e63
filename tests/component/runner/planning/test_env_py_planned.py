"""What env.py sends itself is a step of the plan, and is held against it on the target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.component.runner.approvals import approve_as_planned
from tests.component.runner.harness import failed
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.contract.plan import ENVIRONMENT
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Timeouts
from alembic_operator.contract.result import Outcome

ENV = """
import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    if "app" not in sa.inspect(connection).get_schema_names():
        connection.execute(sa.text("CREATE SCHEMA app"))
    connection.execute(sa.text("SET search_path TO app"))
    connection.commit()
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_a_schema_that_env_py_makes_is_a_step_of_the_plan_and_made_when_that_is_approved(
    planner: Planner, project: Project, tmp_path: Path
) -> None:
    database = planner.database
    (project.directory / "migrations" / "env.py").write_text(ENV)
    project.sql("r1", "CREATE TABLE users (id int)")
    plan = planner(project, environment="Project")
    assert [step.revision for step in plan.steps] == [ENVIRONMENT, "r1"]
    sent = [one.sql for one in plan.steps[0].statements]
    assert [sql for sql in sent if not sql.startswith("SELECT")] == ["CREATE SCHEMA app", "SET search_path TO app"]
    assert database.all("SELECT to_regnamespace('app')::text") == [(None,)]

    approved, mounts = approve_as_planned(plan, tmp_path)
    asked = {"environment": "Project", "evidence": "Shadow", "mounts": mounts, "approved": approved}
    ended = planner.runner(project, database.uri.replace("postgresql:", "postgresql+psycopg:"), **asked)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT version_num FROM app.alembic_version") == [("r1",)]
    assert database.all("SELECT to_regclass('app.users')::text") == [("app.users",)]


def test_a_statement_of_env_py_is_not_sent_when_the_plan_does_not_have_it(
    planner: Planner, project: Project, tmp_path: Path
) -> None:
    database = planner.database
    text = ENV.replace("SET search_path TO app", "SET search_path TO app, public")
    (project.directory / "migrations" / "env.py").write_text(text)
    project.sql("r1", "CREATE TABLE app.users (id int)")
    plan = planner(project, environment="Project")
    database.execute("CREATE SCHEMA app")
    approved, mounts = approve_as_planned(plan, tmp_path)
    asked = {"environment": "Project", "evidence": "Shadow", "mounts": mounts, "approved": approved}
    ended = planner.runner(project, database.uri.replace("postgresql:", "postgresql+psycopg:"), **asked)
    message = failed(ended, Reason.STATEMENT_MISMATCH)
    assert message.startswith("Running env.py, statement")
    assert database.all("SELECT to_regclass('app.users')::text") == [(None,)]


LISTENING = """
from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

@event.listens_for(Engine, "connect")
def look_there(session, _record):
    session.cursor().execute("SET search_path TO app, public")
    session.commit()

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_listener_of_every_engine_is_told_once_however_often_env_py_runs(
    planner: Planner, project: Project, tmp_path: Path
) -> None:
    (project.directory / "migrations" / "env.py").write_text(LISTENING)
    planner.database.execute("CREATE SCHEMA app")
    project.sql("r1", "CREATE TABLE item (id int)")
    assert planner.runner(project, planner.database.uri, environment="Project").exit_code == 0
    project.sql("r2", "ALTER TABLE item ADD COLUMN j int")

    plan = planner(project, environment="Project")
    blocker = planner.database.connect(autocommit=False)
    blocker.execute("SELECT * FROM app.item")
    approved, mounts = approve_as_planned(plan, tmp_path)
    request: dict[str, Any] = {
        "mounts": mounts,
        "approved": approved,
        "environment": "Project",
        "timeouts": Timeouts(lock=0.5),
    }
    run = planner.runner.start(project, planner.database.uri, **request)
    run.wait_for('"event":"retry"')
    blocker.rollback()

    assert [(one.sql, one.executions) for one in plan.steps[0].statements] == [("SET search_path TO app, public", 1)]
    assert run.end().result.outcome == Outcome.APPLIED
