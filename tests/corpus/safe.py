"""Migrations that a busy production takes without anybody noticing."""

from __future__ import annotations

from .case import Case

_SQUAWK = "https://squawkhq.com/docs/"
_STRONG = "https://github.com/ankane/strong_migrations#"
_GITLAB = "https://docs.gitlab.com/development/database/avoiding_downtime_in_migrations/#"
_BRAINTREE = "https://www.pgrs.net/2014/05/14/safe-operations-for-high-volume-postgresql/"
_MANUAL = "https://www.postgresql.org/docs/current/"
_PAYPAL = "https://medium.com/paypal-tech/postgresql-at-scale-database-schema-changes-without-downtime-20d3749ed680"
_PARTED = (
    "CREATE TABLE visits (day date NOT NULL, kind text) PARTITION BY RANGE (day);"
    " CREATE TABLE visits_26 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    " INSERT INTO visits VALUES ('2026-02-02', 'a');"
)


def _case(name: str, source: str, *revisions: str, setup: str = "", since: int = 15) -> Case:
    return Case(name, source, False, revisions, setup, since)


SAFE = (
    # New things.
    _case(
        "a new table with all its constraints",
        _GITLAB + "adding-tables",
        """
op.create_table(
    "invoices",
    sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
    sa.Column("number", sa.Text(), nullable=False, unique=True),
    sa.Column("total", sa.Numeric(10, 2), sa.CheckConstraint("total >= 0"), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
)
op.create_index("invoices_by_total", "invoices", ["total"])""",
    ),
    _case(
        "a new table that refers to an old one",
        _PAYPAL,
        "CREATE TABLE reviews (id bigserial PRIMARY KEY, user_id int REFERENCES users (id), text text);"
        " CREATE INDEX reviews_by_user ON reviews (user_id)",
    ),
    _case(
        "a new table, changed again by the next revision",
        _SQUAWK + "renaming-column",
        "CREATE TABLE tags (id int PRIMARY KEY, label text)",
        "ALTER TABLE tags RENAME COLUMN label TO name; ALTER TABLE tags ALTER COLUMN name SET NOT NULL;"
        " ALTER TABLE tags ADD CONSTRAINT one_tag UNIQUE (name); CREATE INDEX tags_by_name ON tags (name)",
    ),
    _case(
        "a new table is filled and then constrained",
        _GITLAB + "adding-tables",
        'op.create_table("countries", sa.Column("code", sa.String(2)), sa.Column("name", sa.Text()))\n'
        'op.bulk_insert(sa.table("countries", sa.column("code"), sa.column("name")),'
        ' [{"code": "DE", "name": "Germany"}, {"code": "FR", "name": "France"}])\n'
        'op.create_primary_key("countries_pk", "countries", ["code"])\n'
        'op.alter_column("countries", "name", nullable=False)',
    ),
    _case(
        "a helper table is dropped by the revision after",
        _SQUAWK + "ban-drop-table",
        "CREATE TABLE scratch (id int)",
        "DROP TABLE scratch",
    ),
    _case(
        "a temporary table",
        _MANUAL + "sql-createtable.html",
        "CREATE TEMP TABLE work_ids (id int); INSERT INTO work_ids VALUES (1); DROP TABLE work_ids",
    ),
    _case(
        "a new schema with tables",
        _MANUAL + "sql-createschema.html",
        "CREATE SCHEMA audit; CREATE TABLE audit.entries (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())",
    ),
    _case(
        "a new enum and a column of it",
        _PAYPAL,
        "CREATE TYPE priority AS ENUM ('low', 'high'); ALTER TABLE orders ADD COLUMN urgency priority",
    ),
    _case("a new view", _MANUAL + "sql-createview.html", "CREATE VIEW open_orders AS SELECT id FROM orders"),
    _case(
        "a view gets a column more",
        _MANUAL + "sql-createview.html",
        "CREATE OR REPLACE VIEW open_orders AS SELECT id, total FROM orders",
        setup="CREATE VIEW open_orders AS SELECT id FROM orders;",
    ),
    _case(
        "a new function and its trigger",
        _GITLAB + "renaming-columns",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW;"
        " END $$; CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
    _case(
        "a materialized view is made",
        _MANUAL + "sql-creatematerializedview.html",
        "CREATE MATERIALIZED VIEW sums AS SELECT status, sum(total) FROM orders GROUP BY status;"
        " CREATE UNIQUE INDEX sums_by_status ON sums (status)",
    ),
    # Columns.
    _case("a nullable column", _BRAINTREE, 'op.add_column("orders", sa.Column("region", sa.Text(), nullable=True))'),
    _case(
        "several columns at once",
        _BRAINTREE,
        "ALTER TABLE users ADD COLUMN phone text, ADD COLUMN fax text, ADD COLUMN born date",
    ),
    _case(
        "a required column with a constant",
        _SQUAWK + "adding-field-with-default",
        'op.add_column("orders", sa.Column("currency", sa.String(3), server_default="EUR", nullable=False))',
    ),
    _case(
        "a required column with the time of the change",
        _SQUAWK + "adding-field-with-default",
        "ALTER TABLE products ADD COLUMN created_at timestamptz NOT NULL DEFAULT now()",
    ),
    _case(
        "a jsonb column with an empty object",
        _STRONG + "adding-a-json-column",
        "ALTER TABLE users ADD COLUMN prefs jsonb NOT NULL DEFAULT '{}'",
    ),
    _case(
        "an array with an empty default",
        _MANUAL + "sql-altertable.html",
        "ALTER TABLE products ADD COLUMN labels text[] NOT NULL DEFAULT '{}'",
    ),
    _case(
        "a random key in steps",
        _SQUAWK + "adding-field-with-default",
        "ALTER TABLE users ADD COLUMN token uuid; ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid()",
    ),
    _case(
        "a computed column that is not stored",
        _MANUAL + "ddl-generated-columns.html",
        "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) VIRTUAL",
        since=18,
    ),
    _case("a default is set", _BRAINTREE, 'op.alter_column("orders", "note", server_default="")'),
    _case(
        "a default is changed",
        _GITLAB + "changing-column-defaults",
        "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open'",
    ),
    _case("a column may be null from now on", _BRAINTREE, 'op.alter_column("users", "email", nullable=True)'),
    _case(
        "a longer text",
        _STRONG + "changing-the-type-of-a-column",
        'op.alter_column("users", "email", type_=sa.String(254))',
    ),
    _case(
        "text without a limit",
        _STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE users ALTER COLUMN name TYPE text",
    ),
    _case(
        "more digits",
        _STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE products ALTER COLUMN price TYPE numeric(14, 2)",
    ),
    _case(
        "timestamp to timestamptz in UTC",
        _STRONG + "changing-the-type-of-a-column",
        'op.alter_column("orders", "placed", type_=sa.DateTime(timezone=True))',
    ),
    _case(
        "a value is added to an enum",
        _PAYPAL,
        "ALTER TYPE state ADD VALUE IF NOT EXISTS 'paused'",
        setup="CREATE TYPE state AS ENUM ('open', 'shut');",
    ),
    _case(
        "a value is added to an enum outside of a transaction",
        _SQUAWK + "require-enum-value-ordering",
        "!ALTER TYPE state ADD VALUE 'paused' AFTER 'open'",
        setup="CREATE TYPE state AS ENUM ('open', 'shut');",
    ),
    _case(
        "a comment and statistics",
        _MANUAL + "sql-createstatistics.html",
        "COMMENT ON COLUMN orders.total IS 'gross'; CREATE STATISTICS pairs ON user_id, status FROM orders;"
        " ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500",
    ),
    _case(
        "vacuum settings",
        _MANUAL + "sql-altertable.html",
        "ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01)",
    ),
    # Constraints and indexes.
    _case(
        "required in steps",
        _STRONG + "setting-not-null-on-an-existing-column",
        "ALTER TABLE users ADD CONSTRAINT aged CHECK (age IS NOT NULL) NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT aged",
        "ALTER TABLE users ALTER COLUMN age SET NOT NULL; ALTER TABLE users DROP CONSTRAINT aged",
    ),
    _case(
        "required by the helper",
        _STRONG + "setting-not-null-on-an-existing-column",
        'from alembic_operator_helpers import add_not_null\nadd_not_null("users", "country")',
    ),
    _case(
        "required, as a check of last month has proven",
        _PAYPAL,
        "ALTER TABLE users ALTER COLUMN age SET NOT NULL",
        setup="ALTER TABLE users ADD CONSTRAINT aged CHECK (age IS NOT NULL);",
    ),
    _case(
        "a check in steps",
        _SQUAWK + "constraint-missing-not-valid",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0) NOT VALID",
        "ALTER TABLE orders VALIDATE CONSTRAINT positive",
    ),
    _case(
        "a foreign key in steps",
        _SQUAWK + "adding-foreign-key-constraint",
        'op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)',
        'op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_user")',
    ),
    _case(
        "unique in steps",
        _SQUAWK + "disallowed-unique-constraint",
        "!CREATE UNIQUE INDEX CONCURRENTLY one_sku ON products (sku)",
        "ALTER TABLE products ADD CONSTRAINT one_sku UNIQUE USING INDEX one_sku",
    ),
    _case(
        "a check is dropped",
        _BRAINTREE,
        "ALTER TABLE orders DROP CONSTRAINT positive",
        setup="ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0);",
    ),
    _case(
        "an index without locks",
        _STRONG + "adding-an-index-non-concurrently",
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("orders_by_placed", "orders", ["placed"], postgresql_concurrently=True)',
    ),
    _case(
        "an index by the helper",
        _STRONG + "adding-an-index-non-concurrently",
        "from alembic_operator_helpers import create_index_concurrently\n"
        'create_index_concurrently("orders_by_total", "orders", ["total"])',
    ),
    _case(
        "an unused index is dropped without locks",
        _SQUAWK + "require-concurrent-index-deletion",
        "with op.get_context().autocommit_block():\n"
        '    op.drop_index("orders_by_status", table_name="orders", postgresql_concurrently=True)',
    ),
    _case("reindexed without locks", _MANUAL + "sql-reindex.html", "!REINDEX INDEX CONCURRENTLY orders_by_user"),
    _case(
        "a materialized view is refreshed beside its readers",
        _MANUAL + "sql-refreshmaterializedview.html",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
        setup="CREATE MATERIALIZED VIEW totals AS SELECT id FROM orders; CREATE UNIQUE INDEX one_total ON totals (id);",
    ),
    _case(
        "a partition for next year",
        _MANUAL + "ddl-partitioning.html",
        "CREATE TABLE visits_27 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        setup=_PARTED,
    ),
    _case(
        "a partition is attached whose bounds are proven",
        _MANUAL + "ddl-partitioning.html",
        "ALTER TABLE visits ATTACH PARTITION visits_27 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        setup=_PARTED + " CREATE TABLE visits_27 (day date NOT NULL, kind text,"
        " CONSTRAINT bounds CHECK (day >= '2027-01-01' AND day < '2028-01-01'));"
        " INSERT INTO visits_27 VALUES ('2027-02-02', 'a');",
    ),
    _case(
        "an index on a partitioned table in steps",
        _MANUAL + "ddl-partitioning.html",
        "CREATE INDEX by_kind ON ONLY visits (kind)",
        "!CREATE INDEX CONCURRENTLY by_kind_26 ON visits_26 (kind)",
        "ALTER INDEX by_kind ATTACH PARTITION by_kind_26",
        setup=_PARTED,
    ),
    # Rows.
    _case(
        "a few settings are written",
        _GITLAB + "data-migrations",
        "INSERT INTO flags VALUES ('checkout', true) ON CONFLICT DO NOTHING;"
        " UPDATE flags SET is_on = false WHERE name = 'legacy'",
        setup="CREATE TABLE flags (name text PRIMARY KEY, is_on boolean); INSERT INTO flags VALUES ('legacy', true);",
    ),
    _case(
        "one row is mended",
        _GITLAB + "data-migrations",
        'op.get_bind().execute(sa.text("UPDATE orders SET status = :status WHERE id = :id"), {"status": "x", "id": 7})',
    ),
    _case(
        "filled in batches by the helper",
        _STRONG + "backfilling-data",
        "from alembic_operator_helpers import backfill\n"
        'backfill("orders", {"note": "\'-\'"}, "note IS NULL", batch=100)',
    ),
    _case(
        "filled in batches by hand",
        _STRONG + "backfilling-data",
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
    _case("rights for a new role", _MANUAL + "sql-grant.html", "GRANT SELECT ON orders TO PUBLIC"),
)
