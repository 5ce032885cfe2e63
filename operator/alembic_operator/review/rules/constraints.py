"""Constraints on tables that hold rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.model.findings import Finding, Severity
from ..ast import inner, word
from ..plan_state import Part, PlanState, commands, definition

VALIDATION, UNIQUE, FK_INDEX = "constraint-validation", "unique-on-existing", "fk-index"
_FIX_VALID = (
    "Add it NOT VALID, which reads no row, and VALIDATE CONSTRAINT in a later revision, which does not block writers."
)
_FIX_UNIQUE = (
    "Check that there are no duplicates, build the unique index CONCURRENTLY in an autocommit block "
    "(create_index_concurrently of alembic_operator_helpers), then ADD CONSTRAINT … USING INDEX in a later revision."
)
_CHECKED = {"CONSTR_CHECK": "the CHECK", "CONSTR_FOREIGN": "the foreign key"}
_BY_INDEX = {
    "CONSTR_PRIMARY": "a primary key",
    "CONSTR_UNIQUE": "a unique constraint",
    "CONSTR_EXCLUSION": "an exclusion constraint",
}


def added(part: Part, state: PlanState) -> Iterator[Finding]:
    """ADD CHECK and ADD FOREIGN KEY that read the rows; UNIQUE, PRIMARY KEY and EXCLUDE that build their index."""
    for table, kind, command in _commands(part, state):
        if kind == "AT_AddConstraint":
            yield from _constraint(part, state, table, definition(command), "")
        elif kind == "AT_AddColumn":
            column = definition(command)
            for item in column.constraints:
                yield from _inline(part, state, table, column, inner(item)[1])


def _constraint(part: Part, state: PlanState, table: str, constraint: Any, column: str) -> Iterator[Finding]:
    kind = word(constraint, "contype")
    name = _named(table, constraint.conname, column)
    if kind in _CHECKED and not constraint.skip_validation and constraint.is_enforced:
        if part.probed and not part.sent.scans and not part.sent.violation and kind == "CONSTR_CHECK":
            return
        message = (
            f"It adds {_CHECKED[kind]} {name} and reads all rows of {table} ({state.size(table)}) while writers wait."
        )
        yield part.finding(VALIDATION, Severity.ERROR, name, message, _FIX_VALID)
    elif kind in _BY_INDEX and not constraint.indexname:
        message = (
            f"It adds {_BY_INDEX[kind]} to {table} ({state.size(table)}): the index is built while writers wait, and "
            "it fails at the first duplicate."
        )
        yield part.finding(UNIQUE, Severity.ERROR, name, message, _FIX_UNIQUE)


def _inline(part: Part, state: PlanState, table: str, column: Any, constraint: Any) -> Iterator[Finding]:
    kind = word(constraint, "contype")
    if kind == "CONSTR_FOREIGN" and not part.sent.scans:
        defaults = {word(inner(item)[1], "contype") for item in column.constraints}
        if part.probed or not defaults & {"CONSTR_DEFAULT", "CONSTR_NOTNULL"}:
            return  # a new column without a value has nothing to check
    yield from _constraint(part, state, table, constraint, column.colname)


def _named(table: str, name: str, column: str) -> str:
    if name:
        return f"{table}.{name}"
    return f"{table}.{column}" if column else table


def validated(part: Part, state: PlanState) -> Iterator[Finding]:
    """VALIDATE in the transaction that added the constraint, or under any lock that stops writers."""
    for table, kind, command in _commands(part, state):
        if kind != "AT_ValidateConstraint":
            continue
        name = f"{table}.{command.name}"
        together = state.unproven.get((table, command.name)) == (part.step.revision, part.transaction)
        held = part.probed and table in part.blocked and table in part.sent.scans
        if together or held:
            message = (
                f"It validates {name} in a transaction that holds a lock on {table}: writers wait while all rows are "
                f"read ({state.size(table)})."
            )
            yield part.finding(
                VALIDATION, Severity.ERROR, name, message, "VALIDATE CONSTRAINT in a revision of its own."
            )


def unique_index(part: Part, state: PlanState) -> Iterator[Finding]:
    """CREATE UNIQUE INDEX on rows that may hold duplicates."""
    if part.kind != "index_stmt" or not part.node.unique:
        return
    table = state.name(part.node.relation)
    if not state.existing(table) or _already(part.node, state, table):
        return
    name = f"{table}.{part.node.idxname}" if part.node.idxname else table
    concurrent = part.node.concurrent
    fails = "it leaves an INVALID index behind" if concurrent else "it fails while writers wait"
    message = (
        f"It builds a unique index on {table} ({state.size(table)}), and nothing proves that there are no duplicates: "
        f"at the first one {fails}."
    )
    severity = Severity.WARNING if concurrent else Severity.ERROR
    fix = _FIX_UNIQUE if not concurrent else "Check that there are no duplicates before it runs."
    yield part.finding(UNIQUE, severity, name, message, fix)


def _already(node: Any, state: PlanState, table: str) -> bool:
    """Whether a unique index had some of its columns before, or its columns are new and NULL."""
    columns = {inner(item)[1].name for item in node.index_params}
    known = state.tables.get(table)
    return known is not None and any(set(one) <= columns for one in known.unique)


def foreign_keys(state: PlanState) -> Iterator[Finding]:
    """New foreign keys without an index: deleting a parent reads the child's rows each time."""
    for table in state.document.tables:
        for key in table.foreign_keys:
            if key.name in table.new_foreign_keys and not key.indexed:
                columns = ", ".join(key.columns)
                yield Finding(
                    FK_INDEX,
                    Severity.WARNING,
                    table.revision,
                    f"{table.name}.{key.name}",
                    f"No index begins with the columns of the foreign key {key.name} ({columns}): deleting or changing "
                    f"a row of {key.references} reads all of {table.name}.",
                    f"Create an index on {table.name} ({columns}); CONCURRENTLY if the table has rows.",
                )


def _commands(part: Part, state: PlanState) -> Iterator[tuple[str, str, Any]]:
    if part.kind != "alter_table_stmt" or word(part.node, "objtype") not in ("OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"):
        return
    table = state.name(part.node.relation)
    if state.existing(table):
        for kind, command in commands(part):
            yield table, kind, command


RULES = (added, validated, unique_index)
PLAN_RULES = (foreign_keys,)
