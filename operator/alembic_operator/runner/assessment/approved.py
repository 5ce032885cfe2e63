"""Whether an approved plan is still the one to run: the database as it was read under the lock, held against it. Pure.

A plan that was interrupted goes on: the version rows may stand anywhere on its way, as long as it brought them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...contract.digests import inputs_digest
from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import Approved
from ..database.journal import Row
from ..database.session import VersionTable
from ..errors import RunFailed
from ..history.graph import Graph

AGAIN = "Nothing was sent."


def check_version_table(
    approved: Approved, rows: Sequence[str], since: Sequence[Row], graph: Graph, version_table: VersionTable
) -> None:
    """See that nothing but this plan moved the database since it was made.

    Args:
        approved: the plan.
        rows: of the version table.
        since: of the journal, newer than the plan's own journal id.
        graph: of the image.
        version_table: for messages.

    Raises:
        RunFailed: PlanChanged.
    """
    foreign = [row for row in since if row.plan_uid != approved.uid]
    if foreign:
        row = foreign[0]
        deed = "reverted" if row.direction == "down" else "applied"
        raise changed(
            approved,
            f'the journal of {version_table} has newer entries: revision "{row.revision}" was {deed} by another run '
            f"(row {row.id}; the plan was made at row {approved.journal_id})",
        )
    if approved.direction == Direction.REPAIR.value:
        if set(rows) not in (set(approved.from_revisions), set(approved.to_revisions)):
            raise changed(approved, _elsewhere(approved, rows, version_table))
        return
    way = "down" if approved.direction == Direction.DOWNGRADE.value else "up"
    there, start = graph.ancestors(rows), graph.ancestors(approved.from_revisions)
    end = graph.ancestors(approved.to_revisions)
    ended = [row for row in since if row.direction == way and row.state in ("done", "adopted")]
    # What the run adopted before it began was there: it is no step of the plan.
    done = {row.revision for row in ended if row.state == "done" or row.revision not in start}
    on_the_way = end <= there <= start if way == "down" else start <= there <= end
    moved = start - there if way == "down" else there - start
    if not on_the_way or moved - done:
        raise changed(approved, _elsewhere(approved, rows, version_table))
    if done - moved:
        raise changed(
            approved,
            f'the plan has already {"reverted" if way == "down" else "applied"} "{sorted(done - moved)[0]}", and '
            f"{version_table} is at {_named(rows)} again. An approval covers each revision once",
        )


def check_inputs(approved: Approved, inputs: dict[str, Any], planned: dict[str, Any] | None) -> None:
    """See that files, image, database and settings are those that the plan was made from.

    Args:
        approved: the plan.
        inputs: as they are now, with the plan's own version rows and journal id.
        planned: as they were, where that is known; believed only if it has the plan's digest.

    Raises:
        RunFailed: PlanChanged.
    """
    if inputs_digest(inputs) == approved.inputs_digest:
        return
    if planned is None or inputs_digest(planned) != approved.inputs_digest:
        parts = "a migration file or another file of the bundle, the image, the database, a setting or a version"
        raise changed(approved, f"its inputs have changed ({parts})")
    raise changed(approved, f"its inputs have changed: {'; '.join(differences(planned, inputs)[:5])}")


def check_targets(approved: Approved, targets: Sequence[str]) -> None:
    """See that the plan goes where the spec points now.

    Raises:
        RunFailed: PlanChanged.
    """
    if sorted(approved.to_revisions) != sorted(targets):
        found = f"the spec now targets {_named(targets)}, but the plan goes to {_named(approved.to_revisions)}"
        raise changed(approved, found)


def changed(approved: Approved, found: str) -> RunFailed:
    """The plan is not to be run any more."""
    name = f'plan "{approved.name}"' if approved.name else "an apply run that only records the owner"
    return RunFailed(Reason.PLAN_CHANGED, f"Comparing {name} with the current state: {found}", AGAIN)


def differences(planned: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What differs between two inputs, a part of a sentence each; names and versions, never contents."""
    before = {one["id"]: one for one in planned.get("revisions", [])}
    now = {one["id"]: one for one in found.get("revisions", [])}
    told = [f'revision "{one}" ({now[one]["file"]}) is new' for one in now if one not in before]
    told += [f'revision "{one}" ({before[one]["file"]}) was removed' for one in before if one not in now]
    told += [
        f'revision "{one}" ({now[one]["file"]}) was edited' for one in now if one in before and now[one] != before[one]
    ]
    for name in sorted(set(planned) | set(found)):
        if name == "revisions" or planned.get(name) == found.get(name):
            continue
        if name == "bundle":
            told += [] if told else ["a file next to the revisions was edited"]
        elif isinstance(found.get(name), dict) and isinstance(planned.get(name), dict):
            told += [
                f"{name}.{key} was {planned[name].get(key)!r} and is now {found[name].get(key)!r}"
                for key in sorted(set(planned[name]) | set(found[name]))
                if planned[name].get(key) != found[name].get(key)
            ]
        else:
            told.append(f"{name} was {planned.get(name)!r} and is now {found.get(name)!r}")
    return told


def _elsewhere(approved: Approved, rows: Sequence[str], version_table: VersionTable) -> str:
    return (
        f"{version_table} is at {_named(rows)}, but the plan goes from {_named(approved.from_revisions)} to "
        f"{_named(approved.to_revisions)}"
    )


def _named(revisions: Sequence[str]) -> str:
    return ", ".join(f'"{one}"' for one in revisions[:5]) or "base"
