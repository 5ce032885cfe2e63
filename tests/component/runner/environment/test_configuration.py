"""An ini file that cannot be read: the file is named, and where in it, and nothing of what it says."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["a stray line", "sqlalchemy.url = postgresql://app:geheim@db/shop"], "ParsingError in line 5"),
        (["script_location = geheim"], "DuplicateOptionError in line 5"),
        (
            ["file_template = %(year)d_geheim"],
            "InterpolationSyntaxError in the option file_template. Write a percent sign as %%",
        ),
    ],
)
def test_names_file_and_line_alone_when_the_ini_file_cannot_be_parsed(
    database: Database, project: Project, runner: Runner, *, lines: list[str], found: str
) -> None:
    project.sql("r1", "SELECT 1")
    ini = project.directory / "alembic.ini"
    ini.write_text(ini.read_text() + "\n".join(lines) + "\n")
    ended = runner(project, database.uri)
    assert failed(ended, Reason.INVALID_SPEC) == (
        f"Reading {ini} in the image: {found}. Correct the file, and build a new image."
    )
    assert "geheim" not in ended.message + ended.stdout + ended.stderr


def test_names_the_line_when_the_ini_file_has_no_section(database: Database, project: Project, runner: Runner) -> None:
    ini = project.directory / "alembic.ini"
    ini.write_text("script_location = migrations\n")
    assert failed(runner(project, database.uri), Reason.INVALID_SPEC) == (
        f"Reading {ini} in the image: MissingSectionHeaderError in line 1. Correct the file, and build a new image."
    )
