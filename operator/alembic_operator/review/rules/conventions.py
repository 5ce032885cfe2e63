"""Conventions of new tables and columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ...contract.plan import Column, Table
from ...core.model.findings import Finding, Severity
from ..plan_state import PlanState

SNAKE, UUID, TIMESTAMPS, JSONB = "snake-case", "uuid-pk", "timestamps", "jsonb"
_SNAKE = re.compile(r"[a-z_][a-z0-9_]*")


def snake_case(state: PlanState) -> Iterator[Finding]:
    """Names that need quotes in SQL."""
    for table in state.document.tables:
        own = table.name.rpartition(".")[2]
        if table.new and not _SNAKE.fullmatch(own):
            yield _finding(SNAKE, table, table.name, "has a name that needs quotes in SQL", "Write it in snake_case.")
        for column in table.new_columns:
            if not _SNAKE.fullmatch(column):
                name = f"{table.name}.{column}"
                yield _finding(SNAKE, table, name, "has a name that needs quotes in SQL", "Write it in snake_case.")


def uuid_pk(state: PlanState) -> Iterator[Finding]:
    """Keys of new tables that are neither a uuid made by the database nor made of foreign keys."""
    for table in _new(state):
        found = "has no primary key"
        if table.primary_key:
            keys = [column for column in table.columns if column.name in table.primary_key]
            if _refers(table) or len(keys) > 1 or (keys[0].type == "uuid" and keys[0].default):
                continue
            found = f"has a key of the type {keys[0].type}" + ("" if keys[0].default else " without a default")
        fix = "Write id uuid PRIMARY KEY DEFAULT gen_random_uuid()."
        yield _finding(UUID, table, table.name, found, fix)


def _refers(table: Table) -> bool:
    """Whether the key is made of foreign keys."""
    return set(table.primary_key) <= {column for key in table.foreign_keys for column in key.columns}


def timestamps(state: PlanState) -> Iterator[Finding]:
    """New tables without the times at which a row was made and changed."""
    for table in _new(state):
        if len(table.primary_key) > 1 and _refers(table):
            continue
        columns = {column.name: column for column in table.columns}
        missing = [name for name in ("created_at", "updated_at") if not _is_time(columns.get(name))]
        if missing:
            found = f"has no {' and no '.join(missing)} of the type timestamptz, NOT NULL, with a default"
            yield _finding(TIMESTAMPS, table, table.name, found, "Write created_at timestamptz NOT NULL DEFAULT now().")


def _is_time(column: Column | None) -> bool:
    if column is None:
        return False
    return (
        column.type.startswith("timestamp")
        and "with time zone" in column.type
        and not column.nullable
        and bool(column.default)
    )


def jsonb(state: PlanState) -> Iterator[Finding]:
    """New columns of the type json, which has no equality: SELECT DISTINCT and UNION fail."""
    for table in state.document.tables:
        for column in table.columns:
            if column.name in table.new_columns and column.type in ("json", "json[]"):
                found = "has the type json: it cannot be compared or indexed, and SELECT DISTINCT fails"
                # In a table that programs read already, it is theirs that fail.
                severity = Severity.WARNING if table.new else Severity.ERROR
                name = f"{table.name}.{column.name}"
                yield replace(_finding(JSONB, table, name, found, "Use jsonb."), severity=severity)


def _new(state: PlanState) -> Iterator[Table]:
    return (table for table in state.document.tables if table.new)


def _finding(rule: str, table: Table, name: str, found: str, fix: str) -> Finding:
    return Finding(rule, Severity.WARNING, table.revision, name, f"{name} {found}.", fix)


PLAN_RULES = (snake_case, uuid_pk, timestamps, jsonb)
