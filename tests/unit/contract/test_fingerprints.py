"""Fingerprints: golden vectors, laws, and PostgreSQL's own scanner as the judge of the lexer."""

from __future__ import annotations

import hashlib
import importlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import examples
from tests.unit.contract.vectors import VECTORS

from alembic_operator.contract.fingerprints import fingerprints, outline, text_fingerprint
from alembic_operator.contract.sql_tokens import Unreadable, tokens

postgast: Any = importlib.import_module("postgast")  # its own stubs do not parse
CASES: list[dict[str, Any]] = VECTORS["fingerprints"]
READABLE = [case for case in CASES if not any(one["hashed"].startswith("raw ") for one in case["statements"])]


@pytest.mark.parametrize("case", CASES, ids=[case["sql"][:40] for case in CASES])
def test_comes_to_the_golden_value(case: dict[str, Any]) -> None:
    found = [
        {"value": one.value, "ddl": one.ddl, "keyword": one.keyword, "transaction_control": one.transaction_control}
        for one in fingerprints(case["sql"])
    ]
    assert found == [{key: one[key] for key in one if key != "hashed"} for one in case["statements"]]
    assert text_fingerprint(case["sql"]) == (case["text"]["value"], case["text"]["ddl"])


@pytest.mark.parametrize("case", CASES, ids=[case["sql"][:40] for case in CASES])
def test_value_is_the_sha256_of_the_text_that_the_vectors_show(case: dict[str, Any]) -> None:
    for one in case["statements"]:
        assert hashlib.sha256(one["hashed"].encode()).hexdigest()[:32] == one["value"]


SAME = [
    ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (%s), (NULL)"),
    ("INSERT INTO t VALUES ('a;b')", "INSERT\nINTO t VALUES ($$it's$$) -- note"),
    ("SELECT * FROM t WHERE a IN (1)", "SELECT * FROM t WHERE a IN (1, 2, -3)"),
    ("UPDATE t SET a = 'x'", "UPDATE t SET a = E'it\\'s'"),
    ("UPDATE t SET a = true", "UPDATE t SET a = NULL"),
    ("SAVEPOINT a", "SAVEPOINT b"),
    ("SET lock_timeout = '3s'", "SET lock_timeout = 0"),
    ("DELETE FROM t WHERE a = 1;", "DELETE FROM t WHERE a = 2;DELETE FROM t WHERE a = 3"),
    ("CREATE TABLE t (a int)", "CREATE TABLE t(a int)"),
    ("ALTER ROLE r PASSWORD 'old'", "ALTER ROLE r PASSWORD E'new'"),
]

# What must not pass for what was approved.
DIFFERENT = [
    ("ALTER TABLE t ADD c varchar(10)", "ALTER TABLE t ADD c varchar(20)"),
    ("ALTER TABLE t ALTER c SET DEFAULT 1", "ALTER TABLE t ALTER c SET DEFAULT 2"),
    ("ALTER TABLE t ALTER c SET DEFAULT 'a b'", "ALTER TABLE t ALTER c SET DEFAULT 'a  b'"),
    ("ALTER TABLE t ALTER c SET DEFAULT 'a'", "ALTER TABLE t ALTER c SET DEFAULT 'a--'"),
    ("DO $$BEGIN PERFORM 1; END$$", "DO $$BEGIN PERFORM 2; END$$"),
    ("DO $$ -- DROP\n$$", "DO $$\nDROP\n$$"),
    ("CALL p(1)", "CALL p(2)"),
    ("SET ROLE a", "SET ROLE b"),
    ("SET search_path TO a", "SET search_path TO b"),
    ("SET lock_timeout = 1", "SET lock_timeout = 1; SET ROLE postgres"),
    ("SET lock_timeout = 1", "SET role = 1"),
    ("CREATE TABLE a AS SELECT 1", "CREATE TABLE a AS SELECT 2"),
    ("SELECT 1", "SELECT 1 INTO t"),
    ("SELECT 1", "(SELECT 1 INTO t)"),
    ("SELECT 1", "SELECT 1; DROP TABLE t"),
    ("SELECT 1", "SELECT 1; SELECT 1 FROM t"),
    ("SELECT ''", "SELECT '\\'; DROP TABLE t; --'"),
    ("SELECT E''", "SELECT E'a'\n'b\\' /*'; DROP TABLE t; SELECT ''*/"),
    ("SELECT 1", "SELECT 1 /* /* */ */ ; DROP TABLE t"),
    ("SELECT 1", "SELECT 1 --\r; DROP TABLE t"),
    ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = c"),
    ("DELETE FROM t WHERE a = 1", "DELETE FROM t"),
    ("DELETE FROM t WHERE a = 1", "DELETE FROM u WHERE a = 1"),
    ("DELETE FROM t WHERE a IS NULL", "DELETE FROM t WHERE a IS NOT NULL"),
    ("DELETE FROM t WHERE a IS TRUE", "DELETE FROM t WHERE a IS FALSE"),
    ("DELETE FROM t WHERE a < 1", "DELETE FROM t WHERE a > 1"),
    ("DELETE FROM t WHERE a - 1 = 0", "DELETE FROM t WHERE a + 1 = 0"),
    ("DELETE FROM t WHERE a IN (1)", "DELETE FROM t WHERE a NOT IN (1)"),
    ("DELETE FROM t WHERE a IN (1)", "DELETE FROM t WHERE a IN (b)"),
    ('DELETE FROM "a" WHERE b = 1', 'DELETE FROM "A" WHERE b = 1'),
    ('DELETE FROM t WHERE "a = null" = 1', 'DELETE FROM t WHERE "a = true" = 1'),
    ('SELECT "in ( $ )"', 'SELECT "in ( $ , $ )"'),
    ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (f())"),
    ("INSERT INTO t VALUES (f(1), 2)", "INSERT INTO t VALUES (g(1), 2)"),
    ("INSERT INTO t VALUES (f(1)), (g(1))", "INSERT INTO t VALUES (f(1))"),
    ("SELECT a[1:b] FROM t", "SELECT a[1:c] FROM t"),
    ("SELECT x ? 'k'", "SELECT x 'k' 'k'"),
    ("COPY t FROM '/a'", "COPY t FROM '/b'"),
    ("COPY t FROM STDIN", "COPY t FROM PROGRAM 'x'"),
    ("PREPARE p AS DELETE FROM t WHERE a = 1", "PREPARE p AS DELETE FROM t WHERE a = 2"),
    ("EXPLAIN ANALYZE DELETE FROM t WHERE a = 1", "EXPLAIN ANALYZE DELETE FROM t WHERE a = 2"),
    ("ROLLBACK TO s", "ROLLBACK"),
    ("CREATE INDEX i ON t (a)", "CREATE INDEX CONCURRENTLY i ON t (a)"),
    (
        "CREATE FUNCTION f() RETURNS text BEGIN ATOMIC SELECT 1 end; SELECT 'a'; END",
        "CREATE FUNCTION f() RETURNS text BEGIN ATOMIC SELECT 1 end; SELECT 'b'; END",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_is_the_same_where_only_form_or_row_values_differ(one: str, other: str) -> None:
    assert text_fingerprint(one) == text_fingerprint(other)


@pytest.mark.parametrize(("approved", "sent"), DIFFERENT)
def test_differs_where_something_else_would_be_done(approved: str, sent: str) -> None:
    assert text_fingerprint(approved) != text_fingerprint(sent)


@pytest.mark.parametrize(
    "sql",
    [
        *("COMMIT", " --\n/**/ Commit", "SELECT 1;end", "begin", "abort", "ROLLBACK AND CHAIN", "commit;select 1"),
        *("(COMMIT)", "START TRANSACTION", "SELECT 'a\\'; COMMIT --'", "SELECT ';' ; ROLLBACK"),
        "PREPARE TRANSACTION 'x'",
    ],
)
def test_tells_transaction_control_wherever_it_stands(sql: str) -> None:
    assert any(one.transaction_control for one in fingerprints(sql))


@pytest.mark.parametrize(
    "sql",
    [
        *("ROLLBACK TO s", "SELECT 'COMMIT'", "-- COMMIT", "DO $$BEGIN COMMIT; END$$", 'SELECT "commit"'),
        *("SELECT a.commit", "PREPARE p AS SELECT 1", "SET TRANSACTION READ ONLY", "RELEASE s", "ENDED", ""),
        "COMMENT ON TABLE t IS 'x'",
    ],
)
def test_tells_no_transaction_control_where_there_is_none(sql: str) -> None:
    assert not any(one.transaction_control for one in fingerprints(sql))


FRAGMENTS = [
    *("'", "''", "\\", "\\'", '"', '""', "$$", "$a$", "$1", "a$", "$", "--", "/*", "*/", "\n", "\r\n", "\r", ";"),
    *("(", ")", "e'", "E'", "U&'", 'U&"', "N'", "B'1'", "x'", "a", "é", "_b", "1", "2.5", ".5", "1e5", ",", "."),
    *("-", "+", "=", "<", "*", "/", "|", "COMMIT", "select", "in", "values", "[", "]", "::", "@", "#", "\t", " "),
    " : ",  # no `:a`, which is a placeholder here
]


@settings(max_examples=examples(1500), deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join))
def test_hides_nothing_that_the_servers_scanner_sees(sql: str) -> None:
    try:
        ours = tokens(sql)
        theirs = postgast.scan(sql)
    except (Unreadable, postgast.PgQueryError):
        return  # refused by one of them: DDL over its raw text, or an error of the server's
    raw = sql.encode()
    bare = [raw[one.start : one.end].decode() for one in theirs.tokens]
    assert _visible(ours) == _visible(bare)


def _visible(found: list[str]) -> list[str]:
    """What is neither quoted nor an operator: an operator's end is told by a rule that nothing hangs on here."""
    return [one for one in found if one in "();" or one[0] == "_" or (one[0].isalpha() and one[-1] not in "'\"")]


@settings(max_examples=examples(500), deadline=None)
@given(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join))
def test_takes_any_text(sql: str) -> None:
    assert all(len(one.value) == 32 for one in fingerprints(sql))
    assert len(text_fingerprint(sql)[0]) == 32
    assert len(outline(sql)) <= 120


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from([case["sql"] for case in READABLE]), st.sampled_from([" ", "\r\n", " -- x;'\n", "/* ' */"]))
def test_counts_neither_white_space_nor_comments(sql: str, gap: str) -> None:
    found = tokens(sql)
    assert fingerprints(gap + gap.join(found) + gap) == fingerprints(sql)


@settings(max_examples=examples(300), deadline=None)
@given(st.text(), st.text())
def test_counts_every_character_of_a_literal_in_ddl(one: str, other: str) -> None:
    statement = "COMMENT ON TABLE t IS '{}'"
    quoted = [statement.format(text.replace("'", "''")) for text in (one, other)]
    assert (text_fingerprint(quoted[0]) == text_fingerprint(quoted[1])) == (one == other)


@settings(max_examples=examples(300), deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\0\\")), st.lists(st.integers(), min_size=1))
def test_counts_no_literal_in_a_statement_on_rows(text: str, numbers: list[int]) -> None:
    quoted = text.replace("'", "''")
    rows = ", ".join(f"('{quoted}', {number})" for number in numbers)
    assert text_fingerprint(f"INSERT INTO t (a, b) VALUES {rows}") == text_fingerprint(
        "INSERT INTO t (a, b) VALUES (%s, %s)"
    )


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("ALTER ROLE r PASSWORD 'secret'", "ALTER ROLE r PASSWORD $"),
        ("UPDATE t SET a = 'row value' WHERE b = 12", "UPDATE t SET a = $ WHERE b = $"),
        ("SELECT 'open", ""),
        ("SELECT " + "a, " * 100 + "b", ("SELECT " + "a, " * 100)[:119] + "…"),
    ],
)
def test_shows_a_statement_without_its_literals(sql: str, shown: str) -> None:
    assert outline(sql) == shown


@pytest.mark.parametrize(
    "sql",
    [
        "/*" * 100_000,
        "'" * 100_001,
        "$a$ $b$ " * 500,
        "(" * 100_000,
        "INSERT INTO t VALUES " + "(((1)))," * 20_000 + "(1)",
        "SELECT * FROM t WHERE a IN (" + "1, " * 100_000 + "b)",
        "e'" + "\\" * 100_001,
    ],
    ids=["comments", "quotes", "dollars", "brackets", "rows", "list", "backslashes"],
)
def test_takes_no_long_time_over_a_hostile_text(sql: str) -> None:
    started = time.perf_counter()
    fingerprints(sql)
    assert time.perf_counter() - started < 5
