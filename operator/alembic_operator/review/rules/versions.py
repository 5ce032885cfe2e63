"""Statements of revisions that touch Alembic's version table, which is Alembic's and the runner's to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...core.model.findings import Finding, Severity
from ..ast import inner, literal, names, walk, word
from ..plan_state import DEFERRED, Part, PlanState, definition

RULE = "version-table"
_WITH_RELATION = frozenset(
    {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "alter_table_stmt", "rename_stmt", "create_stmt"}
    | {"index_stmt", "create_trig_stmt", "rule_stmt", "alter_object_schema_stmt"}
)
_ALEMBICS = 32  # characters of version_num
_VERBS = r"INSERT\s+INTO|UPDATE|DELETE\s+FROM|(?:ALTER|DROP)\s+TABLE(?:\s+IF\s+EXISTS)?|TRUNCATE(?:\s+TABLE)?"
_FIX = (
    "Leave its rows to Alembic, which updates them with each revision. To change the order, use revisions, branches "
    "and merges; if the database is at another revision, use alembic stamp or spec.baseline. Widening version_num is "
    "allowed."
)


def touched(part: Part, state: PlanState) -> Iterator[Finding]:
    """Rows of the version table written, or the table changed; a wider column is as it should be."""
    schema, table = _version_table(state)
    if part.kind in DEFERRED or not _touches(part, schema, table):
        return
    message = (
        f"It writes or changes the version table {table}: its rows then do not match what ran, and the next run "
        "starts from the wrong revision."
    )
    yield part.finding(RULE, Severity.ERROR, f"{schema}.{table}" if schema else table, message, _FIX)


def is_version_table(name: str, state: PlanState) -> bool:
    """Whether a name such as `public.alembic_version` is that of the version table."""
    schema, table = _version_table(state)
    return name in (f"{schema}.{table}", table) or (not schema and name.rpartition(".")[2] == table)


def _version_table(state: PlanState) -> tuple[str, str]:
    """Schema, "" where the plan does not say, and name."""
    said = str((state.document.inputs.get("steering") or {}).get("versionTable") or "")
    schema, _, table = said.rpartition(".")
    return schema, table or "alembic_version"


def _touches(part: Part, schema: str, table: str) -> bool:
    if part.node is None or part.kind == "do_stmt":
        return re.search(_in_code(table), part.tree.text, re.IGNORECASE) is not None
    if part.kind == "alter_table_stmt" and all(widens(inner(item)[1]) for item in part.node.cmds):
        return False
    named = [one for kind, node in [(part.kind, part.node), *walk(part.node)] for one in _written(kind, node)]
    return any(name == table and where in ("", schema or where) for where, name in named)


def _in_code(table: str) -> str:
    """Matches what writes the table in a text that was not read, or in a DO block."""
    return rf'\b(?:{_VERBS})\s+(?:ONLY\s+)?(?:"?\w+"?\s*\.\s*)?"?{re.escape(table)}\b'


def _written(kind: str, node: Any) -> Iterator[tuple[str, str]]:
    """Schema, "" where it is not named, and name of what a statement changes."""
    relations = [node.relation] if kind in _WITH_RELATION or (kind == "copy_stmt" and node.is_from) else []
    if kind == "truncate_stmt":
        relations = [inner(item)[1] for item in node.relations]
    for relation in relations:
        yield relation.schemaname, relation.relname
    if kind == "drop_stmt" and word(node, "remove_type") == "OBJECT_TABLE":
        for item in node.objects:
            parts = ["", *names(inner(item)[1].items)]
            yield parts[-2], parts[-1]


def widens(command: Any) -> bool:
    """Whether a part of ALTER TABLE makes a column version_num no narrower than Alembic makes it; no row is read."""
    if word(command, "subtype") != "AT_AlterColumnType" or command.name != "version_num":
        return False
    kind = definition(command).type_name
    if names(kind.names)[-1] not in ("varchar", "text"):
        return False
    length = literal(kind.typmods[0]) if kind.typmods else None
    return length is None or (isinstance(length, int) and length >= _ALEMBICS)


RULES = (touched,)
