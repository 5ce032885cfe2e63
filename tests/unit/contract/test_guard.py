"""The guard: what was approved passes, in the order that counts; everything else is refused before it is sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.effort import examples

from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.guard import Guard, NotApproved, sha256
from alembic_operator.contract.plan import Statement, Step, StepKind
from alembic_operator.contract.request import ProtocolError

ADD, INDEX = "ALTER TABLE t ADD a int", "CREATE INDEX CONCURRENTLY i ON t (a)"
FILL, READ = "UPDATE t SET a = 1 WHERE id = 5", "SELECT id FROM t WHERE a IS NULL LIMIT 100"


def _statement(sql: str, *, autocommit: bool = False, executions: int = 1, channel: str = "cursor") -> Statement:
    value, ddl = text_fingerprint(sql)
    return Statement(sql, [], value, ddl, autocommit, channel, executions)


STEP = Step(
    "r1",
    StepKind.SQL,
    statements=[_statement(ADD), _statement(READ), _statement(FILL), _statement(INDEX, autocommit=True)],
)
APPROVED = [(ADD, False), (READ, False), (FILL, False), (INDEX, True)]


def _run(step: Step, sent: list[tuple[str, bool]]) -> None:
    guard = Guard.from_parts(Guard.of([step]).to_parts())
    checker = guard.begin(step.revision, "upgrade")
    for sql, autocommit in sent:
        checker.check(sql, autocommit)
    checker.finish()


def _refusal(step: Step, sent: list[tuple[str, bool]]) -> str:
    """Why something was not let through; "" when all was."""
    try:
        _run(step, sent)
    except NotApproved as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "sent",
    [
        APPROVED,
        [(ADD, False), (INDEX, True)],
        [(FILL, False), (ADD, False), (INDEX, True), (READ, False)],
        [(ADD, False), *[(FILL, False)] * 600, (INDEX, True)],
        [(ADD, False), ("UPDATE t SET a = 77 WHERE id = %(id)s", False), (INDEX, True)],
        [("ALTER TABLE t  -- as written\n ADD a int;", False), (INDEX, True)],
    ],
    ids=["as planned", "no rows", "rows anywhere", "many rows", "other values", "other white space"],
)
def test_passes_when_what_is_sent_was_approved(sent: list[tuple[str, bool]]) -> None:
    assert _refusal(STEP, sent) == ""


@pytest.mark.parametrize(
    ("sent", "expected", "shown"),
    [
        ([], "statement 1 (ALTER TABLE)", ""),
        ([(ADD, False)], "statement 4 (CREATE INDEX)", ""),
        ([(INDEX, True)], "statement 1 (ALTER TABLE)", "CREATE INDEX CONCURRENTLY i ON t (a)"),
        ([(ADD, False), (ADD, False)], "statement 4 (CREATE INDEX)", "ALTER TABLE t ADD a int"),
        ([*APPROVED, (INDEX, True)], "no further DDL in this step", "CREATE INDEX CONCURRENTLY i ON t (a)"),
        ([*APPROVED, ("DROP TABLE t", False)], "no further DDL in this step", "DROP TABLE t"),
        ([("ALTER TABLE t ADD a bigint", False)], "statement 1 (ALTER TABLE)", "ALTER TABLE t ADD a bigint"),
        ([(ADD, True)], "statement 1 (ALTER TABLE) inside of a transaction", "ALTER TABLE t ADD a int"),
        (
            [(ADD, False), (INDEX, False)],
            "statement 4 (CREATE INDEX) outside of a transaction",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
        ),
        ([(FILL, True)], "it inside of a transaction", "UPDATE t SET a = $ WHERE id = $"),
        ([("UPDATE t SET a = 'x'", False)], "no such statement in this step", "UPDATE t SET a = $"),
        ([("DELETE FROM t", False)], "no such statement in this step", "DELETE FROM t"),
        ([(f"{FILL}; DELETE FROM t", False)], "no such statement in this step", "UPDATE t SET a = $ WHERE id = $; …"),
        ([(f"{ADD}; COMMIT", False)], "statement 1 (ALTER TABLE)", "ALTER TABLE t ADD a int; COMMIT"),
        ([("COMMIT", False)], "statement 1 (ALTER TABLE)", "COMMIT"),
        ([("SELECT 'open", False)], "statement 1 (ALTER TABLE)", "a text that cannot be read for sure"),
        ([("SAVEPOINT s", False)], "no such statement in this step", "SAVEPOINT"),
        ([("", False)], "no such statement in this step", "a text that cannot be read for sure"),
    ],
)
def test_refuses_when_something_was_not_approved(sent: list[tuple[str, bool]], expected: str, shown: str) -> None:
    with pytest.raises(NotApproved) as caught:
        _run(STEP, sent)
    assert caught.value.expected == expected
    assert caught.value.sent == shown or (shown.endswith("…") and caught.value.sent.startswith(shown[:-1]))


def test_counts_from_the_start_when_a_revision_is_tried_again() -> None:
    guard = Guard.of([STEP])
    guard.begin("r1", "upgrade").check(ADD, False)
    again = guard.begin("r1", "upgrade")
    for sql, autocommit in APPROVED:
        again.check(sql, autocommit)
    again.finish()
    with pytest.raises(NotApproved):
        again.check(ADD, False)  # all of it was sent, and nothing twice


def test_wants_each_execution_when_ddl_was_sent_several_times() -> None:
    step = Step("r1", StepKind.SQL, statements=[_statement("TRUNCATE t", executions=3)])
    _run(step, [("TRUNCATE t", False)] * 3)
    for count in (2, 4):
        with pytest.raises(NotApproved):
            _run(step, [("TRUNCATE t", False)] * count)


def test_wants_what_was_planned_before_when_nobody_knows_what_a_statement_does() -> None:
    step = Step("r1", StepKind.SQL, statements=[_statement(ADD), _statement("DO $$BEGIN PERFORM 1; END$$")])
    guard = Guard.from_parts(Guard.of([step]).to_parts())
    with pytest.raises(NotApproved):
        guard.begin("r1", "upgrade").check("DO $$BEGIN PERFORM 1; END$$", False)


def test_passes_everything_when_the_step_is_opaque() -> None:
    assert _refusal(Step("r1", StepKind.OPAQUE), [("DROP TABLE t", False), ("COMMIT", True)]) == ""


def test_refuses_when_the_plan_has_no_such_revision() -> None:
    with pytest.raises(NotApproved, match="no such revision"):
        Guard.of([STEP]).begin("r2", "upgrade")


def test_leaves_out_what_the_runner_sends_itself() -> None:
    step = Step("r1", StepKind.SQL, statements=[_statement("DROP INDEX i", channel="runner"), _statement(ADD)])
    assert _refusal(step, [(ADD, False)]) == ""
    assert "no further DDL" in _refusal(step, [(ADD, False), ("DROP INDEX i", False)])


MENU = [ADD, INDEX, FILL, READ, "DROP TABLE a", "DROP TABLE b", "INSERT INTO t VALUES (1)", "TRUNCATE t"]
SENT = st.lists(st.tuples(st.sampled_from(MENU), st.booleans()), max_size=8)


@settings(max_examples=examples(400), deadline=None)
@given(SENT, SENT)
def test_passes_exactly_when_ddl_is_equal_and_rows_are_among_the_approved(
    approved: list[tuple[str, bool]], sent: list[tuple[str, bool]]
) -> None:
    step = Step("r", StepKind.SQL, statements=[_statement(sql, autocommit=autocommit) for sql, autocommit in approved])
    rows = (FILL, READ, "INSERT INTO t VALUES (1)")
    legal = [one for one in approved if one[0] not in rows] == [one for one in sent if one[0] not in rows]
    legal = legal and {one for one in sent if one[0] in rows} <= set(approved)
    try:
        _run(step, sent)
    except NotApproved:
        assert not legal
    else:
        assert legal


@given(SENT, st.integers(1, 60))
def test_comes_back_whole_from_parts_of_any_size(approved: list[tuple[str, bool]], limit: int) -> None:
    guard = Guard.of(
        [
            Step("r1", StepKind.SQL, statements=[_statement(sql, autocommit=there) for sql, there in approved]),
            Step("r2", StepKind.OPAQUE),
        ]
    )
    parts = guard.to_parts(limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert Guard.from_parts(parts) == guard
    assert sha256(parts) == sha256(guard.to_parts())


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_pins_every_byte(at: int, flip: int) -> None:
    parts = Guard.of([STEP]).to_parts()
    text = bytearray(b"".join(parts))
    assume(at < len(text))
    text[at] ^= flip
    assert sha256([bytes(text)]) != sha256(parts)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"steps": []}',
        b'{"version": 2, "steps": []}',
        b'{"version": 1}',
        b'{"version": 1, "steps": [{}]}',
        b'{"version": 1, "steps": [{"revision": "r", "guarded": 1, "ordered": [], "free": []}]}',
        b'{"version": 1, "steps": [{"revision": "r", "guarded": true, "ordered": [["a", false]], "free": []}]}',
        b'{"version": 1, "steps": [{"revision": "r", "guarded": true, "ordered": [["a", 0, 1, 1, ""]], "free": []}]}',
        b'{"version": 1, "steps": [{"revision": "r", "guarded": true, "ordered": [["a", true, 1, 0, 0]], "free": []}]}',
        b'{"version": 1, "steps": [{"revision": "r", "guarded": true, "ordered": [], "free": [["a", "x"]]}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_refuses_when_the_parts_are_no_guard(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        Guard.from_parts([text])


def test_holds_a_history_of_500_revisions_in_one_part() -> None:
    statements = [replace(_statement(f"ALTER TABLE t ADD c{at} text"), sql="x") for at in range(10)]
    guard = Guard.of([Step(f"{at:012x}", StepKind.SQL, statements=statements) for at in range(500)])
    assert len(guard.to_parts()) == 1
    assert json.loads(guard.to_parts()[0])["version"] == 1
