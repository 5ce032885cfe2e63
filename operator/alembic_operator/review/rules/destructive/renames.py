"""Names that running programs use, and that change."""

from __future__ import annotations

from collections.abc import Iterator

from ....core.model.findings import Finding, Severity
from ...ast import inner, names, word
from ...plan_state import Part, PlanState
from .object_kinds import KINDS, RULE, said

_FIX_RENAME = (
    "Add the new name beside the old one (a column that both releases write, or a view with the old name in the same "
    "revision), switch the applications to it, and drop the old one in a later revision."
)
_RENAMED = frozenset(
    {"table", "foreign table", "schema", "type", "domain", "view", "materialized view", "table column"}
    | {"composite type attribute"}
)


def renamed(part: Part, state: PlanState) -> Iterator[Finding]:
    """RENAME, and SET SCHEMA: programs that run do not know the new name."""
    if part.kind == "rename_stmt":
        yield from _renamed(part, state)
    elif part.kind == "alter_object_schema_stmt":
        node = part.node
        kind = KINDS.get(word(node, "object_type"), "")
        name = state.name(node.relation) if node.relation.relname else _object_name(node.object, state)
        if kind in _RENAMED and state.existing(name):
            message = (
                f"It moves the {said(kind)} {name} to the schema {node.newschema}: running applications still look "
                "for it in the old schema."
            )
            yield part.finding(RULE, Severity.ERROR, name, message, _FIX_RENAME)
    elif part.kind == "alter_enum_stmt" and part.node.old_val:
        name = state.qualified(names(part.node.type_name))
        if state.existing(name):
            message = f"It renames the value '{part.node.old_val}' of {name}: applications that write it fail at once."
            fix = "Add the new value, update the rows in batches, and leave the old value in the type."
            yield part.finding(RULE, Severity.ERROR, name, message, fix)


def _object_name(item: object, state: PlanState) -> str:
    kind, node = inner(item)
    if kind == "list":
        return state.qualified(names(node.items))
    if kind == "type_name":
        return state.qualified(names(node.names))
    if kind == "object_with_args":
        return state.qualified(names(node.objname))
    return ".".join(names([item]))


def _renamed(part: Part, state: PlanState) -> Iterator[Finding]:
    node = part.node
    kind = KINDS.get(word(node, "rename_type"), "")
    if kind in ("table column", "composite type attribute"):
        table = state.name(node.relation)
        if not state.existing(table) or (table, node.subname) in state.columns:
            return
        name = f"{table}.{node.subname}"
    elif kind == "schema":
        name = node.subname
    elif node.relation.relname:
        name = state.name(node.relation)
    else:
        name = _object_name(node.object, state)
    if kind not in _RENAMED or not state.existing(name):
        return
    stands_in = any(
        one.kind == "view_stmt" and state.name(one.node.view) == name
        for one in state.later(part)
        if one.node is not None
    )
    severity = Severity.WARNING if stands_in else Severity.ERROR
    message = (
        f"It renames the {said(kind)} {name} to {node.newname}: running applications use the old name, and fail at "
        "once."
    )
    yield part.finding(RULE, severity, name, message, _FIX_RENAME)


RULES = (renamed,)
