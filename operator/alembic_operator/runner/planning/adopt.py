"""Adopting an existing database: its schema is held against the one that the history makes, object by object."""

from __future__ import annotations

from ...contract.plan import Direction, PlanDocument
from ...contract.reasons import Reason
from ..errors import RunFailed
from ..schema import Snapshot, differences
from ..settling import Settlement, step_of
from .document import document
from .look import listed, schema_of
from .replay import replayed
from .shadow import Shadow
from .task import Task


def plan_baseline(task: Task, shadow: Shadow) -> PlanDocument:
    """The plan that writes the version rows of spec.baseline for the schema that is there.

    Raises:
        RunFailed: RevisionNotFound; BaselineMismatch, which lists what differs; MigrationFailed, where the history does
            not run from base.
    """
    wanted_rows = _rows(task)
    found = schema_of(task.target, task)
    _check_pinned(task, found)
    (wanted,) = replayed(task, shadow, [wanted_rows])
    different = differences(wanted, found)
    if different:
        task.report.record("differences", wanted=wanted.fingerprint, found=found.fingerprint, sentences=different)
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the database with the schema that the history makes up to {', '.join(wanted_rows)}: "
            f"{len(different)} differences: {listed(different)}. Nothing was sent. Bring the database there, or "
            f"name the revision that it is at in spec.baseline. The schema's fingerprint is {found.fingerprint}.",
            revision=wanted_rows[-1],
        )
    return _document(task, wanted_rows, found, "Shadow")


def plan_pinned(task: Task) -> PlanDocument:
    """The same without a shadow: Git says what the schema has to be, by its fingerprint.

    Raises:
        RunFailed: RevisionNotFound; BaselineMismatch, with the fingerprint that was found.
    """
    wanted_rows = _rows(task)
    found = schema_of(task.target, task)
    if not task.request.baseline_fingerprint:
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Adopting the database at {', '.join(wanted_rows)} with evidence Static: nothing says what its schema has "
            f"to be. Nothing was sent. Set spec.baseline.fingerprint to {found.fingerprint}, which it has now, once "
            "you have seen that this is the schema of that revision; or take evidence Shadow, which compares the two.",
            revision=wanted_rows[-1],
        )
    _check_pinned(task, found)
    return _document(task, wanted_rows, found, "Static")


def _check_pinned(task: Task, found: Snapshot) -> None:
    pinned = task.request.baseline_fingerprint
    if pinned and pinned != found.fingerprint:
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the schema of the database with spec.baseline.fingerprint {pinned}: it is {found.fingerprint}. "
            "Nothing was sent. Look at what has changed in the database, or correct the fingerprint.",
        )


def _document(task: Task, wanted_rows: list[str], found: Snapshot, evidence: str) -> PlanDocument:
    settlement = Settlement(Direction.BASELINE, found.fingerprint, tuple(task.rows), tuple(wanted_rows))
    return document(
        task,
        [step_of(settlement, task.place, "Adopts the schema as it is; no revision runs")],
        evidence,
        to=wanted_rows,
        settles=settlement.facts,
        fingerprint=found.fingerprint,
        expected_fingerprint=found.fingerprint,
    )


def _rows(task: Task) -> list[str]:
    """The version rows that spec.baseline means: without those that another one contains."""
    graph, named = task.history.graph, task.request.baseline or []
    unknown = [revision for revision in named if revision not in graph.files]
    if unknown:
        raise RunFailed(
            Reason.REVISION_NOT_FOUND,
            f'Looking for revision "{unknown[0]}" of spec.baseline.revisions among {len(graph.files)} revisions of the '
            "image: no file declares it. Name full revision ids, or an image that has them.",
            revision=unknown[0],
        )
    return sorted(set(named) - set(graph.stale_rows(sorted(set(named)))))
