"""PostgreSQL's texts of definitions, made the same whatever version wrote them.

What differs between 15, 16 and 18 (measured): white space; which words are quoted, since the list of keywords grows;
and whether a view over one relation names it before each column (15 does, 16 does not).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from .expressions import alike

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<string>(?:\b[EBXUebxu]&?)?'(?:[^']|'')*')
      | (?P<word>[A-Za-z_\u0080-\uffff][\w$]*)
      | (?P<number>\d[\w.]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""E'(?:[^'\\]|''|\\.)*'""", re.DOTALL)
_SIMPLE = re.compile(r"[a-z_][a-z0-9_$]*")
_ENDS_FROM = frozenset({"WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT"}) | {
    "OFFSET",
    "FETCH",
    "FOR",
    ";",
}


def name(identifier: str) -> str:
    """An identifier, quoted only where its characters ask for it."""
    return identifier if _SIMPLE.fullmatch(identifier) else '"' + identifier.replace('"', '""') + '"'


def full_name(schema: str, identifier: str) -> str:
    """`schema.name`."""
    return f"{name(schema)}.{name(identifier)}"


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """A definition on one line, quoted only where the characters of an identifier ask for it."""
    if _PLAIN.fullmatch(text):
        return text
    return _joined(_tokens(text))


_PLAIN = re.compile(r"[a-z0-9_.,()\[\]=<>+*/]*(?: [a-z0-9_.,()\[\]=<>+*/]+)*")


def view(text: str) -> str:
    """The query of a view."""
    tokens = list(_tokens(text))
    alias = _only_relation([token for token in tokens if token != " "])
    if alias:
        tokens = list(_unqualified(tokens, alias))
    return _joined(tokens)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _ESCAPED.match(text, at) or _TOKEN.match(text, at)
        if found is None:
            return
        at, token = found.end(), found.group()
        kind = found.lastgroup
        if kind == "space":
            yield " "
        elif kind == "quoted" and _SIMPLE.fullmatch(token[1:-1]):
            yield token[1:-1]
        else:
            yield token


def _joined(tokens: Iterable[str]) -> str:
    found = list(tokens)
    if "AND" in found or "OR" in found or "ARRAY" in found:
        found = alike(found)
    return "".join(found).strip().rstrip(";").rstrip()


def _only_relation(tokens: list[str]) -> str:
    """The name by which a query without joins and set operations calls its one relation, else ""."""
    depth, start = 0, -1
    items: list[str] = []
    for at, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if start < 0:
            if depth == 0 and token == "FROM":
                start = at
            continue
        if depth == 0 and (token in _ENDS_FROM or token == ","):
            if token in (",", "UNION", "INTERSECT", "EXCEPT"):
                return ""
            break
        items.append(token)
    if "TABLESAMPLE" in items:
        items = items[: items.index("TABLESAMPLE")]
    if not items or (items[0] == "(" and items[1] not in ("SELECT", "WITH", "VALUES")):
        return ""
    while items and items[-1] == ")":  # the names of an alias's columns
        items = _without_last_group(items)
    return items[-1] if items else ""


def _without_last_group(items: list[str]) -> list[str]:
    depth = 0
    for at in range(len(items) - 1, -1, -1):
        depth += (items[at] == ")") - (items[at] == "(")
        if depth == 0:
            return items[:at]
    return []


def _unqualified(tokens: list[str], alias: str) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        if tokens[at] == alias and tokens[at + 1 : at + 2] == ["."] and tokens[at - 1 : at] != ["."]:
            at += 2
            continue
        yield tokens[at]
        at += 1
