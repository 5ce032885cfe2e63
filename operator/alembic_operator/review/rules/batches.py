"""Batches whose keys come from beside the statement: a WITH query or a subselect that has a LIMIT, or VALUES."""

from __future__ import annotations

from typing import Any

from ..ast import inner, names, walk, word

_KEYS = frozenset({"id", "ctid", "uuid", "pk"})


def in_batch(node: Any, statement: Any) -> bool:
    """Whether the rows that a statement writes are those of a batch that it joins, or looks up in its WHERE.

    Args:
        node: the UPDATE, DELETE, MERGE or SELECT.
        statement: what it stands in, with the WITH queries.
    """
    batches = _with_limit(statement)
    if node.DESCRIPTOR.name == "MergeStmt":
        return _batch(inner(node.source_relation), batches)
    where = inner(node.where_clause)
    if not where[0]:
        return False
    joined = {"UpdateStmt": "from_clause", "DeleteStmt": "using_clause"}.get(node.DESCRIPTOR.name)
    sources = [inner(item) for item in getattr(node, joined)] if joined else []
    if any(_batch(one, batches) for one in sources) and any(_joins(one) for one in _together(where)):
        return True
    if any(map(few, sources)):
        return any(_joins(one, by_key=True) for one in _together(where))
    return any(_looks_up(one, batches) for one in _together(where))


def few(source: tuple[str, Any]) -> bool:
    """Whether what is read stands in the statement itself: VALUES, or an array."""
    kind, node = source
    if kind == "range_function":
        return any(found == "func_call" and names(one.funcname)[-1:] == ["unnest"] for found, one in walk(node))
    return kind == "range_subselect" and len(inner(node.subquery)[1].values_lists) > 0


def is_key(found: tuple[str, Any]) -> bool:
    """Whether it is a column that has another value in each row, by its name."""
    if found[0] != "column_ref":
        return False
    return (names(found[1].fields) or [""])[-1] in _KEYS


def _with_limit(statement: Any) -> set[str]:
    """The WITH queries that have a LIMIT, and those that write the rows of such a one."""
    found: set[str] = set()
    for kind, one in walk(statement):
        if kind != "common_table_expr":
            continue
        query, node = inner(one.ctequery)
        limited = query == "select_stmt" and inner(node.limit_count)[0]
        if limited or (query in ("update_stmt", "delete_stmt") and _of_batch(node, found)):
            found.add(one.ctename)
    return found


def _of_batch(node: Any, batches: set[str]) -> bool:
    """Whether it writes what one of these batches names, or a subselect with a LIMIT of its own."""
    where = inner(node.where_clause)
    return bool(where[0]) and any(_looks_up(one, batches) for one in _together(where))


def _batch(source: tuple[str, Any], batches: set[str]) -> bool:
    kind, node = source
    if kind == "range_var":
        return not node.schemaname and node.relname in batches
    return kind == "range_subselect" and bool(inner(inner(node.subquery)[1].limit_count)[0])


def _together(where: tuple[str, Any]) -> list[tuple[str, Any]]:
    """The tests that have to hold all."""
    kind, node = where
    if kind == "bool_expr" and word(node, "boolop") == "AND_EXPR":
        return [one for item in node.args for one in _together(inner(item))]
    return [where]


def _joins(test: tuple[str, Any], *, by_key: bool = False) -> bool:
    kind, node = test
    if kind != "a_expr" or names(node.name) != ["="]:
        return False
    sides = [inner(node.lexpr), inner(node.rexpr)]
    return all(one[0] == "column_ref" for one in sides) and (not by_key or any(map(is_key, sides)))


def _looks_up(test: tuple[str, Any], batches: set[str]) -> bool:
    """`id IN (SELECT id FROM batch)`, `id = ANY (…)`, or `id <= (SELECT max(id) FROM batch)`."""
    kind, node = test
    if kind == "a_expr" and names(node.name) in (["="], ["<"], ["<="]):
        kind, node = inner(node.rexpr)
    if kind != "sub_link" or word(node, "sub_link_type") not in ("ANY_SUBLINK", "EXPR_SUBLINK", "ARRAY_SUBLINK"):
        return False
    select = inner(node.subselect)[1]
    return any(_batch(inner(item), batches) for item in select.from_clause)
