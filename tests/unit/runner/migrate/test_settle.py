"""What settles a database: the statements that a plan shows and an apply run sends."""

from __future__ import annotations

import pytest

from alembic_operator.contract.plan import Direction
from alembic_operator.runner.database.journal import Entry
from alembic_operator.runner.database.session import VersionTable
from alembic_operator.runner.migrate.settle import Settlement, repair_of, step_of

PLACE = VersionTable("shop", 'odd"table')
INTENT = Entry(7, "r2", "up", "intent", False, "sha", "image", "2026-01-01 10:00:00+00")


def test_baseline_makes_the_version_table_and_its_rows() -> None:
    found = Settlement(Direction.BASELINE, "sha256:1", (), ("b", "a'\\"))
    assert found.outside() == []
    assert found.inside(PLACE) == [
        'CREATE TABLE IF NOT EXISTS "shop"."odd""table" (version_num VARCHAR(32) NOT NULL, '
        'CONSTRAINT "odd""table_pkc" PRIMARY KEY (version_num))',
        """INSERT INTO "shop"."odd""table" (version_num) VALUES (E'a''\\\\')""",
        """INSERT INTO "shop"."odd""table" (version_num) VALUES ('b')""",
    ]


def test_repair_moves_the_version_row_when_all_of_the_revision_is_there() -> None:
    found = repair_of([INTENT], ["r1"], ["r2"], "sha256:1", ["public.broken"])
    assert found is not None
    assert found.outside() == []  # an index that the finished revision made stays, INVALID or not
    assert found.inside(PLACE) == [
        """DELETE FROM "shop"."odd""table" WHERE version_num = 'r1'""",
        """INSERT INTO "shop"."odd""table" (version_num) VALUES ('r2')""",
        "UPDATE alembic_operator.revision_journal SET state = 'done' WHERE id = 7 AND state = 'intent'",
    ]


def test_repair_forgets_the_intent_when_nothing_but_invalid_indexes_is_there() -> None:
    found = repair_of([INTENT], ["r1"], ["r1"], "sha256:1", ["public.broken"])
    assert found is not None
    assert found.outside() == ["DROP INDEX CONCURRENTLY IF EXISTS public.broken"]
    assert found.inside(PLACE) == ["DELETE FROM alembic_operator.revision_journal WHERE id = 7 AND state = 'intent'"]
    assert found.facts == {"fingerprint": "sha256:1", "revision": "r2", "drops": ["public.broken"]}


@pytest.mark.parametrize(
    "entry",
    [
        Entry(7, "r2", "up", "done", False, "sha", "image", "2026-01-01 10:00:00+00"),
        Entry(7, "r2", "up", "intent", True, "sha", "image", "2026-01-01 10:00:00+00"),
    ],
    ids=["done", "resumable"],
)
def test_there_is_no_repair_when_no_revision_is_half_applied(entry: Entry) -> None:
    assert repair_of([entry], ["r1"], ["r1"], "sha256:1", []) is None


def test_step_shows_what_is_sent_in_order_and_what_stands_outside_of_the_transaction() -> None:
    found = repair_of([INTENT], ["r1"], ["r1"], "sha256:1", ["public.broken"])
    assert found is not None
    step = step_of(found, PLACE, "forget r2")
    assert (step.revision, step.transactional) == ("r2", False)
    assert [one.sql for one in step.statements] == found.outside() + found.inside(PLACE)
    assert [one.autocommit for one in step.statements] == [True, False]
    assert {one.channel for one in step.statements} == {"runner"}
