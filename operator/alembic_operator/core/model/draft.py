"""A plan before it is in the cluster: what a plan run found, or why that cannot be known."""

from __future__ import annotations

from dataclasses import dataclass

from alembic_operator.contract.plan import PlanDocument
from alembic_operator.contract.reasons import Reason
from alembic_operator.core.model.findings import Finding


@dataclass(frozen=True)
class Draft:
    """What a plan run's log holds, checked by the rules; `waiver_faults` are sentences that name a file each."""

    document: PlanDocument
    findings: tuple[Finding, ...] = ()
    waiver_faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoDraft:
    """Why there is none, although the run says that it made a plan."""

    reason: Reason
    message: str
