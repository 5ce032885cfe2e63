"""DROP, and what goes with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.model.findings import Finding, Severity
from ...ast import inner, names, word
from ...plan_state import Part, PlanState, commands, definition
from .object_kinds import KINDS, RULE, said

_LOST = {
    "table": "all its rows are gone",
    "foreign table": "applications that read it fail",
    "table column": "its values are gone, and applications that name it fail",
    "composite type attribute": "its values are gone",
    "schema": "everything in it is gone",
    "type": "columns and applications that use it fail",
    "domain": "columns and applications that use it fail",
    "view": "applications that read it fail",
    "materialized view": "applications that read it fail",
    "sequence": "applications that take numbers from it fail",
    "extension": "everything that it provides is gone",
    "foreign-data wrapper": "its servers and foreign tables are gone",
    "server": "its foreign tables are gone",
}
_LESSER = {
    "function": "applications and triggers that call it fail",
    "procedure": "applications that call it fail",
    "aggregate": "applications that call it fail",
    "trigger": "it no longer runs when rows are written",
    "rule": "it no longer applies",
    "policy": "which rows a role may see changes at once",
}
_FIX = (
    "First release applications that no longer use it. Then drop it in a later revision, with a waiver that says so "
    "beside that revision (docs/waivers.md)."
)
_KEY = re.compile(r"(?:^|_)pk(?:ey)?(?:_|$)", re.IGNORECASE)
_UNIQUE = re.compile(r"(?:^|_)(?:uq|uniq|unique|ux|key)(?:_|$)", re.IGNORECASE)  # _key is PostgreSQL's own ending
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def dropped(part: Part, state: PlanState) -> Iterator[Finding]:
    """What PostgreSQL says was dropped; whatever way the statement took to it."""
    if not part.probed:
        return
    for one in part.sent.drops:
        name = _plain(one.identity)
        if _again(part, state, name) or not state.existing(name) or name.startswith("_RETURN on "):
            continue
        if one.type == "trigger" and _of_function(part):
            yield _trigger(part, name)
            continue
        yield from _drop(part, one.type, name)
        if one.type == "table constraint":
            yield from _constraint(part, state, name)


def _constraint(part: Part, state: PlanState, name: str) -> Iterator[Finding]:
    table = name.partition(" on ")[2]
    if _keys_gone(part, state, name):
        yield _primary_key(part, name)
    elif _unique_gone(part, state, name):
        message = (
            f"It drops {name}, which is unique, judging by its name: duplicate rows become possible, and ON CONFLICT "
            "on it fails at once."
        )
        fix = (
            "Build the wider unique index CONCURRENTLY, and add it USING INDEX in the ALTER TABLE that drops this one."
        )
        yield part.finding(RULE, Severity.ERROR, name, message, fix)
    elif part.kind == "alter_table_stmt" and part.probed and state.name(part.node.relation) != table:
        message = (
            f"It drops the constraint {name} together with another table's key: rows of {table} are no longer checked."
        )
        fix = "Leave CASCADE out, and drop each constraint by its own name."
        yield part.finding(RULE, Severity.ERROR, name, message, fix)


def drop_statements(part: Part, state: PlanState) -> Iterator[Finding]:
    """DROP, by its text, where nothing was seen of it."""
    if part.probed or part.kind not in ("drop_stmt", "alter_table_stmt"):
        return
    if part.kind == "alter_table_stmt":
        yield from _dropped_columns(part, state)
        return
    kind = KINDS.get(word(part.node, "remove_type"), "")
    for item in part.node.objects:
        name = _dropped_name(item, kind, state)
        if kind and state.existing(name) and not _again(part, state, name):
            yield from _drop(part, kind, name)


def _dropped_name(item: object, kind: str, state: PlanState) -> str:
    found, node = inner(item)
    if found == "list":
        parts = names(node.items)
    elif found in ("type_name", "object_with_args"):
        parts = names(node.names if found == "type_name" else node.objname)
    else:
        parts = names([item])
    if kind in ("schema", "extension", "server", "foreign-data wrapper"):
        return ".".join(parts)
    if kind in ("trigger", "rule", "policy") and len(parts) > 1:
        return f"{parts[-1]} on {state.qualified(parts[:-1])}"
    return state.qualified(parts)


def _dropped_columns(part: Part, state: PlanState) -> Iterator[Finding]:
    table = state.name(part.node.relation)
    for kind, command in commands(part):
        if kind == "AT_DropColumn" and state.existing(table) and (table, command.name) not in state.columns:
            yield from _drop(part, "table column", f"{table}.{command.name}")
        elif kind == "AT_DropConstraint" and state.existing(table):
            yield from _constraint(part, state, f"{command.name} on {table}")


def _drop(part: Part, kind: str, name: str) -> Iterator[Finding]:
    if kind in _LOST:
        yield part.finding(RULE, Severity.ERROR, name, f"It drops the {said(kind)} {name}: {_LOST[kind]}.", _FIX)
    elif kind in _LESSER:
        yield part.finding(RULE, Severity.WARNING, name, f"It drops the {kind} {name}: {_LESSER[kind]}.", _FIX)


def _keys_gone(part: Part, state: PlanState, name: str) -> bool:
    """Whether it drops what is named like a primary key, and nothing takes its place."""
    constraint, _, table = name.partition(" on ")
    if not _KEY.search(constraint):
        return False
    known = state.tables.get(table)
    return not known.primary_key if known is not None else "PRIMARY KEY" not in part.tree.text.upper()


def _unique_gone(part: Part, state: PlanState, name: str) -> bool:
    """Whether it drops what is named like a unique constraint, and the step adds none in its place."""
    constraint, _, table = name.partition(" on ")
    if part.kind != "alter_table_stmt" or not _UNIQUE.search(constraint):
        return False
    altered = [
        one
        for one in (part, *state.later(part))
        if one.kind == "alter_table_stmt" and state.name(one.node.relation) == table
    ]
    added = [definition(command) for one in altered for kind, command in commands(one) if kind == "AT_AddConstraint"]
    instead = {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"} & {word(one, "contype") for one in added}
    return not instead and "AT_DropConstraint" in [kind for kind, _ in commands(part)]


def _of_function(part: Part) -> bool:
    return part.kind == "drop_stmt" and KINDS.get(word(part.node, "remove_type")) in ("function", "procedure")


def _trigger(part: Part, name: str) -> Finding:
    message = f"It drops the trigger {name} together with its function: it no longer runs when rows are written."
    return part.finding(RULE, Severity.ERROR, name, message, "Leave CASCADE out, and drop triggers by their own names.")


def _primary_key(part: Part, name: str) -> Finding:
    return part.finding(
        RULE,
        Severity.ERROR,
        name,
        f"It drops the primary key {name}: duplicate rows become possible, and replication and applications may fail.",
        "Build the new key's index CONCURRENTLY, then drop the old key and add the new one USING INDEX in one "
        "ALTER TABLE.",
    )


def _plain(identity: str) -> str:
    """The name without the quotes that PostgreSQL's identities have."""
    return _QUOTED.sub(lambda match: match.group(1).replace('""', '"'), identity)


def _again(part: Part, state: PlanState, name: str) -> bool:
    """Whether the step makes something of this name again later: a view or function that is replaced."""
    for one in state.later(part):
        if one.node is None:
            continue
        if one.kind == "view_stmt" and state.name(one.node.view) == name:
            return True
        if one.kind == "create_table_as_stmt" and state.name(one.node.into.rel) == name:
            return True
        if one.kind == "create_function_stmt" and state.qualified(names(one.node.funcname)) == name.partition("(")[0]:
            return True
        if one.kind == "create_trig_stmt" and f"{one.node.trigname} on {state.name(one.node.relation)}" == name:
            return True
        if one.kind == "create_policy_stmt" and f"{one.node.policy_name} on {state.name(one.node.table)}" == name:
            return True
    return False


RULES = (dropped, drop_statements)
