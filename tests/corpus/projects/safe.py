"""What careful teams write with Alembic, and nobody notices."""

from __future__ import annotations

from .helpdesk import ALEMBIC, DJANGO, EUGENE, GITLAB, MANUAL, STRONG, safe

SAFE_PROJECTS = (
    # New things.
    safe(
        "a new table with its keys, index and first rows",
        GITLAB + "migration_style_guide/",
        """
plans = op.create_table(
    "plans",
    sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
    sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("label", sa.Text(), nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
)
op.create_index("plans_by_account", "plans", ["account_id"])
op.bulk_insert(plans, [{"account_id": 1, "label": "gold"}, {"account_id": 2, "label": "iron"}])""",
    ),
    safe(
        "a new table, filled from what is there",
        GITLAB + "migration_style_guide/",
        """
op.create_table("tiers", sa.Column("name", sa.String(20), primary_key=True))
op.execute("INSERT INTO tiers SELECT DISTINCT tier FROM accounts WHERE tier IS NOT NULL")""",
    ),
    safe(
        "an optional column",
        STRONG + "adding-a-column-with-a-volatile-default-value",
        'op.add_column("tickets", sa.Column("topic", sa.Text(), nullable=True))',
    ),
    safe(
        "a required column with a constant default",
        DJANGO,
        """
op.add_column("tickets", sa.Column("spam", sa.Boolean(), server_default=sa.false(), nullable=False))
op.add_column("tickets", sa.Column("labels", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))""",
    ),
    safe(
        "a required column that says when",
        MANUAL + "sql-altertable.html",
        'op.add_column("members", sa.Column("seen", sa.DateTime(timezone=True), server_default=sa.func.now(),'
        " nullable=False))",
    ),
    safe(
        "a new enum and a column of it",
        ALEMBIC + "ops.html",
        """
channel = sa.Enum("mail", "chat", name="channel")
channel.create(op.get_bind(), checkfirst=True)
op.add_column("tickets", sa.Column("channel_used", channel, nullable=True))""",
    ),
    safe(
        "an enum value in a block of its own",
        "https://github.com/cloudify-cosmo/cloudify-manager/pull/3546",
        "with op.get_context().autocommit_block():\n"
        "    op.execute(\"ALTER TYPE ticket_state ADD VALUE IF NOT EXISTS 'merged'\")",
    ),
    safe(
        "a computed column that is not stored",
        MANUAL + "ddl-generated-columns.html",
        'op.execute("ALTER TABLE tickets ADD COLUMN hours int GENERATED ALWAYS AS (minutes / 60) VIRTUAL")',
        since=18,
    ),
    safe(
        "both columns are written by a trigger",
        "https://github.com/xataio/pgroll",
        """
op.add_column("members", sa.Column("full_name", sa.Text(), nullable=True))
op.execute('''
CREATE FUNCTION copy_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.full_name := NEW.name;
    RETURN NEW;
END $$
''')
op.execute("CREATE TRIGGER members_copy_name BEFORE INSERT OR UPDATE ON members"
           " FOR EACH ROW EXECUTE FUNCTION copy_name()")""",
    ),
    safe(
        "a view, and then one column more at its end",
        MANUAL + "sql-createview.html",
        'op.execute("CREATE VIEW queue AS SELECT id, subject FROM tickets")',
        'op.execute("CREATE OR REPLACE VIEW queue AS SELECT id, subject, state FROM tickets")',
    ),
    safe(
        "the next year's partition",
        MANUAL + "ddl-partitioning.html",
        "op.execute(\"CREATE TABLE visits_2027 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')\")",
    ),
    # Columns.
    safe(
        "a longer limit",
        DJANGO,
        'op.alter_column("accounts", "slug", existing_type=sa.String(60), type_=sa.String(120), nullable=False)',
    ),
    safe(
        "no limit any more",
        DJANGO,
        'op.alter_column("members", "ref", existing_type=sa.String(36), type_=sa.Text())',
    ),
    safe(
        "more digits before the point",
        DJANGO,
        'op.alter_column("accounts", "balance", existing_type=sa.Numeric(8, 2), type_=sa.Numeric(12, 2))',
    ),
    safe(
        "times get a zone in a session that keeps UTC",
        "https://dba.stackexchange.com/questions/322904/alter-timestamp-column-to-timestamptz-without-converting-data",
        """
op.execute("SET LOCAL TimeZone = 'UTC'")
op.alter_column("tickets", "opened", existing_type=sa.DateTime(), type_=sa.DateTime(timezone=True))""",
    ),
    safe(
        "a default comes, another goes",
        STRONG + "changing-the-default-value-of-a-column",
        """
op.alter_column("tickets", "priority", server_default="3")
op.alter_column("accounts", "signed_up", server_default=None)""",
    ),
    safe(
        "a column need not be filled any more",
        DJANGO,
        'op.alter_column("tickets", "subject", existing_type=sa.Text(), nullable=True)',
    ),
    safe(
        "comments",
        ALEMBIC + "ops.html",
        """
op.create_table_comment("tickets", "What people ask")
op.alter_column("tickets", "body", existing_type=sa.Text(), comment="As they wrote it")""",
    ),
    # Constraints and indexes.
    safe(
        "a foreign key that is proven later",
        STRONG + "adding-a-foreign-key",
        """
op.create_foreign_key("tickets_member_fk", "tickets", "members", ["member_id"], ["id"], postgresql_not_valid=True)""",
        'op.execute("ALTER TABLE tickets VALIDATE CONSTRAINT tickets_member_fk")',
    ),
    safe(
        "a check that is proven later, with a short wait for locks",
        EUGENE + "E2/",
        """
op.execute("SET LOCAL lock_timeout = '2s'")
op.create_check_constraint("minutes_positive", "tickets", "minutes >= 0", postgresql_not_valid=True)""",
        """
op.execute("SET LOCAL statement_timeout = '30min'")
op.execute("ALTER TABLE tickets VALIDATE CONSTRAINT minutes_positive")""",
    ),
    safe(
        "required in three steps",
        STRONG + "setting-not-null-on-an-existing-column",
        'op.create_check_constraint("minutes_set", "tickets", "minutes IS NOT NULL", postgresql_not_valid=True)',
        'op.execute("ALTER TABLE tickets VALIDATE CONSTRAINT minutes_set")',
        """
op.alter_column("tickets", "minutes", existing_type=sa.Integer(), nullable=False)
op.drop_constraint("minutes_set", "tickets", type_="check")""",
    ),
    safe(
        "unique by an index that was built aside",
        STRONG + "adding-a-unique-constraint",
        """
with op.get_context().autocommit_block():
    op.create_index("members_email_key", "members", ["email"], unique=True, postgresql_concurrently=True)""",
        'op.execute("ALTER TABLE members ADD CONSTRAINT members_email_key UNIQUE USING INDEX members_email_key")',
    ),
    safe(
        "a foreign key is dropped",
        DJANGO,
        'op.drop_constraint("tickets_account_fk", "tickets", type_="foreignkey")',
    ),
    safe(
        "an index is built and another one dropped, concurrently",
        STRONG + "removing-an-index-non-concurrently",
        """
with op.get_context().autocommit_block():
    op.create_index("tickets_by_member", "tickets", ["member_id"], postgresql_concurrently=True)
    op.drop_index("tickets_by_subject", table_name="tickets", postgresql_concurrently=True)""",
    ),
    safe(
        "an index is built again beside itself",
        MANUAL + "sql-reindex.html",
        'with op.get_context().autocommit_block():\n    op.execute("REINDEX INDEX CONCURRENTLY tickets_by_subject")',
    ),
    safe(
        "an index gets the name of the convention",
        DJANGO,
        'op.execute("ALTER INDEX tickets_by_subject RENAME TO ix_tickets_subject")',
        setup="CREATE TABLE unused (id int);",
    ),
    safe(
        "a loaded table becomes a partition, proven before",
        MANUAL + "ddl-partitioning.html",
        "ALTER TABLE visits ATTACH PARTITION visits_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        setup="CREATE TABLE visits_2025 (at date NOT NULL, page text, CONSTRAINT in_2025 CHECK"
        " (at >= '2025-01-01' AND at < '2026-01-01'));"
        " INSERT INTO visits_2025 SELECT '2025-05-05', '/x' FROM generate_series(1, 900);",
    ),
    safe(
        "a partition leaves without anybody waiting",
        MANUAL + "sql-altertable.html",
        "with op.get_context().autocommit_block():\n"
        '    op.execute("ALTER TABLE visits DETACH PARTITION visits_2026 CONCURRENTLY")',
    ),
    safe(
        "figures are refreshed beside the old ones",
        MANUAL + "sql-refreshmaterializedview.html",
        'op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY load")',
        setup="CREATE MATERIALIZED VIEW load AS SELECT account_id, count(*) FROM tickets GROUP BY 1;"
        " CREATE UNIQUE INDEX load_once ON load (account_id);",
    ),
    # Upkeep and rows.
    safe(
        "settings of storage and vacuum",
        MANUAL + "sql-altertable.html",
        """
op.execute("ALTER TABLE tickets SET (autovacuum_vacuum_scale_factor = 0.02)")
op.execute("ALTER TABLE tickets ALTER COLUMN payload SET STORAGE EXTERNAL")
op.execute("ALTER TABLE tickets ALTER COLUMN state SET STATISTICS 500")
op.execute("CREATE STATISTICS tickets_who ON account_id, member_id FROM tickets")
op.execute("ANALYZE tickets")""",
    ),
    safe(
        "a sequence hands out more at once",
        MANUAL + "sql-altersequence.html",
        'op.execute("ALTER SEQUENCE ticket_numbers CACHE 50")',
    ),
    safe(
        "rights for those who read",
        MANUAL + "sql-grant.html",
        'op.execute("GRANT SELECT ON tickets, members TO desk_reader")',
        setup="CREATE ROLE desk_reader;",
    ),
    safe(
        "a backfill in batches, each committed",
        STRONG + "backfilling-data",
        """
with op.get_context().autocommit_block():
    bind = op.get_bind()
    batch = sa.text(
        "UPDATE tickets SET priority = 3 WHERE id IN (SELECT id FROM tickets WHERE priority IS NULL LIMIT 500)"
    )
    while bind.execute(batch).rowcount:
        pass""",
    ),
    safe(
        "one account is mended",
        GITLAB + "migration_style_guide/",
        """
accounts = sa.table("accounts", sa.column("id", sa.Integer), sa.column("tier", sa.String))
op.execute(accounts.update().where(accounts.c.id == 42).values(tier="gold"))
op.get_bind().execute(sa.text("DELETE FROM members WHERE id = :id"), {"id": 899})""",
    ),
)
