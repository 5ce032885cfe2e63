"""Up, down, up: which downgrades give the schema back."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

CASES = {
    "proven": ('op.drop_column("item", "n")', "proven"),
    "fails": ('op.drop_column("item", "missing")', "failed"),
    "leaves a part": ('op.execute("ALTER TABLE item RENAME COLUMN n TO m")', "failed"),
    "empty": ("pass", "empty"),
    "raises": ("raise NotImplementedError", "missing"),
}


@pytest.mark.parametrize("name", CASES)
def test_downgrade_is_told_when_a_revision_has_one(
    database: Database, project: Project, planner: Planner, name: str
) -> None:
    downgrade, expected = CASES[name]
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY)")
    assert planner.runner(project, database.uri).exit_code == 0
    project.add("r2", 'op.add_column("item", sa.Column("n", sa.Integer))', downgrade=downgrade)
    plan = planner(project)
    (step,) = plan.steps
    assert (step.downgrade, bool(step.downgrade_differences)) == (expected, expected == "failed"), step
    assert plan.fingerprint.startswith("sha256:")
    assert plan.expected_fingerprint not in ("", plan.fingerprint)


def test_file_is_run_anew_each_time_when_it_keeps_something_from_the_last(
    database: Database, project: Project, planner: Planner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    assert planner.runner(project, database.uri).exit_code == 0
    path = project.add(
        "r2",
        """
        sa.Table("more", metadata, sa.Column("id", sa.Integer)).create(op.get_bind())
        tries.append(1)
        op.execute(f"COMMENT ON TABLE more IS 'made {len(tries)} times'")
        for (number,) in op.get_bind().execute(sa.text("SELECT id FROM item")):
            op.execute(f"INSERT INTO more VALUES ({number or 0})")
        """,
        downgrade="op.drop_table('more')",
    )
    path.write_text(path.read_text().replace("revision =", "metadata, tries = sa.MetaData(), []\nrevision =", 1))
    ended = planner.run(project)
    (step,) = read_plan(ended).steps
    assert step.downgrade == "proven", step.downgrade_differences
    assert not [warning for warning in ended.result.warnings if "With empty tables" in warning]
    assert [one.sql for one in step.statements if "COMMENT" in one.sql] == ["COMMENT ON TABLE more IS 'made 1 times'"]


def test_every_step_is_proven_when_each_has_a_way_back(database: Database, project: Project, planner: Planner) -> None:
    project.add("r1", 'op.execute("CREATE TABLE item (id int)")', downgrade='op.drop_table("item")')
    project.add("r2", 'op.execute("CREATE TABLE more (id int)")', downgrade='op.drop_table("more")')
    assert [step.downgrade for step in planner(project).steps] == ["proven", "proven"]


def test_downgrade_plan_is_proven_when_the_way_up_leads_to_the_same_schema(
    database: Database, project: Project, planner: Planner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY)")
    project.add("r2", 'op.add_column("item", sa.Column("n", sa.Integer))', downgrade='op.drop_column("item", "n")')
    assert planner.runner(project, database.uri).exit_code == 0
    plan = read_plan(planner.run(project, revision="r1", allow_downgrade=True))
    assert [step.downgrade for step in plan.steps] == ["proven"]
    database.execute("ALTER TABLE item ADD COLUMN drifted int")
    database.execute("ALTER TABLE item ALTER COLUMN n SET DEFAULT 7")
    plan = read_plan(planner.run(project, revision="r1", allow_downgrade=True))
    assert plan.steps[0].downgrade == "failed"
    assert "column n" in plan.steps[0].downgrade_differences[0]
