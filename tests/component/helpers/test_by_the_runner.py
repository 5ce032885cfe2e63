"""The helpers in revisions that alembic-operator's runner applies: the real zipapp, as a process."""

from __future__ import annotations

import signal
from typing import LiteralString

import pytest
from tests.cluster.processes import wait_until
from tests.component.helpers.conftest import PASSWORD, Project
from tests.component.helpers.migrating import write
from tests.component.runner.harness import Runner

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

INI = "[alembic]\nscript_location = %(here)s\n"
JOURNAL: LiteralString = (
    "SELECT string_agg(revision || ' ' || state, ', ' ORDER BY id) FROM alembic_operator.revision_journal"
)
ROWS: LiteralString = "SELECT rows FROM alembic_operator.backfill_progress"
OTHERS: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
COUNT_UP = 'backfill("items", {"n": "n + 1"}, "true", batch=50, pause=0.1)'


@pytest.fixture
def app(project: Project) -> Project:
    """A project with rows to fill, as the runner wants it."""
    (project.directory / "alembic.ini").write_text(INI)
    (project.directory / "env.py").write_text("raise RuntimeError('the runner does not use it')")
    create = 'op.execute("CREATE TABLE items (id int PRIMARY KEY, n int)")'
    write(project.directory, f'{create}\nop.execute("INSERT INTO items SELECT g, 0 FROM generate_series(1, 1000) g")')
    return project


def uri(project: Project) -> str:
    return project.server.uri(project.database, "app", PASSWORD)


def add(project: Project, body: str) -> None:
    """A second revision, after the one that makes the rows."""
    first = (project.directory / "versions" / "r1.py").read_text()
    write(project.directory, "", body)
    (project.directory / "versions" / "r1.py").write_text(first)


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_backfill_goes_on_unasked_when_the_run_was_killed(app: Project, runner: Runner, kill: signal.Signals) -> None:
    add(app, COUNT_UP)
    run = runner.start(None, uri(app), path=str(app.directory))
    run.wait_for('"rows":150')
    run.signal(kill)
    first = run.end()
    if kill == signal.SIGTERM:
        assert first.result.failure is not None and first.result.failure.reason == Reason.INTERRUPTED, first.message
    wait_until(lambda: app.value(OTHERS) == 0, "the dead client's session to end")
    assert app.value(JOURNAL) == "r1 done, r2 intent"
    done = app.value(ROWS)
    assert 150 <= done < 1000
    assert app.value("SELECT sum(n) FROM items") == done

    ended = runner(None, uri(app), path=str(app.directory))
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert ended.events("helper")[0]["rows"] == done + 50
    assert app.value("SELECT array_agg(DISTINCT n) FROM items") == [1]
    assert app.value(JOURNAL) == "r1 done, r2 done"
    assert app.value("SELECT count(*) FROM alembic_operator.backfill_progress") == 0
    assert not app.exists("alembic_operator_backfill")


def test_run_goes_on_unasked_when_killed_in_the_second_of_two_helpers(app: Project, runner: Runner) -> None:
    add(app, 'backfill("items", {"n": "7"}, "n = 0")\n' + COUNT_UP)
    run = runner.start(None, uri(app), path=str(app.directory))
    run.wait_for('"rows":150')
    run.signal(signal.SIGKILL)
    run.end()
    wait_until(lambda: app.value(OTHERS) == 0, "the dead client's session to end")
    ended = runner(None, uri(app), path=str(app.directory))
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert app.value("SELECT array_agg(DISTINCT n) FROM items") == [8]


def test_message_is_the_helpers_own_when_it_refuses(app: Project, runner: Runner) -> None:
    add(app, 'add_not_null("items", "nope")')
    ended = runner(None, uri(app), path=str(app.directory))
    assert ended.result.failure is not None and ended.result.failure.reason == Reason.MIGRATION_FAILED
    assert "add_not_null: public.items has no column 'nope'; it has id, n" in ended.failure
    assert ended.result.current == ["r1"]
