"""Reads by another connection of the migrating engine: answered on the migrating session, and nothing is written so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.component.runner.approvals import approve_as_planned
from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.result import Outcome

ENGINE = "engine = op.get_bind().engine\n"
INSPECTED = ENGINE + 'if "n" not in [one["name"] for one in sa.inspect(engine).get_columns("item")]:\n    '
# What a revision does after it has read by its engine.
READING = {
    "the inspector decides": INSPECTED + 'op.add_column("item", sa.Column("n", sa.Integer))',
    "rows decide": ENGINE
    + "with engine.connect() as other:\n    count = other.execute(sa.text('SELECT count(*) FROM item')).scalar()\n"
    "op.execute(f'CREATE TABLE counted_{count} (id int)')",
    "it stays open around a write": ENGINE
    + "other = engine.connect()\nother.execute(sa.text('SELECT 1'))\nop.execute('CREATE TABLE kept (id int)')\n"
    "other.rollback()\nother.close()\nop.execute('INSERT INTO kept VALUES (1)')",
    "in autocommit": ENGINE + "with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as other:\n"
    "    assert list(other.execute(sa.text('SELECT id FROM item'))) == [(1,)]\n"
    "op.execute('CREATE TABLE left_alone (id int)')",
    "by the driver": ENGINE
    + "other = engine.raw_connection()\ncursor = other.cursor()\ncursor.execute('SELECT id FROM item')\n"
    "assert cursor.fetchall() == [(1,)]\nother.commit()\nother.close()",
    "it fails and is passed over": ENGINE
    + "try:\n    with engine.connect() as other:\n        other.execute(sa.text('SELECT * FROM gone'))\n"
    "except sa.exc.ProgrammingError:\n    op.execute('CREATE TABLE gone (id int)')",
    "in an autocommit block": "with op.get_context().autocommit_block():\n"
    "    names = sa.inspect(op.get_bind().engine).get_table_names()\n"
    "    op.execute('CREATE INDEX CONCURRENTLY ix_item ON item (id)')\n"
    "assert 'item' in names",
}


@pytest.mark.parametrize("environment", ["Managed", "Project"])
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_approved_plan_is_applied_when_revisions_read_by_their_engine(
    database: Database, project: Project, planner: Planner, tmp_path: Path, *, driver: str, environment: str
) -> None:
    uri = database.uri.replace("postgresql://", f"postgresql+{driver}://")
    project.sql("r1", "CREATE TABLE item (id int)", "INSERT INTO item VALUES (1)")
    asked = {"environment": environment, "evidence": "Shadow"}
    assert planner.runner(project, uri, **asked).result.outcome == Outcome.APPLIED
    for name, body in READING.items():
        project.add(name.replace(" ", "_"), body)

    plan = read_plan(planner.run(project, driver=driver, **asked))
    approved, mounts = approve_as_planned(plan, tmp_path)
    ended = planner.runner(project, uri, mounts=mounts, approved=approved, **asked)

    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert "COMMIT" not in [one.sql for step in plan.steps for one in step.statements]
    assert [step.escapes for step in plan.steps] == [[]] * len(READING)
    assert database.all("SELECT to_regclass('counted_1')::text, to_regclass('ix_item')::text, n FROM item") == [
        ("counted_1", "ix_item", None)
    ]
    assert database.all("SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM gone)") == [(1, 0)]
