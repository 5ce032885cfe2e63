"""Columns, types and names, changed as Alembic writes it down and as nobody should run it."""

from __future__ import annotations

from .helpdesk import ALEMBIC, BIGINT, EUGENE, GITLAB, MANUAL, REVIEW, STRONG, unsafe

UNSAFE_COLUMNS = (
    unsafe(
        "autogenerate takes a renamed column for two",
        REVIEW,
        'op.add_column("members", sa.Column("full_name", sa.Text(), nullable=True))\nop.drop_column("members", "name")',
    ),
    unsafe(
        "autogenerate takes a renamed table for two",
        "https://mortalapps.com/python/databases/alembic-migrations/",
        """
op.create_table("people", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("email", sa.Text()))
op.drop_table("members")""",
    ),
    unsafe(
        "a column gets another name",
        STRONG + "renaming-a-column",
        'op.alter_column("tickets", "body", new_column_name="description", existing_type=sa.Text())',
    ),
    unsafe(
        "a table moves to another schema",
        STRONG + "renaming-a-table",
        'op.execute("CREATE SCHEMA archive")\nop.execute("ALTER TABLE members SET SCHEMA archive")',
    ),
    unsafe(
        "batch mode drops two columns",
        ALEMBIC + "batch.html",
        """
with op.batch_alter_table("accounts") as batch:
    batch.add_column(sa.Column("note", sa.Text(), nullable=True))
    batch.drop_column("tier")
    batch.drop_column("seats")""",
    ),
    unsafe(
        "a required column as the model has it",
        REVIEW,
        'op.add_column("members", sa.Column("locale", sa.String(10), nullable=False))',
    ),
    unsafe(
        "add, fill and require in one revision",
        REVIEW,
        """
op.add_column("members", sa.Column("locale", sa.String(10), nullable=True))
op.execute("UPDATE members SET locale = 'en'")
op.alter_column("members", "locale", existing_type=sa.String(10), nullable=False)""",
    ),
    unsafe(
        "required after the backfill of last week, without proof",
        STRONG + "setting-not-null-on-an-existing-column",
        'op.alter_column("tickets", "minutes", existing_type=sa.Integer(), nullable=False)',
    ),
    unsafe(
        "a key grows to bigint before it is exhausted",
        BIGINT,
        'op.alter_column("tickets", "id", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)',
    ),
    unsafe(
        "text to uuid with a cast",
        EUGENE + "E5/",
        """
from sqlalchemy.dialects import postgresql
op.alter_column("members", "ref", type_=postgresql.UUID(), postgresql_using="ref::uuid")""",
    ),
    unsafe(
        "unlimited text gets a limit",
        STRONG + "changing-the-type-of-a-column",
        'op.alter_column("tickets", "subject", existing_type=sa.Text(), type_=sa.String(200), existing_nullable=False)',
    ),
    unsafe(
        "char to text",
        EUGENE + "E5/",
        'op.alter_column("accounts", "region", existing_type=sa.CHAR(2), type_=sa.Text())',
    ),
    unsafe(
        "local times are read as Berlin's",
        "https://dba.stackexchange.com/questions/322904/alter-timestamp-column-to-timestamptz-without-converting-data",
        """
op.alter_column(
    "tickets", "opened", type_=sa.DateTime(timezone=True), postgresql_using="opened AT TIME ZONE 'Europe/Berlin'"
)""",
    ),
    unsafe(
        "times with a zone, in a session of another zone",
        "https://dba.stackexchange.com/questions/322904/alter-timestamp-column-to-timestamptz-without-converting-data",
        """
op.execute("SET LOCAL TimeZone = 'America/New_York'")
op.alter_column("accounts", "signed_up", existing_type=sa.DateTime(), type_=sa.DateTime(timezone=True))""",
    ),
    unsafe(
        "more digits behind the point",
        MANUAL + "sql-altertable.html",
        """
op.alter_column("accounts", "balance", existing_type=sa.Numeric(8, 2), type_=sa.Numeric(10, 4))""",
    ),
    unsafe(
        "json to jsonb in place",
        EUGENE + "E5/",
        """
from sqlalchemy.dialects import postgresql
op.alter_column("accounts", "meta", type_=postgresql.JSONB(), postgresql_using="meta::jsonb")""",
    ),
    unsafe(
        "an indexed text gets another collation",
        MANUAL + "sql-altertable.html",
        "op.execute('ALTER TABLE tickets ALTER COLUMN subject TYPE text COLLATE \"C\"')",
    ),
    unsafe(
        "an enum is made anew under its old name",
        MANUAL + "sql-altertype.html",
        """
op.execute("ALTER TYPE ticket_state RENAME TO ticket_state_old")
sa.Enum("open", "closed", name="ticket_state").create(op.get_bind())
op.execute("ALTER TABLE tickets ALTER COLUMN state TYPE ticket_state USING state::text::ticket_state")
op.execute("DROP TYPE ticket_state_old")""",
    ),
    unsafe(
        "an enum value is added and used at once",
        MANUAL + "sql-altertype.html",
        """
op.execute("ALTER TYPE ticket_state ADD VALUE 'merged'")
op.execute("UPDATE tickets SET state = 'merged' WHERE id = 7")""",
    ),
    unsafe(
        "every row gets a token of its own",
        STRONG + "adding-a-column-with-a-volatile-default-value",
        'op.add_column("members", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))',
    ),
    unsafe(
        "a stored computed column",
        EUGENE + "E11/",
        'op.add_column("tickets", sa.Column("hours", sa.Integer(), sa.Computed("minutes / 60", persisted=True)))',
    ),
    unsafe(
        "a column counts the rows",
        EUGENE + "E11/",
        'op.add_column("members", sa.Column("seat", sa.BigInteger(), sa.Identity(), nullable=False))',
    ),
    unsafe(
        "row security without a policy",
        "https://migrationpilot.dev/rules/mp057",
        'op.execute("ALTER TABLE tickets ENABLE ROW LEVEL SECURITY")',
    ),
    unsafe(
        "numbers begin at one again",
        MANUAL + "sql-altersequence.html",
        'op.execute("ALTER SEQUENCE ticket_numbers RESTART WITH 1")',
    ),
    unsafe(
        "a nested table is dropped with all that refers to it",
        GITLAB + "database/avoiding_downtime_in_migrations/",
        'op.execute("DROP TABLE IF EXISTS accounts CASCADE")',
    ),
)
