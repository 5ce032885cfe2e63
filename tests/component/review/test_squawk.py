"""The second opinion: of what squawk speaks, of what it is silent, and what comes of a squawk that fails."""

from __future__ import annotations

import asyncio
import ctypes
import re
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.review.plans import TODAY, outside, plan, reviewed, step

from alembic_operator import review as package
from alembic_operator.cli.failure import CannotPlan
from alembic_operator.cli.review import review
from alembic_operator.contract.plan import Statement
from alembic_operator.control.reconcile.lint import LIMITS
from alembic_operator.review import squawk, squawk_program
from alembic_operator.review.child_process import Limits, LintFailed, lint_in_child
from alembic_operator.review.squawk_program import Said, SquawkFailed, ask

# Each is of a kind that no rule of the review looks at.
SPOKEN = [
    ("ALTER TABLE orders REPLICA IDENTITY NOTHING", "public.orders"),
    ("ALTER TABLE orders FORCE ROW LEVEL SECURITY", "public.orders"),
    ("ALTER TABLE orders OWNER TO app", "public.orders"),
    ("ALTER TABLE orders ALTER CONSTRAINT buyer NOT ENFORCED", "public.orders"),
    ("ALTER TABLE orders ALTER COLUMN id DROP IDENTITY", "public.orders.id"),
    ("ALTER TABLE orders ALTER id SET GENERATED ALWAYS", "public.orders.id"),
    ("ALTER TABLE orders ALTER COLUMN gross DROP EXPRESSION", "public.orders.gross"),
    ("ALTER POLICY mine ON orders USING (true)", "mine on public.orders"),
    ("ALTER POLICY mine ON sales.orders TO public", "mine on sales.orders"),
    ("ALTER SEQUENCE orders_id_seq OWNER TO app", "public.orders_id_seq"),
    ('ALTER SEQUENCE "Numbers" RENAME TO numbers', "public.Numbers"),
    ("ALTER FUNCTION total(int) SECURITY DEFINER", "public.total"),
    ("ALTER FUNCTION total(int) RENAME TO sum_of", "public.total"),
    ("ALTER VIEW report SET (security_invoker = true)", "public.report"),
    ("ALTER EXTENSION postgis UPDATE", "postgis"),
    ("ALTER ROLE app NOLOGIN", "app"),
    ("ALTER PUBLICATION feed DROP TABLE orders", "feed"),
    ("DROP PUBLICATION feed", "feed"),
    ("DROP CAST (email AS text)", ""),
    ("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM app", ""),
    ("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app", ""),
    ("REASSIGN OWNED BY app TO admin", ""),
]
ANSWERED = [
    "ALTER TABLE orders ADD COLUMN region text",
    "ALTER TABLE orders ALTER COLUMN note TYPE text",
    "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL",
    "ALTER TABLE orders ALTER COLUMN note SET DEFAULT ''",
    "ALTER TABLE orders DROP CONSTRAINT positive",
    "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID",
    "ALTER TABLE orders RENAME CONSTRAINT positive TO above_zero",
    "ALTER INDEX by_placed RENAME TO by_day",
    "CREATE POLICY mine ON orders USING (true); ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
    "CREATE OR REPLACE VIEW report AS SELECT 1",
    "ALTER TYPE mood ADD VALUE 'calm'",
    "ALTER SEQUENCE numbers INCREMENT BY 50",
    "COMMENT ON TABLE orders IS 'x'",
]
NEW = [
    "CREATE TABLE fresh (id uuid); ALTER TABLE fresh REPLICA IDENTITY FULL",
    "CREATE TABLE fresh (id uuid); ALTER TABLE fresh OWNER TO app",
    "CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION fresh() OWNER TO app",
    "CREATE SEQUENCE fresh; ALTER SEQUENCE fresh OWNER TO app",
    "CREATE POLICY fresh ON orders USING (true); ALTER POLICY fresh ON orders TO app",
    "CREATE ROLE fresh; ALTER ROLE fresh NOLOGIN",
    "CREATE SCHEMA fresh; ALTER SEQUENCE fresh.numbers OWNER TO app",
    "ALTER TABLE orders ADD COLUMN fresh int; ALTER TABLE orders ALTER COLUMN fresh DROP IDENTITY",
]
UNREAD = "ALTER TABLE orders RENAME COLUMN note TO order"  # a name that PostgreSQL's grammar wants in quotes


def second(sql: str | Statement, evidence: str = "Static") -> list[tuple[str, str, str]]:
    found = reviewed(sql, evidence=evidence).findings
    return [(one.rule, str(one.severity), one.object) for one in found if "squawk says" in one.message]


@pytest.mark.parametrize(("sql", "about"), SPOKEN)
@pytest.mark.parametrize("evidence", ["Static", "Shadow"])
def test_squawk_warns_when_no_rule_looks_at_a_statement(sql: str, about: str, evidence: str) -> None:
    assert second(sql, evidence) == [("destructive", "warning", about)]


@pytest.mark.parametrize("sql", ANSWERED)
def test_squawk_is_silent_when_the_silence_of_a_rule_is_an_answer(sql: str) -> None:
    assert not second(sql)


@pytest.mark.parametrize("sql", NEW)
def test_squawk_is_silent_when_the_plan_made_the_object(sql: str) -> None:
    assert not second(sql)


def test_squawk_speaks_when_what_was_made_before_has_no_name() -> None:
    assert second("CREATE CAST (email AS text) WITH INOUT; DROP CAST (address AS text)")


def test_squawk_speaks_when_what_was_made_may_have_been_there() -> None:
    body = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() SECURITY DEFINER"
    assert second(body)


def test_squawk_is_silent_when_a_rule_has_spoken() -> None:
    found = reviewed("ALTER TABLE orders DROP COLUMN note, REPLICA IDENTITY NOTHING").findings
    assert [one.object for one in found] == ["public.orders.note"]


def test_evidence_overrules_when_the_shadow_would_have_seen_it() -> None:
    sql = "ALTER TYPE address ALTER ATTRIBUTE street TYPE varchar(40)"
    assert second(sql, "Static") == [("type-change", "warning", "public.address")]
    assert not second(sql, "Shadow")


@pytest.mark.parametrize("evidence", ["Static", "Shadow"])
def test_statement_is_an_error_when_only_squawk_can_read_it(evidence: str) -> None:
    assert second(UNREAD, evidence) == [("destructive", "error", "public.orders.note")]


@pytest.mark.parametrize("comment", ["-- squawk-ignore-file", "/* squawk-ignore ban-alter-view-options */"])
def test_comment_silences_nothing(comment: str) -> None:
    assert second(f"{comment}\nALTER VIEW numbers SET (security_invoker = true) {comment}\n")


def test_helpers_statements_are_not_asked_about() -> None:
    assert not second(Statement("ALTER TABLE orders REPLICA IDENTITY FULL", channel="helper"))


def test_waiver_meets_a_finding_of_squawk() -> None:
    waiver = "- {rule: destructive, object: public.numbers, reason: nobody reads it, expires: 2027-01-01}"
    document = plan(
        step("ALTER VIEW numbers SET (security_invoker = true)"), waivers={"versions/a1_x.review.yaml": waiver}
    )
    found = review(document, TODAY)
    assert [one.waived_until for one in found.findings] == ["2027-01-01"]
    assert not found.waiver_faults


def test_each_statement_is_read_when_another_cannot_be() -> None:
    asked = [Said("ALTER TABLE", "1"), Said("ALTER ROLE a NOLOGIN", "1"), Said("DROP (", "")]
    asked += [Said("ALTER ROLE\nb NOLOGIN", "2")]
    assert [at for at, _, _ in ask(asked, squawk.RULES, 18)] == [1, 3]


def test_transactions_are_squawks_too() -> None:
    build = "CREATE INDEX CONCURRENTLY i ON orders (a)"
    rule = {"ban-concurrent-index-creation-in-transaction"}
    assert [at for at, _, _ in ask([Said(build, "1"), Said("SELECT 1", "1"), Said(build, "")], rule, 18)] == [0]


def test_rules_of_squawk_are_all_decided_on() -> None:
    settings = Path(squawk_program.__file__).with_name("squawk.toml").read_text()
    included, _, excluded = settings.partition("excluded_rules")
    assert set(included.split('"')[1::2]) == set(squawk.RULES)
    assert not set(excluded.split('"')[1::2]) & set(squawk.RULES)


# What comes of a squawk that fails. The program is another one; everything around it is as always.


def _stand_in(folder: Path, script: str) -> Path:
    """The packages with a program of their own beside them, as in the image."""
    (folder / "bin").mkdir()
    file = folder / "bin" / "squawk"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    (folder / "alembic_operator").symlink_to(Path(package.__file__).parents[1])
    return folder


@pytest.fixture
def first_process() -> Iterator[None]:
    """Orphans become this process's children, as those of a container's first process do."""
    prctl, subreaper = ctypes.CDLL(None, use_errno=True).prctl, 36
    assert prctl(subreaper, 1, 0, 0, 0) == 0
    yield
    prctl(subreaper, 0, 0, 0, 0)


def _in_child(folder: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits = LIMITS) -> str:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    document = plan(step("ALTER VIEW numbers SET (security_invoker = true)"))
    with pytest.raises(LintFailed) as failed:
        asyncio.run(lint_in_child(document.to_json(), TODAY, limits))
    return str(failed.value)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo nonsense", "code 0 and without a valid answer"),
        ("echo '[{\"line\": 0}]'", "code 0 and without a valid answer"),
        ("echo '[1]'", "code 0 and without a valid answer"),
        ("echo '{}' | head -c 1; exit 1", "code 1 and without a valid answer"),
        ("exit 2", "code 2 and without a valid answer"),
        ("kill -SEGV $$", "Squawk broke \\(SIGSEGV\\)"),
        ("cat /dev/zero", "needs more than 384 MiB"),
    ],
)
def test_review_says_why_when_squawk_gives_no_answer(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = _in_child(_stand_in(tmp_path, script), monkeypatch)
    assert re.search(said, sentence), sentence


def test_review_says_so_when_squawk_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _stand_in(tmp_path, "")
    (folder / "bin" / "squawk").write_bytes(b"\x7fELF no program")
    assert "cannot be started" in _in_child(folder, monkeypatch)


def test_squawk_ends_with_the_review_when_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_process: None
) -> None:
    folder = _stand_in(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    started = time.monotonic()
    assert "longer than 2 s" in _in_child(folder, monkeypatch, Limits(seconds=2))
    assert time.monotonic() - started < 10
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_squawk_is_given_up_when_it_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = _stand_in(tmp_path, "exec sleep 600") / "bin" / "squawk"
    monkeypatch.setattr(squawk_program, "program", lambda: str(slow))
    monkeypatch.setattr(squawk_program, "SECONDS", 0.2)
    with pytest.raises(SquawkFailed, match=r"longer than 0\.2 s"):
        reviewed("ALTER VIEW numbers SET (security_invoker = true)")


def test_remedy_is_told_when_squawk_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotPlan, match="pip install squawk-cli"):
        review(plan(step("ALTER VIEW numbers SET (security_invoker = true)")), TODAY)


def test_squawk_is_not_started_when_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reviewed("DROP TABLE orders", "CREATE TABLE x (id uuid)", outside("REINDEX TABLE orders")).findings


def test_five_mebibytes_are_read_within_the_operators_limits() -> None:
    texts = [f"ALTER POLICY mine ON orders_{at} USING (code <> '{'x' * 10_000}')" for at in range(600)]
    text = plan(step(*texts)).to_json()
    assert len(text) > 5 * 1024**2
    assert len(asyncio.run(lint_in_child(text, TODAY, LIMITS)).findings) == len(texts)


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ALTER a SET DEFAULT " + "(" * 8_000 + "1" + ")" * 8_000 + ", REPLICA IDENTITY NOTHING",
        "ALTER TABLE orders REPLICA IDENTITY NOTHING, ALTER a SET DEFAULT " + "(" * 16_000,
        "ALTER TABLE orders REPLICA IDENTITY NOTHING" + ", ALTER a SET DEFAULT 1" * 300,
        "ALTER POLICY a ON orders USING (" + "NOT " * 4_000 + "true)",
        "DROP TABLE " + "[" * 8_000,
        "ALTER ROLE a NOLOGIN; " * 600,
        "DROP TABLE $$",
    ],
    ids=["parentheses", "open", "commands", "negations", "brackets", "statements", "dollars"],
)
def test_hostile_statement_is_no_failure(sql: str) -> None:
    document = plan(step(sql, "ALTER VIEW numbers SET (security_invoker = true)"))
    found = asyncio.run(lint_in_child(document.to_json(), TODAY, LIMITS)).findings
    assert ("destructive", "public.numbers") in {(one.rule, one.object) for one in found}
