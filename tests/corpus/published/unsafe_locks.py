"""Constraints, indexes, maintenance, rows and transactions: what others have to wait for."""

from __future__ import annotations

from .sources import ATLAS, BRAINTREE, EUGENE, GITLAB, GOCARDLESS, MANUAL, POSTGRES_AI, SQUAWK, STRONG, unsafe

UNSAFE_LOCKS = (
    # Constraints.
    unsafe(
        "a foreign key stops the parent table",
        GOCARDLESS,
        'op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"])',
    ),
    unsafe(
        "a new column with its foreign key",
        STRONG + "adding-a-foreign-key",
        'op.add_column("orders", sa.Column("seller_id", sa.Integer(), sa.ForeignKey("users.id")))',
    ),
    unsafe(
        "a check",
        STRONG + "adding-a-check-constraint",
        'op.create_check_constraint("positive", "orders", "total >= 0")',
    ),
    unsafe(
        "a check, not valid, validated in one transaction",
        SQUAWK + "constraint-missing-not-valid",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0) NOT VALID;"
        " ALTER TABLE orders VALIDATE CONSTRAINT positive",
    ),
    unsafe(
        "a column with a default and a check",
        EUGENE + "E2/",
        "ALTER TABLE products ADD COLUMN stock int NOT NULL DEFAULT 0 CHECK (stock >= 0)",
    ),
    unsafe(
        "a domain gets a constraint",
        SQUAWK + "ban-alter-domain-with-add-constraint",
        "ALTER DOMAIN money_amount ADD CONSTRAINT sane CHECK (value >= 0)",
        setup="CREATE DOMAIN money_amount AS numeric; ALTER TABLE orders ADD COLUMN tax money_amount;",
    ),
    unsafe(
        "unique",
        SQUAWK + "disallowed-unique-constraint",
        'op.create_unique_constraint("one_sku", "products", ["sku"])',
    ),
    unsafe(
        "unique beside a new column",
        ATLAS + "MF101",
        'op.add_column("users", sa.Column("handle", sa.Text(), unique=True))',
    ),
    unsafe(
        "no two at once",
        STRONG + "adding-an-exclusion-constraint",
        "ALTER TABLE rooms ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&)",
        setup="CREATE TABLE rooms (id int, during tsrange); INSERT INTO rooms VALUES (1, '[2026-01-01, 2026-01-02)');",
    ),
    unsafe(
        "a primary key for a table without",
        MANUAL + "sql-altertable.html",
        'op.create_primary_key("events_pk", "events", ["id"])',
        setup="CREATE TABLE events (id int NOT NULL, kind text); INSERT INTO events VALUES (1, 'a');",
    ),
    # Indexes and maintenance.
    unsafe("an index", BRAINTREE, 'op.create_index("orders_by_placed", "orders", ["placed"])'),
    unsafe(
        "a unique index",
        SQUAWK + "require-concurrent-index-creation",
        'op.create_index("one_email", "users", ["email"], unique=True)',
    ),
    unsafe("an index if it is not there", POSTGRES_AI, "CREATE INDEX IF NOT EXISTS orders_by_total ON orders (total)"),
    unsafe(
        "a second try takes an invalid index",
        MANUAL + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("orders_by_total", "orders", ["total"], postgresql_concurrently=True, if_not_exists=True)',
    ),
    unsafe(
        "an index on a partitioned table",
        GITLAB + "adding-indexes",
        "CREATE INDEX by_kind ON visits (kind)",
        setup="CREATE TABLE visits (day date, kind text) PARTITION BY RANGE (day);"
        " CREATE TABLE visits_26 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        " INSERT INTO visits VALUES ('2026-02-02', 'a');",
    ),
    unsafe(
        "an index is dropped",
        SQUAWK + "require-concurrent-index-deletion",
        'op.drop_index("orders_by_status", table_name="orders")',
    ),
    unsafe("reindexed", SQUAWK + "require-concurrent-reindex", "REINDEX TABLE orders"),
    unsafe("bloat is removed", MANUAL + "sql-vacuum.html", "!VACUUM FULL orders"),
    unsafe("clustered", MANUAL + "sql-cluster.html", "CLUSTER orders USING orders_by_user"),
    unsafe(
        "a materialized view is refreshed",
        MANUAL + "sql-refreshmaterializedview.html",
        "REFRESH MATERIALIZED VIEW totals",
        setup="CREATE MATERIALIZED VIEW totals AS SELECT status FROM orders;",
    ),
    unsafe(
        "a table is locked by hand",
        POSTGRES_AI,
        "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; ALTER TABLE orders ADD COLUMN extra text",
    ),
    unsafe(
        "a partition is attached that has rows",
        MANUAL + "ddl-partitioning.html",
        "ALTER TABLE visits ATTACH PARTITION visits_27 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        setup="CREATE TABLE visits (day date, kind text) PARTITION BY RANGE (day);"
        " CREATE TABLE visits_27 (day date, kind text); INSERT INTO visits_27 VALUES ('2027-02-02', 'a');",
    ),
    unsafe(
        "a partition is detached",
        SQUAWK + "require-concurrent-partition-detach",
        "ALTER TABLE visits DETACH PARTITION visits_26",
        setup="CREATE TABLE visits (day date, kind text) PARTITION BY RANGE (day);"
        " CREATE TABLE visits_26 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        " INSERT INTO visits VALUES ('2026-02-02', 'a');",
    ),
    # Rows.
    unsafe(
        "a whole table is filled at once",
        STRONG + "backfilling-data",
        'op.add_column("users", sa.Column("plan", sa.Text()))\nop.execute("UPDATE users SET plan = \'free\'")',
    ),
    unsafe(
        "a whole table is filled where it is empty",
        GITLAB + "data-migrations",
        "op.execute(\"UPDATE orders SET note = '' WHERE note IS NULL\")",
    ),
    unsafe(
        "old rows are purged in one go", POSTGRES_AI, "DELETE FROM orders WHERE placed < now() - interval '90 days'"
    ),
    unsafe(
        "filled from another table",
        POSTGRES_AI,
        "UPDATE orders o SET note = u.name FROM users u WHERE u.id = o.user_id",
    ),
    unsafe(
        "filled by SQLAlchemy with a parameter",
        STRONG + "backfilling-data",
        'users = sa.table("users", sa.column("country", sa.String))\n'
        'op.get_bind().execute(users.update().values(country="DE"))',
    ),
    # Transactions.
    unsafe(
        "committed by hand",
        "https://alembic.sqlalchemy.org/en/latest/api/runtime.html",
        'op.execute("ALTER TABLE orders ADD COLUMN a1 int")\nop.execute("COMMIT")\n'
        'op.execute("ALTER TABLE orders ADD COLUMN a2 int")',
    ),
    unsafe(
        "a column and its index beside an autocommit block",
        "https://alembic.sqlalchemy.org/en/latest/api/runtime.html",
        'op.add_column("orders", sa.Column("ref", sa.Text()))\n'
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("orders_by_ref", "orders", ["ref"], postgresql_concurrently=True)',
    ),
)
