"""Rewrites and scans of relations that were there before, under locks that keep others out."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.model.findings import Finding, Severity
from ..ast import inner, names, walk, word
from ..plan_state import Part, PlanState, commands, definition
from .rows import touches_every_row

REWRITE, SCAN = "rewrite", "long-scan"
_READS = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "explain_stmt"})
_STABLE = frozenset(
    {"now", "transaction_timestamp", "statement_timestamp", "current_setting", "to_char", "to_timestamp"}
)
_STABLE |= {
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "lower",
    "upper",
    "make_interval",
    "timezone",
}
_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})
_FIX_REWRITE = {
    "vacuum_stmt": "Leave it to autovacuum, or use pg_repack, which does not block readers and writers.",
    "cluster_stmt": "Use pg_repack, which does not block readers and writers.",
    "refresh_mat_view_stmt": "Use REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view.",
}
_FIX = (
    "Add a new column that may be NULL, set its default, fill it in batches (backfill of alembic_operator_helpers), "
    "and switch over in a later revision."
)
_FIX_SCAN = (
    "Take the lock in one revision, and read the rows in another under a weaker lock: NOT VALID, then VALIDATE "
    "CONSTRAINT; or CONCURRENTLY in an autocommit block."
)


def rewritten(part: Part, state: PlanState) -> Iterator[Finding]:
    """Relations that got a new file in the shadow."""
    for name in part.sent.rewrites if part.probed else ():
        message = (
            f"It rewrites the whole of {name} ({state.size(name)}), under a lock that blocks readers and writers "
            "until the end."
        )
        yield part.finding(REWRITE, state.weight(name), name, message, _FIX_REWRITE.get(part.kind, _FIX))


def scanned(part: Part, state: PlanState) -> Iterator[Finding]:
    """Relations that were read whole in the shadow while writers wait."""
    if not part.probed or part.kind in ("index_stmt", "refresh_mat_view_stmt"):
        return  # rules of their own
    for name in part.sent.scans:
        if name not in part.blocked or name in part.sent.rewrites:
            continue
        severity = state.weight(name)
        if part.kind in _READS and not touches_every_row(part, state):
            continue  # on the few rows of the shadow PostgreSQL reads a table whole where it would use an index
        message = f"It reads all rows of {name} ({state.size(name)}) while the transaction's lock blocks writers."
        yield part.finding(SCAN, severity, name, message, _FIX_SCAN)


def by_text(part: Part, state: PlanState) -> Iterator[Finding]:
    """Commands that are known to rewrite, where nothing was seen of them."""
    if part.kind == "vacuum_stmt":
        yield from _vacuum(part, state)
    elif part.kind == "cluster_stmt":
        name = state.name(part.node.relation) if part.node.relation.relname else ""
        if not name or state.existing(name):
            yield _rewrite(part, state, name, "CLUSTER")
    elif part.kind == "refresh_mat_view_stmt" and not part.node.concurrent:
        name = state.name(part.node.relation)
        if state.existing(name) and not part.node.skip_data:
            yield _rewrite(part, state, name, "REFRESH MATERIALIZED VIEW without CONCURRENTLY")
    elif part.kind == "alter_table_stmt" and word(part.node, "objtype") == "OBJECT_TABLE":
        yield from _altered(part, state)


def _vacuum(part: Part, state: PlanState) -> Iterator[Finding]:
    options = {inner(item)[1].defname for item in part.node.options}
    if "full" not in options:
        return
    relations = [state.name(inner(item)[1].relation) for item in part.node.rels]
    for name in relations or [""]:
        if not name or state.existing(name):
            yield _rewrite(part, state, name, "VACUUM FULL")


def _rewrite(part: Part, state: PlanState, name: str, what: str) -> Finding:
    message = (
        f"{what} rewrites the whole of {name or 'every table'} ({state.size(name)}), under a lock that blocks readers "
        "and writers until the end."
    )
    return part.finding(REWRITE, state.weight(name), name, message, _FIX_REWRITE.get(part.kind, _FIX))


def _altered(part: Part, state: PlanState) -> Iterator[Finding]:
    table = state.name(part.node.relation)
    if not state.existing(table):
        return
    for kind, command in commands(part):
        if kind in ("AT_SetUnLogged", "AT_SetLogged"):
            what = "SET UNLOGGED" if kind == "AT_SetUnLogged" else "SET LOGGED"
            yield _rewrite(part, state, table, what)
        elif part.probed:
            continue
        elif kind == "AT_AddColumn" and volatile(definition(command)):
            name = f"{table}.{definition(command).colname}"
            message = (
                f"It adds {name} with a value of its own for each row: the whole table is rewritten "
                f"({state.size(table)}), under a lock that blocks readers and writers."
            )
            yield part.finding(REWRITE, state.weight(table), name, message, _FIX)
        elif kind in ("AT_SetExpression", "AT_SetAccessMethod", "AT_SetTableSpace"):
            yield _rewrite(part, state, table, "This change")
        elif kind == "AT_AttachPartition" and _child(command, state):
            name = _child(command, state)
            message = (
                f"Attaching {name} reads all its rows under an ACCESS EXCLUSIVE lock, unless a CHECK constraint "
                "proves its bounds."
            )
            fix = "Add a CHECK with the partition's bounds NOT VALID, VALIDATE it in a later revision, then attach."
            yield part.finding(SCAN, state.weight(name), name, message, fix)


def _child(command: object, state: PlanState) -> str:
    node = definition(command)
    name = state.name(node.name) if node is not None and node.name.relname else ""
    return name if name and state.existing(name) else ""


def volatile(column: object) -> bool:
    """Whether a new column's default has to be computed for each row: serial, identity, generated, volatile."""
    type_ = names(column.type_name.names)  # type: ignore[attr-defined]
    if type_ and type_[-1] in _SERIAL:
        return True
    for item in column.constraints:  # type: ignore[attr-defined]
        constraint = inner(item)[1]
        kind = word(constraint, "contype")
        if kind == "CONSTR_IDENTITY":
            return True
        if kind == "CONSTR_GENERATED":
            return getattr(constraint, "generated_kind", "s") != "v"
        if kind == "CONSTR_DEFAULT":
            for found, node in walk(constraint.raw_expr):
                if found == "func_call" and names(node.funcname)[-1] not in _STABLE:
                    return True
    return False


def locked(part: Part, state: PlanState) -> Iterator[Finding]:
    """LOCK TABLE in a mode that keeps writers out."""
    if part.kind != "lock_stmt" or part.node.mode < 5:
        return
    for item in part.node.relations:
        name = state.name(inner(item)[1])
        if state.existing(name):
            message = f"It blocks writers of {name} until the transaction ends, however long the rest takes."
            fix = "Remove the LOCK: each statement takes the lock that it needs. Fill and compare rows in batches."
            yield part.finding(SCAN, Severity.ERROR, name, message, fix)


def endless(part: Part, state: PlanState) -> Iterator[Finding]:
    """A statement that others have to wait behind, after lock_timeout was switched off."""
    if part.node is None or part.sent.autocommit or state.waiting_in != part.step.revision:
        return
    locked = part.blocked if part.probed else _altered_relations(part, state)
    for name in sorted(filter(state.existing, locked)):
        message = (
            f"It locks {name} with lock_timeout switched off: if it has to wait for a long query, every later session "
            "queues behind it."
        )
        fix = "Leave lock_timeout as it is: if the statement does not get its lock in time, the run retries it."
        yield part.finding(SCAN, Severity.ERROR, name, message, fix)


def _altered_relations(part: Part, state: PlanState) -> list[str]:
    if part.kind in ("alter_table_stmt", "rename_stmt", "create_trig_stmt"):
        return [state.name(part.node.relation)] if part.node.relation.relname else []
    return []


RULES = (rewritten, scanned, by_text, locked, endless)
