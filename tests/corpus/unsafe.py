"""Migrations that stopped somebody's production, or that a linter's documentation warns of."""

from __future__ import annotations

from .case import Case

_SQUAWK = "https://squawkhq.com/docs/"
_STRONG = "https://github.com/ankane/strong_migrations#"
_GITLAB = "https://docs.gitlab.com/development/database/avoiding_downtime_in_migrations/#"
_POSTGRES_AI = "https://postgres.ai/blog/20220525-common-db-schema-change-mistakes"
_BRAINTREE = "https://www.pgrs.net/2014/05/14/safe-operations-for-high-volume-postgresql/"
_ATLAS = "https://atlasgo.io/lint/analyzers#"
_EUGENE = "https://kaveland.no/eugene/hints/"
_MANUAL = "https://www.postgresql.org/docs/current/"
_GOCARDLESS = "https://gocardless.com/blog/zero-downtime-postgres-migrations-the-hard-parts/"


def _case(name: str, source: str, *revisions: str, setup: str = "", since: int = 15) -> Case:
    return Case(name, source, True, revisions, setup, since)


UNSAFE = (
    # What is lost, or breaks the programs that run meanwhile.
    _case(
        "a column is removed while the old release still selects it",
        _STRONG + "removing-a-column",
        'op.drop_column("orders", "note")',
    ),
    _case(
        "a table of the last migration's backup is dropped, and a job still reads it",
        "https://www.aimadetools.com/blog/deleted-production-database-postmortem/",
        'op.drop_table("orders")',
    ),
    _case(
        "a column is renamed in place",
        _STRONG + "renaming-a-column",
        'op.alter_column("users", "name", new_column_name="full_name")',
    ),
    _case("a table is renamed in place", _STRONG + "renaming-a-table", 'op.rename_table("orders", "purchases")'),
    _case(
        "a schema is dropped with all that is in it",
        _ATLAS + "DS101",
        "DROP SCHEMA archive CASCADE",
        setup="CREATE SCHEMA archive; CREATE TABLE archive.events (id int); INSERT INTO archive.events VALUES (1);",
    ),
    _case(
        "a view that reports use is dropped",
        _SQUAWK + "ban-drop-view",
        "DROP VIEW revenue",
        setup="CREATE VIEW revenue AS SELECT status, sum(total) FROM orders GROUP BY status;",
    ),
    _case(
        "drop column takes the view along",
        _SQUAWK + "ban-drop-column",
        "ALTER TABLE orders DROP COLUMN total CASCADE",
        setup="CREATE VIEW revenue AS SELECT status, total FROM orders;",
    ),
    _case(
        "an enum type is dropped with its columns",
        _SQUAWK + "ban-drop-type",
        "DROP TYPE colour CASCADE",
        setup="CREATE TYPE colour AS ENUM ('red', 'blue'); ALTER TABLE products ADD COLUMN tint colour;",
    ),
    _case(
        "an enum's value is renamed under running programs",
        "https://medium.com/paypal-tech/postgresql-at-scale-database-schema-changes-without-downtime-20d3749ed680",
        "ALTER TYPE state RENAME VALUE 'open' TO 'pending'",
        setup="CREATE TYPE state AS ENUM ('open', 'shut'); ALTER TABLE orders ADD COLUMN phase state;",
    ),
    _case(
        "a sequence that a default uses is dropped",
        _SQUAWK + "ban-drop-sequence",
        "DROP SEQUENCE numbers CASCADE",
        setup="CREATE SEQUENCE numbers; ALTER TABLE products ADD COLUMN number bigint DEFAULT nextval('numbers');",
    ),
    _case(
        "a table is emptied before it is filled anew",
        _SQUAWK + "ban-truncate-cascade",
        "TRUNCATE TABLE products CASCADE",
    ),
    _case(
        "rows are cleared without a condition",
        "https://www.jyotsna.tech/notes/the-deploy-that-deleted-production",
        "DELETE FROM users",
    ),
    _case(
        "a condition that is always true",
        "https://www.jyotsna.tech/notes/the-deploy-that-deleted-production",
        "UPDATE orders SET status = 'done' WHERE status = 'pending' OR 1 = 1",
    ),
    _case(
        "dropped from within a loop over the catalog",
        _MANUAL + "plpgsql-statements.html",
        """
        DO $$ DECLARE t text; BEGIN
          FOR t IN SELECT tablename FROM pg_tables WHERE tablename = 'products' LOOP
            EXECUTE format('DROP TABLE %I CASCADE', t);
          END LOOP;
        END $$""",
    ),
    _case(
        "a comment for the linter hides a drop",
        _SQUAWK + "cli",
        "-- squawk-ignore ban-drop-column\nALTER TABLE users DROP COLUMN age",
    ),
    _case(
        "the table is moved into another schema",
        _SQUAWK + "ban-set-schema",
        "CREATE SCHEMA billing; ALTER TABLE orders SET SCHEMA billing",
    ),
    _case(
        "the primary key is dropped to make another",
        _MANUAL + "sql-altertable.html",
        "ALTER TABLE products DROP CONSTRAINT products_key; ALTER TABLE products ADD PRIMARY KEY (sku, id)",
    ),
    _case(
        "triggers are off while data is loaded",
        _SQUAWK + "ban-disable-trigger",
        "ALTER TABLE orders DISABLE TRIGGER ALL; UPDATE orders SET note = 'x' WHERE id = 1;"
        " ALTER TABLE orders ENABLE TRIGGER ALL",
    ),
    _case(
        "row security is switched off for a fix",
        _MANUAL + "ddl-rowsecurity.html",
        "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
        setup="ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    ),
    _case(
        "made unlogged to load faster",
        _MANUAL + "sql-createtable.html#SQL-CREATETABLE-UNLOGGED",
        "ALTER TABLE products SET UNLOGGED",
    ),
    _case(
        "a child leaves its parent",
        _MANUAL + "ddl-inherit.html",
        "ALTER TABLE old_orders NO INHERIT all_orders",
        setup="CREATE TABLE all_orders (id int); CREATE TABLE old_orders () INHERITS (all_orders);"
        " INSERT INTO old_orders VALUES (1);",
    ),
    # Columns.
    _case(
        "required at once",
        _SQUAWK + "adding-required-field",
        'op.add_column("orders", sa.Column("region", sa.Text(), nullable=False))',
    ),
    _case("required by SQL", _ATLAS + "MF103", "ALTER TABLE users ADD COLUMN phone text NOT NULL"),
    _case(
        "set required after an update in the same revision",
        "https://www.c-sharpcorner.com/article/database-incident-postmortem-migration-gone-wrong",
        'op.add_column("orders", sa.Column("channel", sa.Text()))\n'
        "op.execute(\"UPDATE orders SET channel = 'web'\")\n"
        'op.alter_column("orders", "channel", nullable=False)',
    ),
    _case(
        "set required",
        _STRONG + "setting-not-null-on-an-existing-column",
        'op.alter_column("users", "age", existing_type=sa.Integer(), nullable=False)',
    ),
    _case("set required on rows that hold null", _ATLAS + "MF104", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL"),
    _case(
        "a key that is random",
        _SQUAWK + "adding-field-with-default",
        'op.add_column("users", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))',
    ),
    _case(
        "a default from the clock",
        _STRONG + "adding-a-column-with-a-volatile-default",
        "ALTER TABLE orders ADD COLUMN seen timestamptz NOT NULL DEFAULT clock_timestamp()",
    ),
    _case(
        "a default from a function of one's own",
        _EUGENE,
        "ALTER TABLE users ADD COLUMN code text DEFAULT short_code()",
        setup="CREATE FUNCTION short_code() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT md5(random()::text)';",
    ),
    _case(
        "a serial number",
        _SQUAWK + "adding-serial-primary-key-field",
        "ALTER TABLE products ADD COLUMN number bigserial",
    ),
    _case(
        "an identity column",
        _EUGENE + "E11/",
        "ALTER TABLE products ADD COLUMN number int GENERATED ALWAYS AS IDENTITY",
    ),
    _case(
        "a stored search column",
        _STRONG + "adding-a-stored-generated-column",
        'op.add_column("products", sa.Column("search", sa.Text(),'
        " sa.Computed(\"lower(coalesce(title, ''))\", persisted=True)))",
    ),
    _case(
        "a json column, and DISTINCT fails",
        _STRONG + "adding-a-json-column",
        'op.add_column("users", sa.Column("prefs", sa.JSON()))',
    ),
    _case(
        "int to bigint before it overflows",
        _GITLAB + "migrating-integer-primary-keys-to-bigint",
        'op.alter_column("users", "id", type_=sa.BigInteger())',
    ),
    _case(
        "text to number",
        _STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE orders ALTER COLUMN note TYPE int USING note::int",
    ),
    _case("a shorter text", _SQUAWK + "changing-column-type", 'op.alter_column("users", "email", type_=sa.String(80))'),
    _case(
        "text to a limited one",
        _STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE products ALTER COLUMN title TYPE varchar(200)",
    ),
    _case(
        "another scale",
        _STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE products ALTER COLUMN price TYPE numeric(12, 4)",
    ),
    _case(
        "json to jsonb",
        _GITLAB + "changing-column-types",
        "ALTER TABLE users ALTER COLUMN settings TYPE jsonb USING settings::jsonb",
    ),
    _case(
        "text to an enum",
        _MANUAL + "sql-altertable.html",
        "CREATE TYPE step AS ENUM ('new', 'done'); ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;"
        " ALTER TABLE orders ALTER COLUMN status TYPE step USING status::step",
    ),
    _case(
        "timestamp to timestamptz in a local zone",
        _STRONG + "changing-the-type-of-a-column",
        "SET LOCAL timezone = 'Europe/Berlin'; ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz",
    ),
    _case(
        "another collation",
        _MANUAL + "collation.html",
        'ALTER TABLE products ALTER COLUMN sku TYPE text COLLATE "C"',
        setup="CREATE INDEX by_sku ON products (sku);",
    ),
    # Constraints.
    _case(
        "a foreign key stops the parent table",
        _GOCARDLESS,
        'op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"])',
    ),
    _case(
        "a new column with its foreign key",
        _STRONG + "adding-a-foreign-key",
        'op.add_column("orders", sa.Column("seller_id", sa.Integer(), sa.ForeignKey("users.id")))',
    ),
    _case(
        "a check",
        _STRONG + "adding-a-check-constraint",
        'op.create_check_constraint("positive", "orders", "total >= 0")',
    ),
    _case(
        "a check, not valid, validated in one transaction",
        _SQUAWK + "constraint-missing-not-valid",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0) NOT VALID;"
        " ALTER TABLE orders VALIDATE CONSTRAINT positive",
    ),
    _case(
        "a column with a default and a check",
        _EUGENE + "E2/",
        "ALTER TABLE products ADD COLUMN stock int NOT NULL DEFAULT 0 CHECK (stock >= 0)",
    ),
    _case(
        "a domain gets a constraint",
        _SQUAWK + "ban-alter-domain-with-add-constraint",
        "ALTER DOMAIN money_amount ADD CONSTRAINT sane CHECK (value >= 0)",
        setup="CREATE DOMAIN money_amount AS numeric; ALTER TABLE orders ADD COLUMN tax money_amount;",
    ),
    _case(
        "unique",
        _SQUAWK + "disallowed-unique-constraint",
        'op.create_unique_constraint("one_sku", "products", ["sku"])',
    ),
    _case(
        "unique beside a new column",
        _ATLAS + "MF101",
        'op.add_column("users", sa.Column("handle", sa.Text(), unique=True))',
    ),
    _case(
        "no two at once",
        _STRONG + "adding-an-exclusion-constraint",
        "ALTER TABLE rooms ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&)",
        setup="CREATE TABLE rooms (id int, during tsrange); INSERT INTO rooms VALUES (1, '[2026-01-01, 2026-01-02)');",
    ),
    _case(
        "a primary key for a table without",
        _MANUAL + "sql-altertable.html",
        'op.create_primary_key("events_pk", "events", ["id"])',
        setup="CREATE TABLE events (id int NOT NULL, kind text); INSERT INTO events VALUES (1, 'a');",
    ),
    # Indexes and maintenance.
    _case("an index", _BRAINTREE, 'op.create_index("orders_by_placed", "orders", ["placed"])'),
    _case(
        "a unique index",
        _SQUAWK + "require-concurrent-index-creation",
        'op.create_index("one_email", "users", ["email"], unique=True)',
    ),
    _case("an index if it is not there", _POSTGRES_AI, "CREATE INDEX IF NOT EXISTS orders_by_total ON orders (total)"),
    _case(
        "a second try takes an invalid index",
        _MANUAL + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("orders_by_total", "orders", ["total"], postgresql_concurrently=True, if_not_exists=True)',
    ),
    _case(
        "an index on a partitioned table",
        _GITLAB + "adding-indexes",
        "CREATE INDEX by_kind ON visits (kind)",
        setup="CREATE TABLE visits (day date, kind text) PARTITION BY RANGE (day);"
        " CREATE TABLE visits_26 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        " INSERT INTO visits VALUES ('2026-02-02', 'a');",
    ),
    _case(
        "an index is dropped",
        _SQUAWK + "require-concurrent-index-deletion",
        'op.drop_index("orders_by_status", table_name="orders")',
    ),
    _case("reindexed", _SQUAWK + "require-concurrent-reindex", "REINDEX TABLE orders"),
    _case("bloat is removed", _MANUAL + "sql-vacuum.html", "!VACUUM FULL orders"),
    _case("clustered", _MANUAL + "sql-cluster.html", "CLUSTER orders USING orders_by_user"),
    _case(
        "a materialized view is refreshed",
        _MANUAL + "sql-refreshmaterializedview.html",
        "REFRESH MATERIALIZED VIEW totals",
        setup="CREATE MATERIALIZED VIEW totals AS SELECT status FROM orders;",
    ),
    _case(
        "a table is locked by hand",
        _POSTGRES_AI,
        "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; ALTER TABLE orders ADD COLUMN extra text",
    ),
    _case(
        "a partition is attached that has rows",
        _MANUAL + "ddl-partitioning.html",
        "ALTER TABLE visits ATTACH PARTITION visits_27 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        setup="CREATE TABLE visits (day date, kind text) PARTITION BY RANGE (day);"
        " CREATE TABLE visits_27 (day date, kind text); INSERT INTO visits_27 VALUES ('2027-02-02', 'a');",
    ),
    _case(
        "a partition is detached",
        _SQUAWK + "require-concurrent-partition-detach",
        "ALTER TABLE visits DETACH PARTITION visits_26",
        setup="CREATE TABLE visits (day date, kind text) PARTITION BY RANGE (day);"
        " CREATE TABLE visits_26 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        " INSERT INTO visits VALUES ('2026-02-02', 'a');",
    ),
    # Rows.
    _case(
        "a whole table is filled at once",
        _STRONG + "backfilling-data",
        'op.add_column("users", sa.Column("plan", sa.Text()))\nop.execute("UPDATE users SET plan = \'free\'")',
    ),
    _case(
        "a whole table is filled where it is empty",
        _GITLAB + "data-migrations",
        "op.execute(\"UPDATE orders SET note = '' WHERE note IS NULL\")",
    ),
    _case(
        "old rows are purged in one go", _POSTGRES_AI, "DELETE FROM orders WHERE placed < now() - interval '90 days'"
    ),
    _case(
        "filled from another table",
        _POSTGRES_AI,
        "UPDATE orders o SET note = u.name FROM users u WHERE u.id = o.user_id",
    ),
    _case(
        "filled by SQLAlchemy with a parameter",
        _STRONG + "backfilling-data",
        'users = sa.table("users", sa.column("country", sa.String))\n'
        'op.get_bind().execute(users.update().values(country="DE"))',
    ),
    # Transactions.
    _case(
        "committed by hand",
        "https://alembic.sqlalchemy.org/en/latest/api/runtime.html",
        'op.execute("ALTER TABLE orders ADD COLUMN a1 int")\nop.execute("COMMIT")\n'
        'op.execute("ALTER TABLE orders ADD COLUMN a2 int")',
    ),
    _case(
        "a column and its index beside an autocommit block",
        "https://alembic.sqlalchemy.org/en/latest/api/runtime.html",
        'op.add_column("orders", sa.Column("ref", sa.Text()))\n'
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("orders_by_ref", "orders", ["ref"], postgresql_concurrently=True)',
    ),
)
