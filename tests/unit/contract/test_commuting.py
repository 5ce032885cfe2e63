"""Statements may change places only where neither changes what the other one names."""

from __future__ import annotations

from itertools import permutations

import pytest

from alembic_operator.contract.commuting import order_of
from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.guard import Guard, NotApproved
from alembic_operator.contract.plan import Statement, Step, StepKind


def passes(planned: list[str], sent: list[str]) -> bool:
    statements = [Statement(sql, [], *text_fingerprint(sql)) for sql in planned]
    guard = Guard.from_parts(Guard.of([Step("r", StepKind.SQL, statements=statements)]).to_parts())
    checker = guard.begin("r", "up")
    try:
        for sql in sent:
            checker.check(sql, False)
        checker.finish()
    except NotApproved:
        return False
    return True


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE INDEX ix_a ON t (a)", "CREATE UNIQUE INDEX ix_b ON t (b)", 'CREATE INDEX "ix_C" ON app.t (c)'],
        ["ALTER TABLE a ADD COLUMN x int", "ALTER TABLE b ADD COLUMN x int", "ALTER TABLE app.c ADD x int"],
        ["ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)", 'ALTER TABLE t ADD CONSTRAINT "L" CHECK (b > 0)'],
        ["CREATE TABLE a (id int)", "CREATE TABLE b (id int)", "CREATE SEQUENCE s"],
        ["COMMENT ON TABLE a IS 'x'", "COMMENT ON COLUMN b.c IS 'x'", "CREATE INDEX i ON d (c1)"],
    ],
)
def test_any_order_passes_when_nothing_depends_on_another(statements: list[str]) -> None:
    assert all(passes(statements, list(sent)) for sent in permutations(statements))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("CREATE TABLE a (id int)", "CREATE INDEX i ON a (id)"),
        ("CREATE TABLE a (id int)", "ALTER TABLE b ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a (id)"),
        ("ALTER TABLE t ADD COLUMN x int", "ALTER TABLE t ADD COLUMN y int"),
        ("ALTER TABLE t ADD COLUMN x int", "CREATE INDEX i ON t (x)"),
        ("CREATE SEQUENCE s", "CREATE TABLE a (id int DEFAULT nextval('s'))"),
        ("CREATE INDEX i ON t (a)", 'ALTER TABLE "t" ADD CONSTRAINT k UNIQUE USING INDEX i'),
        ("CREATE INDEX ON t (a)", "CREATE INDEX ON t (a, b)"),
        ("CREATE INDEX IF NOT EXISTS i ON t (a)", "CREATE INDEX j ON t (b)"),
        ("CREATE TABLE a (LIKE b INCLUDING ALL)", "CREATE INDEX j ON b (x)"),
        ("CREATE TABLE a PARTITION OF b DEFAULT", "CREATE INDEX j ON b (x)"),
        ("CREATE TABLE s1.users (id int)", "CREATE TABLE users (id bigint)"),
        ("DROP TABLE a", "DROP TABLE b"),
        ("ALTER TABLE a RENAME TO b", "ALTER TABLE c ADD x int"),
        ("SET ROLE owner", "CREATE TABLE a (id int)"),
        ("CREATE INDEX i ON t (a); SET ROLE x", "CREATE INDEX j ON t (a)"),
        ("DO $$ BEGIN END $$", "CREATE INDEX j ON t (a)"),
        ("GRANT SELECT ON a TO r", "REVOKE SELECT ON a FROM r"),
        ("COMMENT ON TABLE t IS 'x'", "COMMENT ON TABLE t IS 'y'"),
        ("CREATE", "CREATE INDEX"),
    ],
)
def test_the_planned_order_is_wanted_when_one_may_depend_on_the_other(first: str, second: str) -> None:
    assert passes([first, second], [first, second])
    assert not passes([first, second], [second, first])


def test_each_table_keeps_its_own_order_when_a_loop_goes_over_tables_in_another_one() -> None:
    a = ["CREATE TABLE a (id int)", "ALTER TABLE a ADD COLUMN x int", "CREATE INDEX ia ON a (x)"]
    b = [sql.replace(" a ", " b ").replace("ia", "ib") for sql in a]
    end = ["ALTER TABLE a RENAME TO c"]
    assert passes([*a, *b, *end], [*b, *a, *end])
    assert not passes([*a, *b, *end], [*b[:2], *a, b[2], *end][::-1])
    assert not passes([*a, *b, *end], [*a, *end, *b])


def test_what_depends_on_everything_stands_between_those_before_and_after_it() -> None:
    index = "CREATE INDEX {} ON t (x)"
    assert order_of([index.format("a"), index.format("b"), "DROP TABLE y", index.format("c")]) == [(), (), None, (2,)]


def test_nothing_is_sent_twice_or_left_out_when_the_order_is_free() -> None:
    planned = ["CREATE INDEX a ON t (x)", "CREATE INDEX b ON t (x)"]
    assert not passes(planned, planned[:1])
    assert not passes(planned, [planned[1], planned[1]])
    assert not passes(planned, [*planned, planned[0]])
