"""For each rule: plans in which it has something to say, and plans beside them in which it has not.

What the shadow saw is written by hand, so that rules over evidence are tried without a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.unit.review.plans import outside, plan, step

from alembic_operator.contract.plan import (
    Column,
    Direction,
    Dropped,
    ForeignKey,
    HistoryFault,
    Lock,
    Notice,
    PlanDocument,
    Statement,
    Table,
)

ORDERS, SMALL = "public.orders", "public.currencies"
_EXCLUSIVE, _WEAK = "AccessExclusiveLock", "ShareUpdateExclusiveLock"
_ID = Column("id", "uuid", nullable=False, default="gen_random_uuid()")
_TIMES = [
    Column(name, "timestamp with time zone", nullable=False, default="now()") for name in ("created_at", "updated_at")
]


def seen(sql: str, *, table: str = ORDERS, lock: str = "", **facts: Any) -> Statement:
    """A statement that ran in the shadow, and locked a table there."""
    return Statement(sql, locks=[Lock(table, lock)] if lock else [], **facts)


def shadow(*sent: str | Statement, **facts: Any) -> PlanDocument:
    """A plan of one step that ran in the shadow."""
    return plan(step(*sent), evidence="Shadow", **facts)


def text(*sent: str | Statement, **facts: Any) -> PlanDocument:
    """A plan of one step of which nothing is known but its text."""
    return plan(step(*sent), **facts)


def table(name: str = "public.invoices", *, new: bool = True, columns: list[Column], **facts: Any) -> PlanDocument:
    """A plan that made or changed a table, as the shadow's catalog has it afterwards."""
    known: dict[str, Any] = {"new_columns": [one.name for one in columns], "primary_key": ["id"], **facts}
    return shadow("SELECT 1", tables=[Table(name, "a1", new, columns=columns, **known)])


def back(downgrade: str, evidence: str = "Shadow", *, differences: Sequence[str] = (), **facts: Any) -> PlanDocument:
    """A plan of a revision whose downgrade() is so."""
    one = step("ALTER TABLE orders ADD COLUMN a int", downgrade=downgrade, downgrade_differences=list(differences))
    return plan(one, evidence=evidence, **facts)


def fault(rule: str, severity: str = "error") -> PlanDocument:
    """A plan whose history is wrong."""
    return plan(step("SELECT 1"), faults=[HistoryFault(rule, "a1", "Something is wrong with it.", severity)])


def _key(*, indexed: bool) -> PlanDocument:
    key = ForeignKey("buyer", ["user_id"], "public.users", indexed)
    return table(columns=[_ID], foreign_keys=[key], new_foreign_keys=["buyer"])


_NOT_NULL = "ALTER TABLE orders ALTER COLUMN note SET NOT NULL"
_BIGINT = "ALTER TABLE orders ALTER COLUMN total TYPE bigint"
_LONGER = "ALTER TABLE orders ALTER COLUMN note TYPE varchar(200)"
_CHECK = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0)"
_VALIDATE = "ALTER TABLE orders VALIDATE CONSTRAINT positive"
_INDEX = "CREATE INDEX IF NOT EXISTS by_note ON orders (note)"
_TOUCH = "UPDATE orders SET note = lower(note)"
_ATTACH = "ALTER TABLE log ATTACH PARTITION orders FOR VALUES FROM (1) TO (2)"

BAD: dict[str, list[PlanDocument]] = {
    "destructive": [
        text("DROP TABLE orders"),
        shadow(Statement("SELECT tidy_up()", drops=[Dropped("table", ORDERS)])),
        shadow(Statement("DO $$ BEGIN PERFORM 1; END $$", drops=[Dropped("table column", f"{ORDERS}.note")])),
        shadow(Statement("DROP FUNCTION f(int)", drops=[Dropped("function", "public.f(integer)")])),
        shadow(Statement("DROP FUNCTION f() CASCADE", drops=[Dropped("trigger", f"audit on {ORDERS}")])),
    ],
    "rewrite": [
        text("ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid()"),
        shadow(seen("SELECT rebuild()", lock=_EXCLUSIVE, rewrites=[ORDERS])),
        shadow(seen("ALTER TABLE currencies ADD COLUMN n serial", table=SMALL, lock=_EXCLUSIVE, rewrites=[SMALL])),
    ],
    "long-scan": [
        text("LOCK TABLE orders"),
        shadow(seen(_ATTACH, lock=_EXCLUSIVE, scans=[ORDERS])),
        shadow(seen("DO $$ BEGIN PERFORM 1; END $$", lock="ShareLock", scans=[ORDERS])),
        shadow(seen(_ATTACH.replace("orders", "currencies"), table=SMALL, lock=_EXCLUSIVE, scans=[SMALL])),
    ],
    "not-null-without-backfill": [
        text(_NOT_NULL),
        shadow(seen(_NOT_NULL, lock=_EXCLUSIVE, scans=[ORDERS])),
        shadow(seen(_NOT_NULL, lock=_EXCLUSIVE, violation="23502")),
        shadow(seen("ALTER TABLE orders ADD COLUMN a text NOT NULL", lock=_EXCLUSIVE, violation="23502")),
        shadow(Statement("SELECT make_required()", violation="23502")),
    ],
    "type-change": [
        text(_BIGINT),
        shadow(seen(_BIGINT, lock=_EXCLUSIVE, rewrites=[ORDERS])),
        shadow(seen(_LONGER, lock=_EXCLUSIVE, scans=[ORDERS])),
        shadow(seen('ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE "C"', lock=_EXCLUSIVE)),
        shadow("ALTER TYPE mood ADD VALUE 'calm'", "UPDATE people SET mood = 'calm' WHERE id = 1"),
    ],
    "constraint-validation": [
        text(_CHECK),
        shadow(seen(_CHECK, lock=_EXCLUSIVE, scans=[ORDERS])),
        shadow(seen(_CHECK, lock=_EXCLUSIVE, violation="23514")),
        shadow(Statement(_CHECK, notices=[Notice("42703", "no such column", refused=True)])),
        shadow(seen(_VALIDATE, lock=_EXCLUSIVE, scans=[ORDERS])),
        shadow(f"{_CHECK} NOT VALID", seen(_VALIDATE, lock=_WEAK, scans=[ORDERS])),
    ],
    "unique-on-existing": [
        text("ALTER TABLE orders ADD CONSTRAINT one UNIQUE (code)"),
        shadow(seen("CREATE UNIQUE INDEX one ON orders (code)", lock="ShareLock", scans=[ORDERS])),
        shadow(outside("CREATE UNIQUE INDEX CONCURRENTLY one ON orders (code)", scans=[ORDERS])),
    ],
    "index-not-concurrent": [
        text("CREATE INDEX by_note ON orders (note)"),
        shadow(seen(_INDEX, lock="ShareLock", scans=[ORDERS])),
        shadow(Statement("DROP INDEX by_note", drops=[Dropped("index", "public.by_note")])),
        shadow(outside("CREATE INDEX CONCURRENTLY IF NOT EXISTS by_note ON orders (note)", scans=[ORDERS])),
    ],
    "fk-index": [_key(indexed=False)],
    "snake-case": [
        table("public.OrderLines", columns=[_ID, *_TIMES]),
        table(ORDERS, new=False, columns=[Column("unitPrice", "int")]),
    ],
    "uuid-pk": [
        table(columns=[Column("id", "integer", default="nextval('s')"), *_TIMES]),
        table(columns=[Column("id", "uuid"), *_TIMES]),
        table(columns=[Column("a", "text"), *_TIMES], primary_key=[]),
    ],
    "timestamps": [
        table(columns=[_ID]),
        table(columns=[_ID, _TIMES[0]]),
        table(columns=[_ID, _TIMES[0], Column("updated_at", "timestamp without time zone", False, "now()")]),
    ],
    "jsonb": [
        table(columns=[_ID, *_TIMES, Column("prefs", "json")]),
        table(ORDERS, new=False, columns=[Column("prefs", "json[]")]),
    ],
    "unbatched-dml": [
        text(_TOUCH),
        shadow("UPDATE orders SET note = '' WHERE note IS NULL"),
        shadow("UPDATE orders SET note = '' WHERE name = 'shop'"),
        shadow("SELECT id FROM orders", Statement("DELETE FROM orders WHERE id = %s", ["int"])),
    ],
    "version-table": [
        text("INSERT INTO alembic_version VALUES ('r1')"),
        text("UPDATE alembic_version SET version_num = 'r1' WHERE version_num = 'r0'"),
        text("DELETE FROM public.alembic_version WHERE version_num = 'r1'"),
        text("TRUNCATE orders, alembic_version"),
        text("DROP TABLE IF EXISTS alembic_version"),
        text("ALTER TABLE alembic_version RENAME TO versions"),
        text("ALTER TABLE alembic_version ADD COLUMN note text"),
        text("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(12)"),
        text("WITH gone AS (DELETE FROM alembic_version RETURNING *) SELECT count(*) FROM gone"),
        text("DO $$ BEGIN UPDATE alembic_version SET version_num = 'r1'; END $$"),
        text('DO $$ BEGIN DELETE FROM "public"."alembic_version"; END $$'),
    ],
    "transaction-escape": [
        text("PREPARE TRANSACTION 'x'"),
        plan(step("SELECT 1", escapes=["It opens a connection of its own."])),
    ],
    "mixed-autocommit": [
        text("ALTER TABLE orders ADD COLUMN a int", outside("CREATE INDEX CONCURRENTLY i ON orders (a)")),
        shadow(outside("VACUUM orders"), "CREATE TABLE t (id int)"),
        text("COMMIT"),
        shadow("ROLLBACK"),
        shadow("COMMIT", outside("VACUUM orders"), "BEGIN"),
    ],
    "irreversible": [
        back("missing"),
        back("empty"),
        back("failed"),
        back("unproven"),
        back("empty", "Static"),
        back("empty", direction=Direction.DOWNGRADE, differences=["table public.a is missing in the schema before it"]),
        back("empty", "Static", direction=Direction.DOWNGRADE),
        back("failed", direction=Direction.DOWNGRADE),
    ],
    "first-contact": [fault("first-contact"), fault("first-contact", severity="warning")],
    "multiple-heads": [fault("multiple-heads")],
    "inserted-revision": [fault("inserted-revision")],
    "edited-revision": [fault("edited-revision")],
}

GOOD: dict[str, list[PlanDocument]] = {
    "destructive": [
        text("ALTER TABLE orders ADD COLUMN remark text"),
        text("CREATE TABLE t (id int)", "DROP TABLE t"),
        shadow(
            Statement("CREATE TABLE t (id int)", objects=["public.t"]),
            Statement("SELECT tidy_up()", drops=[Dropped("table", "public.t")]),
        ),
        shadow(Statement("DROP VIEW v", drops=[Dropped("view", "public.v")]), "CREATE VIEW v AS SELECT 1"),
        shadow(
            Statement("ALTER TABLE orders DROP CONSTRAINT c", drops=[Dropped("table constraint", f"c on {ORDERS}")])
        ),
    ],
    "rewrite": [
        text("ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT now()"),
        shadow(seen("ALTER TABLE orders ADD COLUMN token uuid DEFAULT my_constant()", lock=_EXCLUSIVE)),
        shadow("REFRESH MATERIALIZED VIEW CONCURRENTLY report"),
    ],
    "long-scan": [
        text("LOCK TABLE orders IN ROW SHARE MODE"),
        shadow(seen(_ATTACH, lock=_EXCLUSIVE)),
        shadow(seen("UPDATE orders SET note = '' WHERE id = 7", lock="ShareLock", scans=[ORDERS])),
        shadow(seen(_VALIDATE, lock=_WEAK, scans=[ORDERS])),
    ],
    "not-null-without-backfill": [
        shadow(seen(_NOT_NULL, lock=_EXCLUSIVE)),
        text(_NOT_NULL, tables=[Table(ORDERS, "a1", False, not_null_checks=["note"])]),
        shadow(seen("ALTER TABLE orders ADD COLUMN a text NOT NULL DEFAULT ''", lock=_EXCLUSIVE)),
        shadow(Statement("INSERT INTO orders (note) VALUES (NULL)", violation="23502")),
    ],
    "type-change": [
        text("ALTER TABLE orders ALTER COLUMN note TYPE text"),
        shadow(seen(_LONGER, lock=_EXCLUSIVE)),
        shadow(outside("ALTER TYPE mood ADD VALUE 'calm'")),
    ],
    "constraint-validation": [
        text(f"{_CHECK} NOT VALID"),
        shadow(seen(_VALIDATE, lock=_WEAK, scans=[ORDERS])),
        shadow(seen("ALTER TABLE orders ADD COLUMN a int CHECK (a > 0)", lock=_EXCLUSIVE)),
    ],
    "unique-on-existing": [
        text("ALTER TABLE orders ADD CONSTRAINT one UNIQUE USING INDEX one_index"),
        text("CREATE TABLE t (code text)", "ALTER TABLE t ADD UNIQUE (code)"),
        shadow(outside("CREATE INDEX CONCURRENTLY by_code ON orders (code)", scans=[ORDERS])),
    ],
    "index-not-concurrent": [
        text(outside("CREATE INDEX CONCURRENTLY by_note ON orders (note)")),
        shadow(seen(_INDEX, lock="ShareLock")),
        shadow("DROP INDEX IF EXISTS by_note"),
    ],
    "fk-index": [_key(indexed=True)],
    "snake-case": [
        table("public.order_lines", columns=[_ID, *_TIMES]),
        table("public.OldTable", new=False, columns=[Column("price", "int")]),
    ],
    "uuid-pk": [
        table(columns=[_ID, *_TIMES]),
        table(new=False, columns=[Column("id", "integer")]),
        table(columns=[Column("a", "int"), Column("b", "int"), *_TIMES], primary_key=["a", "b"]),
    ],
    "timestamps": [table(columns=[_ID, *_TIMES]), table(new=False, columns=[_ID])],
    "jsonb": [
        table(columns=[_ID, Column("prefs", "jsonb")]),
        table(ORDERS, new=False, columns=[Column("prefs", "json")], new_columns=[]),
    ],
    "unbatched-dml": [
        text("UPDATE orders SET note = '' WHERE id BETWEEN 1 AND 1000"),
        shadow("UPDATE currencies SET code = upper(code)"),
        shadow("INSERT INTO orders (note) SELECT name FROM users"),
        shadow(Statement("CREATE TABLE t (id int)", objects=["public.t"]), "UPDATE t SET id = 1"),
    ],
    "version-table": [
        text("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE VARCHAR(255)"),
        text("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE text"),
        text("SELECT version_num FROM alembic_version"),
        text("DO $$ BEGIN PERFORM 1 FROM alembic_version; END $$"),
        text("INSERT INTO orders (note) SELECT version_num FROM alembic_version"),
        text("UPDATE orders SET note = 'alembic_version' WHERE id = 1"),
    ],
    "transaction-escape": [text("COMMIT"), shadow("BEGIN"), shadow(outside("VACUUM orders"))],
    "mixed-autocommit": [
        plan(
            step("ALTER TABLE orders ADD COLUMN a int", revision="a1"),
            step(outside("CREATE INDEX CONCURRENTLY i ON orders (a)"), revision="a2"),
        ),
        shadow("SELECT 1", outside("VACUUM orders"), "INSERT INTO currencies VALUES ('EUR')"),
        text("SAVEPOINT a", "ROLLBACK TO a", "RELEASE a"),
    ],
    "irreversible": [
        back("proven"),
        back("unproven", "Static"),
        back("missing", direction=Direction.DOWNGRADE),
        back("empty", direction=Direction.DOWNGRADE),  # its upgrade() changes rows alone
        back("proven", direction=Direction.DOWNGRADE),
        plan(step("SELECT 1", file="", downgrade="missing")),
    ],
    "first-contact": [fault("multiple-heads"), text("SELECT 1")],
    "multiple-heads": [fault("inserted-revision"), text("SELECT 1")],
    "inserted-revision": [fault("edited-revision"), text("SELECT 1")],
    "edited-revision": [fault("multiple-heads"), text("SELECT 1")],
}
