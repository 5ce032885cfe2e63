"""New things, and columns that nobody has to wait for."""

from __future__ import annotations

from .sources import BRAINTREE, GITLAB, MANUAL, PAYPAL, SQUAWK, STRONG, safe

SAFE_ADDITIONS = (
    # New things.
    safe(
        "a new table with all its constraints",
        GITLAB + "adding-tables",
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
    safe(
        "a new table that refers to an old one",
        PAYPAL,
        "CREATE TABLE reviews (id bigserial PRIMARY KEY, user_id int REFERENCES users (id), text text);"
        " CREATE INDEX reviews_by_user ON reviews (user_id)",
    ),
    safe(
        "a new table, changed again by the next revision",
        SQUAWK + "renaming-column",
        "CREATE TABLE tags (id int PRIMARY KEY, label text)",
        "ALTER TABLE tags RENAME COLUMN label TO name; ALTER TABLE tags ALTER COLUMN name SET NOT NULL;"
        " ALTER TABLE tags ADD CONSTRAINT one_tag UNIQUE (name); CREATE INDEX tags_by_name ON tags (name)",
    ),
    safe(
        "a new table is filled and then constrained",
        GITLAB + "adding-tables",
        'op.create_table("countries", sa.Column("code", sa.String(2)), sa.Column("name", sa.Text()))\n'
        'op.bulk_insert(sa.table("countries", sa.column("code"), sa.column("name")),'
        ' [{"code": "DE", "name": "Germany"}, {"code": "FR", "name": "France"}])\n'
        'op.create_primary_key("countries_pk", "countries", ["code"])\n'
        'op.alter_column("countries", "name", nullable=False)',
    ),
    safe(
        "a helper table is dropped by the revision after",
        SQUAWK + "ban-drop-table",
        "CREATE TABLE scratch (id int)",
        "DROP TABLE scratch",
    ),
    safe(
        "a temporary table",
        MANUAL + "sql-createtable.html",
        "CREATE TEMP TABLE work_ids (id int); INSERT INTO work_ids VALUES (1); DROP TABLE work_ids",
    ),
    safe(
        "a new schema with tables",
        MANUAL + "sql-createschema.html",
        "CREATE SCHEMA audit; CREATE TABLE audit.entries (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())",
    ),
    safe(
        "a new enum and a column of it",
        PAYPAL,
        "CREATE TYPE priority AS ENUM ('low', 'high'); ALTER TABLE orders ADD COLUMN urgency priority",
    ),
    safe("a new view", MANUAL + "sql-createview.html", "CREATE VIEW open_orders AS SELECT id FROM orders"),
    safe(
        "a view gets a column more",
        MANUAL + "sql-createview.html",
        "CREATE OR REPLACE VIEW open_orders AS SELECT id, total FROM orders",
        setup="CREATE VIEW open_orders AS SELECT id FROM orders;",
    ),
    safe(
        "a new function and its trigger",
        GITLAB + "renaming-columns",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW;"
        " END $$; CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
    safe(
        "a materialized view is made",
        MANUAL + "sql-creatematerializedview.html",
        "CREATE MATERIALIZED VIEW sums AS SELECT status, sum(total) FROM orders GROUP BY status;"
        " CREATE UNIQUE INDEX sums_by_status ON sums (status)",
    ),
    # Columns.
    safe("a nullable column", BRAINTREE, 'op.add_column("orders", sa.Column("region", sa.Text(), nullable=True))'),
    safe(
        "several columns at once",
        BRAINTREE,
        "ALTER TABLE users ADD COLUMN phone text, ADD COLUMN fax text, ADD COLUMN born date",
    ),
    safe(
        "a required column with a constant",
        SQUAWK + "adding-field-with-default",
        'op.add_column("orders", sa.Column("currency", sa.String(3), server_default="EUR", nullable=False))',
    ),
    safe(
        "a required column with the time of the change",
        SQUAWK + "adding-field-with-default",
        "ALTER TABLE products ADD COLUMN created_at timestamptz NOT NULL DEFAULT now()",
    ),
    safe(
        "a jsonb column with an empty object",
        STRONG + "adding-a-json-column",
        "ALTER TABLE users ADD COLUMN prefs jsonb NOT NULL DEFAULT '{}'",
    ),
    safe(
        "an array with an empty default",
        MANUAL + "sql-altertable.html",
        "ALTER TABLE products ADD COLUMN labels text[] NOT NULL DEFAULT '{}'",
    ),
    safe(
        "a random key in steps",
        SQUAWK + "adding-field-with-default",
        "ALTER TABLE users ADD COLUMN token uuid; ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid()",
    ),
    safe(
        "a computed column that is not stored",
        MANUAL + "ddl-generated-columns.html",
        "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) VIRTUAL",
        since=18,
    ),
    safe("a default is set", BRAINTREE, 'op.alter_column("orders", "note", server_default="")'),
    safe(
        "a default is changed",
        GITLAB + "changing-column-defaults",
        "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open'",
    ),
    safe("a column may be null from now on", BRAINTREE, 'op.alter_column("users", "email", nullable=True)'),
    safe(
        "a longer text",
        STRONG + "changing-the-type-of-a-column",
        'op.alter_column("users", "email", type_=sa.String(254))',
    ),
    safe(
        "text without a limit",
        STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE users ALTER COLUMN name TYPE text",
    ),
    safe(
        "more digits",
        STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE products ALTER COLUMN price TYPE numeric(14, 2)",
    ),
    safe(
        "timestamp to timestamptz in UTC",
        STRONG + "changing-the-type-of-a-column",
        'op.alter_column("orders", "placed", type_=sa.DateTime(timezone=True))',
    ),
    safe(
        "a value is added to an enum",
        PAYPAL,
        "ALTER TYPE state ADD VALUE IF NOT EXISTS 'paused'",
        setup="CREATE TYPE state AS ENUM ('open', 'shut');",
    ),
    safe(
        "a value is added to an enum outside of a transaction",
        SQUAWK + "require-enum-value-ordering",
        "!ALTER TYPE state ADD VALUE 'paused' AFTER 'open'",
        setup="CREATE TYPE state AS ENUM ('open', 'shut');",
    ),
    safe(
        "a comment and statistics",
        MANUAL + "sql-createstatistics.html",
        "COMMENT ON COLUMN orders.total IS 'gross'; CREATE STATISTICS pairs ON user_id, status FROM orders;"
        " ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500",
    ),
    safe(
        "vacuum settings",
        MANUAL + "sql-altertable.html",
        "ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01)",
    ),
)
