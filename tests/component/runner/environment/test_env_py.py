"""The project's env.py is run: on the runner's session, with what it configures, and nothing of it unseen."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import ConnectionVariable
from alembic_operator.contract.result import Outcome

GENERIC = """
from logging.config import fileConfig
from sqlalchemy import engine_from_config, pool
from alembic import context

config = context.config
target_metadata = None


def run_migrations_online():
    connectable = engine_from_config(
        config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("offline")
run_migrations_online()
"""

STAMPING = GENERIC.replace(
    "        context.configure(",
    """        from sqlalchemy import text
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('r1')"))
        connection.commit()
        context.configure(""",
)
LOCATIONS = "context.script.version_locations = ['migrations/versions', 'billing']"


def env(project: Project, text: str) -> None:
    """Give the project this env.py."""
    (project.directory / "migrations" / "env.py").write_text(text)


def test_revisions_are_applied_when_env_py_is_that_of_alembics_generic_template(
    runner: Runner, database: Database, project: Project
) -> None:
    env(project, GENERIC)
    project.sql("r1", "CREATE TABLE users (id int)")
    project.sql("r2", "CREATE TABLE orders (id int)")
    ended = runner(project, database.uri, environment="Project")
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r2"]
    assert database.journal() == [("r1", "done"), ("r2", "done")]


def test_programs_file_is_alembics_when_env_py_looks_for_it(
    runner: Runner, database: Database, project: Project
) -> None:
    looking = "import alembic, os, sys; file = sys.modules['__main__'].__file__"
    there = "assert os.path.samefile(file, os.path.join(os.path.dirname(alembic.__file__), '__main__.py'))"
    env(project, f"{looking}\n{there}\n{GENERIC}")
    project.sql("r1", "CREATE TABLE users (id int)")
    ended = runner(project, database.uri, environment="Project")
    assert ended.result.outcome == Outcome.APPLIED, ended.message


def test_an_engine_is_refused_when_it_is_for_another_database(
    runner: Runner, database: Database, project: Project
) -> None:
    elsewhere = 'config.set_main_option("sqlalchemy.url", "postgresql://app:hunter2@db.example/sales")'
    env(project, GENERIC.replace("target_metadata = None", elsewhere + "\ntarget_metadata = None"))
    project.sql("r1", "CREATE TABLE users (id int)")
    message = failed(runner(project, database.uri, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert 'database "sales" on db.example:5432' in message
    assert "hunter2" not in message
    assert database.all("SELECT to_regclass('users')::text") == [(None,)]


def test_a_setting_is_found_when_the_spec_maps_it_to_the_secret(
    runner: Runner, database: Database, project: Project
) -> None:
    project.sql("r1", "CREATE TABLE users (id int)")
    variables = [ConnectionVariable("DATABASE_URL", "uri", "postgresql+asyncpg")]
    ended = runner(project, database.uri, environment="Project", connection_env=variables)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r1"]


def test_no_revision_runs_when_env_py_writes_version_rows_before_them(
    runner: Runner, database: Database, project: Project
) -> None:
    env(project, STAMPING)
    project.sql("r1", "CREATE TABLE users (id int)")
    project.sql("r2", "CREATE TABLE orders (id int)")
    message = failed(runner(project, database.uri, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert 'rows of the version table public.alembic_version from none to "r1"' in message
    assert "spec.baseline" in message
    assert database.all("SELECT to_regclass('orders')::text") == [(None,)]


def test_the_line_of_env_py_is_named_when_a_compiled_library_raises(
    runner: Runner, database: Database, project: Project
) -> None:
    reads_nothing = "connection.exec_driver_sql('SET app.name = 1').all()\n        context.configure("
    env(project, GENERIC.replace("context.configure(", reads_nothing))
    project.sql("r1", "CREATE TABLE users (id int)")
    message = failed(runner(project, database.uri, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "migrations/env.py, line 15: ResourceClosedError" in message


def test_the_variable_is_named_when_env_py_lacks_one(runner: Runner, database: Database, project: Project) -> None:
    env(project, 'import os\n\nurl = os.environ["SHOP_DSN"]\n')
    project.sql("r1", "CREATE TABLE users (id int)")
    message = failed(runner(project, database.uri, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "migrations/env.py, line 3" in message
    assert "SHOP_DSN" in message
    assert "spec.migrations.connectionEnv" in message


@pytest.mark.parametrize("environment", ["", "Project"])
def test_env_py_is_run_when_the_spec_says_nothing_of_it(
    runner: Runner, database: Database, project: Project, environment: str
) -> None:
    env(project, GENERIC.replace("connection=connection,", 'connection=connection, version_table="shop_versions",'))
    project.sql("r1", "CREATE TABLE users (id int)")
    ended = runner(project, database.uri, environment=environment)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT version_num FROM shop_versions") == [("r1",)]
    assert database.all("SELECT to_regclass('alembic_version')::text") == [(None,)]


SCHEMA = """
import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.{connect}() as connection:
    connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS app"))
    context.configure(connection=connection, version_table_schema="app")
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.parametrize("connect", ["begin", "connect"])
def test_each_revision_is_committed_when_env_py_has_a_transaction_open(
    runner: Runner, database: Database, project: Project, connect: str
) -> None:
    env(project, SCHEMA.format(connect=connect))
    project.sql("r1", "CREATE TABLE app.users (id int)")
    project.add("r2", "with op.get_context().autocommit_block():\n    op.execute('CREATE TABLE app.orders (id int)')")
    project.sql("r3", "SELECT 1/0")
    message = failed(runner(project, database.uri, environment="Project"), Reason.MIGRATION_FAILED)
    assert 'revision "r3"' in message
    assert database.all("SELECT version_num FROM app.alembic_version") == [("r2",)]
    assert database.all("SELECT to_regclass('app.orders')::text") == [("app.orders",)]


def test_nothing_is_sent_when_env_py_runs_its_migrations_for_each_tenant(
    runner: Runner, database: Database, project: Project
) -> None:
    env(project, GENERIC.replace("            context.run_migrations()", "            context.run_migrations()\n" * 2))
    project.sql("r1", "CREATE TABLE users (id int)")
    message = failed(runner(project, database.uri, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "more than once" in message
    assert database.all("SELECT to_regclass('users')::text") == [(None,)]


def test_revisions_are_read_where_env_py_says_when_it_sets_version_locations(
    runner: Runner, database: Database, project: Project
) -> None:
    project.sql("r1", "CREATE TABLE users (id int)")
    (project.directory / "billing").mkdir()
    project.sql("r2", "CREATE TABLE orders (id int)").rename(project.directory / "billing" / "r2.py")
    path = project.directory / "migrations" / "env.py"
    path.write_text(path.read_text().replace("\nengine", f"\n{LOCATIONS}\nengine", 1))
    ended = runner(project, database.uri, environment="Project")
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r2"]
