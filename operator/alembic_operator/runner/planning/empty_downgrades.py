"""Which steps of a plan that goes down leave the schema as it is, although their way up changes it.

What a revision changes is seen in the history replayed from base: in the shadow its objects are still there, so that
going up again fails, or with IF NOT EXISTS passes them over.
"""

from __future__ import annotations

from typing import Any

from ...contract.plan import Step
from ..errors import RunFailed
from ..schema import Snapshot, differences
from .downgrades import EMPTY, does_nothing
from .replay import replayed
from .shadow import Shadow
from .task import Task


def kept_by(task: Task, shadow: Shadow, steps: list[Step], schemas: dict[int, Snapshot]) -> dict[int, list[str]]:
    """What the revisions of such steps change on their way up, by the number of the step.

    Args:
        task: a plan that goes down.
        shadow: whose server runs the history into an empty database.
        steps: in the order in which they ran.
        schemas: of the shadow, by the number of steps done; of some of them.
    """
    still = [at for at, step in enumerate(steps) if _changed_nothing(at, step, schemas) and not _is_empty(task, step)]
    if not still:
        return {}
    rows = _rows(task, steps)
    try:
        found = replayed(task, shadow, [stop for at in reversed(still) for stop in (rows[at + 1], rows[at])])
    except RunFailed as failed:
        why = f"What its upgrade() changes is unknown, because the history does not run from base: {failed.plain}"
        return {at: [why] for at in still}
    pairs = zip(reversed(still), found[::2], found[1::2])
    changes = {at: differences(after, before, "the schema before it") for at, before, after in pairs}
    return {at: sentences for at, sentences in changes.items() if sentences}


def _changed_nothing(at: int, step: Step, schemas: dict[int, Snapshot]) -> bool:
    if step.downgrade == EMPTY:
        return True
    return at in schemas and at + 1 in schemas and not differences(schemas[at], schemas[at + 1])


def _is_empty(task: Task, step: Step) -> bool:
    script: Any = task.history.script.get_revision(step.revision)
    return does_nothing(script.path)


def _rows(task: Task, steps: list[Step]) -> list[list[str]]:
    """The version rows before each step, and at the end."""
    rows = [sorted(task.rows)]
    for step in steps:
        rows.append(task.history.graph.rows_after(rows[-1], step.revision, upgrade=False))
    return rows
