"""Evidence Static: what can be rendered without a shadow is, everything else is shown as source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.plan import PlanDocument, Step, StepKind

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


def _steps(project: Project, planner: Planner, revisions: Iterable[str]) -> Iterator[Step]:
    """The steps of one plan, from base."""
    for number, code in enumerate(revisions, 1):
        project.add(f"r{number}", code)
    plan = read_plan(planner.run(project, evidence="Static"))
    assert (plan.evidence, plan.shadow) == ("Static", None)
    yield from plan.steps


def test_steps_are_sql_when_they_can_be_rendered_faithfully(project: Project, planner: Planner) -> None:
    steps = _steps(project, planner, [code for code, _ in FAITHFUL.values()])
    found = {
        name: (step.kind, [one.sql for one in step.statements]) for name, step in zip(FAITHFUL, steps, strict=True)
    }
    assert found == {name: (StepKind.SQL, sql) for name, (_, sql) in FAITHFUL.items()}


def test_steps_are_opaque_when_offline_rendering_would_be_wrong(project: Project, planner: Planner) -> None:
    for name, step in zip(OPAQUE, _steps(project, planner, OPAQUE.values()), strict=True):
        assert (step.kind, step.statements) == (StepKind.OPAQUE, []), name
        assert step.why_opaque.startswith(f"Revision {step.revision} cannot be rendered without a database: "), name
        assert "def upgrade():" in step.source, name


def test_blocks_and_control_are_told_when_a_rendered_step_has_them(
    database: Database, project: Project, planner: Planner
) -> None:
    code = 'with op.get_context().autocommit_block():\n    op.execute("VACUUM item")\n'
    code += 'op.execute("COMMIT")\nop.execute("VACUUM")\nop.execute("BEGIN")\nop.execute("SELECT 1")'
    _, step = _plan(database, project, planner, code)
    assert [(one.sql, one.autocommit) for one in step.statements] == [
        ("VACUUM item", True),
        ("COMMIT", False),
        ("VACUUM", True),
        ("BEGIN", True),
        ("SELECT 1", False),
    ]
    assert (step.transactional, step.escapes) == (False, [])


LARGE = "CREATE TABLE big AS SELECT i AS id, repeat('x', 200) AS name FROM generate_series(1, 5000) i"


def test_plan_has_sizes_when_the_target_knows_what_its_sql_names(
    database: Database, project: Project, planner: Planner
) -> None:
    for statement in (
        'CREATE SCHEMA other; CREATE TABLE other."Odd ""Name" (id int); CREATE TABLE other.big (id int)',
        "CREATE TABLE never_named (id int); CREATE TABLE tiny (id int); INSERT INTO tiny VALUES (1)",
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000)",
        "INSERT INTO parted SELECT i FROM generate_series(1, 5000) i",
        LARGE,
        "CREATE MATERIALIZED VIEW report AS SELECT count(*) FROM big",
    ):
        database.execute(statement)
    database.execute("ANALYZE big; ANALYZE tiny; ANALYZE parted_1; ANALYZE parted")
    code = r"""
op.add_column("tiny", sa.Column("size", sa.Integer))
op.execute('UPDATE BIG SET name = NULL WHERE "name" = \'5" pipe\'')
op.execute('ALTER TABLE other."Odd ""Name" ADD COLUMN size int')
op.execute("REFRESH MATERIALIZED VIEW report; DELETE FROM Parted")
op.create_table("made", sa.Column("id", sa.Integer))
"""
    project.add("r1", code)
    plan = read_plan(planner.run(project, evidence="Static", baseline=[]))
    found = {one.name: (one.kind, one.bytes, one.rows) for one in plan.relations}
    kind, size, rows = found.pop("public.big")
    assert (kind, rows) == ("table", 5000) and size > 1_000_000
    kind, size, rows = found.pop("public.parted")
    assert (kind, rows) == ("partitioned table", 5000) and size > 100_000
    assert found == {
        "public.tiny": ("table", 8192, 1),
        'other.Odd "Name': ("table", 0, -1),
        "other.big": ("table", 0, -1),
        "public.report": ("materialized view", 8192, -1),
    }


def test_plan_has_no_sizes_when_nothing_of_it_is_known_or_there(
    database: Database, project: Project, planner: Planner
) -> None:
    plan, _ = _plan(database, project, planner, OPAQUE["rows"])
    assert plan.relations == []
    project.add("r3", 'op.create_table("t", sa.Column("id", sa.Integer))')
    planned = read_plan(planner.run(project, evidence="Static"))
    assert [one.name for one in planned.relations] == []


def test_sizes_change_nothing_when_the_digests_are_made(database: Database, project: Project, planner: Planner) -> None:
    before, _ = _plan(database, project, planner, "op.execute('UPDATE item SET name = NULL')")
    database.execute("INSERT INTO item SELECT i, repeat('x', 200) FROM generate_series(1, 5000) i; ANALYZE item")
    after = read_plan(planner.run(project, evidence="Static"))
    assert [(one.name, one.rows) for one in before.relations + after.relations] == [
        ("public.item", -1),
        ("public.item", 5000),
    ]
    assert after.digest == before.digest
