"""Settling a revision of which a part was committed: it counts as done, or is forgotten and run again."""

from __future__ import annotations

from ...contract.plan import PlanDocument
from ...contract.reasons import Reason
from ..database.journal import Entry
from ..errors import RunFailed
from ..migrate.settle import repair_of, step_of
from ..schema import Snapshot, differences
from .document import document
from .replay import replayed
from .schema_comparison import listed, schema_of
from .shadow import Shadow
from .task import Task

_COUNTS = "The whole revision is applied: it is marked as done"
_FORGETS = "Nothing of the revision is applied: its journal entry is removed, and it runs again"


def plan_repair(task: Task, shadow: Shadow, unknown: RunFailed) -> PlanDocument:
    """The plan that settles the first revision which is half applied, where its schema tells which way.

    Args:
        task: what is planned.
        shadow: whose server runs the history into an empty database.
        unknown: what the run would say without a plan; it is raised with what differs, where neither way is right.

    Raises:
        RunFailed: OutcomeUnknown; MigrationFailed, where the history does not run from base.
    """
    entry = _half_applied(task, unknown)
    done = _rows_after(task, entry)
    found = schema_of(task.target, task)
    before, after, stuck = _around(task, shadow, entry, done)
    if after is not None and not differences(before, after):
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"{unknown.found}. The schema does not show what was applied: the revision changes only rows",
            "Check the rows.",
            revision=entry.revision,
        )
    as_after = [stuck] if after is None else differences(after, found)
    as_before = differences(before, found.without_invalid_indexes())
    if as_after and as_before:
        task.report.record("differences", before=as_before, after=as_after)
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"{unknown.found}. The schema matches neither the state before the revision ({len(as_before)} "
            f"differences: {listed(as_before, 4)}) nor the state after it ({len(as_after)}: {listed(as_after, 4)})",
            "Change it to one of the two by hand; the next run plans the rest.",
            revision=entry.revision,
        )
    rows_then = task.rows if as_after else done
    entries = list(task.journal.entries.values())
    settlement = repair_of(entries, task.rows, rows_then, found.fingerprint, found.invalid_indexes)
    if settlement is None:
        raise unknown
    return document(
        task,
        [step_of(settlement, task.version_table, _FORGETS if as_after else _COUNTS)],
        "Shadow",
        to=rows_then,
        settles=settlement.facts,
        fingerprint=found.fingerprint,
        expected_fingerprint=(before if as_after or after is None else after).fingerprint,
    )


def _around(task: Task, shadow: Shadow, entry: Entry, done: list[str]) -> tuple[Snapshot, Snapshot | None, str]:
    """The history's schema before what was begun, and after it; None, and why, where the revision does not run there.

    Raises:
        RunFailed: MigrationFailed, where what comes before it does not run.
    """
    if entry.direction != "up":
        after, before = replayed(task, shadow, [done, task.rows])
        return before, after, ""
    try:
        before, after = replayed(task, shadow, [task.rows, done])
    except RunFailed as failed:
        if failed.failure.revision != entry.revision:
            raise
        return replayed(task, shadow, [task.rows])[0], None, failed.plain
    return before, after, ""


def _half_applied(task: Task, unknown: RunFailed) -> Entry:
    for entry in sorted(task.journal.entries.values(), key=lambda one: one.id):
        if entry.open_intent and not entry.resumable and entry.revision in task.history.graph.files:
            return entry
    raise unknown


def _rows_after(task: Task, entry: Entry) -> list[str]:
    """The version rows once the revision counts as done."""
    graph = task.history.graph
    file = graph.files[entry.revision]
    if entry.direction == "up":
        there = graph.ancestors(task.rows) | {entry.revision}
    else:
        there = graph.ancestors(task.rows) - {entry.revision}
    followed = {parent for revision in there if revision in graph.files for parent in graph.files[revision].down}
    followed |= {parent for parent in file.depends if entry.direction == "up"}
    return sorted(there - followed)
