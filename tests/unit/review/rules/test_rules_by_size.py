"""Plans without a shadow: how grave a rewrite, a scan or a change of many rows is follows from the target's sizes."""

from __future__ import annotations

import pytest
from tests.unit.review.plans import TODAY, found, plan, reviewed, step

from alembic_operator.contract.plan import Relation
from alembic_operator.review.lint import lint
from alembic_operator.review.plan_state import SMALL_BYTES, SMALL_ROWS

REWRITES = [
    "ALTER TABLE {} ADD COLUMN token uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE {} ADD COLUMN number bigserial",
    "ALTER TABLE {} SET UNLOGGED",
    "VACUUM FULL {}",
    "CLUSTER {}",
]
SCANS = ["ALTER TABLE log ATTACH PARTITION {} FOR VALUES FROM (1) TO (2)"]
WRITES = [
    "UPDATE {} SET region = 'eu'",
    "UPDATE {} SET region = 'eu' WHERE region IS NULL",
    "DELETE FROM {} WHERE created_at < now()",
]
LARGE = [
    Relation("public.orders", "table", 50 * 1024 * 1024, 400_000),
    Relation("public.orders", "table", 8192, -1),  # never analysed: it may be of any size by now
    Relation("public.orders", "table", 8192, SMALL_ROWS + 1),
    Relation("public.orders", "table", SMALL_BYTES + 1, 3),  # a few long rows
    Relation("public.orders", "partitioned table", 0, -1),
    Relation("other.orders", "table", 8192, 3),  # of another schema
]
SMALL = [
    Relation("public.orders", "table", 8192, 0),
    Relation("public.orders", "table", SMALL_BYTES, SMALL_ROWS),
    Relation("public.orders", "partitioned table", 16_384, 40),
]


@pytest.mark.parametrize("relation", LARGE, ids=str)
@pytest.mark.parametrize("sql", REWRITES + SCANS + WRITES)
def test_error_when_the_relation_is_large_or_its_size_is_not_known(sql: str, relation: Relation) -> None:
    rule = "rewrite" if sql in REWRITES else "long-scan" if sql in SCANS else "unbatched-dml"
    assert found(reviewed(sql.format("orders"), relations=[relation])) == {f"{rule}:error"}


@pytest.mark.parametrize("sql", REWRITES + SCANS + WRITES)
def test_error_when_no_size_was_read_at_all(sql: str) -> None:
    result = reviewed(sql.format("orders"), relations=[])
    assert [one.severity for one in result.findings] == ["error"]


@pytest.mark.parametrize("relation", SMALL, ids=str)
@pytest.mark.parametrize("sql", REWRITES + SCANS)
def test_warning_when_the_relation_is_small(sql: str, relation: Relation) -> None:
    rule = "rewrite" if sql in REWRITES else "long-scan"
    assert found(reviewed(sql.format("orders"), relations=[relation])) == {f"{rule}:warning"}


@pytest.mark.parametrize("relation", SMALL, ids=str)
@pytest.mark.parametrize("sql", WRITES)
def test_nothing_when_all_rows_of_a_small_table_are_written(sql: str, relation: Relation) -> None:
    assert found(reviewed(sql.format("orders"), relations=[relation])) == set()


def test_every_row_deleted_is_an_error_however_small_the_table() -> None:
    assert found(reviewed("DELETE FROM orders", relations=[SMALL[0]])) == {"destructive:error"}


@pytest.mark.parametrize("sql", REWRITES + SCANS + WRITES)
def test_nothing_when_the_plan_itself_made_the_table(sql: str) -> None:
    assert found(reviewed("CREATE TABLE made (id int)", sql.format("made"), relations=[])) == set()


def test_message_tells_the_size_when_it_is_known() -> None:
    (finding,) = reviewed("VACUUM FULL orders", relations=[LARGE[0]]).findings
    assert "(51200 kB, about 400000 rows)" in finding.message
    (finding,) = reviewed("VACUUM FULL orders", relations=[LARGE[1]]).findings
    assert "(8 kB, never analysed, number of rows unknown)" in finding.message
    (finding,) = reviewed("VACUUM FULL orders", relations=[]).findings
    assert "(size unknown)" in finding.message


def test_table_is_found_by_the_search_path_when_its_schema_is_not_the_first() -> None:
    document = plan(step("VACUUM FULL orders"), relations=[Relation("app.orders", "table", 8192, 3)])
    document.search_path[:] = ["public", "app"]
    (finding,) = lint(document, TODAY).findings
    assert (finding.object, finding.severity) == ("app.orders", "warning")
