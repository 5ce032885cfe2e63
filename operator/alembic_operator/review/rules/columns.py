"""Columns of tables that hold rows: NOT NULL, and other types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.model.findings import Finding, Severity
from ..ast import inner, names, walk, word
from ..plan_state import Part, PlanState, commands, definition
from .rewrites import volatile
from .versions import is_version_table, widens

NOT_NULL, TYPE = "not-null-without-backfill", "type-change"
_FIX_NOT_NULL = (
    "Fill the column in batches, add CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in a later revision, then SET "
    "NOT NULL, which reads no row after that. add_not_null of alembic_operator_helpers does all of this."
)
_FIX_ADDED = "Give it a constant DEFAULT, or add it as NULL, fill it in batches, and set NOT NULL in a later revision."
_FIX_TYPE = (
    "Add a column of the new type, have applications write both columns, fill the new one in batches, and drop the "
    "old one in a later revision."
)


def added(part: Part, state: PlanState) -> Iterator[Finding]:
    """ADD COLUMN … NOT NULL without a default: it fails where there is a row."""
    for table, kind, command in _of_tables(part, state):
        if kind != "AT_AddColumn":
            continue
        column = definition(command)
        if _required(column) and not (part.probed and not part.sent.violation and not _builtin(column)):
            name = f"{table}.{column.colname}"
            message = f"It adds {name} as NOT NULL without a default: it fails as soon as {table} has a row."
            yield part.finding(NOT_NULL, Severity.ERROR, name, message, _FIX_ADDED)


def _required(column: Any) -> bool:
    kinds = {word(inner(item)[1], "contype") for item in column.constraints}
    required = bool(kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"})
    return required and not kinds & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"} and not volatile(column)


def _builtin(column: Any) -> bool:
    """Whether the type is PostgreSQL's own, and not a domain, which may have a default."""
    found = names(column.type_name.names)
    return len(found) < 2 or found[0] == "pg_catalog"


def set_not_null(part: Part, state: PlanState) -> Iterator[Finding]:
    """SET NOT NULL where rows must be read for it, or are refused."""
    for table, kind, command in _of_tables(part, state):
        if kind == "AT_SetNotNull":
            column = command.name
        elif kind == "AT_AddConstraint" and word(definition(command), "contype") == "CONSTR_NOTNULL":
            if definition(command).skip_validation:
                continue
            column = names(definition(command).keys)[0]
        else:
            continue
        if part.probed and part.sent.violation != "23502" and table not in part.sent.scans:
            continue
        if not part.probed and (table, column) in state.not_null:
            continue
        name = f"{table}.{column}"
        message = (
            f"It sets {name} NOT NULL: PostgreSQL reads all rows ({state.size(table)}) under an ACCESS EXCLUSIVE "
            "lock, and fails at the first NULL."
        )
        yield part.finding(NOT_NULL, Severity.ERROR, name, message, _FIX_NOT_NULL)


def refused(part: Part, state: PlanState) -> Iterator[Finding]:
    """The seeded rows were refused by a statement that no other rule explains."""
    if not part.probed or part.sent.violation != "23502" or part.kind in ("insert_stmt", "update_stmt"):
        return
    if part.kind == "alter_table_stmt":
        return
    yield part.finding(
        NOT_NULL, Severity.ERROR, "", "Existing rows with a NULL make it fail (SQLSTATE 23502).", _FIX_NOT_NULL
    )


def type_changed(part: Part, state: PlanState) -> Iterator[Finding]:
    """ALTER COLUMN … TYPE where rows are read or written for it."""
    for table, kind, command in _of_tables(part, state):
        if kind != "AT_AlterColumnType" or ((table, command.name) in state.columns and not part.probed):
            continue
        if is_version_table(table, state) and widens(command):
            continue
        name, column = f"{table}.{command.name}", definition(command)
        collated = bool(len(column.coll_clause.collname))
        if part.probed:
            touched = table in part.sent.rewrites or table in part.sent.scans or bool(part.sent.violation)
            found = (
                "the table is rewritten"
                if table in part.sent.rewrites
                else "its rows are read, or its indexes are rebuilt"
            )
            if not touched and collated:
                found = "the order of its values changes, and its indexes are rebuilt"
            elif not touched:
                continue
        elif _widest(column) and not collated:
            continue
        else:
            found = "the table may be rewritten, and values may not fit"
        message = (
            f"It changes the type of {name}: {found} ({state.size(table)}), under a lock that blocks readers and "
            "writers."
        )
        yield part.finding(TYPE, Severity.ERROR, name, message, _FIX_TYPE)


def _widest(column: Any) -> bool:
    """Whether every string fits into the new type as it is."""
    found = names(column.type_name.names)[-1:]
    return found in (["text"], ["varchar"]) and not len(column.type_name.typmods) and not inner(column.raw_default)[0]


def new_enum_value(part: Part, state: PlanState) -> Iterator[Finding]:
    """A new value of an enum, used before it is committed."""
    if part.kind != "alter_enum_stmt" or part.node.old_val or part.sent.autocommit:
        return
    value, name = part.node.new_val, state.qualified(names(part.node.type_name))
    for one in state.later(part):
        if one.transaction != part.transaction or one.node is None:
            continue
        literals = (node.sval.sval for kind, node in walk(one.node) if kind == "a_const")
        if any(text == value for text in literals):
            message = (
                f"Statement {one.number} uses the value '{value}' of {name} in the transaction that adds it: "
                "PostgreSQL refuses that (55P04)."
            )
            yield part.finding(TYPE, Severity.ERROR, name, message, "Use the value in a later revision.")
            return


def domain(part: Part, state: PlanState) -> Iterator[Finding]:
    """ALTER DOMAIN: every column of that type is read."""
    if part.kind != "alter_domain_stmt":
        return
    name = state.qualified(names(part.node.type_name))
    if not state.existing(name):
        return
    action = part.node.subtype
    if action == "O":
        message = (
            f"It sets the domain {name} NOT NULL: every table that uses it is read under a lock that blocks writers."
        )
        yield part.finding(NOT_NULL, Severity.ERROR, name, message, "Set NOT NULL on the columns, one by one.")
    elif action == "C" and not inner(getattr(part.node, "def"))[1].skip_validation:
        message = (
            f"It adds a constraint to the domain {name}: every table that uses it is read under a lock that blocks "
            "writers."
        )
        fix = "Add it NOT VALID, and VALIDATE it in a later revision."
        yield part.finding("constraint-validation", Severity.ERROR, name, message, fix)


def _of_tables(part: Part, state: PlanState) -> Iterator[tuple[str, str, Any]]:
    """Commands of an ALTER TABLE on a table that was there before."""
    if part.kind != "alter_table_stmt" or word(part.node, "objtype") != "OBJECT_TABLE":
        return
    table = state.name(part.node.relation)
    if state.existing(table):
        for kind, command in commands(part):
            yield table, kind, command


RULES = (added, set_not_null, refused, type_changed, new_enum_value, domain)
