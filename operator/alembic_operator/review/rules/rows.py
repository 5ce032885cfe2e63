"""Statements that write many rows at once, or lock them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ...core.model.findings import Finding, Severity
from ..ast import inner, names, trees, walk, word
from ..plan_state import DEFERRED, Part, PlanState
from .batches import few, in_batch, is_key
from .destructive import every_row

RULE = "unbatched-dml"
_IN_CODE = re.compile(r"\b(?:UPDATE|DELETE\s+FROM)\b[^;]*", re.IGNORECASE)
_FIX = "Write the rows in batches by their key, each in its own transaction (backfill of alembic_operator_helpers)."

# Columns with a few values, each of which most rows may have.
_FEW_VALUES = re.compile(
    r"^(?:is|has|was|can)_|(?:^|_)(?:status|state|stage|phase|type|kind|role|level|country|currency|locale|language|lang"
    r"|region|category|gender|active|enabled|disabled|deleted|archived|visible|processed|paid|verified|version)$"
)


def unbatched(part: Part, state: PlanState) -> Iterator[Finding]:
    """UPDATE, DELETE and MERGE over a table of many rows, or of unknown many, in one statement."""
    if part.node is None:
        if part.tree.large and part.kind == "insert_stmt":
            message = f"Statement {part.number} is too long to be parsed, and writes its rows at once."
            yield part.finding(RULE, Severity.WARNING, "", message, _FIX)
        return
    if part.kind in DEFERRED:
        return
    for kind, node in [(part.kind, part.node), *walk(part.node)]:
        if kind not in ("update_stmt", "delete_stmt", "merge_stmt"):
            continue
        name = state.name(node.relation)
        if not state.existing(name) or state.small(name) or (kind == "delete_stmt" and every_row(node)):
            continue
        severity = _severity(kind, node)
        if severity is None or in_batch(node, part.node):
            continue
        verb = {"update_stmt": "updates", "delete_stmt": "deletes from", "merge_stmt": "merges into"}[kind]
        message = (
            f"It {verb} {name} ({state.size(name)}) in one statement: the rows stay locked until the transaction ends, "
            "the table bloats, and replicas fall behind."
        )
        yield part.finding(RULE, severity, name, message, _FIX)


def upserted(part: Part, state: PlanState) -> Iterator[Finding]:
    """INSERT … SELECT … ON CONFLICT DO UPDATE: an UPDATE of every row that another table has a key for."""
    if part.kind != "insert_stmt" or part.node is None:
        return
    node = part.node
    if word(node.on_conflict_clause, "action") != "ONCONFLICT_UPDATE":
        return
    name, select = state.name(node.relation), inner(node.select_stmt)[1]
    if not state.existing(name) or state.small(name):
        return
    severity = _read_whole(select, part, state)
    if severity is not None:
        message = (
            f"It updates existing rows of {name} ({state.size(name)}), as many as its SELECT finds, in one statement: "
            "they stay locked until the transaction ends."
        )
        yield part.finding(RULE, severity, name, message, _FIX)


def locked(part: Part, state: PlanState) -> Iterator[Finding]:
    """SELECT … FOR UPDATE or FOR SHARE over a table of many rows: whoever writes one of them waits."""
    if part.kind != "select_stmt" or part.sent.autocommit:
        return
    strong = {word(inner(item)[1], "strength") for item in part.node.locking_clause}
    if not strong - {"LCS_FORKEYSHARE"}:
        return
    severity = _read_whole(part.node, part, state)
    if severity is not None:
        name = next(one for one in _sources(part.node, state) if not state.small(one))
        message = (
            f"It locks the rows that it reads of {name} ({state.size(name)}): sessions that write one of them wait "
            "until the transaction ends."
        )
        yield part.finding(RULE, severity, name, message, _FIX)


def _read_whole(select: Any, part: Part, state: PlanState) -> Severity | None:
    """How much of a table that was there before a SELECT may give out, as `_severity` says it."""
    if inner(select.limit_count)[0] or in_batch(select, part.node):
        return None
    if all(map(state.small, _sources(select, state))):
        return None
    return _severity("select_stmt", select)


def _sources(select: Any, state: PlanState) -> list[str]:
    """The tables in FROM that were there before the plan."""
    found = (state.name(node) for item in select.from_clause for kind, node in walk(item) if kind == "range_var")
    return [name for name in found if state.existing(name)]


def looped(part: Part, state: PlanState) -> Iterator[Finding]:
    """UPDATE and DELETE by a key that the same transaction has read from the whole table: a loop over its rows."""
    if part.kind not in ("update_stmt", "delete_stmt") or part.sent.autocommit or not part.sent.parameters:
        return
    name = state.name(part.node.relation)
    if not state.existing(name) or state.small(name) or not _bounded(part.node.where_clause):
        return
    read = (one for one in state.selects if one.step is part.step and one.transaction == part.transaction)
    if any(_reads_keys(one, state, name) for one in read):
        message = (
            f"It writes the rows of {name} ({state.size(name)}) one by one in one transaction: each row stays locked "
            "until the last one is done, and each takes a round trip to the server."
        )
        yield part.finding(RULE, Severity.ERROR, name, message, _FIX)


def _reads_keys(part: Part, state: PlanState, name: str) -> bool:
    """Whether a SELECT gives out the keys of what may be most of a table's rows."""
    if inner(part.node.limit_count)[0]:
        return False
    tables = {state.name(node) for kind, node in walk(part.node) if kind == "range_var"}
    columns = [inner(inner(item)[1].val) for item in part.node.target_list]
    keys = any(is_key(one) or (one[0] == "column_ref" and _star(one[1])) for one in columns)
    return name in tables and keys and _severity("select_stmt", part.node) is Severity.ERROR


def _star(column: Any) -> bool:
    return any(kind == "a_star" for kind, _ in map(inner, column.fields))


def in_code(part: Part, state: PlanState) -> Iterator[Finding]:
    """UPDATE and DELETE in a DO block, a loop's included: the block is one statement."""
    if part.kind != "do_stmt":
        return
    options = (inner(item)[1] for item in part.node.args)
    for body in (inner(one.arg)[1].sval for one in options if one.defname == "as"):
        for found in _IN_CODE.finditer(body):
            text = found.group()
            tree = next(
                (one for cut in (text, text.partition("'")[0]) for one in trees(cut, bound=False) if one.node), None
            )
            if tree is None or tree.kind not in ("update_stmt", "delete_stmt"):
                continue  # FOR UPDATE, ON UPDATE CASCADE
            name = state.name(tree.node.relation)
            severity = _severity(tree.kind, tree.node)
            if state.existing(name) and not state.small(name) and severity is not None:
                message = (
                    f"Its DO block writes rows of {name} ({state.size(name)}) in one transaction: they stay locked "
                    "until its end, the table bloats, and replicas fall behind."
                )
                yield part.finding(RULE, severity, name, message, _FIX)


def touches_every_row(part: Part, state: PlanState) -> bool:
    """Whether an UPDATE or DELETE reads its table whole even where an index could help."""
    if part.kind not in ("update_stmt", "delete_stmt"):
        return False
    return every_row(part.node) or _severity(part.kind, part.node) is Severity.ERROR


def _severity(kind: str, node: Any) -> Severity | None:
    """ERROR for what may be most of the rows, WARNING for an unknown part of them, None for a batch or a few."""
    if kind == "merge_stmt":
        source = inner(node.source_relation)
        return Severity.WARNING if few(source) or not _whole(source) else Severity.ERROR
    if every_row(node):
        return Severity.ERROR
    if _bounded(node.where_clause):
        return None
    return Severity.WARNING if _picked(node.where_clause) else Severity.ERROR


def _whole(source: tuple[str, Any]) -> bool:
    """Whether what MERGE reads is a table, or a SELECT that leaves none of its rows out."""
    if source[0] != "range_subselect":
        return source[0] == "range_var"
    select = inner(source[1].subquery)[1]
    return not inner(select.limit_count)[0] and _severity("select_stmt", select) is Severity.ERROR


def _bounded(where: Any) -> bool:
    """Whether the condition itself bounds the rows: a LIMIT, a key, a range with an upper end."""
    kind, node = inner(where)
    if kind == "bool_expr":
        return _joined(node, _bounded) or (word(node, "boolop") == "AND_EXPR" and _between(node.args))
    if kind == "current_of_expr" or any(
        found == "select_stmt" and inner(one.limit_count)[0] for found, one in walk(where)
    ):
        return True
    if kind != "a_expr":
        return False
    form = word(node, "kind")
    if form == "AEXPR_BETWEEN":
        return True
    upper = form in ("AEXPR_IN", "AEXPR_OP_ANY") or names(node.name) in (["="], ["<"], ["<="])
    return upper and is_key(inner(node.lexpr)) and inner(node.rexpr)[0] != "column_ref"


def _between(tests: Any) -> bool:
    """Whether a column has a lower and an upper end, as with BETWEEN."""
    ends: dict[str, set[str]] = {}
    for kind, node in map(inner, tests):
        if kind == "a_expr" and word(node, "kind") == "AEXPR_OP":
            column, operator = inner(node.lexpr), names(node.name)[-1]
            if column[0] == "column_ref" and inner(node.rexpr)[0] != "column_ref":
                ends.setdefault((names(column[1].fields) or [""])[-1], set()).add(operator[:1])
    return any({"<", ">"} <= one for one in ends.values())


def _joined(node: Any, test: Callable[[Any], bool]) -> bool:
    """A test over AND, where one part that passes is enough, and OR, where each has to."""
    operator = word(node, "boolop")
    if operator == "NOT_EXPR":
        return False
    return (any if operator == "AND_EXPR" else all)(test(one) for one in node.args)


def _picked(where: Any) -> bool:
    """Whether rows are picked by a value, which may be few: `name = 'x'`, `code IN ('a', 'b')`; not `state = 'x'`."""
    kind, node = inner(where)
    if kind == "bool_expr":
        return _joined(node, _picked)
    if kind != "a_expr" or word(node, "kind") not in ("AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ANY"):
        return False
    column = inner(node.lexpr)
    if names(node.name) != ["="] or column[0] != "column_ref" or inner(node.rexpr)[0] in ("column_ref", "sub_link"):
        return False
    return not _FEW_VALUES.search((names(column[1].fields) or [""])[-1])


RULES = (unbatched, upserted, locked, looped, in_code)
