"""Rows that are gone, by TRUNCATE or DELETE without a condition; and numbers that are given out twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....core.model.findings import Finding, Severity
from ...ast import inner, literal, names, walk, word
from ...plan_state import DEFERRED, Part, PlanState, commands
from .object_kinds import RULE


def rows_gone(part: Part, state: PlanState) -> Iterator[Finding]:
    """TRUNCATE, and DELETE of every row."""
    if part.kind == "truncate_stmt":
        for item in part.node.relations:
            name = state.name(inner(item)[1])
            if state.existing(name):
                message = (
                    f"It empties {name} ({state.size(name)}) under an ACCESS EXCLUSIVE lock: all its rows are gone."
                )
                yield part.finding(
                    RULE, Severity.ERROR, name, message, "Delete the rows that are not needed in batches, by key."
                )
    if part.node is None or part.kind == "do_stmt" or part.kind in DEFERRED:
        return
    for kind, node in [(part.kind, part.node), *walk(part.node)]:
        if kind != "delete_stmt" or not every_row(node):
            continue
        name = state.name(node.relation)
        if state.existing(name):
            message = f"It deletes every row of {name} ({state.size(name)}): no WHERE clause keeps any."
            fix = "Select the rows in WHERE, and delete them in batches by key, each batch in its own transaction."
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


def restarted(part: Part, state: PlanState) -> Iterator[Finding]:
    """A sequence or identity that begins again: RESTART, and setval() to the beginning."""
    for name, value in _restarts(part, state):
        if not state.existing(name):
            continue
        again = "at its beginning" if value is None or value <= 1 else "at another number"
        severity = Severity.ERROR if value is None or value <= 1 else Severity.WARNING
        message = f"It restarts {name} {again}: a new row fails if an existing row has its number."
        fix = (
            "Leave the sequence as it is, or set it to the greatest number in use: setval(…, (SELECT max(id) FROM …))."
        )
        yield part.finding(RULE, severity, name, message, fix)


def _restarts(part: Part, state: PlanState) -> Iterator[tuple[str, int | None]]:
    """Sequences, and columns with an identity, with the number at which they begin; None for the first."""
    if part.kind == "alter_seq_stmt":
        for option in _options(part.node.options):
            yield state.name(part.node.sequence), option
    elif part.kind == "alter_table_stmt":
        table = state.name(part.node.relation)
        for kind, command in commands(part):
            if kind == "AT_SetIdentity" and state.existing(table) and (table, command.name) not in state.columns:
                for option in _options(inner(getattr(command, "def"))[1].items):
                    yield f"{table}.{command.name}", option
    elif part.kind == "select_stmt":
        for kind, node in walk(part.node):
            if kind == "func_call" and names(node.funcname)[-1] == "setval" and len(node.args) > 1:
                name, value = literal(node.args[0]), literal(node.args[1])
                if isinstance(name, str) and isinstance(value, int) and value <= 1:
                    yield state.qualified(name.replace('"', "").split(".")), value


def _options(options: Any) -> Iterator[int | None]:
    for kind, option in map(inner, options):
        if kind == "def_elem" and option.defname == "restart":
            value = inner(option.arg)
            yield value[1].ival if value[0] == "integer" else None if not value[0] else 2


RULES = (rows_gone, restarted)
