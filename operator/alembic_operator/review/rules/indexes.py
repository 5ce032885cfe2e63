"""Indexes of tables that hold rows are built and dropped CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.model.findings import Finding, Severity
from ..ast import inner, names, word
from ..plan_state import Part, PlanState

RULE = "index-not-concurrent"
_FIX = "Use create_index_concurrently of alembic_operator_helpers, in a revision that does nothing else."
_FIX_DROP = "Use drop_index_concurrently of alembic_operator_helpers, in a revision that does nothing else."


def created(part: Part, state: PlanState) -> Iterator[Finding]:
    """CREATE INDEX that keeps writers out, or that takes an invalid index for a good one."""
    if part.kind != "index_stmt":
        return
    node, table = part.node, state.name(part.node.relation)
    if not state.existing(table):
        return
    name = f"{table.partition('.')[0]}.{node.idxname}" if node.idxname else table
    if not node.concurrent:
        if part.probed and table not in part.sent.scans and not part.sent.scans:
            return  # ON ONLY a partitioned table, or IF NOT EXISTS over an index that is there
        if not part.probed and not node.relation.inh:
            return
        message = f"It builds {name} on {table} ({state.size(table)}) without CONCURRENTLY: writers wait until the end."
        yield part.finding(RULE, Severity.ERROR, name, message, _FIX)
        return
    if not part.sent.autocommit:
        message = f"It builds {name} CONCURRENTLY in a transaction, which PostgreSQL refuses."
        yield part.finding(RULE, Severity.ERROR, name, message, _FIX)
    if node.if_not_exists and not _dropped_before(part, state, node.idxname):
        message = (
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} accepts an INVALID index, which an interrupted build "
            "leaves behind, as if it were valid."
        )
        yield part.finding(RULE, Severity.ERROR, name, message, _FIX)


def _dropped_before(part: Part, state: PlanState, name: str) -> bool:
    """Whether the step drops whatever is there first."""
    for one in state.parts:
        if one is part:
            return False
        if one.kind == "drop_stmt" and any(names(inner(item)[1].items)[-1:] == [name] for item in one.node.objects):
            return True
    return False


def dropped(part: Part, state: PlanState) -> Iterator[Finding]:
    """DROP INDEX that waits for every reader, and has all others wait behind it."""
    if part.kind != "drop_stmt" or word(part.node, "remove_type") != "OBJECT_INDEX":
        return
    if part.node.concurrent:
        if not part.sent.autocommit:
            message = "It drops an index CONCURRENTLY in a transaction, which PostgreSQL refuses."
            yield part.finding(RULE, Severity.ERROR, _index(part.node.objects[0], state), message, _FIX_DROP)
        return
    for item in part.node.objects:
        name = _index(item, state)
        if not state.existing(name) or (part.probed and not part.sent.drops):
            continue
        message = (
            f"It drops {name} without CONCURRENTLY: it waits for every transaction that reads the table, and new "
            "readers and writers queue behind it."
        )
        yield part.finding(RULE, Severity.ERROR, name, message, _FIX_DROP)


def _index(item: object, state: PlanState) -> str:
    return state.qualified(names(inner(item)[1].items))


def rebuilt(part: Part, state: PlanState) -> Iterator[Finding]:
    """REINDEX that keeps writers, and readers of the index, out."""
    if part.kind != "reindex_stmt":
        return
    options = {inner(item)[1].defname for item in part.node.params}
    if "concurrently" in options:
        return
    name = state.name(part.node.relation) if part.node.relation.relname else part.node.name
    if not state.existing(name):
        return
    message = (
        f"It rebuilds indexes ({name}) without CONCURRENTLY: writers wait until the end, and so do readers that need "
        "these indexes."
    )
    yield part.finding(RULE, Severity.ERROR, name, message, "Use REINDEX (CONCURRENTLY) in an autocommit block.")


RULES = (created, dropped, rebuilt)
