"""Constraints, indexes, partitions, maintenance and rows: what holds up everybody else."""

from __future__ import annotations

from .helpdesk import ALEMBIC, EUGENE, GITLAB, MANUAL, SQUAWK, STRONG, unsafe

UNSAFE_LOCKS = (
    unsafe(
        "a foreign key that took 400 ms in staging",
        "https://dev.to/practiceoverflow/how-i-took-down-prod-with-a-400ms-migration-and-the-playbook-i-use-now-302j",
        'op.create_foreign_key("tickets_member_fk", "tickets", "members", ["member_id"], ["id"])',
    ),
    unsafe(
        "a new column that refers to another table",
        STRONG + "adding-a-foreign-key",
        'op.add_column("tickets", sa.Column("assignee_id", sa.Integer(), sa.ForeignKey("members.id"), nullable=True))',
    ),
    unsafe(
        "a new column that is unique",
        STRONG + "adding-a-unique-constraint",
        'op.add_column("members", sa.Column("badge", sa.Text(), unique=True))',
    ),
    unsafe(
        "a new column that is indexed",
        STRONG + "adding-an-index-non-concurrently",
        'op.add_column("members", sa.Column("badge", sa.Text(), index=True))',
    ),
    unsafe(
        "a check by the model's constraint",
        EUGENE + "E2/",
        'op.create_check_constraint("tickets_minutes_positive", "tickets", "minutes >= 0")',
    ),
    unsafe(
        "not valid, and validated a line below",
        EUGENE + "E4/",
        """
op.create_check_constraint("minutes_positive", "tickets", "minutes >= 0", postgresql_not_valid=True)
op.execute("ALTER TABLE tickets VALIDATE CONSTRAINT minutes_positive")""",
    ),
    unsafe(
        "emails are unique, says the model",
        STRONG + "adding-a-unique-constraint",
        'op.create_unique_constraint("members_email_unique", "members", ["account_id", "email"])',
    ),
    unsafe(
        "no two tickets with one number at a time",
        STRONG + "adding-an-exclusion-constraint",
        """
op.create_exclude_constraint("one_number", "tickets", ("number", "="), using="btree")""",
    ),
    unsafe(
        "a domain gets a rule",
        MANUAL + "sql-alterdomain.html",
        "op.execute(\"ALTER DOMAIN phone_number ADD CONSTRAINT plausible CHECK (VALUE LIKE '+%')\")",
    ),
    unsafe(
        "a table gets its key at last",
        MANUAL + "sql-altertable.html",
        'op.create_primary_key("loose_pk", "loose", ["id"])',
        setup="CREATE TABLE loose (id int NOT NULL, t text); INSERT INTO loose SELECT g FROM generate_series(1, 99) g;",
    ),
    unsafe(
        "an index as autogenerate writes it",
        STRONG + "adding-an-index-non-concurrently",
        'op.create_index(op.f("ix_tickets_opened"), "tickets", ["opened", "state"], unique=False)',
    ),
    unsafe(
        "concurrently, but in the revision's transaction",
        ALEMBIC + "api/runtime.html",
        'op.create_index("tickets_by_member", "tickets", ["member_id"], postgresql_concurrently=True)',
    ),
    unsafe(
        "an autocommit block in the midst of other changes",
        ALEMBIC + "api/runtime.html",
        """
op.add_column("tickets", sa.Column("topic", sa.Text(), nullable=True))
with op.get_context().autocommit_block():
    op.create_index("tickets_by_topic", "tickets", ["topic"], postgresql_concurrently=True)
op.add_column("members", sa.Column("topic", sa.Text(), nullable=True))""",
    ),
    unsafe(
        "an index is replaced by a better one",
        SQUAWK + "require-concurrent-index-deletion",
        """
op.drop_index("tickets_by_account", table_name="tickets")
op.create_index("tickets_by_account_state", "tickets", ["account_id", "state"])""",
    ),
    unsafe(
        "one index is built again",
        SQUAWK + "require-concurrent-reindex",
        'op.execute("REINDEX INDEX tickets_by_subject")',
    ),
    unsafe(
        "a partition while the default one has rows",
        "https://www.adyen.com/knowledge-hub/maintenance-under-pressure",
        "op.execute(\"CREATE TABLE visits_2027 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')\")",
        setup="CREATE TABLE visits_rest PARTITION OF visits DEFAULT;"
        " INSERT INTO visits SELECT '2030-01-01', '/x' FROM generate_series(1, 900);",
    ),
    unsafe(
        "a loaded table becomes a partition",
        GITLAB + "database/partitioning/",
        "ALTER TABLE visits ATTACH PARTITION visits_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        setup="CREATE TABLE visits_2025 (at date NOT NULL, page text);"
        " INSERT INTO visits_2025 SELECT '2025-05-05', '/x' FROM generate_series(1, 900);",
    ),
    unsafe(
        "old visits are detached",
        SQUAWK + "require-concurrent-partition-detach",
        'op.execute("ALTER TABLE visits DETACH PARTITION visits_2026")',
    ),
    unsafe(
        "a table is made durable",
        MANUAL + "sql-altertable.html",
        'op.execute("ALTER TABLE scratch SET LOGGED")',
        setup="CREATE UNLOGGED TABLE scratch (id int); INSERT INTO scratch SELECT generate_series(1, 900);",
    ),
    unsafe(
        "space is given back",
        MANUAL + "sql-vacuum.html",
        'with op.get_context().autocommit_block():\n    op.execute("VACUUM (FULL, ANALYZE) tickets")',
    ),
    unsafe(
        "figures are refreshed at each release",
        MANUAL + "sql-refreshmaterializedview.html",
        'op.execute("REFRESH MATERIALIZED VIEW load WITH DATA")',
        setup="CREATE MATERIALIZED VIEW load AS SELECT account_id, count(*) FROM tickets GROUP BY 1;",
    ),
    unsafe(
        "the wait for locks has no end",
        EUGENE + "E9/",
        'op.execute("SET lock_timeout = 0")\nop.add_column("tickets", sa.Column("topic", sa.Text(), nullable=True))',
    ),
    unsafe(
        "the server is set up by a revision",
        MANUAL + "sql-altersystem.html",
        "with op.get_context().autocommit_block():\n    op.execute(\"ALTER SYSTEM SET work_mem = '1GB'\")",
    ),
    unsafe(
        "commit by hand before an enum value",
        "https://github.com/cloudify-cosmo/cloudify-manager/pull/3546",
        'op.execute("COMMIT")\nop.execute("ALTER TYPE ticket_state ADD VALUE \'merged\'")',
    ),
    unsafe(
        "every row in a loop, in one transaction",
        STRONG + "backfilling-data",
        """
bind = op.get_bind()
trim = sa.text("UPDATE tickets SET subject = :subject WHERE id = :id")
for found in bind.execute(sa.text("SELECT id, subject FROM tickets")).fetchall():
    bind.execute(trim, {"subject": found.subject.strip(), "id": found.id})""",
    ),
    unsafe(
        "an update by the model in one statement",
        STRONG + "backfilling-data",
        """
tickets = sa.table("tickets", sa.column("priority", sa.SmallInteger), sa.column("minutes", sa.Integer))
op.execute(tickets.update().where(tickets.c.minutes > 30).values(priority=1))""",
    ),
    unsafe(
        "a column is filled from another table",
        "https://malamsyah.com/meditation/lesson-learned-from-db-outage",
        """
op.add_column("tickets", sa.Column("tier", sa.String(20), nullable=True))
op.execute("UPDATE tickets SET tier = accounts.tier FROM accounts WHERE accounts.id = tickets.account_id")""",
    ),
    unsafe(
        "what is old is deleted at once",
        GITLAB + "database/batched_background_migrations/",
        "op.execute(\"DELETE FROM tickets WHERE opened < now() - interval '2 years'\")",
    ),
    unsafe(
        "a cache is emptied",
        "https://squawkhq.com/docs/ban-truncate-cascade",
        'op.execute("TRUNCATE members RESTART IDENTITY CASCADE")',
    ),
    unsafe(
        "triggers rest while rows are mended",
        GITLAB + "database/",
        """
op.execute("ALTER TABLE tickets DISABLE TRIGGER USER")
op.execute("UPDATE tickets SET body = '' WHERE id = 5")
op.execute("ALTER TABLE tickets ENABLE TRIGGER USER")""",
    ),
)
