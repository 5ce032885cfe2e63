"""Putting a plan together: steps, inputs, digests and facts, whatever way the steps were found out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...contract.bundle import digest_of
from ...contract.digests import inputs_digest, plan_digest, statements_digest
from ...contract.plan import ENVIRONMENT, HistoryFault, PlanDocument, Statement, Step, StepKind
from ...contract.verification import VerifiedReason
from ..history.bundle import files_of
from ..history.inputs import inputs_of, major_version
from .downgrades import declared
from .task import Task

_WAIVER = ".review.yaml"
_CONTACT = "first-contact"
_LISTED = 20


def step_of(task: Task, revision: str, *, kind: StepKind = StepKind.SQL, **found: Any) -> Step:
    """A step with what its file says of it.

    Args:
        task: knows the file.
        revision: its id.
        kind: SQL or Opaque.
        found: fields of Step.
    """
    file = task.history.graph.files[revision]
    script: Any = task.history.script.get_revision(revision)
    facts = {"downgrade": declared(script.path), **found}
    return Step(
        revision=revision,
        kind=kind,
        down=list(file.down),
        message=(script.doc or "").strip().partition("\n")[0][:200],
        file=file.path,
        file_sha256=file.sha256,
        **facts,
    )


def environment_step(task: Task, statements: list[Statement], *, transactional: bool) -> Step:
    """The step of what env.py sends itself."""
    path = Path(task.history.script.dir) / ENVIRONMENT
    return Step(
        revision=ENVIRONMENT,
        kind=StepKind.SQL,
        message="What env.py itself sends, before and after the revisions",
        file=path.name,
        file_sha256=task.history.sources.sha256(path),
        transactional=transactional,
        statements=statements,
        downgrade="",
    )


def document(
    task: Task,
    steps: list[Step],
    evidence: str,
    *,
    to: list[str] | None = None,
    settles: dict[str, Any] | None = None,
    **facts: Any,
) -> PlanDocument:
    """The plan of these steps.

    Args:
        task: what is planned.
        steps: in the order in which they run.
        evidence: Shadow or Static.
        to: version rows afterwards; without it the task's targets.
        settles: of a Baseline or Repair, part of the inputs.
        facts: relations, tables, shadow and fingerprints of PlanDocument, where there are any.

    Raises:
        RunFailed: InvalidHistory, where the files hold what may not be in a bundle.
    """
    request, to = task.request, task.targets if to is None else to
    journal_id = task.journal.newest
    files = files_of(request, task.history)
    bundle = digest_of(files)
    inputs = inputs_of(
        request,
        server_version=task.database.version,
        identity=task.database.identity,
        journal_id=journal_id,
        from_revisions=task.rows,
        to_revisions=to,
        direction=task.direction.value,
        version_table=task.version_table,
        search_path=task.search_path,
        history=task.history,
        driver=task.driver,
        bundle=bundle,
        settles=settles,
    )
    of_inputs, of_statements = inputs_digest(inputs), statements_digest(steps)
    return PlanDocument(
        direction=task.direction,
        evidence=evidence,
        from_revisions=task.rows,
        to_revisions=to,
        inputs=inputs,
        inputs_digest=of_inputs,
        statements_digest=of_statements,
        digest=plan_digest(of_inputs, of_statements),
        bundle_digest=bundle,
        journal_id=journal_id,
        identity=task.database.identity,
        server_major=major_version(task.database.version),
        search_path=task.search_path.existing,
        steps=steps,
        faults=_faults(task),
        waivers={path: text.decode("utf-8", "replace") for path, text in files.items() if path.endswith(_WAIVER)},
        **facts,
    )


def _faults(task: Task) -> list[HistoryFault]:
    """Revisions whose files were changed after they were applied."""
    graph, entries = task.history.graph, task.journal.entries
    faults = _of_contact(task)
    for revision in graph.oldest_first(graph.ancestors(task.rows)):
        file, entry = graph.files.get(revision), entries.get(revision)
        if file is not None and entry is not None and entry.file_sha256 not in (None, "", file.sha256):
            faults.append(
                HistoryFault(
                    "edited-revision",
                    revision,
                    f"{file.path} was changed after it was applied on {entry.started[:10]}; the database still has "
                    "the old version.",
                )
            )
    return faults


def _of_contact(task: Task) -> list[HistoryFault]:
    """What a schema that others migrated has beyond the history, or that it was not compared."""
    if task.contact is None:
        return []
    extras = task.contact.extras
    found = [HistoryFault(_CONTACT, "", f"{one}.", "warning", one.partition(":")[0]) for one in extras[:_LISTED]]
    if len(extras) > _LISTED:
        more = f"{len(extras) - _LISTED} more objects exist only in the database."
        found.append(HistoryFault(_CONTACT, "", more, "warning", "others"))
    if task.contact.verification.reason is VerifiedReason.NOT_COMPARED:
        found.append(HistoryFault(_CONTACT, "", task.contact.verification.message))
    return found
