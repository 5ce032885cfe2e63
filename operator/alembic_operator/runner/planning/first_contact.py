"""First contact: a schema that others migrated is compared with the one that the history makes, object by object.

Version rows say where somebody believed the database to be. `alembic stamp` writes them unseen, two release lines give
one id to two contents, and tables are changed by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...contract.reasons import Reason
from ...contract.verification import Verification, VerifiedReason
from ..assessment.baseline import pins
from ..assessment.verification import accepted, not_compared
from ..errors import RunFailed
from ..history.ids import flow
from ..schema import Difference, Snapshot, compared
from ..terms import BASELINE
from .replay import made_by_history
from .schema_comparison import extensions_of, listed, schema_of
from .shadow import Shadow
from .task import Task


@dataclass(frozen=True)
class Contact:
    """What was found.

    Attributes:
        verification: for the status and the journal.
        extras: what the database has and the history does not make: sentences.
        refusal: why nothing may run; None where something may.
    """

    verification: Verification
    extras: Sequence[str] = ()
    refusal: RunFailed | None = None


def first_contact(task: Task, shadow: Callable[[], Shadow]) -> Contact:
    """Compare, or say why that cannot be done.

    Args:
        task: what is planned; its version rows are all known.
        shadow: gives the shadow once it is restored; not called where none is needed.

    Raises:
        RunFailed: BaselineMismatch, ShadowFailed.
    """
    found = schema_of(task.target, task)
    if pins(task.request, task.rows, task.history.graph):
        check_pinned(task, found)
        return Contact(accepted(task.rows, found.fingerprint))
    if task.request.evidence == "Static":
        why = "review.evidence is Static, so there is no shadow to replay it in"
        return Contact(not_compared(task.rows, found.fingerprint, why))
    try:
        told = differences_of(task, shadow(), task.rows)
    except RunFailed as failed:
        if failed.failure.reason is Reason.SHADOW_FAILED or not failed.failure.revision:
            raise
        task.report.record("not-replayed", message=failed.plain)
        why = f"replaying it into an empty database failed ({failed.plain[:400]})"
        return Contact(not_compared(task.rows, found.fingerprint, why))
    return _judged(task, told, found.fingerprint)


def differences_of(task: Task, shadow: Shadow, heads: Sequence[str]) -> list[Difference]:
    """What makes the target another schema than the one that the history makes up to these version rows.

    Raises:
        RunFailed: MigrationFailed, where the history does not run from base; ShadowFailed.
    """
    made = made_by_history(task, shadow, heads)
    told = compared(made.schema, schema_of(task.target, task, made.schemas))
    missing = sorted(made.extensions - extensions_of(task.target).keys())
    return [*told, *(Difference(f"extension {name} is missing in the database") for name in missing)]


def check_pinned(task: Task, found: Snapshot) -> None:
    """See that the schema is the one that Git has.

    Raises:
        RunFailed: BaselineMismatch, with the fingerprint that was found.
    """
    pinned = task.request.baseline_fingerprint
    if pinned and pinned != found.fingerprint:
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the schema of the database with {BASELINE}.fingerprint {pinned}: it is "
            f"{found.fingerprint}. Nothing was sent. Check what has changed in the database, or correct the "
            "fingerprint.",
        )


def matching(heads: Sequence[str], told: Sequence[Difference], fingerprint: str) -> Contact:
    """The schema has everything that the history makes up to these version rows; `told` is what it has beyond."""
    extras = [one.sentence for one in told]
    more = f" It has more: {listed(extras)}." if extras else ""
    message = f"The schema has everything that the history creates up to {', '.join(heads[:5])}, unchanged.{more}"
    return Contact(Verification(VerifiedReason.COMPARED, message, fingerprint), extras)


def _judged(task: Task, told: list[Difference], fingerprint: str) -> Contact:
    if told:
        task.report.record("differences", found=fingerprint, sentences=[one.sentence for one in told])
    faults = [one.sentence for one in told if not one.extra]
    if not faults:
        return matching(task.rows, told, fingerprint)
    count = f"{len(faults)} difference{'' if len(faults) == 1 else 's'}"
    message = (
        f"Comparing the database, whose version table says {', '.join(task.rows[:5])}, with the schema that this "
        f"image's history creates up to there: {count}: {listed(faults)}"
    )
    todo = (
        "Nothing was sent. Change the database to match, use an image with the history that created it, or accept "
        f"it as it is, in Git: {BASELINE}: {{revisions: {flow(task.rows)}, fingerprint: {fingerprint}}}."
    )
    refusal = RunFailed(Reason.SCHEMA_MISMATCH, message, todo, revision=task.rows[-1])
    return Contact(Verification(VerifiedReason.DIFFERENT, f"{message}.", fingerprint), (), refusal)
