"""The rules where nothing is known but the text: bad SQL, and the good SQL beside it."""

from __future__ import annotations

import pytest

from alembic_operator.contract.plan import Statement
from alembic_operator.review.lint import lint

from .plans import TODAY, found, outside, plan, reviewed, step

D, R, S, N, T = "destructive", "rewrite", "long-scan", "not-null-without-backfill", "type-change"
C, U, X, M = "constraint-validation", "unique-on-existing", "index-not-concurrent", "unbatched-dml"

BAD = [
    (D, "DROP TABLE orders"),
    (D, "DROP TABLE IF EXISTS public.orders CASCADE"),
    (D, 'DROP TABLE "Orders"'),
    (D, "/* squawk-ignore-file */ -- ignore\nDROP TABLE orders"),
    (D, "ALTER TABLE orders DROP COLUMN note"),
    (D, "ALTER TABLE orders RENAME TO purchases"),
    (D, "ALTER TABLE orders RENAME note TO comment"),
    (D, "ALTER TABLE orders SET SCHEMA archive"),
    (D, "ALTER TYPE mood RENAME VALUE 'sad' TO 'unhappy'"),
    (D, "ALTER TYPE mood RENAME TO feeling"),
    (D, "ALTER VIEW report RENAME TO reports"),
    (D, "ALTER SCHEMA shop RENAME TO store"),
    (D, "DROP SCHEMA shop CASCADE"),
    (D, "DROP TYPE mood"),
    (D, "DROP DOMAIN email"),
    (D, "DROP VIEW report"),
    (D, "DROP MATERIALIZED VIEW report"),
    (D, "DROP SEQUENCE numbers"),
    (D, "DROP EXTENSION pgcrypto"),
    (D, "TRUNCATE orders"),
    (D, "TRUNCATE TABLE users, orders RESTART IDENTITY CASCADE"),
    (D, "DELETE FROM orders"),
    (D, "DELETE FROM orders WHERE true"),
    (D, "DELETE FROM orders WHERE 1 = 1"),
    (D, "WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone"),
    (D, "ALTER TABLE orders DISABLE TRIGGER ALL"),
    (D, "ALTER TABLE orders DISABLE TRIGGER audit"),
    (D, "ALTER TABLE orders DISABLE ROW LEVEL SECURITY"),
    (D, "ALTER TABLE orders DROP CONSTRAINT orders_pkey"),
    (D, "DROP DATABASE shop"),
    (D, "ALTER SYSTEM SET wal_level = 'minimal'"),
    (D, "DROP OWNED BY shop"),
    (D, "DO $$ BEGIN EXECUTE 'DROP TABLE orders'; END $$"),
    (D, "DO $$ BEGIN TRUNCATE orders; END $$"),
    (D, "DO $$ BEGIN ALTER TABLE orders RENAME TO o; END $$"),
    (D, "THIS IS NO SQL"),
    (R, "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid()"),
    (R, "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()"),
    (R, "ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT clock_timestamp()"),
    (R, "ALTER TABLE orders ADD COLUMN number serial"),
    (R, "ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY"),
    (R, "ALTER TABLE orders ADD COLUMN total int GENERATED ALWAYS AS (a + b) STORED"),
    (R, "ALTER TABLE orders SET UNLOGGED"),
    (R, "ALTER TABLE orders SET LOGGED"),
    (R, "VACUUM FULL orders"),
    (R, "VACUUM (FULL, ANALYZE) orders"),
    (R, "CLUSTER orders USING orders_pkey"),
    (R, "REFRESH MATERIALIZED VIEW report"),
    (S, "LOCK TABLE orders"),
    (S, "LOCK TABLE orders IN SHARE MODE"),
    (S, "ALTER TABLE orders ATTACH PARTITION orders_2026 FOR VALUES FROM (1) TO (2)"),
    (N, "ALTER TABLE orders ADD COLUMN region text NOT NULL"),
    (N, "ALTER TABLE orders ALTER COLUMN region SET NOT NULL"),
    (N, "ALTER TABLE orders ADD CONSTRAINT nn NOT NULL region"),
    (N, "ALTER DOMAIN email SET NOT NULL"),
    (T, "ALTER TABLE orders ALTER COLUMN id TYPE bigint"),
    (T, "ALTER TABLE orders ALTER COLUMN code TYPE varchar(5)"),
    (T, "ALTER TABLE orders ALTER COLUMN code TYPE int USING code::int"),
    (T, 'ALTER TABLE orders ALTER COLUMN code TYPE text COLLATE "C"'),
    (C, "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0)"),
    (C, "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)"),
    (C, "ALTER TABLE orders ADD COLUMN user_id int DEFAULT 1 REFERENCES users (id)"),
    (C, "ALTER TABLE orders ADD COLUMN total int CHECK (total > 0)"),
    (C, "ALTER DOMAIN email ADD CONSTRAINT at CHECK (value ~ '@')"),
    (U, "ALTER TABLE orders ADD CONSTRAINT one UNIQUE (code)"),
    (U, "ALTER TABLE orders ADD PRIMARY KEY (id)"),
    (U, "ALTER TABLE orders ADD EXCLUDE USING gist (during WITH &&)"),
    (U, "ALTER TABLE orders ADD COLUMN code text UNIQUE"),
    (U, "CREATE UNIQUE INDEX one ON orders (code)"),
    (X, "CREATE INDEX by_code ON orders (code)"),
    (X, "CREATE INDEX IF NOT EXISTS by_code ON orders (code)"),
    (X, "CREATE INDEX CONCURRENTLY by_code ON orders (code)"),  # in a transaction
    (X, "DROP INDEX by_code"),
    (X, "DROP INDEX CONCURRENTLY by_code"),
    (X, "REINDEX TABLE orders"),
    (X, "REINDEX INDEX by_code"),
    (M, "UPDATE orders SET region = 'eu'"),
    (M, "UPDATE orders SET region = 'eu' WHERE region IS NULL"),
    (M, "UPDATE users SET region = 'eu' WHERE region <> 'eu'"),
    (M, "DELETE FROM orders WHERE created_at < now() - interval '90 days'"),
    (M, "UPDATE orders o SET note = u.name FROM users u WHERE u.id = o.user_id"),
    (M, "UPDATE orders SET note = '' WHERE status = 'x' OR 1 = 1"),
    (D, "ALTER TABLE orders NO INHERIT everything"),
    (D, "ALTER TABLE log DETACH PARTITION log_26"),
    (D, "UPDATE pg_index SET indisvalid = true"),
    (D, "SET session_replication_role = 'replica'"),
    (D, "ALTER TABLE orders ENABLE ROW LEVEL SECURITY"),
    (D, "ALTER SEQUENCE numbers RESTART"),
    (D, "ALTER SEQUENCE numbers RESTART WITH 1"),
    (D, "ALTER TABLE orders ALTER COLUMN id RESTART"),
    (D, "SELECT setval('public.numbers', 1, false)"),
    (D, "SELECT pg_catalog.setval('numbers'::regclass, 1)"),
    (M, "UPDATE orders SET region = 'eu' WHERE country = 'de'"),
    (M, "UPDATE orders SET region = 'eu' WHERE id = 1 OR region IS NULL"),
    (M, "DELETE FROM orders WHERE user_id IN (SELECT id FROM users WHERE deleted)"),
    (M, "WITH done AS (UPDATE orders SET region = 'eu' RETURNING 1) SELECT count(*) FROM done"),
]

GOOD = [
    "CREATE TABLE regions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz DEFAULT now())",
    "ALTER TABLE orders ADD COLUMN region text",
    "ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu'",
    "ALTER TABLE orders ADD COLUMN at timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT CURRENT_TIMESTAMP",
    "ALTER TABLE orders ADD COLUMN user_id int REFERENCES users (id)",
    "ALTER TABLE orders ADD COLUMN total int GENERATED ALWAYS AS (a + b) VIRTUAL",
    "ALTER TABLE orders ALTER COLUMN region SET DEFAULT 'eu'",
    "ALTER TABLE orders ALTER COLUMN region DROP DEFAULT",
    "ALTER TABLE orders ALTER COLUMN region DROP NOT NULL",
    "ALTER TABLE orders ALTER COLUMN region TYPE text",
    "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID",
    "ALTER TABLE orders ADD CONSTRAINT nn NOT NULL region NOT VALID",
    "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
    "ALTER TABLE orders VALIDATE CONSTRAINT positive",
    "ALTER TABLE orders ADD CONSTRAINT one UNIQUE USING INDEX one_index",
    "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey",
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX new_key",
    "ALTER TABLE orders SET (fillfactor = 90)",
    "ALTER TABLE orders ALTER COLUMN region SET STATISTICS 500",
    "ALTER INDEX by_code RENAME TO orders_code",
    "ALTER TABLE orders RENAME CONSTRAINT a TO b",
    "ALTER TYPE mood ADD VALUE 'calm'",
    "CREATE TYPE mood2 AS ENUM ('sad')",
    "CREATE INDEX by_code ON ONLY orders (code)",
    "CREATE VIEW report AS SELECT 1",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
    "COMMENT ON TABLE orders IS 'drop table orders'",
    "INSERT INTO currencies VALUES ('EUR')",
    "UPDATE orders SET region = 'eu' WHERE id BETWEEN 1 AND 1000",
    "UPDATE orders SET region = 'eu' WHERE id IN (SELECT id FROM orders WHERE region IS NULL LIMIT 1000)",
    "DELETE FROM orders WHERE id = 7",
    "UPDATE currencies SET code = upper(code)",
    "ALTER SEQUENCE numbers CACHE 50",
    "ALTER TABLE orders ALTER COLUMN id SET CACHE 50",
    "SELECT setval('numbers', (SELECT max(id) FROM orders))",
    "SELECT setval('numbers', $1)",
    "SELECT set_config($1, '0', true)",
    "SET lock_timeout = DEFAULT",
    "ANALYZE orders",
    "VACUUM orders",
    "SELECT count(*) FROM orders",
    "LOCK TABLE orders IN ROW SHARE MODE",
    "GRANT SELECT ON orders TO reader",
    "DO $$ BEGIN PERFORM 1; END $$",
    "CALL alembic_operator_helpers.\"create_index_concurrently {''table'': ''orders''}\"()",
]


@pytest.mark.parametrize(("rule", "sql"), BAD, ids=[sql[:60] for _, sql in BAD])
def test_error_when_sql_is_bad(rule: str, sql: str) -> None:
    assert f"{rule}:error" in found(reviewed(sql))


@pytest.mark.parametrize("sql", GOOD, ids=[sql[:60] for sql in GOOD])
def test_no_error_when_sql_is_good(sql: str) -> None:
    assert not [one for one in reviewed(sql).findings if one.severity == "error"]


WARNED = [
    ("unbatched-dml", "UPDATE orders SET region = 'eu' WHERE name = 'shop'"),
    ("unbatched-dml", "UPDATE orders SET region = 'eu' WHERE code IN ('a', 'b') AND region IS NULL"),
    ("destructive", "REVOKE ALL ON orders FROM reader"),
    ("destructive", "DROP TRIGGER audit ON orders"),
    ("destructive", "DROP FUNCTION f(int)"),
    ("destructive", "ALTER SEQUENCE numbers RESTART WITH 100000"),
    ("rewrite", "VACUUM FULL currencies"),
]


@pytest.mark.parametrize(("rule", "sql"), WARNED, ids=[sql[:60] for _, sql in WARNED])
def test_warning_when_sql_may_be_bad(rule: str, sql: str) -> None:
    assert found(reviewed(sql)) == {f"{rule}:warning"}


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


def test_transaction_escape_is_an_error_when_a_statement_commits() -> None:
    assert found(reviewed("COMMIT")) == {"transaction-escape:error"}


def test_savepoints_are_no_escape() -> None:
    assert not reviewed("SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", "RELEASE SAVEPOINT a").findings
