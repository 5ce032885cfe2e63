"""Statements that write many rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.findings import Finding, Severity
from ..ast import inner, names, walk, word
from ..scene import Part, Scene
from .destructive import every_row

RULE = "unbatched-dml"
_WIDE = frozenset(
    {"null", "<>", "join", "<", "<=", ">", ">=", "-", "+"}
)  # with a range, a part that grows with the table
_FIX = (
    "Write the rows in batches by their key, each in its own transaction: backfill or delete_in_batches of "
    "alembic_operator_helpers."
)


def unbatched(part: Part, scene: Scene) -> Iterator[Finding]:
    """UPDATE, DELETE and MERGE over a table of many rows, or of unknown many, in one statement."""
    if part.node is None:
        if part.tree.large and part.kind == "insert_stmt":
            message = f"Statement {part.number} is too long to be read, and writes its rows at once."
            yield part.finding(RULE, Severity.WARNING, "", message, _FIX)
        return
    for kind, node in [(part.kind, part.node), *walk(part.node)]:
        if kind not in ("update_stmt", "delete_stmt", "merge_stmt"):
            continue
        name = scene.name(node.relation)
        if not scene.existing(name) or scene.small(name) or (kind == "delete_stmt" and every_row(node)):
            continue
        severity = _severity(kind, node)
        if severity is None:
            continue
        verb = {"update_stmt": "updates", "delete_stmt": "deletes from", "merge_stmt": "merges into"}[kind]
        message = (
            f"It {verb} {name} ({scene.size(name)}) in one statement: the rows stay locked until the transaction ends, "
            "the table bloats, and replicas fall behind."
        )
        yield part.finding(RULE, severity, name, message, _FIX)


def touches_every_row(part: Part, scene: Scene) -> bool:
    """Whether an UPDATE or DELETE reads its table whole even where an index could help."""
    if part.kind not in ("update_stmt", "delete_stmt"):
        return False
    return every_row(part.node) or _severity(part.kind, part.node) is Severity.ERROR


def _severity(kind: str, node: Any) -> Severity | None:
    """ERROR for (nearly) every row, WARNING for an unknown part of them, None for a batch or a few."""
    if kind == "merge_stmt":
        return Severity.WARNING
    if every_row(node):
        return Severity.ERROR
    if _batch(node.where_clause):
        return None
    tests = list(_tests(node.where_clause))
    if tests and all(test in _WIDE for test in tests):
        return Severity.ERROR
    return Severity.WARNING


def _batch(where: Any) -> bool:
    """Whether the condition itself bounds the rows: a LIMIT, a key, a range with an upper end."""
    for kind, node in walk(where):
        if kind == "current_of_expr" or (kind == "select_stmt" and inner(node.limit_count)[0]):
            return True
        if kind != "a_expr":
            continue
        form = word(node, "kind")
        if form == "AEXPR_BETWEEN":
            return True
        bounded = form in ("AEXPR_IN", "AEXPR_OP_ANY") or names(node.name) in (["="], ["<"], ["<="])
        if bounded and _is_key(inner(node.lexpr)) and inner(node.rexpr)[0] != "column_ref":
            return True
    return False


def _is_key(found: tuple[str, Any]) -> bool:
    if found[0] != "column_ref":
        return False
    column = names(found[1].fields)
    return bool(column) and (column[-1] in ("id", "ctid", "uuid") or column[-1] == "pk")


def _tests(where: Any) -> Iterator[str]:
    for kind, node in walk(where):
        if kind == "null_test":
            yield "null"
        elif kind == "a_expr":
            joined = inner(node.lexpr)[0] == inner(node.rexpr)[0] == "column_ref"
            yield "join" if joined else (names(node.name) or [""])[-1]
        elif kind in ("sub_link", "boolean_test"):
            yield kind


RULES = (unbatched,)
