"""An env.py of Flask-Migrate runs in the context of the application, which is found as the command `flask` finds it."""

from __future__ import annotations

import shutil
from importlib.metadata import files
from pathlib import Path

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

TEMPLATE = next(
    Path(str(one.locate())).parent for one in files("Flask-Migrate") or [] if one.match("templates/flask/env.py")
)
APPLICATION = """
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    app.config["PREFIX"] = "shop_"
    db.init_app(app)
    Migrate(app, db, version_table="shop_versions")
    return app
"""
REVISION = """
from flask import current_app
op.create_table(current_app.config["PREFIX"] + "users", sa.Column("id", sa.Integer))
"""


@pytest.fixture
def flask_project(project: Project) -> Project:
    """What `flask db init` makes, with a revision that reads the application's configuration at its import too."""
    (project.directory / "alembic.ini").unlink()
    (project.directory / "migrations" / "alembic.ini").write_text((TEMPLATE / "alembic.ini.mako").read_text())
    shutil.copy(TEMPLATE / "env.py", project.directory / "migrations" / "env.py")
    path = project.add("r1", REVISION)
    path.write_text(f"{path.read_text()}\nfrom flask import current_app\ncurrent_app.config['PREFIX']\n")
    return project


def _run(runner: Runner, database: Database, project: Project, **env: str) -> Ended:
    uri = database.uri.replace("postgresql:", "postgresql+psycopg:")
    return runner(project, uri, environment="", config_file="migrations/alembic.ini", env=env)


@pytest.mark.parametrize(("file", "env"), [("shop.py", {"FLASK_APP": "shop:create_app"}), ("wsgi.py", {})])
def test_revisions_are_applied_when_flask_finds_the_application(
    runner: Runner, database: Database, flask_project: Project, file: str, env: dict[str, str]
) -> None:
    (flask_project.directory / file).write_text(APPLICATION)
    ended = _run(runner, database, flask_project, **env)
    assert ended.result.outcome == Outcome.APPLIED, ended.message + ended.stderr
    assert database.all("SELECT version_num FROM shop_versions") == [("r1",)]
    assert database.all("SELECT to_regclass('shop_users')::text") == [("shop_users",)]


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "FLASK_APP is not set, and "),
        ({"FLASK_APP": "shop:create_app('hunter2')"}, "Flask finds none from FLASK_APP, what is set (not shown)"),
    ],
)
def test_flask_app_is_named_when_flask_finds_no_application(
    runner: Runner, database: Database, flask_project: Project, env: dict[str, str], words: str
) -> None:
    message = failed(_run(runner, database, flask_project, **env), Reason.ENVIRONMENT_FAILED)
    assert words in message
    assert "Set FLASK_APP in spec.job.env" in message
    assert "hunter2" not in message
