"""What is captured in the shadow is what the apply run sends: a plan, approved as it is, runs to its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.component.runner.approvals import approve_as_planned
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.plan import PlanDocument
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

BASE = """
op.create_table(
    "person",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("mood", sa.Enum("good", "bad", name="mood"), server_default="good"),
)
op.execute("INSERT INTO person (id, name) SELECT n, 'p' || n FROM generate_series(1, 2500) AS n")
"""
REVISIONS = {
    "core": """
        item = op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer))
        op.bulk_insert(item, [{"id": number, "n": number} for number in range(3000)])
        op.get_bind().execute(sa.update(item).where(item.c.id < 5).values(n=7))
        op.create_index("ix", "item", ["n"])
        """,
    "rows": """
        bind = op.get_bind()
        for row in bind.execute(sa.text("SELECT id, name FROM person WHERE id < 50 ORDER BY id")).all():
            bind.execute(sa.text("UPDATE person SET name = :name WHERE id = :id"), {"name": "X", "id": row.id})
        """,
    "raw": """
        raw = op.get_bind().connection.driver_connection
        with raw.cursor() as cursor:
            cursor.execute("UPDATE person SET name = %s WHERE id = %s", ("x", 3))
            cursor.executemany("DELETE FROM person WHERE id = %s", [(4,), (5,)])
        op.execute("DO $$ BEGIN PERFORM count(*) FROM person; END $$")
        op.execute("ALTER TABLE person ADD COLUMN a int; ALTER TABLE person ADD COLUMN b int")
        """,
    "savepoint": """
        bind = op.get_bind()
        with bind.begin_nested():
            bind.execute(sa.text("SELECT 1"))
        try:
            with bind.begin_nested():
                op.execute("ALTER TABLE missing ADD COLUMN x int")
        except sa.exc.ProgrammingError:
            op.execute("ALTER TABLE person ADD COLUMN x int")
        """,
    "duplicate": """
        op.execute("CREATE TABLE tag (name text PRIMARY KEY)")
        bind = op.get_bind()
        for name in ("red", "blue", "red"):
            try:
                with bind.begin_nested():
                    bind.execute(sa.text("INSERT INTO tag VALUES (:name)"), {"name": name})
            except sa.exc.IntegrityError:
                bind.execute(sa.text("UPDATE tag SET name = upper(name) WHERE name = :name"), {"name": name})
        """,
    "block": """
        op.execute("ALTER TYPE mood ADD VALUE 'fair'")
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY by_name ON person (name)")
            op.execute("UPDATE person SET mood = 'fair' WHERE id < 10")
        op.add_column("person", sa.Column("more", sa.Integer))
        """,
    "reflection": """
        columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("person")}
        if "extra" not in columns:
            op.add_column("person", sa.Column("extra", sa.Integer))
        """,
    "orm": """
        from sqlalchemy.orm import Session
        person = sa.table("person", sa.column("id"), sa.column("name"))
        session = Session(bind=op.get_bind())
        session.execute(sa.insert(person), [{"id": 9000, "name": "a"}, {"id": 9001, "name": "b"}])
        session.flush()
        """,
    "index helper": """
        from alembic_operator_helpers import create_index_concurrently
        create_index_concurrently("by_name", "person", ["name"])
        """,
    "backfill helper": """
        from alembic_operator_helpers import backfill
        backfill("person", {"name": "upper(name)"}, "name <> upper(name)", batch=100)
        """,
    "not null helper": """
        from alembic_operator_helpers import add_not_null
        add_not_null("person", "name")
        """,
}


def _apply(
    planner: Planner, project: Project, plan: PlanDocument, tmp_path: Path, *, driver: str = "psycopg", **more: object
) -> Ended:
    approved, mounts = approve_as_planned(plan, tmp_path)
    uri = planner.database.uri.replace("postgresql://", f"postgresql+{driver}://")
    return planner.runner(project, uri, mounts=mounts, approved=approved, evidence="Shadow", **more)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_approved_plan_is_applied_when_it_is_what_the_shadow_captured(
    planner: Planner, project: Project, tmp_path: Path, driver: str
) -> None:
    database = planner.database
    project.add("r1", BASE)
    assert planner.runner(project, database.uri).exit_code == 0
    for name, code in REVISIONS.items():
        project.add(name.replace(" ", "_"), code)

    plan = planner(project, driver=driver)
    ended = _apply(planner, project, plan, tmp_path, driver=driver)

    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == project.ids[-1:]


def test_plans_are_equal_and_applied_when_revisions_declare_sets(
    planner: Planner, project: Project, tmp_path: Path
) -> None:
    columns = [f'sa.Column("{name}", sa.Integer, sa.CheckConstraint("{name} > 0"), index=True)' for name in "hbgafdec"]
    project.add("r1", f'op.create_table("t", {", ".join(columns)})')
    project.add("r2", "for name in {'zeta', 'beta', 'alpha', 'eta'}:\n    op.execute(f'CREATE TABLE {name} (id int)')")
    one, other = planner(project), planner(project)
    assert (one.statements_digest, one.digest) == (other.statements_digest, other.digest)
    ended = _apply(planner, project, one, tmp_path)
    assert ended.result.outcome == Outcome.APPLIED, ended.message


def test_approved_plan_is_applied_when_the_server_lists_tables_in_another_order(
    database: Database, project: Project, planner: Planner, tmp_path: Path
) -> None:
    project.add("r1", "for name in 'abcd':\n    op.execute(f'CREATE TABLE {name} (id int)')")
    project.add(
        "r2",
        """
        names = sa.inspect(op.get_bind()).get_table_names()
        turned = op.get_bind().execute(sa.text("SELECT count(*) > 1 FROM a")).scalar_one()
        for name in sorted(set(names) & set("abcd"), reverse=turned):
            op.add_column(name, sa.Column("n", sa.Integer, index=True))
        """,
    )
    assert planner.runner(project, database.uri, revision="r1").exit_code == 0
    database.execute("INSERT INTO a SELECT generate_series(1, 5)")
    ended = _apply(planner, project, planner(project), tmp_path)
    assert ended.result.outcome == Outcome.APPLIED, ended.message


def test_approved_plan_from_base_is_applied_when_the_database_is_empty(
    database: Database, project: Project, planner: Planner, tmp_path: Path
) -> None:
    project.add("r1", BASE)
    for number, (name, code) in enumerate(REVISIONS.items(), 2):
        if name in ("core", "rows", "raw", "reflection", "orm"):
            project.add(f"r{number}", code)
    ended = _apply(planner, project, planner(project), tmp_path)
    assert ended.result.outcome == Outcome.APPLIED, ended.message


def test_approved_downgrade_is_applied_when_it_is_what_the_shadow_captured(
    database: Database, project: Project, planner: Planner, tmp_path: Path
) -> None:
    project.add("r1", BASE)
    project.add("r2", 'op.add_column("person", sa.Column("n", sa.Integer))', downgrade='op.drop_column("person", "n")')
    assert planner.runner(project, database.uri).exit_code == 0
    plan = read_plan(planner.run(project, revision="r1", allow_downgrade=True))
    ended = _apply(planner, project, plan, tmp_path, revision="r1", allow_downgrade=True)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r1"]


def test_statement_is_refused_when_the_target_makes_the_revision_behave_differently(
    database: Database, project: Project, planner: Planner, tmp_path: Path
) -> None:
    project.add("r1", BASE)
    assert planner.runner(project, database.uri).exit_code == 0
    project.add(
        "r2",
        """
        if op.get_bind().execute(sa.text("SELECT count(*) FROM person")).scalar_one() > 100:
            op.execute("DROP TABLE person")
        else:
            op.execute("SELECT 1")
        """,
    )
    ended = _apply(planner, project, planner(project), tmp_path)
    assert "DROP TABLE" in failed(ended, Reason.STATEMENT_MISMATCH)
    assert database.heads() == ["r1"]
    assert database.all("SELECT count(*) FROM person") == [(2500,)]
