"""The status of a DatabaseSchema as frozen dataclasses, read from and written to raw objects.

Times are RFC 3339 texts in UTC with seconds, as Kubernetes writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alembic_operator.api.codec import Raw, decode, encode

HISTORY_LIMIT = 10


@dataclass(frozen=True)
class Condition:
    """metav1.Condition."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int
    last_transition_time: str = ""


@dataclass(frozen=True)
class DatabaseFacts:
    """Which database was read last; `search_path` of the migrating role, () where it was not read yet."""

    engine: str
    version: str
    identity: str
    search_path: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanRef:
    """The latest SchemaPlan, and the generation of the DatabaseSchema that it was made for.

    `errors` and `warnings` are its findings that are not waived; `summary` one line, such as `+1 table, 1 index`.
    """

    name: str
    digest: str
    errors: int = 0
    warnings: int = 0
    summary: str = ""
    direction: str = ""
    generation: int = 0


@dataclass(frozen=True)
class Run:
    """The run under way. `revision`, `statement` and `blocked_by` are what its log said last."""

    kind: str
    job: str
    attempt: int
    started_at: str
    generation: int
    revision: str = ""
    statement: int = 0
    blocked_by: str = ""


@dataclass(frozen=True)
class OwnerRef:
    """The DatabaseSchema that manages the database instead of this one."""

    cluster: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class LastFailure:
    """What stopped the latest run; `count` runs in a row ended with this reason."""

    reason: str
    message: str
    at: str
    count: int = 1
    sqlstate: str = ""
    revision: str = ""
    statement: int = 0
    blocked_by: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """One finished apply run. `from_revisions` and `to_revisions` are the version rows before and after.

    `plan`, `digest` and `approved_by` say which plan it ran, and who approved it; "" where none was asked for.
    """

    job: str
    generation: int
    outcome: str
    from_revisions: str
    to_revisions: str
    applied: int
    image: str
    started_at: str
    finished_at: str
    plan: str = ""
    digest: str = ""
    approved_by: str = ""


@dataclass(frozen=True)
class Status:
    """Everything that the operator says about a DatabaseSchema; a cache of what the database said.

    `owner` is whom the journal named when it was read last, where that is another DatabaseSchema.
    `schema_fingerprint` is of the schema when it was compared last: the condition Verified speaks of it.
    """

    observed_generation: int = -1
    conditions: tuple[Condition, ...] = ()
    current_revisions: tuple[str, ...] | None = None
    current: str = ""
    target_revisions: tuple[str, ...] = ()
    target_revision: str = ""
    pending_revisions: int | None = None
    database: DatabaseFacts | None = None
    owner: OwnerRef | None = None
    schema_fingerprint: str = ""
    plan: PlanRef | None = None
    run: Run | None = None
    attempts: int = 0
    failures: int = 0
    last_failure: LastFailure | None = None
    history: tuple[HistoryEntry, ...] = ()
    next_run_after: str = ""
    last_handled_reconcile_at: str = ""
    last_handled_retry_at: str = ""

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, if present."""
        return next((c for c in self.conditions if c.type == kind), None)


def status_to_raw(status: Status) -> dict[str, Any]:
    """The raw `status`, with the empty list of version rows kept: it means base, and absence means never read."""
    raw: dict[str, Any] = encode(status)
    if status.current_revisions is not None:
        raw["currentRevisions"] = list(status.current_revisions)
    return raw


def parse_status(raw: Raw | None) -> Status:
    """Read the raw `status`; what an older or newer operator wrote and this one does not know is ignored.

    A part that lacks a field it needs was not written by any operator: it is dropped, and derived again.
    """
    return decode(Status, raw or {}, "status", lenient=True)
