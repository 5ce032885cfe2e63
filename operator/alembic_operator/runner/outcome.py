"""What a run has found out: the one record that its steps write into, and the result that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..contract.request import Owner, RunRequest
from ..contract.result import DatabaseFacts, Outcome, PlanReceipt, RunResult
from ..contract.verification import Verification
from .database.session import DEFAULT_TABLE, VersionTable
from .errors import RunFailed
from .report import Report, now

if TYPE_CHECKING:
    from .migrate.revision import RevisionRun

_LISTED = 20  # applied revisions; more never fit into 4 KiB


@dataclass
class RunFacts:
    """What is known so far, also when the run ends early.

    Attributes:
        version_table: the version table; known for sure once the project is loaded.
        database: which one it is.
        owner: whom its journal names, where that is not the target.
        before, current: version rows at the start and as read last.
        targets: the full ids that are wanted, sorted; empty until they are known.
        pending: revisions still to apply.
        running: the applied revisions, and the one under way; None before anything is applied.
        invalid_before: INVALID indexes that were there before anything was applied.
        receipt: of the plan that was made.
        verification: how it is known that the schema is the history's; None as long as it is not.
        rehearsing: the revision that is under way in the shadow.
    """

    version_table: VersionTable
    database: DatabaseFacts | None = None
    owner: Owner | None = None
    before: list[str] | None = None
    current: list[str] | None = None
    targets: list[str] = field(default_factory=list)
    pending: int | None = None
    running: RevisionRun | None = None
    invalid_before: set[str] = field(default_factory=set)
    receipt: PlanReceipt | None = None
    verification: Verification | None = None
    rehearsing: str = ""

    @classmethod
    def at_the_start(cls, request: RunRequest) -> RunFacts:
        """Of a run that has read nothing but its request."""
        return cls(VersionTable(request.version_table_schema, request.version_table or DEFAULT_TABLE))

    def rehearses(self, revision: str) -> None:
        """A revision is under way in the shadow; "" for none."""
        self.rehearsing = revision

    def result(
        self, request: RunRequest, report: Report, outcome: Outcome, failed: RunFailed | None, started: str
    ) -> RunResult:
        """What the run publishes at its end."""
        applied = self.running.applied if self.running is not None else []
        return RunResult(
            kind=request.kind,
            outcome=outcome if failed is None else Outcome.FAILED,
            target_uid=request.target.uid,
            generation=request.generation,
            job=request.job,
            database=self.database,
            before=self.before,
            current=self.current,
            target_revisions=self.targets,
            pending=self.pending,
            applied=applied[-_LISTED:],
            applied_count=len(applied),
            failure=failed.told(report.words) if failed is not None else None,
            owner=self.owner,
            plan=self.receipt if failed is None else None,
            verification=self.verification,
            warnings=report.warnings,
            started_at=started,
            finished_at=now(),
            records=report.count,
            records_sha256=report.sha256,
        )
