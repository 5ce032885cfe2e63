"""A database that is a list, and what the runner would say of it: plans, outcomes, and plans that are out of date."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.plan import Direction, Lock, PlanDocument, Statement, Step, StepKind
from alembic_operator.contract.plan_records import pack
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.contract.result import AppliedRevision, DatabaseFacts, Failure, Outcome, PlanReceipt, RunResult

REVISIONS = [f"{letter}{number}" for number, letter in enumerate("abcdefghijklmnop", 1)]


@dataclass
class Database:
    """One history, and how far it was applied.

    Attributes:
        runs: the apply runs that sent something.
        sent: the revisions that they sent, in order.
        owner: who claimed it, as the journal has it; None while nobody has.
        version: of the runner, which comes with the operator.
    """

    version: str = "1"
    current: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    owner: Owner | None = None
    documents: dict[str, PlanDocument] = field(default_factory=dict)

    def answer(self, request: RunRequest) -> RunResult:
        """What the runner would say, having done it."""
        before = list(self.current)
        if self.is_anothers(request):
            return self.owned(request)
        pending = REVISIONS[len(before) : REVISIONS.index(request.revision) + 1]
        if request.kind is RunKind.PLAN and pending:
            return self.planned(request, before[-1:], pending)
        if self.is_other(request, before[-1:]):
            return self.refused(request)
        claims = request.kind is RunKind.PLAN and self.owner != request.target
        if request.kind is RunKind.APPLY:
            self.owner = request.target
            self.current += pending
            self.sent += pending
            if pending:
                self.runs.append(request.job)
        done = pending if request.kind is RunKind.APPLY else []
        left = 0 if request.kind is RunKind.APPLY else len(pending)
        outcome = Outcome.APPLIED if done else Outcome.BEHIND if left or claims else Outcome.UP_TO_DATE
        return RunResult(
            kind=request.kind,
            outcome=outcome,
            target_uid=request.target.uid,
            generation=request.generation,
            job=request.job,
            database=DatabaseFacts("PostgreSQL", "16.4", "sha256:00"),
            before=before[-1:],
            current=self.current[-1:],
            target_revisions=request.wanted,
            pending=left,
            applied=[AppliedRevision(revision, 1, 0.1) for revision in done],
            applied_count=len(done),
            owner=self.other_owner(request),
        )

    def is_anothers(self, request: RunRequest) -> bool:
        """Whether somebody else manages it whom the run may not replace."""
        other = self.other_owner(request)
        return other is not None and other.uid != request.replace_owner

    def other_owner(self, request: RunRequest) -> Owner | None:
        """Who manages it instead of the run's own resource."""
        return self.owner if self.owner is not None and self.owner.uid != request.target.uid else None

    def owned(self, request: RunRequest) -> RunResult:
        """What the runner would say of a database that is another's."""
        failure = Failure(Reason.TARGET_OWNED, "Another one manages it.")
        return replace(result_of(request, Outcome.FAILED), failure=failure, owner=self.owner, current=self.current[-1:])

    def planned(self, request: RunRequest, before: list[str], pending: list[str]) -> RunResult:
        """What the runner would say having planned that."""
        document = draft_document(request, before, pending, journal=len(self.runs), version=self.version)
        self.documents[request.job] = document
        packed = pack(document)
        receipt = PlanReceipt(document.digest, packed.sha256, packed.size, len(packed.parts))
        return replace(
            result_of(request, Outcome.PLANNED),
            plan=receipt,
            owner=self.other_owner(request),
            before=before,
            current=before,
            target_revisions=request.wanted,
            pending=len(pending),
        )

    def is_other(self, request: RunRequest, before: list[str]) -> bool:
        """Whether an approved plan was made for something else than what is there."""
        approved = request.approved
        if request.kind is not RunKind.APPLY or approved is None or not approved.name:
            return False
        pending = REVISIONS[len(self.current) : REVISIONS.index(request.revision) + 1]
        now = draft_document(request, before, pending, journal=len(self.runs), version=self.version)
        return approved.digest != now.digest

    def refused(self, request: RunRequest) -> RunResult:
        """What the runner would say of such a plan."""
        failure = Failure(Reason.PLAN_CHANGED, "The database has another revision than the plan was made for.")
        return replace(result_of(request, Outcome.FAILED), failure=failure)


def result_of(request: RunRequest, outcome: Outcome) -> RunResult:
    """A result that names its run."""
    facts = DatabaseFacts("PostgreSQL", "16.4", "sha256:00")
    return RunResult(request.kind, outcome, request.target.uid, request.generation, request.job, database=facts)


def draft_document(
    request: RunRequest, before: list[str], pending: list[str], journal: int, version: str = "1"
) -> PlanDocument:
    """A plan that adds a table a revision."""
    steps = [Step(each, StepKind.SQL, statements=[statement(each)], message=f"add {each}") for each in pending]
    inputs = {
        "schema": request.target.uid,
        "image": request.image,
        "database": "sha256:00",
        "journal": journal,
        "from": before,
        "to": pending[-1:],
        "direction": "Upgrade",
        "bundle": "sha256:" + "b" * 64,
        "steering": {
            "role": request.role,
            "searchPath": request.search_path or ["public"],
            "path": request.path,
            "python": request.python,
            "configFile": request.config_file,
            "environment": request.environment,
            "env": request.env_names,
        },
        "versions": {"runner": version},
    }
    digests = inputs_digest(inputs), statements_digest(steps)
    return PlanDocument(
        direction=Direction.UPGRADE,
        evidence=request.evidence,
        from_revisions=before,
        to_revisions=pending[-1:],
        inputs=inputs,
        inputs_digest=digests[0],
        statements_digest=digests[1],
        digest=plan_digest(*digests),
        bundle_digest="sha256:" + "b" * 64,
        journal_id=journal,
        identity="sha256:00",
        server_major=16,
        search_path=["public"],
        steps=steps,
    )


def statement(revision: str) -> Statement:
    """One that makes a table."""
    sql = f"CREATE TABLE t_{revision} (id bigint PRIMARY KEY)"
    value, ddl = text_fingerprint(sql)
    return Statement(sql, fingerprint=value, ddl=ddl, locks=[Lock("public.old", "ShareLock")])
