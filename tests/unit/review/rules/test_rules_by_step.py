"""The rules over several statements: transactions, autocommit blocks, what the step or plan did before."""

from __future__ import annotations

import pytest
from tests.unit.review.plans import TODAY, found, outside, plan, reviewed, step

from alembic_operator.contract.plan import Statement
from alembic_operator.review.lint import lint

D, S, T = "destructive", "long-scan", "type-change"
C, U, X, M = "constraint-validation", "unique-on-existing", "index-not-concurrent", "unbatched-dml"

OUTSIDE_GOOD = [
    ["CREATE INDEX CONCURRENTLY by_code ON orders (code)"],
    ["DROP INDEX CONCURRENTLY by_code"],
    ["DROP INDEX CONCURRENTLY IF EXISTS by_code", "CREATE INDEX CONCURRENTLY IF NOT EXISTS by_code ON orders (code)"],
    ["REINDEX INDEX CONCURRENTLY by_code"],
    ["REINDEX (CONCURRENTLY) TABLE orders"],
    ["ALTER TYPE mood ADD VALUE 'calm'"],
]


@pytest.mark.parametrize("sent", OUTSIDE_GOOD, ids=[" ".join(sent)[:60] for sent in OUTSIDE_GOOD])
def test_no_error_when_autocommit_block_is_good(sent: list[str]) -> None:
    assert not [one for one in reviewed(*map(outside, sent)).findings if one.severity == "error"]


def test_error_when_concurrent_index_may_be_an_invalid_one() -> None:
    assert found(reviewed(outside("CREATE INDEX CONCURRENTLY IF NOT EXISTS a ON orders (b)"))) == {f"{X}:error"}


def test_warning_when_unique_index_is_concurrent() -> None:
    assert found(reviewed(outside("CREATE UNIQUE INDEX CONCURRENTLY a ON orders (b)"))) == {f"{U}:warning"}


def test_nothing_when_table_is_made_in_an_earlier_step() -> None:
    first = step("CREATE TABLE regions (id int)", "CREATE TYPE mood AS ENUM ('a')", revision="a1")
    second = step(
        "CREATE INDEX r ON regions (id)",
        "ALTER TABLE regions ADD COLUMN b text NOT NULL, ADD CHECK (id > 0), ADD UNIQUE (b)",
        "ALTER TABLE regions RENAME TO areas",
        "ALTER TABLE areas ALTER COLUMN id TYPE bigint",
        "UPDATE areas SET b = ''",
        "TRUNCATE areas",
        "DROP INDEX r",
        "DROP TABLE areas",
        "DROP TYPE mood",
        revision="a2",
    )
    assert lint(plan(first, second), TODAY).findings == ()


def test_error_when_if_not_exists_may_meet_an_old_table() -> None:
    result = reviewed("CREATE TABLE IF NOT EXISTS orders (id int)", "CREATE INDEX i ON orders (id)")
    assert f"{X}:error" in found(result)


def test_error_when_validated_in_the_same_transaction() -> None:
    result = reviewed(
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID",
        "ALTER TABLE orders VALIDATE CONSTRAINT positive",
    )
    assert found(result) == {f"{C}:error"}


def test_nothing_when_a_unique_constraint_is_replaced_by_a_later_statement() -> None:
    dropped = "ALTER TABLE orders DROP CONSTRAINT uq_code"
    assert found(reviewed(dropped, "ALTER TABLE orders ADD CONSTRAINT uq_b UNIQUE USING INDEX uq_b")) == set()


def test_error_when_a_unique_constraint_is_replaced_by_a_check_only() -> None:
    dropped = "ALTER TABLE orders DROP CONSTRAINT uq_code"
    assert found(reviewed(dropped, "ALTER TABLE orders ADD CHECK (code > 0) NOT VALID")) == {f"{D}:error"}


def test_nothing_when_not_null_is_proven_by_an_earlier_step() -> None:
    steps = [
        step("ALTER TABLE orders ADD CONSTRAINT nn CHECK (region IS NOT NULL) NOT VALID", revision="a1"),
        step("ALTER TABLE orders VALIDATE CONSTRAINT nn", revision="a2"),
        step("ALTER TABLE orders ALTER region SET NOT NULL", "ALTER TABLE orders DROP CONSTRAINT nn", revision="a3"),
    ]
    assert lint(plan(*steps), TODAY).findings == ()


def test_error_when_enum_value_is_used_at_once() -> None:
    result = reviewed("ALTER TYPE mood ADD VALUE 'calm'", "INSERT INTO people VALUES ('calm')")
    assert f"{T}:error" in found(result)


LOCK_WAITS = ["SET lock_timeout = 0", "SET LOCAL lock_timeout TO '0ms'", "SELECT set_config('lock_timeout', '0', true)"]


@pytest.mark.parametrize("sql", LOCK_WAITS)
def test_error_when_a_lock_is_waited_for_without_end(sql: str) -> None:
    assert found(reviewed(sql, "ALTER TABLE orders ADD COLUMN a int")) == {f"{S}:error"}


@pytest.mark.parametrize(
    "sent",
    [
        ["SET lock_timeout = 0"],
        ["SET lock_timeout = 0", "SET lock_timeout = '5s'", "ALTER TABLE orders ADD COLUMN a int"],
        ["SET lock_timeout = 0", "RESET lock_timeout", "ALTER TABLE orders ADD COLUMN a int"],
        ["SET lock_timeout = '20s'", "ALTER TABLE orders ADD COLUMN a int"],
        ["SET statement_timeout = 0", "ALTER TABLE orders VALIDATE CONSTRAINT positive"],
        ["SET lock_timeout = 0", "CREATE TABLE t (a int)", "ALTER TABLE t ADD COLUMN b int"],
    ],
    ids=lambda sent: "; ".join(sent)[:60],
)
def test_nothing_when_the_wait_for_locks_concerns_nobody(sent: list[str]) -> None:
    assert found(reviewed(*sent)) <= {"uuid-pk:warning", "timestamps:warning"}


def test_nothing_when_an_index_is_waited_for_in_an_autocommit_block() -> None:
    sent = map(outside, ["SET lock_timeout = 0", "CREATE INDEX CONCURRENTLY by_code ON orders (code)"])
    assert found(reviewed(*sent)) == set()


ONE = "UPDATE orders SET note = %(note)s WHERE orders.id = %(id)s"
LOOPS = [
    "SELECT id, note FROM orders",
    "SELECT o.* FROM orders AS o JOIN users ON users.id = o.user_id",
    "SELECT orders.id FROM orders WHERE orders.note IS NULL",
]


@pytest.mark.parametrize("read", LOOPS)
@pytest.mark.parametrize("write", [ONE, "DELETE FROM orders WHERE id = %(id)s"])
def test_error_when_rows_are_written_one_by_one_in_a_loop(read: str, write: str) -> None:
    assert found(reviewed(read, Statement(write, ["str", "int"]))) == {f"{M}:error"}


@pytest.mark.parametrize(
    "read",
    [
        "SELECT count(*) FROM orders",
        "SELECT id FROM orders WHERE note IS NULL ORDER BY id LIMIT 500",
        "SELECT id FROM orders WHERE id = 7",
        "SELECT id FROM users",
        "SELECT note FROM orders",
    ],
)
def test_nothing_when_a_row_is_written_after_a_look_at_few(read: str) -> None:
    assert found(reviewed(read, Statement(ONE, ["str", "int"]))) == set()


def test_nothing_when_a_loop_commits_each_row_or_the_table_is_small() -> None:
    assert not reviewed(outside("SELECT id FROM orders"), outside(ONE, parameters=["str", "int"])).findings
    small = Statement("UPDATE currencies SET name = %s WHERE id = %s", ["str", "int"])
    assert not reviewed("SELECT id FROM currencies", small).findings


def test_nothing_when_row_security_begins_with_a_policy_of_the_plan() -> None:
    policy, on = "CREATE POLICY all_of_it ON orders USING (true)", "ALTER TABLE orders ENABLE ROW LEVEL SECURITY"
    assert not reviewed(policy, on).findings
    assert not lint(plan(step(policy, revision="a1"), step(on, revision="a2")), TODAY).findings


def test_nothing_when_the_sequence_that_begins_again_is_new() -> None:
    assert not reviewed("CREATE SEQUENCE numbers", "ALTER SEQUENCE numbers RESTART").findings


def test_no_error_when_view_is_replaced() -> None:
    assert not reviewed("DROP VIEW report", "CREATE VIEW report AS SELECT 2").findings


def test_warning_alone_when_a_view_stands_in_for_the_old_name() -> None:
    result = reviewed("ALTER TABLE orders RENAME TO purchases", "CREATE VIEW orders AS SELECT * FROM purchases")
    assert found(result) == {f"{D}:warning"}


def test_placeholders_are_read_when_parameters_are_bound() -> None:
    sent = Statement("UPDATE orders SET a = %s, b = b %% 2 WHERE region IS NULL AND c <> %(c)s", ["str"])
    assert found(reviewed(sent)) == {f"{M}:error"}


def test_every_statement_is_read_when_a_text_has_several() -> None:
    result = reviewed("SET lock_timeout = '3s'; DROP TABLE orders; TRUNCATE users;")
    assert {one.object for one in result.findings} == {"public.orders", "public.users"}


def test_mixed_autocommit_is_an_error_when_ddl_stands_beside_a_block() -> None:
    result = reviewed("ALTER TABLE orders ADD COLUMN a int", outside("CREATE INDEX CONCURRENTLY i ON orders (a)"))
    assert found(result) == {"mixed-autocommit:error"}


def test_commit_is_an_error_that_can_be_waived_when_a_revision_sends_it() -> None:
    assert found(reviewed("COMMIT", outside("VACUUM orders"))) == {"mixed-autocommit:error"}


def test_transaction_escape_is_an_error_when_a_transaction_is_prepared() -> None:
    assert found(reviewed("PREPARE TRANSACTION 'x'")) == {"transaction-escape:error"}


def test_savepoints_are_no_escape() -> None:
    assert not reviewed("SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", "RELEASE SAVEPOINT a").findings
