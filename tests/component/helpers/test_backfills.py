"""Backfills: every row once, whatever happens."""

from __future__ import annotations

import json
import threading
from typing import Any, LiteralString

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError
from tests.cluster.processes import wait_until
from tests.component.helpers.conftest import OWN, Project, each_version

from alembic_operator_helpers import HelperError, backfills, on_progress
from alembic_operator_helpers.blocks import Progress

pytestmark = pytest.mark.usefixtures("items")
# A row that is done twice shows it, since the condition does not keep it from being done again.
COUNT_UP = 'backfill("items", {"n": "n + 1"}, "true", batch=50)'
OTHERS: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
DISTINCT: LiteralString = "SELECT array_agg(DISTINCT n) FROM items"


@pytest.fixture
def told() -> list[Progress]:
    """What the helpers tell."""
    told: list[Progress] = []
    on_progress.set(told.append)
    return told


@each_version
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_every_row_is_done_once_when_nothing_happens(project: Project, told: list[Progress], driver: str) -> None:
    project.migrate(COUNT_UP, driver=driver)
    assert project.value(DISTINCT) == [1]
    assert not project.exists(OWN)
    assert told[0] == {"helper": "backfill", "table": "public.items", "rows": 50, "batches": 1, "step": "batch"}
    assert told[-1] == {"helper": "backfill", "table": "public.items", "rows": 1000, "step": "done"}


def test_rows_are_done_again_when_the_revision_was_taken_back(project: Project) -> None:
    project.migrate(COUNT_UP)
    project.migrate(target="base")
    project.migrate()
    assert project.value(DISTINCT) == [2]


def test_no_row_is_done_twice_when_killed_between_batches(project: Project) -> None:
    process = project.start(COUNT_UP.replace("batch=50", "batch=50, pause=0.1"))
    done: LiteralString = "SELECT count(*) FROM items WHERE n = 1"
    wait_until(lambda: project.exists(OWN) and project.value(done) >= 100, "two batches")
    process.kill()
    process.wait()
    wait_until(lambda: project.value(OTHERS) == 0, "the dead client's session to end")
    assert 100 <= project.value(done) < 1000
    assert project.value(f"SELECT rows FROM {OWN}") == project.value(done)
    project.migrate()
    assert project.value(DISTINCT) == [1]
    assert not project.exists(OWN)


def test_no_row_is_done_twice_when_killed_in_a_statement(project: Project) -> None:
    """The server goes on with the statement of a dead client, and commits it."""
    project.execute("DELETE FROM items WHERE id > 200")
    process = project.start(COUNT_UP.replace("n + 1", "n + 1 + 0 * length(pg_sleep(0.02)::text)"))
    wait_until(lambda: project.exists(OWN) and project.value(f"SELECT rows FROM {OWN}") == 50, "the first batch")
    process.kill()
    process.wait()
    with pytest.raises(HelperError, match=r"another session is running the backfill of public.items in revision r1"):
        project.migrate()
    wait_until(lambda: project.value(OTHERS) == 0, "the dead client's statement to end")
    assert project.value(f"SELECT rows FROM {OWN}") == 100
    project.migrate()
    assert project.value(DISTINCT) == [1]


def test_rows_are_not_done_again_when_the_revision_failed_afterwards(project: Project, told: list[Progress]) -> None:
    with pytest.raises(ProgrammingError, match="nope"):
        project.migrate(COUNT_UP + '\nop.execute("SELECT nope")')
    assert project.value(DISTINCT) == [1]
    assert project.exists(OWN)
    told.clear()
    project.migrate(COUNT_UP)
    assert told == [{"helper": "backfill", "table": "public.items", "rows": 1000, "step": "done"}]
    assert project.value(DISTINCT) == [1]
    assert not project.exists(OWN)


def test_an_edited_call_starts_anew_when_an_older_one_was_interrupted(project: Project) -> None:
    with pytest.raises(OperationalError, match="lock timeout"), project.connect() as other:
        other.execute("BEGIN")
        other.execute("UPDATE items SET note = 'mine' WHERE id = 480")
        project.migrate(f"op.execute(\"SET lock_timeout = '200ms'\")\n{COUNT_UP}")
    assert project.value("SELECT sum(n) FROM items") == 450
    project.migrate(COUNT_UP.replace("n + 1", "n + 10"))
    assert project.value("SELECT sum(n) FROM items") == 450 + 10 * 1000


def test_work_goes_on_behind_the_last_row_when_a_lock_timed_out(project: Project, told: list[Progress]) -> None:
    project.execute("UPDATE items SET n = NULL")
    body = 'op.execute("SET lock_timeout = \'200ms\'")\nbackfill("items", {"n": "1"}, "n IS NULL", batch=100)'
    with project.connect() as other:
        other.execute("BEGIN")
        other.execute("UPDATE items SET note = 'mine' WHERE id = 550")
        with pytest.raises(OperationalError, match="lock timeout") as caught:
            project.migrate(body)
        assert caught.value.orig is not None and getattr(caught.value.orig, "sqlstate", "") == "55P03"
        other.execute("COMMIT")
    assert [step["rows"] for step in told] == [100, 200, 300, 400, 500]
    told.clear()
    project.migrate()
    assert [step["rows"] for step in told if step["step"] == "batch"] == [600, 700, 800, 900, 1000, 1000, 1000]
    assert project.value("SELECT count(*) FROM items WHERE note = 'mine' AND n = 1") == 1


def test_no_row_and_no_update_is_lost_when_others_write_meanwhile(project: Project) -> None:
    """Keys by gen_random_uuid(): half of the new rows fall behind the position."""
    project.execute(
        "CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), currency text, touched int DEFAULT 0)",
        "INSERT INTO orders (currency) SELECT NULL FROM generate_series(1, 3000)",
    )
    stop = threading.Event()
    written = [0, 0]

    def write() -> None:
        with project.connect() as connection:
            while not stop.wait(0.002):
                connection.execute("INSERT INTO orders (currency) VALUES (NULL)")
                written[0] += 1
                touched = connection.execute(
                    "UPDATE orders SET touched = touched + 1 WHERE id IN (SELECT id FROM orders LIMIT 3)"
                )
                written[1] += touched.rowcount

    def stop_late(progress: Progress) -> None:
        if progress["step"] == "batch" and int(progress["batches"]) >= 20:
            stop.set()

    on_progress.set(stop_late)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        project.migrate('backfill("orders", {"currency": "\'EUR\'"}, "currency IS NULL", batch=100, pause=0.01)')
    finally:
        stop.set()
        writer.join()
    assert written[0] > 20
    assert project.value("SELECT count(*) FROM orders WHERE currency = 'EUR'") >= 3000 + written[0] - 5
    assert project.value("SELECT sum(touched) FROM orders") == written[1]


def test_it_gives_up_when_rows_that_match_never_end(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfills, "MAX_TURNS", 3)
    project.execute(
        "UPDATE items SET n = NULL WHERE id = 1",
        "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN INSERT INTO items (id) SELECT min(id) - 1 FROM items; RETURN NULL; END$$",
        "CREATE TRIGGER again AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION again()",
    )
    with pytest.raises(HelperError) as caught:
        project.migrate('backfill("items", {"n": "1"}, "n IS NULL")')
    assert str(caught.value) == (
        "backfill: after 3 passes over public.items, there are still rows that match 'n IS NULL': a running release"
        " writes them. Give the column a default or a trigger, then run again."
    )
    project.execute("DROP TRIGGER again ON items")
    project.migrate()
    assert project.value("SELECT count(*) FROM items WHERE n IS NULL") == 0


ODD_KEYS: tuple[tuple[LiteralString, str], ...] = (
    (
        'CREATE TABLE "S"."Odd" ("a b" text, "C" timestamptz, n int, PRIMARY KEY ("C", "a b"));'
        " INSERT INTO \"S\".\"Odd\" SELECT v, t FROM (VALUES ('x''y'), ('b\\a'), ('%s :x'), ('ü\"q'), ('')) k(v),"
        " (VALUES ('2026-01-01 10:00:00.123456+00'::timestamptz), ('2025-01-01 BC')) w(t)",
        '"n": "1"',
    ),
    (
        'CREATE TABLE "S"."Odd" (k numeric, day date, n int, PRIMARY KEY (day, k)) PARTITION BY RANGE (day);'
        ' CREATE TABLE "S".p1 PARTITION OF "S"."Odd" FOR VALUES FROM (\'2026-01-01\') TO (\'2026-02-01\');'
        ' CREATE TABLE "S".p2 PARTITION OF "S"."Odd" DEFAULT;'
        ' INSERT INTO "S"."Odd" SELECT g / 7.0, \'2026-01-30\'::date + g FROM generate_series(1, 10) g',
        '"n": "1"',
    ),
)


@pytest.mark.parametrize(("make", "assignment"), ODD_KEYS, ids=["composite", "partitioned"])
def test_every_row_is_done_when_keys_and_names_are_odd(
    project: Project, make: LiteralString, assignment: str, told: list[Progress]
) -> None:
    project.execute('CREATE SCHEMA "S"', *make.split(";"))
    project.migrate(f'backfill("Odd", {{{assignment}}}, "n IS NULL -- all of them", batch=3, schema="S")')
    assert project.value('SELECT count(*) FROM "S"."Odd" WHERE n = 1') == 10
    assert max(int(step.get("batches", 0)) for step in told) == 5


class Run:
    """What the operator's runner leaves in the migration context."""

    history, revision = "public.alembic_version", "r1"

    def __init__(self) -> None:
        self.inside = 0

    def call(self, name: str, arguments: str) -> None:
        """Told what is called."""
        assert name == "backfill"
        assert json.loads(arguments)["table"]

    def resumable(self) -> Run:
        return self

    def __enter__(self) -> None:
        self.inside += 1

    def __exit__(self, *_error: object) -> None:
        self.inside -= 1


def test_position_is_in_the_journal_when_the_operator_runs_it(project: Project) -> None:
    project.execute(
        "CREATE SCHEMA alembic_operator",
        "CREATE TABLE alembic_operator.backfill_progress (history text NOT NULL, revision text NOT NULL,"
        " call integer NOT NULL, position text, rows bigint NOT NULL DEFAULT 0, updated timestamptz NOT NULL"
        " DEFAULT now(), PRIMARY KEY (history, revision, call))",
    )
    run, seen = Run(), list[Any]()

    def look(progress: Progress) -> None:
        row = project.value("SELECT (history, revision, rows)::text FROM alembic_operator.backfill_progress")
        seen.append((progress["rows"], run.inside, row, project.exists(OWN)))

    on_progress.set(look)
    project.migrate(COUNT_UP.replace("50", "400"), alembic_operator=run)
    assert seen == [
        (400, 1, "(public.alembic_version,r1,400)", False),
        (800, 1, "(public.alembic_version,r1,800)", False),
        (1000, 1, "(public.alembic_version,r1,1000)", False),
        (1000, 1, "(public.alembic_version,r1,1000)", False),
    ]
    assert run.inside == 0
    assert project.value("SELECT count(*) FROM alembic_operator.backfill_progress") == 0


def test_rows_behind_the_position_are_found_when_an_interrupted_pass_ends(project: Project) -> None:
    """The rest of the pass changes nothing, but rows came behind it while nobody was at work."""
    project.execute("UPDATE items SET n = NULL WHERE id <= 200")
    body = 'op.execute("SET lock_timeout = \'200ms\'")\nbackfill("items", {"n": "1"}, "n IS NULL", batch=100)'
    with project.connect() as other, pytest.raises(OperationalError, match="lock timeout"):
        other.execute("BEGIN")
        other.execute("UPDATE items SET n = NULL WHERE id = 150")
        project.migrate(body)
    project.execute("UPDATE items SET n = 1 WHERE id BETWEEN 101 AND 200", "UPDATE items SET n = NULL WHERE id = 7")
    project.migrate()
    assert project.value("SELECT count(*) FROM items WHERE n IS NULL") == 0
