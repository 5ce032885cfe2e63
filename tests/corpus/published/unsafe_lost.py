"""What is lost, or breaks the programs that run meanwhile."""

from __future__ import annotations

from .sources import ATLAS, MANUAL, SQUAWK, STRONG, unsafe

UNSAFE_LOST = (
    unsafe(
        "a column is removed while the old release still selects it",
        STRONG + "removing-a-column",
        'op.drop_column("orders", "note")',
    ),
    unsafe(
        "a table of the last migration's backup is dropped, and a job still reads it",
        "https://www.aimadetools.com/blog/deleted-production-database-postmortem/",
        'op.drop_table("orders")',
    ),
    unsafe(
        "a column is renamed in place",
        STRONG + "renaming-a-column",
        'op.alter_column("users", "name", new_column_name="full_name")',
    ),
    unsafe("a table is renamed in place", STRONG + "renaming-a-table", 'op.rename_table("orders", "purchases")'),
    unsafe(
        "a schema is dropped with all that is in it",
        ATLAS + "DS101",
        "DROP SCHEMA archive CASCADE",
        setup="CREATE SCHEMA archive; CREATE TABLE archive.events (id int); INSERT INTO archive.events VALUES (1);",
    ),
    unsafe(
        "a view that reports use is dropped",
        SQUAWK + "ban-drop-view",
        "DROP VIEW revenue",
        setup="CREATE VIEW revenue AS SELECT status, sum(total) FROM orders GROUP BY status;",
    ),
    unsafe(
        "drop column takes the view along",
        SQUAWK + "ban-drop-column",
        "ALTER TABLE orders DROP COLUMN total CASCADE",
        setup="CREATE VIEW revenue AS SELECT status, total FROM orders;",
    ),
    unsafe(
        "an enum type is dropped with its columns",
        SQUAWK + "ban-drop-type",
        "DROP TYPE colour CASCADE",
        setup="CREATE TYPE colour AS ENUM ('red', 'blue'); ALTER TABLE products ADD COLUMN tint colour;",
    ),
    unsafe(
        "an enum's value is renamed under running programs",
        "https://medium.com/paypal-tech/postgresql-at-scale-database-schema-changes-without-downtime-20d3749ed680",
        "ALTER TYPE state RENAME VALUE 'open' TO 'pending'",
        setup="CREATE TYPE state AS ENUM ('open', 'shut'); ALTER TABLE orders ADD COLUMN phase state;",
    ),
    unsafe(
        "a sequence that a default uses is dropped",
        SQUAWK + "ban-drop-sequence",
        "DROP SEQUENCE numbers CASCADE",
        setup="CREATE SEQUENCE numbers; ALTER TABLE products ADD COLUMN number bigint DEFAULT nextval('numbers');",
    ),
    unsafe(
        "a table is emptied before it is filled anew",
        SQUAWK + "ban-truncate-cascade",
        "TRUNCATE TABLE products CASCADE",
    ),
    unsafe(
        "rows are cleared without a condition",
        "https://www.jyotsna.tech/notes/the-deploy-that-deleted-production",
        "DELETE FROM users",
    ),
    unsafe(
        "a condition that is always true",
        "https://www.jyotsna.tech/notes/the-deploy-that-deleted-production",
        "UPDATE orders SET status = 'done' WHERE status = 'pending' OR 1 = 1",
    ),
    unsafe(
        "dropped from within a loop over the catalog",
        MANUAL + "plpgsql-statements.html",
        """
        DO $$ DECLARE t text; BEGIN
          FOR t IN SELECT tablename FROM pg_tables WHERE tablename = 'products' LOOP
            EXECUTE format('DROP TABLE %I CASCADE', t);
          END LOOP;
        END $$""",
    ),
    unsafe(
        "a comment for the linter hides a drop",
        SQUAWK + "cli",
        "-- squawk-ignore ban-drop-column\nALTER TABLE users DROP COLUMN age",
    ),
    unsafe(
        "the table is moved into another schema",
        SQUAWK + "ban-set-schema",
        "CREATE SCHEMA billing; ALTER TABLE orders SET SCHEMA billing",
    ),
    unsafe(
        "the primary key is dropped to make another",
        MANUAL + "sql-altertable.html",
        "ALTER TABLE products DROP CONSTRAINT products_key; ALTER TABLE products ADD PRIMARY KEY (sku, id)",
    ),
    unsafe(
        "triggers are off while data is loaded",
        SQUAWK + "ban-disable-trigger",
        "ALTER TABLE orders DISABLE TRIGGER ALL; UPDATE orders SET note = 'x' WHERE id = 1;"
        " ALTER TABLE orders ENABLE TRIGGER ALL",
    ),
    unsafe(
        "row security is switched off for a fix",
        MANUAL + "ddl-rowsecurity.html",
        "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
        setup="ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    ),
    unsafe(
        "made unlogged to load faster",
        MANUAL + "sql-createtable.html#SQL-CREATETABLE-UNLOGGED",
        "ALTER TABLE products SET UNLOGGED",
    ),
    unsafe(
        "a child leaves its parent",
        MANUAL + "ddl-inherit.html",
        "ALTER TABLE old_orders NO INHERIT all_orders",
        setup="CREATE TABLE all_orders (id int); CREATE TABLE old_orders () INHERITS (all_orders);"
        " INSERT INTO old_orders VALUES (1);",
    ),
)
