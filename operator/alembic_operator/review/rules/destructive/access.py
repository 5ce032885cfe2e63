"""Triggers, row level security and partitions: what guards or shows the rows, and does not any more."""

from __future__ import annotations

from collections.abc import Iterator

from ....core.model.findings import Finding, Severity
from ...plan_state import Part, PlanState, commands, definition
from .object_kinds import RULE


def switched_off(part: Part, state: PlanState) -> Iterator[Finding]:
    """Triggers, rules and row level security that stop to guard the rows."""
    if part.kind == "rule_stmt":
        table = state.name(part.node.relation)
        if part.node.instead and not len(part.node.actions) and state.existing(table):
            message = f"With its rule DO INSTEAD NOTHING, writes to {table} are silently lost."
            yield part.finding(
                RULE, Severity.ERROR, table, message, "Revoke the write privilege: then writes fail with an error."
            )
    if part.kind != "alter_table_stmt":
        return
    table = state.name(part.node.relation)
    if not state.existing(table):
        return
    for kind, command in commands(part):
        if kind.startswith("AT_DisableTrig") or kind == "AT_DisableRule":
            what = f"the trigger {command.name}" if command.name else "triggers"
            message = (
                f"It switches off {what} of {table}: until they are switched on again, writes of all sessions are "
                "unchecked."
            )
            fix = "Leave them on. If they must not fire for the revision, test a setting in the trigger's WHEN."
            yield part.finding(RULE, Severity.ERROR, table, message, fix)
        elif kind == "AT_DisableRowSecurity":
            message = f"It switches off row level security of {table}: every role sees every row at once."
            yield part.finding(RULE, Severity.ERROR, table, message, "Change the policies instead, and leave it on.")
        elif kind == "AT_EnableRowSecurity" and not _has_policy(part, state, table):
            message = (
                f"It switches on row level security of {table} without a policy: roles that do not own it see no rows."
            )
            yield part.finding(RULE, Severity.ERROR, table, message, "Create the policies first, in the same revision.")
        elif kind == "AT_DetachPartition" and not definition(command).concurrent:
            message = f"It detaches a partition: queries of {table} no longer see its rows."
            yield part.finding(
                RULE, Severity.ERROR, table, message, "Use DETACH PARTITION … CONCURRENTLY in an autocommit block."
            )
        elif kind == "AT_DropInherit":
            message = f"It removes {table} from its parent: queries of the parent no longer see its rows."
            yield part.finding(
                RULE,
                Severity.ERROR,
                table,
                message,
                "First release applications that read the rows from the child table.",
            )


def _has_policy(part: Part, state: PlanState, table: str) -> bool:
    """Whether the plan has made a policy until now, or the step makes one."""
    return table in state.policies or any(
        one.kind == "create_policy_stmt" and state.name(one.node.table) == table
        for one in state.parts
        if one.node is not None
    )


RULES = (switched_off,)
