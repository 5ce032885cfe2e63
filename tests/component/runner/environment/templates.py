"""What `alembic init` and `flask db init` write, by the libraries themselves, with revisions put in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from flask_migrate import Config as FlaskConfig
from tests.component.runner.project import Project

from .shape import HISTORY, Shape

_URL = "driver://user:pass@localhost/dbname"

_FLASK_APP = """
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

NAMES = {"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
db = SQLAlchemy(app, metadata=MetaData(naming_convention=NAMES))
Migrate(app, db)
"""


class Template(Shape):
    """A shape that a template of Alembic writes."""

    def write(self, directory: Path, url: str, fill: Callable[[str], str]) -> Project:
        """Let `alembic init` write the project."""
        project = Project(directory)
        shutil.rmtree(directory / "migrations")
        ini = directory / "alembic.ini"
        ini.unlink()
        config = Config(ini, toml_file=directory / "pyproject.toml")
        command.init(config, str(directory / "migrations"), template=self.name.removeprefix("template "))
        ini.write_text(ini.read_text().replace(_URL, url.replace("%", "%%")))
        for number, (upgrade, downgrade) in enumerate(HISTORY, start=1):
            project.add(f"r{number}", upgrade, downgrade=downgrade)
        return project


class FlaskMigrate(Shape):
    """What `flask db init` writes: an ini without a location, and an env.py that needs the application's context."""

    def write(self, directory: Path, url: str, fill: Callable[[str], str]) -> Project:
        """Write the application, and let Flask-Migrate write the rest."""
        project = Project(directory)
        shutil.rmtree(directory / "migrations")
        (directory / "alembic.ini").unlink()
        (directory / "shop.py").write_text(_FLASK_APP)
        config = FlaskConfig(directory / "migrations" / "alembic.ini")
        config.set_main_option("script_location", str(directory / "migrations"))
        command.init(config, str(directory / "migrations"), template="flask")
        for number, (upgrade, downgrade) in enumerate(HISTORY, start=1):
            project.add(f"r{number}", upgrade, downgrade=downgrade)
        return project


TEMPLATES = (
    Template("template generic", ""),
    Template("template async", "", scheme="postgresql+asyncpg"),
    Template("template pyproject", ""),
    Template("template pyproject_async", "", scheme="postgresql+asyncpg"),
    FlaskMigrate(
        "Flask-Migrate",
        "",
        environ={"DATABASE_URL": "{url}"},
        job_env={"FLASK_APP": "shop"},
        request={"config_file": "migrations/alembic.ini"},
        program=("flask", "db"),
    ),
)
