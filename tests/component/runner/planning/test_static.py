"""Evidence Static: what can be rendered without a shadow is, everything else is shown as source."""

from __future__ import annotations

import pytest
from tests.component.runner.conftest import Database
from tests.component.runner.project import Project

from alembic_operator.contract.plan import PlanDocument, Step, StepKind

from .conftest import Planner, read_plan

TABLE = 'item = sa.table("item", sa.column("id", sa.Integer), sa.column("name", sa.String))\n'
FAITHFUL = {
    "ddl": ('op.add_column("item", sa.Column("price", sa.Numeric()))', ["ALTER TABLE item ADD COLUMN price NUMERIC"]),
    "tab": ("op.execute(\"UPDATE item SET name = 'a\\tb'\")", ["UPDATE item SET name = 'a\tb'"]),
    "comment": (
        'op.execute("SELECT 1 -- one")\nop.execute("SELECT 2")',
        ["SELECT 1 -- one", "SELECT 2"],
    ),
    "percent": ("op.execute(\"SELECT '100 %'\")", ["SELECT '100 %'"]),
    "insert": (
        TABLE + 'op.bulk_insert(item, [{"id": 1, "name": "x"}])',
        ["INSERT INTO item (id, name) VALUES (1, 'x')"],
    ),
    "enum": (
        'op.create_table("t", sa.Column("m", sa.Enum("a", "b", name="mood")))',
        ["CREATE TYPE mood AS ENUM ('a', 'b')", "CREATE TABLE t (\n\tm mood\n)"],
    ),
    "dialect": ('if op.get_bind().dialect.name == "postgresql":\n    op.execute("SELECT 1")', ["SELECT 1"]),
    "no parameters": ('op.get_bind().execute(sa.text("SELECT 1"))', ["SELECT 1"]),
}
OPAQUE = {
    "bound parameters": 'op.get_bind().execute(sa.text("UPDATE item SET name = :x"), {"x": "a"})',
    "parameters in op.execute": TABLE + 'op.get_bind().execute(item.insert(), {"id": 1})',
    "a colon in a literal": "op.execute(\"UPDATE item SET name = ':foo'\")",
    "Python's default": 't = sa.Table("item", sa.MetaData(), sa.Column("id", sa.Integer, default=lambda: 4), '
    'sa.Column("name", sa.String))\nop.execute(t.insert().values(name="a"))',
    "JSON": 't = sa.table("item", sa.column("name", sa.JSON))\nop.bulk_insert(t, [{"name": {"a": 1}}])',
    "rows": 'for row in op.get_bind().execute(sa.text("SELECT id FROM item")):\n    pass',
    "inspection": "sa.inspect(op.get_bind()).get_table_names()",
    "a session": "from sqlalchemy.orm import Session\nSession(op.get_bind()).execute(sa.text('SELECT 1')).scalar()",
    "exec_driver_sql": 'op.get_bind().exec_driver_sql("SELECT 1")',
    "a raw cursor": 'op.get_bind().connection.cursor().execute("SELECT 1")',
    "asking": 'from alembic import context\nif not context.is_offline_mode():\n    op.execute("DROP TABLE item")',
    "asking the context": 'if op.get_context().as_sql:\n    op.execute("SELECT 1")',
    "randomness": "import uuid\nop.execute(f\"UPDATE item SET name = '{uuid.uuid4()}'\")",
    "a second connection": 'import psycopg\npsycopg.connect("postgresql://nobody@127.0.0.1:1/x")',
    "swallowing": "try:\n    op.get_bind().execute(sa.text('SELECT :x'), {'x': 1})\nexcept Exception:\n    pass",
    "recreating": 'with op.batch_alter_table("item", recreate="always") as batch:\n    batch.drop_column("name")',
    "a helper": "from alembic_operator_helpers import create_index_concurrently\n"
    'create_index_concurrently("ix", "item", ["name"])',
}


def _plan(database: Database, project: Project, planner: Planner, code: str) -> tuple[PlanDocument, Step]:
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY, name text)")
    assert planner.runner(project, database.uri).exit_code == 0
    project.add("r2", code)
    plan = read_plan(planner.run(project, evidence="Static"))
    assert (plan.evidence, plan.shadow) == ("Static", None)
    (step,) = plan.steps
    return plan, step


@pytest.mark.parametrize("name", FAITHFUL)
def test_step_is_sql_when_it_can_be_rendered_faithfully(
    database: Database, project: Project, planner: Planner, name: str
) -> None:
    code, expected = FAITHFUL[name]
    _, step = _plan(database, project, planner, code)
    assert (step.kind, [one.sql for one in step.statements]) == (StepKind.SQL, expected)


@pytest.mark.parametrize("name", OPAQUE)
def test_step_is_opaque_when_offline_rendering_would_be_wrong(
    database: Database, project: Project, planner: Planner, name: str
) -> None:
    _, step = _plan(database, project, planner, OPAQUE[name])
    assert (step.kind, step.statements) == (StepKind.OPAQUE, [])
    assert step.why_opaque.startswith("Revision r2 cannot be rendered without a database: ")
    assert "def upgrade():" in step.source


def test_blocks_and_control_are_told_when_a_rendered_step_has_them(
    database: Database, project: Project, planner: Planner
) -> None:
    code = 'with op.get_context().autocommit_block():\n    op.execute("VACUUM item")\nop.execute("COMMIT")'
    _, step = _plan(database, project, planner, code)
    assert [(one.sql, one.autocommit) for one in step.statements] == [("VACUUM item", True), ("COMMIT", False)]
    assert (step.transactional, len(step.escapes)) == (False, 1)
