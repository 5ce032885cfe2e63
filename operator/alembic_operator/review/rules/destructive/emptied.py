"""Rows that are gone: TRUNCATE, and DELETE without a condition."""

from __future__ import annotations

from collections.abc import Iterator

from ....core.findings import Finding, Severity
from ...ast import inner, names, walk, word
from ...scene import Part, Scene
from .kinds import RULE


def rows_gone(part: Part, scene: Scene) -> Iterator[Finding]:
    """TRUNCATE, and DELETE of every row."""
    if part.kind == "truncate_stmt":
        for item in part.node.relations:
            name = scene.name(inner(item)[1])
            if scene.existing(name):
                message = (
                    f"It empties {name} ({scene.size(name)}) under an ACCESS EXCLUSIVE lock: all its rows are gone."
                )
                yield part.finding(
                    RULE, Severity.ERROR, name, message, "Delete what is not needed in batches, by its key."
                )
    if part.node is None or part.kind == "do_stmt":
        return
    for kind, node in [(part.kind, part.node), *walk(part.node)]:
        if kind != "delete_stmt" or not every_row(node):
            continue
        name = scene.name(node.relation)
        if scene.existing(name):
            message = f"It deletes every row of {name} ({scene.size(name)}): there is no WHERE that leaves any."
            fix = "Name the rows in WHERE, and delete them in batches by their key, each in its own transaction."
            yield part.finding(RULE, Severity.ERROR, name, message, fix)


def every_row(node: object) -> bool:
    """Whether an UPDATE or DELETE has no condition, or one that is always true."""
    kind, _ = inner(node.where_clause)  # type: ignore[attr-defined]
    return not kind or _true(node.where_clause)  # type: ignore[attr-defined]


def _true(test: object) -> bool:
    """Whether a condition holds whatever the row is."""
    kind, condition = inner(test)
    if kind == "a_const":
        return bool(condition.boolval.boolval)
    if kind == "bool_expr":
        every = all if word(condition, "boolop") == "AND_EXPR" else any
        return word(condition, "boolop") != "NOT_EXPR" and every(map(_true, condition.args))
    if kind == "a_expr" and names(condition.name) == ["="]:
        left, right = inner(condition.lexpr), inner(condition.rexpr)
        return left[0] == right[0] == "a_const" and left[1].ival.ival == right[1].ival.ival
    return False


RULES = (rows_gone,)
