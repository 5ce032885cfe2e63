"""A DatabaseSchema as a watch event or a page of a list shows it: enough to see whether it is at rest.

Some fields of its raw status, and no more: to parse all of it takes ten times as long, for each of thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.contract.reasons import Reason
from alembic_operator.core.model.observed import Tokens, tokens_of

Raw = Mapping[str, Any]

_REASONS = {reason.value: reason for reason in Reason}


@dataclass(frozen=True)
class Glance:
    """What it says, and what is asked of it.

    Attributes:
        generation: of the spec.
        tokens: what its annotations ask for.
        decided: whether the status is of the spec as it is.
        answered: whether the status has answered the annotations.
        conditions: the status of each, by type.
        ready: the reason of the condition Ready, whichever version wrote it; "" where there is none.
        runs: whether the status tells of a run.
        job: of that run.
        owner: the uid of the resource that owns the database instead; "" for none.
        plan: the name of the latest plan; "" for none.
        targets: the full ids that are wanted, as far as they are known.
    """

    generation: int
    tokens: Tokens
    decided: bool
    answered: bool
    conditions: Mapping[str, str]
    ready: str
    runs: bool
    job: str
    owner: str
    plan: str
    targets: frozenset[str]

    @property
    def reason(self) -> Reason | None:
        """The reason of the condition Ready; None where this version does not know it."""
        return _REASONS.get(self.ready)

    @property
    def stalled(self) -> bool:
        """Whether it stands still until something changes that is not its own."""
        return self.conditions.get("Stalled") == "True"


def glance(raw: Raw) -> Glance:
    """At a raw DatabaseSchema."""
    meta, status = raw["metadata"], raw.get("status") or {}
    tokens = tokens_of(meta.get("annotations") or {})
    reconciled, retried = status.get("lastHandledReconcileAt", ""), status.get("lastHandledRetryAt", "")
    conditions = status.get("conditions") or ()
    run = status.get("run") or {}
    return Glance(
        generation=meta["generation"],
        tokens=tokens,
        decided=meta["generation"] == status.get("observedGeneration"),
        answered=tokens.reconcile_at in ("", reconciled) and tokens.retry_at in ("", retried),
        conditions={c["type"]: c["status"] for c in conditions},
        ready=next((c["reason"] for c in conditions if c["type"] == "Ready"), ""),
        runs=bool(run),
        job=run.get("job", ""),
        owner=(status.get("owner") or {}).get("uid", ""),
        plan=(status.get("plan") or {}).get("name", ""),
        targets=frozenset(status.get("targetRevisions") or ()),
    )
