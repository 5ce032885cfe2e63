"""Which statements of DDL may be sent in another order than planned, without making another schema.

A loop over a set, over what an inspector lists, or over the files of a directory sends the same statements in another
order elsewhere. Two of them may change places where neither changes what the other one names. Known are additions
alone; of every other statement it is taken that it depends on all that came before, and all that follows on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .sql_tokens import Unreadable, tokens

_WORD = re.compile(r"\w+")
_NAMED = re.compile(r'[A-Za-z_\x80-\U0010ffff"]')
# With any of these a statement may do nothing, do more than it says, or copy what others have changed.
_UNSURE = frozenset(
    ["IF", "CASCADE", "LIKE", "INHERIT", "INHERITS", "PARTITION", "AS", "OF", "ALL", "RENAME", "SCHEMA", "DROP", "ONLY"]
)
_PAST = frozenset(["UNIQUE", "CONCURRENTLY", "UNLOGGED"])
_ADDITIONS = frozenset(["CREATE INDEX", "CREATE TABLE", "CREATE SEQUENCE", "ALTER TABLE", "COMMENT ON"])


@dataclass(frozen=True)
class _Touched:
    """What a statement changes, and every word in it; names without their schemas."""

    changes: frozenset[str]
    names: frozenset[str]

    def apart_from(self, other: _Touched) -> bool:
        return self.changes.isdisjoint(other.names) and other.changes.isdisjoint(self.names)


def order_of(statements: Sequence[str]) -> list[tuple[int, ...] | None]:
    """For each statement of a step the earlier ones that must have been sent, by index; None for all of them."""
    found: list[tuple[int, ...] | None] = []
    since: list[tuple[int, _Touched]] = []  # the last that depends on everything
    barrier: tuple[int, ...] = ()
    for at, sql in enumerate(statements):
        touched = _touched(sql)
        if touched is None:
            found.append(None)
            since, barrier = [], (at,)
            continue
        found.append((*barrier, *(index for index, earlier in since if not touched.apart_from(earlier))))
        since.append((at, touched))
    return found


def _touched(sql: str) -> _Touched | None:
    """None: it changes places with nothing."""
    try:
        found = tokens(sql)
    except Unreadable:
        return None
    while found and found[-1] == ";":
        found.pop()
    words = [token.upper() for token in found]
    if ";" in found or not _UNSURE.isdisjoint(words):
        return None
    rest = [at for at, word in enumerate(words[:4]) if word not in _PAST]
    if len(rest) < 3 or " ".join(words[at] for at in rest[:2]) not in _ADDITIONS:
        return None
    changed = _changed(found, words, rest[2])
    if not changed:
        return None
    return _Touched(frozenset(_words(changed)), frozenset(_words(" ".join(found))))


def _changed(found: list[str], words: list[str], start: int) -> str:
    """The names that a statement makes or changes, from where its target is named; "" where there is none."""
    if words[0] == "COMMENT":
        end = words.index("IS") if "IS" in words else start
        return " ".join(found[start + 1 : end])
    name, after = _name(found, start)
    if words[0] == "ALTER" and words[after : after + 2] == ["ADD", "CONSTRAINT"] and "ADD" not in words[after + 2 :]:
        return _name(found, after + 2)[0]  # constraints of one table, like its indexes
    return "" if name.upper() == "ON" else name  # an index without a name gets the next one that is free


def _name(found: list[str], at: int) -> tuple[str, int]:
    """The last part of a name that may have a schema, and where it ends."""
    while found[at + 1 : at + 2] == ["."]:
        at += 2
    name = found[at] if at < len(found) else ""
    return (name if _NAMED.match(name) else ""), at + 1


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
