"""Columns of tables that hold rows, and their types."""

from __future__ import annotations

from .sources import ATLAS, EUGENE, GITLAB, MANUAL, SQUAWK, STRONG, unsafe

UNSAFE_COLUMNS = (
    unsafe(
        "required at once",
        SQUAWK + "adding-required-field",
        'op.add_column("orders", sa.Column("region", sa.Text(), nullable=False))',
    ),
    unsafe("required by SQL", ATLAS + "MF103", "ALTER TABLE users ADD COLUMN phone text NOT NULL"),
    unsafe(
        "set required after an update in the same revision",
        "https://www.c-sharpcorner.com/article/database-incident-postmortem-migration-gone-wrong",
        'op.add_column("orders", sa.Column("channel", sa.Text()))\n'
        "op.execute(\"UPDATE orders SET channel = 'web'\")\n"
        'op.alter_column("orders", "channel", nullable=False)',
    ),
    unsafe(
        "set required",
        STRONG + "setting-not-null-on-an-existing-column",
        'op.alter_column("users", "age", existing_type=sa.Integer(), nullable=False)',
    ),
    unsafe("set required on rows that hold null", ATLAS + "MF104", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL"),
    unsafe(
        "a key that is random",
        SQUAWK + "adding-field-with-default",
        'op.add_column("users", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))',
    ),
    unsafe(
        "a default from the clock",
        STRONG + "adding-a-column-with-a-volatile-default",
        "ALTER TABLE orders ADD COLUMN seen timestamptz NOT NULL DEFAULT clock_timestamp()",
    ),
    unsafe(
        "a default from a function of one's own",
        EUGENE,
        "ALTER TABLE users ADD COLUMN code text DEFAULT short_code()",
        setup="CREATE FUNCTION short_code() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT md5(random()::text)';",
    ),
    unsafe(
        "a serial number",
        SQUAWK + "adding-serial-primary-key-field",
        "ALTER TABLE products ADD COLUMN number bigserial",
    ),
    unsafe(
        "an identity column",
        EUGENE + "E11/",
        "ALTER TABLE products ADD COLUMN number int GENERATED ALWAYS AS IDENTITY",
    ),
    unsafe(
        "a stored search column",
        STRONG + "adding-a-stored-generated-column",
        'op.add_column("products", sa.Column("search", sa.Text(),'
        " sa.Computed(\"lower(coalesce(title, ''))\", persisted=True)))",
    ),
    unsafe(
        "a json column, and DISTINCT fails",
        STRONG + "adding-a-json-column",
        'op.add_column("users", sa.Column("prefs", sa.JSON()))',
    ),
    unsafe(
        "int to bigint before it overflows",
        GITLAB + "migrating-integer-primary-keys-to-bigint",
        'op.alter_column("users", "id", type_=sa.BigInteger())',
    ),
    unsafe(
        "text to number",
        STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE orders ALTER COLUMN note TYPE int USING note::int",
    ),
    unsafe("a shorter text", SQUAWK + "changing-column-type", 'op.alter_column("users", "email", type_=sa.String(80))'),
    unsafe(
        "text to a limited one",
        STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE products ALTER COLUMN title TYPE varchar(200)",
    ),
    unsafe(
        "another scale",
        STRONG + "changing-the-type-of-a-column",
        "ALTER TABLE products ALTER COLUMN price TYPE numeric(12, 4)",
    ),
    unsafe(
        "json to jsonb",
        GITLAB + "changing-column-types",
        "ALTER TABLE users ALTER COLUMN settings TYPE jsonb USING settings::jsonb",
    ),
    unsafe(
        "text to an enum",
        MANUAL + "sql-altertable.html",
        "CREATE TYPE step AS ENUM ('new', 'done'); ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;"
        " ALTER TABLE orders ALTER COLUMN status TYPE step USING status::step",
    ),
    unsafe(
        "timestamp to timestamptz in a local zone",
        STRONG + "changing-the-type-of-a-column",
        "SET LOCAL timezone = 'Europe/Berlin'; ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz",
    ),
    unsafe(
        "another collation",
        MANUAL + "collation.html",
        'ALTER TABLE products ALTER COLUMN sku TYPE text COLLATE "C"',
        setup="CREATE INDEX by_sku ON products (sku);",
    ),
)
