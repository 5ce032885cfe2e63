"""What the plan says each statement does: locks, rewrites, scans, drops, violations, by either driver."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.contract.plan import Dropped, Lock, Statement

DRIVERS = ["psycopg", "psycopg2"]


@pytest.fixture
def shop(database: Database, project: Project, planner: Planner) -> Project:
    """A database at r1: two tables, a view, an enum."""
    project.sql(
        "r1",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE person (id int PRIMARY KEY, name text, mood mood NOT NULL, age varchar(9))",
        "CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int NOT NULL REFERENCES person,"
        " n int)",
        "CREATE VIEW seen AS SELECT name FROM person",
    )
    assert planner.runner(project, database.uri).exit_code == 0
    return project


def _statements(planner: Planner, project: Project, driver: str) -> list[Statement]:
    (step,) = planner(project, driver=driver).steps
    assert step.escapes == []
    return step.statements


@pytest.mark.parametrize("driver", ["psycopg"])
def test_rewrite_and_scan_are_told_when_a_statement_makes_them(shop: Project, planner: Planner, driver: str) -> None:
    shop.sql(
        "r2",
        "ALTER TABLE item ALTER COLUMN n TYPE bigint",
        "ALTER TABLE person ADD CONSTRAINT named CHECK (length(name) > 0)",
        "CREATE INDEX ON person (name)",
        "TRUNCATE item",
    )

    rewritten, checked, indexed, truncated = _statements(planner, shop, driver)

    assert (rewritten.rewrites, rewritten.locks) == (["public.item"], [Lock("public.item", "AccessExclusiveLock")])
    assert (checked.rewrites, checked.scans) == ([], ["public.person"])
    assert (indexed.scans, indexed.objects) == (["public.person"], ["public.person_name_idx"])
    assert indexed.locks == [Lock("public.person", "AccessExclusiveLock")]  # held since the check
    assert truncated.rewrites == []


@pytest.mark.parametrize("driver", ["psycopg2"])
def test_drops_are_told_when_dynamic_sql_makes_them(shop: Project, planner: Planner, driver: str) -> None:
    shop.sql(
        "r2",
        "CREATE TABLE mine (id int)",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE ' || 'person DROP COLUMN name CASCADE'; END $$",
        "DROP TABLE mine",
    )

    made, dropped, own = _statements(planner, shop, driver)

    assert made.objects == ["public.mine"]
    assert dropped.drops[0] == Dropped("table column", "public.person.name")
    assert Dropped("view", "public.seen") in dropped.drops
    assert own.drops == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_violation_is_told_and_the_plan_goes_on_when_the_seeded_row_is_refused(
    shop: Project, planner: Planner, driver: str
) -> None:
    shop.sql(
        "r2",
        "ALTER TABLE item ADD COLUMN price int NOT NULL",
        "ALTER TABLE item ADD CONSTRAINT positive CHECK (n > 1000)",
        "ALTER TABLE person ALTER COLUMN mood TYPE int USING (name::text)::int",
        "ALTER TABLE person ADD COLUMN parent int NOT NULL DEFAULT 77 REFERENCES person",
    )

    found = _statements(planner, shop, driver)

    assert [one.violation for one in found] == ["23502", "", "22P02", ""]
    assert len(found) == 4


@pytest.mark.parametrize("driver", ["psycopg2"])
def test_plan_goes_on_when_a_row_refers_to_one_that_only_the_target_has(
    shop: Project, planner: Planner, driver: str
) -> None:
    shop.add(
        "r2",
        """
        op.create_table("badge", sa.Column("person", sa.Integer, sa.ForeignKey("person.id"), unique=True))
        op.bulk_insert(sa.table("badge", sa.column("person", sa.Integer)), [{"person": 4711}, {"person": 4712}])
        op.execute("UPDATE item SET owner = 4711 WHERE id IS NOT NULL")
        op.execute("INSERT INTO item (owner, n) SELECT id, 1 FROM person")
        """,
    )

    found = _statements(planner, shop, driver)

    assert [one.violation for one in found][1:] == ["23503", "23503", ""]


@pytest.mark.parametrize("driver", ["psycopg"])
def test_plan_fails_when_a_row_is_refused_by_the_revisions_own_rows(
    shop: Project, planner: Planner, driver: str
) -> None:
    shop.sql("r2", "CREATE TABLE badge (n int UNIQUE)", "INSERT INTO badge VALUES (1), (1)")

    made = planner.run(shop, driver=driver)

    failure = made.result.failure
    assert failure is not None
    assert (failure.reason, failure.sqlstate) == ("MigrationFailed", "23505")


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_channel_is_captured_when_the_revision_goes_around_alembic(
    shop: Project, planner: Planner, driver: str
) -> None:
    copy = (
        "with raw.cursor().copy('COPY person FROM STDIN') as copy:\n    copy.write_row((7, 'x', 'bad', None))"
        if driver == "psycopg"
        else "import io\nraw.cursor().copy_expert('COPY person FROM STDIN', io.StringIO('7\\tx\\tbad\\t\\\\N\\n'))"
    )
    shop.add(
        "r2",
        f"""
        bind = op.get_bind()
        raw = bind.connection.driver_connection
        cursor = raw.cursor()
        cursor.execute("UPDATE person SET name = %s WHERE id = %s", ("geheim", 1))
        cursor.executemany("INSERT INTO person VALUES (%s, %s, 'good', NULL)", [(100, "a"), (101, "b")])
        {copy.replace(chr(10), chr(10) + "        ")}
        for row in bind.execute(sa.text("SELECT id FROM person ORDER BY 1")).all():
            bind.execute(sa.text("UPDATE person SET age = :age WHERE id = :id"), {{"age": "4", "id": row.id}})
        op.bulk_insert(sa.table("person", sa.column("id"), sa.column("mood")), [{{"id": 8, "mood": "bad"}}])
        named = raw.cursor("names")
        named.execute("SELECT name FROM person")
        assert named.fetchall()
        """,
    )

    found = _statements(planner, shop, driver)

    texts = [one.sql for one in found]
    assert texts[:3] == [
        "UPDATE person SET name = %s WHERE id = %s",
        "INSERT INTO person VALUES (%s, %s, 'good', NULL)",
        "COPY person FROM STDIN",
    ]
    assert (found[0].parameters, found[1].executions, found[2].channel) == (["str", "int"], 2, "copy")
    assert [one.executions for one in found if one.sql.startswith("UPDATE person SET age")] == [4]
    assert texts[-1] == "SELECT name FROM person"
    assert "geheim" not in repr(found)


@pytest.mark.parametrize("driver", DRIVERS)
def test_autocommit_block_is_told_with_its_locks_when_a_revision_has_one(
    shop: Project, planner: Planner, driver: str
) -> None:
    shop.add(
        "r2",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY by_name ON person (name)")
            op.execute("ALTER TABLE item ADD COLUMN extra int")
            op.execute("VACUUM FULL item")
        op.execute("ALTER TABLE person ADD COLUMN extra int")
        """,
    )

    (step,) = planner(shop, driver=driver).steps

    assert (step.transactional, step.escapes) == (False, [])
    concurrently, altered, vacuumed, after = step.statements
    assert [one.autocommit for one in step.statements] == [True, True, True, False]
    assert concurrently.locks == [Lock("public.person", "ShareUpdateExclusiveLock")]
    assert concurrently.objects == ["public.by_name"]
    assert altered.locks == [Lock("public.item", "AccessExclusiveLock")]
    assert vacuumed.rewrites == ["public.item"]
    assert after.locks == [Lock("public.person", "AccessExclusiveLock")]


ESCAPES = (
    'import psycopg\npsycopg.connect("postgresql://nobody@127.0.0.1:1/x").close()',
    'import psycopg2\npsycopg2.connect("postgresql://nobody@127.0.0.1:1/x").close()',
    'sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/x").connect().close()',
)


@pytest.mark.parametrize("driver", DRIVERS)
def test_escape_is_told_in_each_step_when_its_revision_leaves_its_session(
    shop: Project, planner: Planner, driver: str
) -> None:
    for number, code in enumerate(ESCAPES, 2):
        shop.add(f"r{number}", f'op.execute("ALTER TABLE item ADD COLUMN extra{number} int")\n{code}')

    steps = planner(shop, driver=driver).steps

    for code, step in zip(ESCAPES, steps, strict=True):
        assert step.escapes, code
        assert step.statements[0].locks == [Lock("public.item", "AccessExclusiveLock")], code
