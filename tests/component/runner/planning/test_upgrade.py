"""What a plan says of an upgrade, through the real zipapp and a real shadow."""

from __future__ import annotations

from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.contract.plan import Direction, Lock


def test_plan_tells_statement_and_lock_when_a_column_is_added(
    database: Database, project: Project, planner: Planner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY, name text)")
    assert planner.runner(project, database.uri).exit_code == 0
    project.add(
        "r2", 'op.add_column("item", sa.Column("price", sa.Numeric()))', downgrade='op.drop_column("item", "price")'
    )

    plan = planner(project)

    assert (plan.direction, plan.from_revisions, plan.to_revisions) == (Direction.UPGRADE, ["r1"], ["r2"])
    assert [step.revision for step in plan.steps] == ["r2"]
    (statement,) = plan.steps[0].statements
    assert statement.sql == "ALTER TABLE item ADD COLUMN price NUMERIC"
    assert statement.locks == [Lock("public.item", "AccessExclusiveLock")]
    assert (statement.rewrites, statement.scans, statement.drops) == ([], [], [])
    assert [(relation.name, relation.kind) for relation in plan.relations] == [("public.item", "table")]
    (table,) = plan.tables
    assert (table.name, table.new, table.new_columns, table.revision) == ("public.item", False, ["price"], "r2")
    assert database.heads() == ["r1"]
