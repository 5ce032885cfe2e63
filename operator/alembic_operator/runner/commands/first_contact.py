"""First contact in an apply run: what the plan run found out about a schema that others migrated still holds.

An apply run has no shadow. What it journals is what was compared, and the schema must be the same as then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ...contract.verification import Verification, VerifiedReason
from ..assessment.approved import changed
from ..assessment.assess import Reading
from ..assessment.baseline import pins
from ..assessment.verification import accepted, not_compared, without_plan
from ..context import RunContext
from ..database.driver import RawConnection
from ..errors import RunFailed
from ..migrate.settle import Settlement
from ..schema import snapshot
from ..terms import BASELINE

if TYPE_CHECKING:
    from ..history.load import History


def check_contact(run: RunContext, connection: RawConnection, reading: Reading) -> Verification:
    """How it is known that the schema is the history's, for the journal.

    Raises:
        RunFailed: PlanChanged, where the schema is not the one that the plan run saw; BaselineMismatch.
    """
    request = run.request
    fingerprint = snapshot(connection, run.session.search_path.schemas, run.version_table).fingerprint
    if request.approved is None:
        return _unplanned(request, reading, run.history, fingerprint)
    told = request.verification
    if told is None or told.reason is VerifiedReason.DIFFERENT:
        raise changed(
            request.approved, "others applied revisions here, but their schema was not compared with the history"
        )
    if told.fingerprint != fingerprint:
        raise changed(
            request.approved,
            "others applied revisions here, and the schema has changed since it was compared with the history (its "
            f"fingerprint was {told.fingerprint} and is now {fingerprint})",
        )
    return told


def _unplanned(request: RunRequest, reading: Reading, history: History, fingerprint: str) -> Verification:
    if not pins(request, reading.rows, history.graph):
        return not_compared(reading.rows, fingerprint, without_plan(request))
    if request.baseline_fingerprint != fingerprint:
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the schema of the database with {BASELINE}.fingerprint {request.baseline_fingerprint}: it "
            f"is {fingerprint}. Nothing was sent. Check what has changed in the database, or correct the fingerprint.",
        )
    return accepted(reading.rows, fingerprint)


def contact_of(request: RunRequest, settlement: Settlement) -> Verification:
    """The same of a database that is adopted by spec.baseline; its fingerprint is part of what was approved."""
    told = request.verification
    if told is not None and told.fingerprint == settlement.fingerprint:
        return told
    after = list(settlement.after)
    if request.baseline_fingerprint == settlement.fingerprint:
        return accepted(after, settlement.fingerprint)
    message = f"A plan that was approved compared the schema with the history up to {', '.join(after[:5])}."
    return Verification(VerifiedReason.COMPARED, message, settlement.fingerprint)
