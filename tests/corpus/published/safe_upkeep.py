"""Constraints, indexes and rows, the careful way."""

from __future__ import annotations

from .sources import BRAINTREE, GITLAB, MANUAL, PARTED, PAYPAL, SQUAWK, STRONG, safe

SAFE_UPKEEP = (
    # Constraints and indexes.
    safe(
        "required in steps",
        STRONG + "setting-not-null-on-an-existing-column",
        "ALTER TABLE users ADD CONSTRAINT aged CHECK (age IS NOT NULL) NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT aged",
        "ALTER TABLE users ALTER COLUMN age SET NOT NULL; ALTER TABLE users DROP CONSTRAINT aged",
    ),
    safe(
        "required by the helper",
        STRONG + "setting-not-null-on-an-existing-column",
        'from alembic_operator_helpers import add_not_null\nadd_not_null("users", "country")',
    ),
    safe(
        "required, as a check of last month has proven",
        PAYPAL,
        "ALTER TABLE users ALTER COLUMN age SET NOT NULL",
        setup="ALTER TABLE users ADD CONSTRAINT aged CHECK (age IS NOT NULL);",
    ),
    safe(
        "a check in steps",
        SQUAWK + "constraint-missing-not-valid",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0) NOT VALID",
        "ALTER TABLE orders VALIDATE CONSTRAINT positive",
    ),
    safe(
        "a foreign key in steps",
        SQUAWK + "adding-foreign-key-constraint",
        'op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)',
        'op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_user")',
    ),
    safe(
        "unique in steps",
        SQUAWK + "disallowed-unique-constraint",
        "!CREATE UNIQUE INDEX CONCURRENTLY one_sku ON products (sku)",
        "ALTER TABLE products ADD CONSTRAINT one_sku UNIQUE USING INDEX one_sku",
    ),
    safe(
        "a check is dropped",
        BRAINTREE,
        "ALTER TABLE orders DROP CONSTRAINT positive",
        setup="ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0);",
    ),
    safe(
        "an index without locks",
        STRONG + "adding-an-index-non-concurrently",
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("orders_by_placed", "orders", ["placed"], postgresql_concurrently=True)',
    ),
    safe(
        "an index by the helper",
        STRONG + "adding-an-index-non-concurrently",
        "from alembic_operator_helpers import create_index_concurrently\n"
        'create_index_concurrently("orders_by_total", "orders", ["total"])',
    ),
    safe(
        "an unused index is dropped without locks",
        SQUAWK + "require-concurrent-index-deletion",
        "with op.get_context().autocommit_block():\n"
        '    op.drop_index("orders_by_status", table_name="orders", postgresql_concurrently=True)',
    ),
    safe("reindexed without locks", MANUAL + "sql-reindex.html", "!REINDEX INDEX CONCURRENTLY orders_by_user"),
    safe(
        "a materialized view is refreshed beside its readers",
        MANUAL + "sql-refreshmaterializedview.html",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
        setup="CREATE MATERIALIZED VIEW totals AS SELECT id FROM orders; CREATE UNIQUE INDEX one_total ON totals (id);",
    ),
    safe(
        "a partition for next year",
        MANUAL + "ddl-partitioning.html",
        "CREATE TABLE visits_27 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        setup=PARTED,
    ),
    safe(
        "a partition is attached whose bounds are proven",
        MANUAL + "ddl-partitioning.html",
        "ALTER TABLE visits ATTACH PARTITION visits_27 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        setup=PARTED + " CREATE TABLE visits_27 (day date NOT NULL, kind text,"
        " CONSTRAINT bounds CHECK (day >= '2027-01-01' AND day < '2028-01-01'));"
        " INSERT INTO visits_27 VALUES ('2027-02-02', 'a');",
    ),
    safe(
        "an index on a partitioned table in steps",
        MANUAL + "ddl-partitioning.html",
        "CREATE INDEX by_kind ON ONLY visits (kind)",
        "!CREATE INDEX CONCURRENTLY by_kind_26 ON visits_26 (kind)",
        "ALTER INDEX by_kind ATTACH PARTITION by_kind_26",
        setup=PARTED,
    ),
    # Rows.
    safe(
        "a few settings are written",
        GITLAB + "data-migrations",
        "INSERT INTO flags VALUES ('checkout', true) ON CONFLICT DO NOTHING;"
        " UPDATE flags SET is_on = false WHERE name = 'legacy'",
        setup="CREATE TABLE flags (name text PRIMARY KEY, is_on boolean); INSERT INTO flags VALUES ('legacy', true);",
    ),
    safe(
        "one row is mended",
        GITLAB + "data-migrations",
        'op.get_bind().execute(sa.text("UPDATE orders SET status = :status WHERE id = :id"), {"status": "x", "id": 7})',
    ),
    safe(
        "filled in batches by the helper",
        STRONG + "backfilling-data",
        "from alembic_operator_helpers import backfill\n"
        'backfill("orders", {"note": "\'-\'"}, "note IS NULL", batch=100)',
    ),
    safe(
        "filled in batches by hand",
        STRONG + "backfilling-data",
        """
with op.get_context().autocommit_block():
    bind, last = op.get_bind(), 0
    while True:
        rows = bind.execute(sa.text(
            "UPDATE orders SET note = '-' WHERE id IN (SELECT id FROM orders WHERE id > :last AND note IS NULL"
            " ORDER BY id LIMIT 500) RETURNING id"), {"last": last}).fetchall()
        if not rows:
            break
        last = max(row[0] for row in rows)""",
    ),
    safe("rights for a new role", MANUAL + "sql-grant.html", "GRANT SELECT ON orders TO PUBLIC"),
)
