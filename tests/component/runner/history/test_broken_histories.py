"""Histories that Alembic itself cannot read: each run ends before anything is sent, and says what to change."""

from __future__ import annotations

import re

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind


@pytest.mark.parametrize(("word", "kind"), zip(["base", "head", "heads"], RunKind, strict=True))
def test_names_the_file_when_an_id_is_a_word_of_alembic_s_own(
    database: Database, project: Project, runner: Runner, word: str, kind: RunKind
) -> None:
    project.sql(word, "CREATE TABLE item (id int)")
    project.sql("r2", "SELECT 1")
    assert "AssertionError" in database.alembic(project).stderr
    ended = runner(project, database.uri, kind=kind, evidence="Static")
    message = failed(ended, Reason.INVALID_HISTORY)
    assert f'{word}.py declares the revision id "{word}", which is reserved by Alembic; give it another' in message
    assert database.all("SELECT to_regclass('item')") == [(None,)]


def test_names_the_label_when_two_branches_have_it(database: Database, project: Project, runner: Runner) -> None:
    for revision, down in (("r1", None), ("r2", "r1")):
        path = project.add(revision, "pass", down=down)
        path.write_text(path.read_text().replace("branch_labels = None", 'branch_labels = ("one",)'))
    message = failed(runner(project, database.uri), Reason.INVALID_HISTORY)
    assert re.search("Branch name 'one' in revision r[12] already used by revision r[12]", message)


def test_names_the_id_when_it_has_a_character_that_alembic_refuses(
    database: Database, project: Project, runner: Runner
) -> None:
    project.add("a-b", "pass")
    message = failed(runner(project, database.uri), Reason.INVALID_HISTORY)
    assert "Importing the migration files: Character(s) '-' not allowed in revision identifier 'a-b'" in message
