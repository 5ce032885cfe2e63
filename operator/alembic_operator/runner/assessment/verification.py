"""How it is known that the schema is the history's: what the journal says, and what is journalled at first contact."""

from __future__ import annotations

from ...contract.request import RunRequest
from ...contract.verification import Verification, VerifiedReason
from ..database.journal import Journal
from ..history.ids import flow

BY_OPERATOR = Verification(VerifiedReason.APPLIED, "The operator applied every revision that the database has.")
_UNKNOWN = "The database has revisions that others applied, and a plan run has not compared its schema yet."
_UNSEEN = (
    "Revisions were journalled as adopted without a comparison of the schema with the history, by an earlier version "
    "or by hand."
)


def journalled(journal: Journal, there: set[str]) -> Verification | None:
    """What the journal knows of a database with these revisions; None for a database without any."""
    if not there:
        return None
    if not there <= journal.applied:
        return Verification(VerifiedReason.NOT_COMPARED, _UNKNOWN)
    adopted = [journal.entries[revision] for revision in there if journal.entries[revision].state == "adopted"]
    if not adopted:
        return BY_OPERATOR
    newest = max(adopted, key=lambda entry: entry.id)
    if newest.verified not in {reason.value for reason in VerifiedReason}:
        return Verification(VerifiedReason.NOT_COMPARED, _UNSEEN)
    return Verification(VerifiedReason(newest.verified), newest.remark, newest.fingerprint)


def accepted(revisions: list[str], fingerprint: str) -> Verification:
    """Git has this schema."""
    return Verification(
        VerifiedReason.ACCEPTED,
        f"spec.baseline accepts the schema at {_at(revisions)} by its fingerprint; it was not made by the operator.",
        fingerprint,
    )


def not_compared(revisions: list[str], fingerprint: str, why: str) -> Verification:
    """Nothing but the version rows says that the schema is the history's."""
    return Verification(
        VerifiedReason.NOT_COMPARED,
        f"That the database is at {_at(revisions)} is what its version table says; its schema was not compared with "
        f"the history: {why.rstrip('.')}. To accept the schema as it is, keep it in Git: spec.baseline: "
        f"{{revisions: {flow(revisions)}, fingerprint: {fingerprint}}}.",
        fingerprint,
    )


def without_plan(request: RunRequest) -> str:
    """Why an apply run without a plan compares nothing."""
    return (
        f"review.mode Auto with review.evidence {request.evidence} makes no plan, and so has no shadow to replay it in"
    )


def _at(revisions: list[str]) -> str:
    return ", ".join(revisions[:5]) + (" and others" if len(revisions) > 5 else "")
