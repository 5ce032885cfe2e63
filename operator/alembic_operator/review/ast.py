"""SQL as trees. The only module that knows the parser's library; trees are those of libpg_query.

Only the review's own process imports it: it reads text that a user's image has made, with a library in C.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from postgast import PgQueryError, parse

from ..contract.sql_tokens import Unreadable, tokens

LONGEST = 256 * 1024  # characters of one statement; a tree takes a hundred times as much memory
_LISTS = frozenset({"IN", "VALUES"})  # followed by a tuple
_LITERALS = frozenset({"INTERVAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"})  # followed by a string
_INSERTS = frozenset({"INSERT", "COPY"})


@dataclass(frozen=True)
class Tree:
    """One statement.

    Attributes:
        kind: of the node, such as `alter_table_stmt`; "" where the text could not be read.
        node: with the fields of libpg_query's node; None where it could not be read.
        text: without comments, placeholders as `$1`.
        large: it was too long to be read.
    """

    kind: str
    node: Any
    text: str
    large: bool = False


def trees(sql: str, *, bound: bool) -> list[Tree]:
    """The statements of a text.

    Args:
        sql: as sent to the driver.
        bound: the driver replaces placeholders such as `%s`, and `%%` stands for `%`.
    """
    try:
        found = tokens(sql)
    except Unreadable:
        return _parsed(sql)
    return [tree for one in _split(found) for tree in _parsed(_text(one, bound))]


def _split(found: list[str]) -> Iterator[list[str]]:
    """Tokens of each statement; a function's body in BEGIN ATOMIC has `;` too, and stays in one piece."""
    if any(token.upper() == "ATOMIC" for token in found):
        yield found
        return
    start = 0
    for at, token in enumerate([*found, ";"]):
        if token == ";":
            if at > start:
                yield found[start:at]
            start = at + 1


def _text(found: list[str], bound: bool) -> str:
    if not bound:
        return " ".join(found)
    text: list[str] = []
    number = 0
    for token in found:
        if len(token) > 1 and token[0] == "%" and token[-1] in "sbt":
            number += 1
            text.append(_stand_in(number, text[-1].upper() if text else ""))
        else:
            text.append("%" if token == "%%" else token)
    return " ".join(text)


def _stand_in(number: int, before: str) -> str:
    """What the parser reads for a placeholder: psycopg2 writes values there, where PostgreSQL has no parameters."""
    if before in _LISTS:
        return f"( ${number} )"
    return "''" if before in _LITERALS else f"${number}"


def _parsed(text: str) -> list[Tree]:
    if len(text) > LONGEST:
        return [Tree("insert_stmt" if text[:6].upper() in _INSERTS else "", None, text, large=True)]
    try:
        statements = parse(text).stmts
    except (DecodeError, PgQueryError, RecursionError, ValueError):
        return [Tree("", None, text)]
    found = []
    for statement in statements:
        kind = statement.stmt.WhichOneof("node") or ""
        start, length = statement.stmt_location, statement.stmt_len
        encoded = text.encode("utf-8", "surrogatepass")
        part = encoded[start : start + length] if length else encoded[start:]
        found.append(Tree(kind, getattr(statement.stmt, kind, None), part.decode("utf-8", "replace").strip()))
    return found


def inner(node: Any) -> tuple[str, Any]:
    """Kind and node of what libpg_query wraps into a Node; ("", None) for nothing."""
    kind = node.WhichOneof("node")
    return (kind, getattr(node, kind)) if kind else ("", None)


def word(node: Any, field: str) -> str:
    """The name of an enum's value: `AT_AddColumn`, `OBJECT_TABLE`."""
    enum = node.DESCRIPTOR.fields_by_name[field].enum_type
    return str(enum.values_by_number[getattr(node, field)].name)


def names(items: Any) -> list[str]:
    """The strings of a list of nodes."""
    return [item.string.sval for item in items if item.WhichOneof("node") == "string"]


def literal(node: Any) -> str | int | None:
    """The value of a string or a number, whatever it is cast to; None for anything else."""
    kind, one = inner(node)
    if kind == "type_cast":
        return literal(one.arg)
    if kind != "a_const":
        return None
    found = one.WhichOneof("val")
    return one.sval.sval if found == "sval" else one.ival.ival if found == "ival" else None


def walk(node: Any) -> Iterator[tuple[str, Any]]:
    """Every wrapped node below this one, with its kind, from the outside to the inside."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one.DESCRIPTOR.name == "Node":
            kind, one = inner(one)
            if not kind:
                continue
            yield kind, one
        stack.extend(
            item
            for field, value in reversed(one.ListFields())
            if field.message_type is not None
            for item in (reversed(value) if hasattr(value, "__len__") else (value,))
        )
