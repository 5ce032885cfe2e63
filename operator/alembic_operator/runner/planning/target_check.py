"""Whether a plan leads where it says: its steps are those that lie in between, and the shadow ends at its targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..errors import RunFailed
from ..history.graph import Graph
from ..history.ids import flow
from ..terms import AND_A_NEW_IMAGE, IMAGE, REVISIONS
from .task import Task

_LISTED = 5


def check_way_back(rows: Sequence[str], graph: Graph, targets: Sequence[str], request: RunRequest) -> None:
    """See that going back to one revision takes back what `alembic downgrade` does.

    A list in spec.revisions says of every branch where it is to end, so all goes that it does not contain. One revision
    says nothing of the other branches: to take them back was not asked for.

    Raises:
        RunFailed: DowngradeRefused, with both ways on.
    """
    if request.revisions:
        return
    taken = set().union(*(graph.taken_back_by(one, rows) for one in targets))
    if taken == graph.ancestors(rows) - graph.ancestors(targets):
        return
    left = graph.heads_of(graph.ancestors(rows) - taken)
    beside = [one for one in left if one not in targets]
    raise RunFailed(
        Reason.DOWNGRADE_REFUSED,
        f"Planning the downgrade to {_named(targets)}: alembic downgrade leaves the database at {', '.join(left)}, "
        f"because {_named(beside)} does not follow the target. Nothing was sent. To stop there, set {REVISIONS}: "
        f"{flow(left)}; to downgrade that branch as well, set {REVISIONS}: {flow(targets)}.",
        revision=targets[0],
    )


def check_steps(task: Task, revisions: Iterable[str]) -> None:
    """See that the plan's steps are what lies between the version rows and the targets, each once.

    Raises:
        RunFailed: MigrationFailed.
    """
    graph, found = task.history.graph, list(revisions)
    there, wanted = graph.ancestors(task.rows), graph.ancestors(task.targets)
    between = there - wanted if task.direction == Direction.DOWNGRADE else wanted - there
    if sorted(found) != sorted(between) or not found:
        odd = sorted(between ^ set(found)) or sorted(found)
        raise RunFailed(
            Reason.MIGRATION_FAILED,
            f"Planning the steps from {_named(task.rows)} to {_named(task.targets)}: {len(found)} steps were "
            f"planned, but {len(between)} revisions lie in between; they differ in {_named(odd)}. Nothing was sent. "
            f"Compare with alembic history in the {IMAGE}.",
        )


def check_rows(task: Task, rows: Sequence[str]) -> None:
    """See that the shadow ended at the targets.

    Raises:
        RunFailed: MigrationFailed.
    """
    if sorted(rows) != sorted(task.targets):
        raise RunFailed(
            Reason.MIGRATION_FAILED,
            f"Trying the plan in the shadow: after its last step the version rows are {_named(rows)}, but its target "
            f"is {_named(task.targets)}. Nothing was sent to the target. A revision changes the version table "
            f"itself: remove that from it{AND_A_NEW_IMAGE}.",
        )


def _named(revisions: Sequence[str]) -> str:
    more = f" and {len(revisions) - _LISTED} more" if len(revisions) > _LISTED else ""
    return (", ".join(f'"{one}"' for one in revisions[:_LISTED]) or "base") + more
