"""The bytes that were compared with the approved plan are those that run, whatever lies beside or changes meanwhile."""

from __future__ import annotations

import os
import py_compile

import pytest
from tests.component.runner.approvals import Approval, approve, step
from tests.component.runner.databases import Database
from tests.component.runner.gate import REACHED, Gate
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.job_env import LOCK_CLASS
from alembic_operator.contract.locks import lock_key
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

TABLE = "CREATE TABLE item (id int)"
HELPER = "def send(op):\n    op.execute('CREATE TABLE item (id int)')\n"


@pytest.fixture
def approval(gate: Gate, runner: Runner, project: Project, database: Database) -> Approval:
    """A plan of a revision that takes its SQL from a module beside it."""
    (project.directory / "migrations" / "__init__.py").touch()
    (project.directory / "migrations" / "helper.py").write_text(HELPER)
    path = project.add("r1", f"{gate.code}from migrations.late import TABLE\nhelper.send(op)")
    (project.directory / "migrations" / "late.py").write_text("TABLE = 'item'\n")
    path.write_text(f"from migrations import helper\n{path.read_text()}")
    return approve(runner, project, database, [step("r1", TABLE)])


def test_source_is_compiled_when_a_compiled_file_of_other_code_fits_by_time_and_size(
    approval: Approval, project: Project, database: Database
) -> None:
    helper = project.directory / "migrations" / "helper.py"
    for path in (helper, project.versions / "r1.py"):
        text = path.read_text()
        path.write_text(text.replace("item (id", "evil (id").replace("helper.send", "helper.sent"))
        os.utime(path, (0, 0))
        py_compile.compile(str(path))
        path.write_text(text)
        os.utime(path, (0, 0))
    ended = approval.run()
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT to_regclass('item') IS NOT NULL, to_regclass('evil') IS NULL") == [(True, True)]


@pytest.mark.parametrize("file", ["helper.py", "versions/r1.py"])
def test_nothing_is_sent_when_the_approved_file_came_after_another_was_imported(
    approval: Approval, project: Project, database: Database, file: str
) -> None:
    path = project.directory / "migrations" / file
    text = path.read_text()
    path.write_text(text.replace("\n", "\n\n", 1))
    other = database.connect()
    other.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS, lock_key("public.alembic_version")))
    run = approval.start()
    run.wait_for('"waiting"')
    path.write_text(text)
    other.close()
    assert path.name in failed(run.end(), Reason.PLAN_CHANGED)
    assert database.all("SELECT to_regclass('item'), to_regnamespace('alembic_operator')") == [(None, None)]


def test_revision_ends_when_a_file_that_it_imports_late_is_not_the_approved_one(
    approval: Approval, gate: Gate, project: Project, database: Database
) -> None:
    gate.close()
    run = approval.start()
    run.wait_for(REACHED)
    (project.directory / "migrations" / "late.py").write_text("TABLE = 'evil'\n")
    gate.open()
    ended = run.end()
    message = failed(ended, Reason.MIGRATION_FAILED)
    assert "ImportError in r1.py" in message
    assert "late.py changed after" in ended.stderr
    assert database.all("SELECT to_regclass('item'), to_regclass('alembic_version')") == [(None, None)]
