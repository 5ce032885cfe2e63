"""The plan on its way to the operator: records of the log, and a receipt in the result that pins them."""

from __future__ import annotations

from ...contract.plan import PlanDocument
from ...contract.plan_records import EVENT, pack
from ...contract.reasons import Reason
from ...contract.result import PlanReceipt
from ..errors import RunFailed
from ..report import RECORDS_LIMIT, Report
from ..terms import REVISION

_ROOM = 512 * 1024  # bytes of the records' limit that are left for everything else
_OVERHEAD = 1.02  # of a record around its part


def publish_plan(document: PlanDocument, report: Report) -> PlanReceipt:
    """Write the plan into the log's records.

    Raises:
        RunFailed: MigrationFailed, where it is larger than the records may be.
    """
    packed = pack(document)
    size = sum(map(len, packed.parts))
    if size * _OVERHEAD > RECORDS_LIMIT - _ROOM:
        statements = sum(len(step.statements) for step in document.steps)
        raise RunFailed(
            Reason.MIGRATION_FAILED,
            f"Publishing the plan of {len(document.steps)} revisions: its {statements} statements are {size >> 20} "
            f"MiB packed, but the log may have at most {(RECORDS_LIMIT - _ROOM) >> 20} MiB. Nothing was sent to the "
            f"target. Load bulk data by COPY or with bound parameters, which a plan leaves out, or set {REVISION} to "
            "an earlier revision first.",
        )
    for number, part in enumerate(packed.parts, 1):
        report.record(EVENT, part=number, of=len(packed.parts), data=part)
    return PlanReceipt(document.digest, packed.sha256, packed.size, len(packed.parts))
