"""Code of the project that connects by a driver, round the session that is lent: unapproved, it can only read."""

from __future__ import annotations

import pytest
from tests.component.runner.harness import failed
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

CONNECTS = {
    "psycopg": "import psycopg; c = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)",
    "by keywords": "import psycopg; c = psycopg.connect(conninfo=os.environ['DATABASE_URL'], options='-c jit=off');"
    " c.autocommit = True",
    "a class": "from psycopg import Connection; c = Connection.connect(os.environ['DATABASE_URL'], autocommit=True)",
    "psycopg2": "import psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']); c.autocommit = True",
    "psycopg2 by keywords": "import psycopg2 as p; c = p.connect(dsn=os.environ['DATABASE_URL']); c.autocommit = True",
}
BY_ITSELF = {
    "a creator": "create_engine('postgresql+psycopg://', creator=lambda: psycopg.connect(os.environ['DATABASE_URL']))",
    "an event": "create_engine('postgresql+psycopg://')\n"
    "event.listen(engine, 'do_connect', lambda *_: psycopg.connect(os.environ['DATABASE_URL']))",
}
ENV = """
import os
import psycopg
from alembic import context
from sqlalchemy import create_engine, event, text

{connect}
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ENGINE = "engine = create_engine(os.environ['DATABASE_URL'].replace('postgresql', 'postgresql+psycopg', 1))"
WRITE = "\nc.cursor().execute('CREATE TABLE extra (id int)')\n"


def _written(planner: Planner) -> bool:
    return planner.database.all("SELECT to_regclass('extra')::text") != [(None,)]


def _env(project: Project, connect: str) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    (project.directory / "migrations" / "env.py").write_text(ENV.format(connect=connect))


@pytest.mark.parametrize("connect", CONNECTS.values(), ids=CONNECTS)
def test_plan_says_why_and_the_target_is_left_alone_when_env_py_writes_by_a_driver(
    project: Project, planner: Planner, connect: str
) -> None:
    _env(project, connect + WRITE + ENGINE)
    message = failed(planner.run(project, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "it writes through its own connection (made by a driver, or by an engine's `creator`)" in message
    assert not _written(planner)


def test_plan_is_made_when_env_py_reads_by_a_driver(project: Project, planner: Planner) -> None:
    _env(project, CONNECTS["psycopg"] + "\nassert c.execute('SELECT 1').fetchall()\n" + ENGINE)
    assert planner.run(project, environment="Project").result.outcome == Outcome.PLANNED


@pytest.mark.parametrize("engine", BY_ITSELF.values(), ids=BY_ITSELF)
def test_engine_is_refused_when_it_connects_by_itself(project: Project, planner: Planner, engine: str) -> None:
    begun = "\nwith engine.begin() as one:\n    one.execute(text('SELECT 1'))"
    _env(project, f"engine = {engine}{begun}")
    message = failed(planner.run(project, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "made by `creator` or an event" in message


def test_target_is_left_alone_when_a_revision_writes_while_it_is_imported(project: Project, planner: Planner) -> None:
    path = project.sql("r1", "CREATE TABLE item (id int)")
    path.write_text(path.read_text() + "\nimport os\n" + CONNECTS["psycopg"] + WRITE)
    message = failed(planner.run(project), Reason.INVALID_HISTORY)
    assert "r1.py" in message
    assert not _written(planner)


def test_everything_is_done_as_by_plain_alembic_when_nobody_asks_for_a_plan(project: Project, planner: Planner) -> None:
    schema = "\nc.execute('CREATE SCHEMA IF NOT EXISTS extra')\n"
    _env(project, CONNECTS["psycopg"] + schema + ENGINE)
    ended = planner.runner(project, planner.database.uri, environment="Project")
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert planner.database.all("SELECT to_regnamespace('extra')::text") == [("extra",)]
