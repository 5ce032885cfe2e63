"""Fingerprints of statements: the same for what was approved and for what is sent, computed by the same code.

A statement that reads or writes rows is known by its template: literals and placeholders do not count. Every other one
is known by its whole text without comments and white space. docs/digests.md has the rules, with vectors.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from .sql_tokens import Unreadable, tokens
from .statements import MAY_CONTROL, SqlStatement, split

LENGTH = 32  # hex digits
_MARK, _SPECIAL = "\0", "\1"  # neither occurs in a text that could be read
_SPECIAL_WORDS = frozenset(("in", "values", "null", "true", "false"))
_SIGN = re.compile(r"(?<=[(,=<>] )[-+] \0")
_CONSTANT = re.compile(r"(?<=[(,=<>] )\x01(?:null|true|false)\b", re.IGNORECASE)
_LIST = re.compile(r"(\x01in \( )(\0[^\x00\x01,()]*?)(?: , \2)* \)", re.IGNORECASE)
_INNER = r"[^()]*(?:\([^()]*\)[^()]*)*"
_ROW = rf"\([^()]*(?:\({_INNER}\)[^()]*)*\)"
_ROWS = re.compile(rf"\x01values {_ROW}(?: , {_ROW})+", re.IGNORECASE)
_ROW_AGAIN = re.compile(rf"({_ROW})(?: , \1)+")


@dataclass(frozen=True)
class Fingerprint:
    """What a statement is known by.

    Attributes:
        value: 32 hex digits.
        ddl: over the whole text, and the order counts; else the statement may be sent any number of times.
        keyword: what it is: `CREATE TABLE`, `SELECT`; "" where the text could not be read.
        transaction_control: it begins or ends a transaction (savepoints do not).
    """

    value: str
    ddl: bool
    keyword: str
    transaction_control: bool


def fingerprints(sql: str) -> list[Fingerprint]:
    """One for each statement of a text; a text that cannot be read for sure is one of DDL, over its raw text."""
    try:
        statements = split(tokens(sql))
    except Unreadable:
        return [Fingerprint(_hash("raw", sql), True, "", MAY_CONTROL.search(sql) is not None)]
    return [_fingerprint(one) for one in statements]


def text_fingerprint(sql: str) -> tuple[str, bool]:
    """Value and `ddl` of a text that is sent at once; DDL where any statement in it is.

    The same statement over and over counts once, unless it is DDL: a driver sends rows in pages, the last one shorter.
    """
    found: list[Fingerprint] = []
    for one in fingerprints(sql):
        if one.ddl or not found or one != found[-1]:
            found.append(one)
    if len(found) == 1:
        return found[0].value, found[0].ddl
    return _hash("text", " ".join(one.value for one in found)), any(one.ddl for one in found)


def outline(sql: str, limit: int = 120) -> str:
    """A statement as it may be shown: without literals, at most `limit` characters; "" where it cannot be read."""
    try:
        found = split(tokens(sql))
    except Unreadable:
        return ""
    text = "; ".join(_template(one.tokens).replace(" ( ", " (").replace(" )", ")").replace(" ,", ",") for one in found)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fingerprint(one: SqlStatement) -> Fingerprint:
    text = _template(one.tokens) if one.kind == "row" else " ".join(_without_passwords(one.tokens))
    return Fingerprint(_hash(one.kind, text), one.kind == "ddl", one.keyword, one.transaction_control)


def _hash(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


class _Marked(dict[str, str]):
    """Tokens and what stands for them in a template; most tokens of a long text are met before."""

    def __missing__(self, token: str) -> str:
        marked = _marked(token)
        self[token] = marked
        return marked


def _marked(token: str) -> str:
    first = token[0]
    if token[-1] == "'" or first in "0123456789$":
        return _MARK
    if len(token) > 1 and (first == "." or (first == "%" and token[-1] in "sbt")):
        return _MARK
    if first == ":" and token not in (":", "::", ":="):
        return _MARK
    return _SPECIAL + token if token.lower() in _SPECIAL_WORDS else token


def _template(found: list[str]) -> str:
    """The tokens with `$` for literals and placeholders; rows of VALUES and members of IN that repeat stand once."""
    marked = _Marked()
    if "[" in found:  # a[1:n]: no placeholder
        marked.update({token: token for token in found if token[0] == ":"})
    text = " ".join(map(marked.__getitem__, found))
    text = _CONSTANT.sub(_MARK, _SIGN.sub(_MARK, text))
    text = _LIST.sub(r"\1\2 )", text)
    text = _ROWS.sub(lambda match: _ROW_AGAIN.sub(r"\1", match.group()), text)
    return text.replace(_MARK, "$").replace(_SPECIAL, "")


def _without_passwords(found: list[str]) -> list[str]:
    """A password is no part of a fingerprint, which anybody may read and could try passwords against."""
    return [
        "$" if at and found[at - 1].upper() == "PASSWORD" and (token[-1] == "'" or token[0] == "$") else token
        for at, token in enumerate(found)
    ]
