"""Where the statements of a text end, and what each of them is.

A rule that is missing here makes a statement count for more than it is, never for less: an unknown one is DDL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .sql_tokens import Unreadable

# Read and write rows: known by their template.
ROW = frozenset(
    ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE", "DECLARE", "FETCH", "MOVE", "EXECUTE"]
)
# Change no schema and no setting that another statement means something else by: by their text, in any number.
AS_IS = frozenset(
    [
        "SAVEPOINT",
        "RELEASE",
        "COPY",
        "SHOW",
        "EXPLAIN",
        "LOCK",
        "NOTIFY",
        "LISTEN",
        "UNLISTEN",
        "CLOSE",
        "DEALLOCATE",
        "ANALYZE",
        "ANALYSE",
    ]
)
_CONTROL = frozenset(["BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK"])
TIMEOUTS = frozenset(
    ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]
)  # how long something may take, never what it does; helpers put back what they found
_TARGETED = frozenset(["CREATE", "ALTER", "DROP"])
_PASSED_OVER = frozenset(
    [
        "OR",
        "REPLACE",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "GLOBAL",
        "LOCAL",
        "UNIQUE",
        "RECURSIVE",
        "TRUSTED",
        "PROCEDURAL",
        "CONSTRAINT",
    ]
)
_PAIRS = frozenset(["MATERIALIZED", "FOREIGN", "EVENT", "TEXT", "ACCESS", "OPERATOR", "USER", "DEFAULT"])
_SECOND = frozenset(
    ["VIEW", "TABLE", "TRIGGER", "SEARCH", "METHOD", "CLASS", "FAMILY", "MAPPING", "PRIVILEGES", "DATA"]
)
# What could control a transaction in a text that cannot be read.
MAY_CONTROL = re.compile(
    r"\b(?:commit|rollback|abort|start\s+transaction|prepare\s+transaction)\b|(?:\A|;)\s*(?:begin|end)\b", re.IGNORECASE
)
_OPENING = {")": "(", "]": "["}
_BOUNDS = frozenset("()[];")


@dataclass(frozen=True)
class SqlStatement:
    """One statement.

    Attributes:
        tokens: its own, without the semicolon; of a savepoint the keyword alone, since drivers number their names.
        kind: `row`, `as is` or `ddl`.
        keyword, transaction_control: as in Fingerprint.
    """

    tokens: list[str]
    kind: str
    keyword: str
    transaction_control: bool = False


def split(found: list[str]) -> list[SqlStatement]:
    """The statements of a text.

    A text with a BEGIN ATOMIC body is one statement whole: in `SELECT 1 end;` only a parser can tell what ends there.

    Raises:
        Unreadable: brackets that do not match, or a semicolon inside of them (but in CREATE RULE).
    """
    pieces, atomic = _pieces(found)
    if not atomic:
        return [_statement(piece) for piece in pieces]
    ends = sum(_word(piece) == "END" for piece in pieces)
    control = ends > 1 or any(_controls(piece) for piece in pieces if _word(piece) != "END")
    return [SqlStatement(found, "ddl", _keyword(pieces[0]), control)]


def _pieces(found: list[str]) -> tuple[list[list[str]], bool]:
    """What stands between semicolons, and whether there is a BEGIN ATOMIC."""
    atomics = {token for token in set(found) if len(token) == 6 and token.upper() == "ATOMIC"}
    bounds = _BOUNDS | atomics
    pieces: list[list[str]] = []
    brackets: list[str] = []
    start, atomic = 0, False
    for at, token in enumerate(found):
        if token not in bounds:
            continue
        if token in ("(", "["):
            brackets.append(token)
        elif token in (")", "]"):
            if not brackets or brackets.pop() != _OPENING[token]:
                raise Unreadable("brackets that do not match")
        elif token == ";" and not brackets:
            pieces.append(found[start:at])
            start = at + 1
        elif token == ";" and _keyword(found[start:at]) != "CREATE RULE":
            raise Unreadable("a semicolon inside of brackets")
        elif token in atomics and not brackets and at and found[at - 1].upper() == "BEGIN":
            atomic = True
    if brackets:
        raise Unreadable("an open bracket")
    pieces.append(found[start:])
    return [piece for piece in pieces if piece], atomic


def _statement(found: list[str]) -> SqlStatement:
    word, keyword = _word(found), _keyword(found)
    if keyword in ("SAVEPOINT", "RELEASE", "ROLLBACK TO"):
        return SqlStatement([keyword], "as is", keyword)
    if _controls(found):
        return SqlStatement(found, "ddl", keyword, True)
    if word in ROW:
        return SqlStatement(found, "ddl", f"{word} INTO") if _makes_a_table(found) else SqlStatement(found, "row", word)
    if word == "SET" and _sets_a_timeout(found):
        return SqlStatement(found, "row", word)
    return SqlStatement(found, "as is" if word in AS_IS else "ddl", keyword)


def _word(found: list[str]) -> str:
    """The first word, past the brackets of a query."""
    return next((token.upper() for token in found if token != "("), "")


def _controls(found: list[str]) -> bool:
    keyword = _keyword(found)
    return (keyword.split(" ")[0] in _CONTROL and keyword != "ROLLBACK TO") or keyword == "PREPARE TRANSACTION"


def _keyword(found: list[str]) -> str:
    words = [token.upper() for token in found[:9] if token != "("]
    if not words or not words[0].isalpha():
        return ""
    first, rest = words[0], words[1:]
    if first == "ROLLBACK":
        rest = rest[1:] if rest[:1] in (["WORK"], ["TRANSACTION"]) else rest
        return "ROLLBACK TO" if rest[:1] == ["TO"] else first
    if first in ("START", "PREPARE") and rest[:1] == ["TRANSACTION"]:
        return f"{first} TRANSACTION"
    if first not in _TARGETED:
        return first
    while rest and rest[0] in _PASSED_OVER:
        rest = rest[1:]
    kind = rest[:2] if rest[:1] and rest[0] in _PAIRS and rest[1:2] and rest[1] in _SECOND else rest[:1]
    return " ".join([first, *kind])


def _makes_a_table(found: list[str]) -> bool:
    """SELECT … INTO; of no other INTO than that of INSERT and MERGE is known here that it makes none."""
    return any(
        token.upper() == "INTO" and (not at or found[at - 1].upper() not in ("INSERT", "MERGE"))
        for at, token in enumerate(found)
        if len(token) == 4
    )


def _sets_a_timeout(found: list[str]) -> bool:
    rest = found[2:] if found[1:2] and found[1].upper() in ("LOCAL", "SESSION") else found[1:]
    return len(rest) == 3 and rest[0].lower() in TIMEOUTS and rest[1].upper() in ("TO", "=")
