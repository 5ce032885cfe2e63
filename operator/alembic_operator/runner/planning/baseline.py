"""Adopting an existing database: its schema is held against the one that the history makes, object by object."""

from __future__ import annotations

from dataclasses import replace

from ...contract.plan import Direction, PlanDocument
from ...contract.reasons import Reason
from ..assessment.baseline import heads_of
from ..assessment.verification import accepted
from ..errors import RunFailed
from ..history.ids import flow
from ..migrate.settle import Settlement, step_of
from ..schema import Difference, Snapshot
from ..terms import BASELINE
from .document import document
from .first_contact import Contact, check_pinned, differences_of, matching
from .schema_comparison import listed, schema_of
from .shadow import Shadow
from .task import Task


def plan_baseline(task: Task, shadow: Shadow) -> tuple[PlanDocument, Contact]:
    """The plan that writes the version rows of spec.baseline for the schema that is there, and how that is known.

    Raises:
        RunFailed: RevisionNotFound; BaselineMismatch, which lists what differs, or says why the history does not run
            from base.
    """
    wanted_rows = heads_of(task.request.baseline or [], task.history.graph)
    found = schema_of(task.target, task)
    check_pinned(task, found)
    if task.request.baseline_fingerprint:
        return _document(task, wanted_rows, found, Contact(accepted(wanted_rows, found.fingerprint)))
    told = _compared(task, shadow, wanted_rows, found)
    if any(not one.extra for one in told):
        different = [one.sentence for one in told]
        task.report.record("differences", found=found.fingerprint, sentences=different)
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the database with the schema that the history creates up to {', '.join(wanted_rows)}: "
            f"{len(different)} differences: {listed(different)}. Nothing was sent. Change the database to match, or "
            f"name its actual revision in {BASELINE}. The schema's fingerprint is {found.fingerprint}.",
            revision=wanted_rows[-1],
        )
    return _document(task, wanted_rows, found, matching(wanted_rows, told, found.fingerprint))


def _compared(task: Task, shadow: Shadow, wanted_rows: list[str], found: Snapshot) -> list[Difference]:
    try:
        return differences_of(task, shadow, wanted_rows)
    except RunFailed as failed:
        if failed.failure.reason is Reason.SHADOW_FAILED or not failed.failure.revision:
            raise
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the database with the schema that the history creates up to {', '.join(wanted_rows)}: the "
            f"history cannot be replayed into an empty database ({failed.found[:400]}). Nothing was sent. If it "
            "builds on tables that the application created, check that the schema is that revision's, then accept "
            f"it by its fingerprint: {BASELINE}: {{revisions: {flow(wanted_rows)}, fingerprint: "
            f"{found.fingerprint}}}, in a recreated DatabaseSchema.",
            revision=wanted_rows[-1],
        ) from failed


def plan_pinned(task: Task) -> tuple[PlanDocument, Contact]:
    """The same without a shadow: Git says what the schema has to be, by its fingerprint.

    Raises:
        RunFailed: RevisionNotFound; BaselineMismatch, with the fingerprint that was found.
    """
    wanted_rows = heads_of(task.request.baseline or [], task.history.graph)
    found = schema_of(task.target, task)
    if not task.request.baseline_fingerprint:
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Adopting the database at {', '.join(wanted_rows)} with evidence Static: there is no schema to compare "
            f"with. Nothing was sent. Check that the schema is that revision's, then set {BASELINE}.fingerprint "
            f"to its current value {found.fingerprint}; or use evidence Shadow, which compares the two.",
            revision=wanted_rows[-1],
        )
    check_pinned(task, found)
    return _document(task, wanted_rows, found, Contact(accepted(wanted_rows, found.fingerprint)))


def _document(task: Task, wanted_rows: list[str], found: Snapshot, contact: Contact) -> tuple[PlanDocument, Contact]:
    settlement = Settlement(Direction.BASELINE, found.fingerprint, tuple(task.rows), tuple(wanted_rows))
    made = document(
        replace(task, contact=contact),
        [step_of(settlement, task.version_table, "Adopts the schema as it is; no revision runs")],
        task.request.evidence,
        to=wanted_rows,
        settles=settlement.facts,
        fingerprint=found.fingerprint,
        expected_fingerprint=found.fingerprint,
    )
    return made, contact
