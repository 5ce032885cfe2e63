"""Expressions that PostgreSQL writes otherwise once they were dumped and restored, made alike.

Two forms differ from what is parsed from their own text (measured on 15, 16 and 18): a cast of an array, which is read
as casts of its elements (`state IN ('a', 'b')` of a varchar), and AND in AND or OR in OR, which become one list (as
with BETWEEN).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

_CLOSING = {"(": ")", "[": "]"}
_CONNECTIVES = frozenset({"AND", "OR"})
_NOT_PLAIN = frozenset({"BETWEEN", "CASE", "SELECT", "VALUES", "ON", "WHERE"})


@dataclass
class Group:
    """What stands in brackets."""

    bracket: str
    items: list[Item] = field(default_factory=list)


Item = Union[str, Group]


def alike(tokens: list[str]) -> list[str]:
    """The tokens of a definition, with those two forms as they are after a dump."""
    return list(_flat(_rewritten(_tree(tokens))))


def _tree(tokens: list[str]) -> list[Item]:
    stack = [Group("")]
    for token in tokens:
        if token in _CLOSING:
            stack.append(Group(token))
        elif len(stack) > 1 and token == _CLOSING[stack[-1].bracket]:
            group = stack.pop()
            stack[-1].items.append(group)
        else:
            stack[-1].items.append(token)
    while len(stack) > 1:  # it does not close: a text of another kind, which stays as it is
        group = stack.pop()
        stack[-1].items += [group.bracket, *group.items]
    return stack[0].items


def _flat(items: list[Item]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Group):
            yield item.bracket
            yield from _flat(item.items)
            yield _CLOSING[item.bracket]
        else:
            yield item


def _rewritten(items: list[Item]) -> list[Item]:
    inner = [Group(item.bracket, _rewritten(item.items)) if isinstance(item, Group) else item for item in items]
    return _joined_lists(_cast_elements(inner))


def _cast_elements(items: list[Item]) -> list[Item]:
    """`(ARRAY[a, b])::text[]` as `ARRAY[(a)::text, (b)::text]`."""
    found: list[Item] = []
    at = 0
    while at < len(items):
        item, array = items[at], _only_array(items[at])
        end = _end_of_array_type(items, at + 1) if array is not None else 0
        if array is None or not end:
            found.append(item)
            at += 1
            continue
        cast = items[at + 1 : end]
        elements = Group("[")
        for number, element in enumerate(_split(array.items)):
            elements.items += [*([",", " "] if number else []), Group("(", element), *cast]
        found += ["ARRAY", elements]
        at = end + 1
    return found


def _only_array(item: Item) -> Group | None:
    """The elements of `(ARRAY[…])`."""
    if not isinstance(item, Group) or item.bracket != "(":
        return None
    inside = [one for one in item.items if one != " "]
    if len(inside) != 2 or inside[0] != "ARRAY" or not isinstance(inside[1], Group) or inside[1].bracket != "[":
        return None
    return inside[1]


def _end_of_array_type(items: list[Item], at: int) -> int:
    """Where the `[]` of `::text[]` stands; 0 where there is no such cast."""
    if items[at : at + 2] != [":", ":"]:
        return 0
    for end in range(at + 2, len(items)):
        item = items[end]
        if isinstance(item, Group) and item.bracket == "[":
            return end if not item.items else 0
        if isinstance(item, str) and not (item.isidentifier() or item in " ." or item.startswith('"')):
            return 0
    return 0


def _split(items: list[Item]) -> list[list[Item]]:
    """The elements between commas, without the spaces around them."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if item == ",":
            parts.append([])
        else:
            parts[-1].append(item)
    return [_stripped(part) for part in parts]


def _stripped(items: list[Item]) -> list[Item]:
    while items and items[0] == " ":
        items = items[1:]
    while items and items[-1] == " ":
        items = items[:-1]
    return items


def _joined_lists(items: list[Item]) -> list[Item]:
    """`(a AND b) AND c` as `a AND b AND c`, where nothing else stands there."""
    connective = _connective(items)
    if not connective:
        return items
    found: list[Item] = []
    for operand in _operands(items):
        only = operand[0] if len(operand) == 1 else ""
        joins = isinstance(only, Group) and only.bracket == "(" and _connective(only.items) == connective
        found += [" ", connective, " "] if found else []
        found += _stripped(only.items) if joins and isinstance(only, Group) else operand
    return found


def _connective(items: list[Item]) -> str:
    """AND or OR, where that stands between all operands and these are no clauses of a query; else ""."""
    words = {item for item in items if isinstance(item, str)}
    found = words & _CONNECTIVES
    if len(found) != 1 or words & _NOT_PLAIN or not all(_operands(items)):
        return ""
    return found.pop()


def _operands(items: list[Item]) -> list[list[Item]]:
    parts: list[list[Item]] = [[]]
    for item in items:
        if isinstance(item, str) and item in _CONNECTIVES:
            parts.append([])
        else:
            parts[-1].append(item)
    return [_stripped(part) for part in parts]
