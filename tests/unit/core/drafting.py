"""Plans as a plan run would make them, for the tests of decisions."""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.plan import Direction, Lock, PlanDocument, Statement, Step, StepKind
from alembic_operator.contract.result import Outcome, PlanReceipt
from alembic_operator.core.model.decision import Decision
from alembic_operator.core.model.draft import Draft, NoDraft
from alembic_operator.core.model.findings import Finding

from .world import Run, World


def document(
    seed: object = 0,
    *sql: str,
    direction: Direction = Direction.UPGRADE,
    evidence: str = "Shadow",
    to: str = "b2",
) -> PlanDocument:
    """A plan of one step; another `seed` is another journal, and so another digest."""
    inputs, statements = (
        {"seed": str(seed), "to": to},
        [statement(text) for text in sql or ("CREATE TABLE t (id int)",)],
    )
    step = Step(to, StepKind.SQL, message="add t", statements=statements)
    digests = inputs_digest(inputs), statements_digest([step])
    return PlanDocument(
        direction=direction,
        evidence=evidence,
        from_revisions=["a1"],
        to_revisions=[to],
        inputs=inputs,
        inputs_digest=digests[0],
        statements_digest=digests[1],
        digest=plan_digest(*digests),
        bundle_digest="sha256:" + "b" * 64,
        journal_id=1,
        identity="sha256:00",
        server_major=16,
        search_path=["public"],
        steps=[step],
    )


def statement(sql: str) -> Statement:
    """One that locks a table that was there."""
    value, ddl = text_fingerprint(sql)
    return Statement(sql, fingerprint=value, ddl=ddl, locks=[Lock("public.orders", "ShareLock")])


def plans(
    world: World,
    made: PlanDocument | NoDraft,
    findings: tuple[Finding, ...] = (),
    waiver_faults: tuple[str, ...] = (),
    run: Run | None = None,
) -> Decision:
    """The plan run that goes on has made that plan, and we look."""
    run = run or world.run()
    digest = made.digest if isinstance(made, PlanDocument) else "sha256:" + "0" * 64
    run.draft = Draft(made, findings, waiver_faults) if isinstance(made, PlanDocument) else made
    result = world.result(Outcome.PLANNED, run, current=["a1"], pending=1)
    return world.ends(replace(result, plan=PlanReceipt(digest, "0" * 64, 1, 1)).to_json(), run=run)
