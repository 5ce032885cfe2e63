"""Random worlds with plans: whatever people, pods and the API server do, nothing runs that was not approved.

Each look is checked by `laws.check_laws`. What is asked here of each run that starts is answered by other means than
the code's: from what the people of the test did.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alembic_operator.api.plan import Decision as Decided
from alembic_operator.contract.plan import Direction
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome
from alembic_operator.core.model.decision import StartRun
from alembic_operator.core.model.draft import NoDraft
from alembic_operator.core.model.findings import Finding, Severity

from .drafting import document, plans
from .random_worlds import worlds_of
from .world import SPEC, Run, World, request_of, state_of

REVISIONS = ["a1", "b2", "c3"]
DIRECTIONS = st.sampled_from([Direction.UPGRADE, Direction.UPGRADE, Direction.DOWNGRADE, Direction.REPAIR])
REASONS = st.sampled_from(
    [
        Reason.LOCK_TIMEOUT,
        Reason.PLAN_CHANGED,
        Reason.STATEMENT_MISMATCH,
        Reason.OUTCOME_UNKNOWN,
        Reason.SECRET_NOT_FOUND,
    ]
)


def finding(rule: str, severity: Severity, waived_until: str = "") -> Finding:
    return Finding(
        rule,
        severity,
        "b2",
        "public.orders",
        "m",
        "f",
        waived_by="T-1" if waived_until else "",
        waived_until=waived_until,
    )


FINDINGS = st.sampled_from(
    [
        (),
        (finding("destructive", Severity.ERROR),),
        (finding("destructive", Severity.ERROR, "2026-11-23"),),
        (finding("destructive", Severity.ERROR, "2026-11-22"),),
        (finding("fk-index", Severity.WARNING),),
        (finding("transaction-escape", Severity.ERROR),),
    ]
)


class Reviews(RuleBasedStateMachine):
    """What may happen to a resource whose changes are reviewed."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(spec=copy.deepcopy(SPEC))
        self.asks: dict[str, bool] = {}  # by digest: whether it needs a decision while the mode is OnFindings
        self.made = self.checked = 0

    @initialize(mode=st.sampled_from(["OnFindings", "Required", "Auto"]))
    def begin(self, mode: str) -> None:
        self.world.spec["review"] = {"mode": mode, "evidence": "Shadow"}

    def names(self) -> list[str]:
        """Of the plans that there are, mostly the one that counts."""
        current = (self.world.status.get("plan") or {}).get("name", "")
        plans = sorted(self.world.answers.plans)
        return [*plans, *[current] * 4] if current in plans else plans

    def unfinished(self, kind: RunKind | None = None) -> list[Run]:
        return [r for r in self.world.runs.values() if not r.over and kind in (None, request_of(r).kind)]

    # People

    @rule(data=st.data(), what=st.sampled_from(["revision", "mode", "git", "git", "git", "nothing", "nothing"]))
    def edit(self, data: st.DataObject, what: str) -> None:
        """Mostly what asks for a decision, or gives one: other edits begin anew."""
        review, digests = self.world.spec["review"], [self.world.answers.plans[n].plan.digest for n in self.names()]
        if what == "revision":
            self.world.edit(revision=data.draw(st.sampled_from(REVISIONS)))
        if what == "mode":
            mode = data.draw(st.sampled_from(["Auto", "OnFindings", "Required"]))
            self.world.edit(review={"mode": mode, "evidence": "Shadow"})
        if what == "git" and digests:
            digest = data.draw(st.sampled_from([*digests, "", "sha256:" + "0" * 64]))
            self.world.edit(review={**review, "approvedDigest": digest})
        self.world.look()

    @precondition(lambda self: self.world.answers.plans)
    @rule(data=st.data(), kind=st.sampled_from(["Approve", "Approve", "Reject"]))
    def decide(self, data: st.DataObject, kind: str) -> None:
        name = data.draw(st.sampled_from(self.names()))
        plan = self.world.answers.plans[name]
        if plan.decision is None:
            self.world.answers.plans[name] = replace(plan, decision=Decided(kind, "dana@example.com"))
            self.world.look()

    @precondition(lambda self: self.world.answers.plans)
    @rule(data=st.data(), forged=st.booleans())
    def spoil_plan(self, data: st.DataObject, forged: bool) -> None:
        """One is deleted, or made by somebody else with an approval in it."""
        name = data.draw(st.sampled_from(sorted(self.world.answers.plans)))
        plan = self.world.answers.plans.pop(name)
        if forged:
            self.world.answers.plans[name] = replace(plan, schema_uid="another", decision=Decided("Approve", "mallory"))

    @rule(
        floor=st.sampled_from(["", "", "OnFindings", "Required"]),
        policies=st.booleans(),
        fault=st.sampled_from(["", "", "", "ConfigMap x is not there"]),
    )
    def weather(self, floor: str, policies: bool, fault: str) -> None:
        self.world.answers.floor, self.world.answers.sql_fault = floor, fault
        self.world.installation = replace(self.world.installation, admission_policies=policies)

    @rule(token=st.sampled_from(["1", "2", "3"]), which=st.sampled_from(["reconcile_at", "retry_at"]))
    def ask(self, token: str, which: str) -> None:
        self.world.annotate(**{which: token})

    # Pods

    @rule(seconds=st.sampled_from([1, 61, 700]))
    def time(self, seconds: float) -> None:
        self.world.passes(seconds)
        self.world.sweep()
        self.world.look()

    @precondition(lambda self: self.unfinished(RunKind.PLAN))
    @rule(findings=FINDINGS, direction=DIRECTIONS, again=st.booleans())
    def plan_is_made(self, findings: tuple[Finding, ...], direction: Direction, again: bool) -> None:
        (run,) = self.unfinished(RunKind.PLAN)
        self.made += not again
        made = document(self.made, direction=direction, to=request_of(run).revision)
        loud = any(one.severity is Severity.ERROR and one.waived_until != "2026-11-23" for one in findings)
        self.asks.setdefault(made.digest, loud or direction is not Direction.UPGRADE)
        self.asks[made.digest] |= loud  # a plan that is there keeps the findings that it was stored with
        plans(self.world, made, findings, run=run)

    @precondition(lambda self: self.unfinished(RunKind.PLAN))
    @rule(findings=FINDINGS)
    def another_plan_is_made(self, findings: tuple[Finding, ...]) -> None:
        self.plan_is_made(findings, Direction.UPGRADE, again=False)

    @precondition(lambda self: self.unfinished(RunKind.PLAN))
    @rule(reason=st.sampled_from([Reason.LINT_FAILED, Reason.RUNNER_PROTOCOL_ERROR]))
    def plan_cannot_be_read(self, reason: Reason) -> None:
        plans(self.world, NoDraft(reason, "It took too long."), run=self.unfinished(RunKind.PLAN)[0])

    @precondition(lambda self: self.unfinished())
    @rule(left=st.sampled_from([0, 0, 2]))
    def run_ends_well(self, left: int) -> None:
        (run,) = self.unfinished()
        if request_of(run).kind is RunKind.APPLY:
            self._end(run, Outcome.APPLIED)
        else:
            self._end(run, Outcome.BEHIND if left or request_of(run).kind is RunKind.CHECK else Outcome.UP_TO_DATE)

    def _end(self, run: Run, outcome: Outcome) -> None:
        left = 1 if outcome is Outcome.BEHIND and request_of(run).kind is RunKind.CHECK else 0
        self.world.ends(self.world.result(outcome, run, pending=left).to_json(), run=run)

    @precondition(lambda self: self.unfinished())
    @rule(reason=REASONS)
    def run_fails(self, reason: Reason) -> None:
        self.world.fails(reason)

    @precondition(lambda self: self.unfinished())
    @rule()
    def pod_is_killed(self) -> None:
        self.world.ends(exit_code=137)

    @precondition(lambda self: self.unfinished())
    @rule()
    def pod_starts(self) -> None:
        (run,) = self.unfinished()
        if not any("terminated" in state_of(pod) for pod in run.pods):
            self.world.pod(run, {"running": {"startedAt": "2026-11-23T12:00:00Z"}})

    # The operator

    @rule(killed=st.booleans())
    def look(self, killed: bool) -> None:
        self.world.look(crash=killed)
        if killed:
            return
        status = dict(self.world.status)
        again = self.world.look()
        if not again.actions:
            assert self.world.status == status or again.finished

    @invariant()
    def nothing_starts_unapproved(self) -> None:
        for start in self.world.started[self.checked :]:
            self.check(start)
        self.checked = len(self.world.started)

    def check(self, start: StartRun) -> None:
        """Nobody but those who may has let this run start."""
        request, world = start.request, self.world
        if request.kind is not RunKind.APPLY:
            assert request.approved is None
            return
        approved = request.approved
        assert approved is not None, "an apply run without a plan"
        if not approved.name:
            assert approved.digest == ""
            assert approved.from_revisions == approved.to_revisions, "it claims, and sends nothing"
            return
        plan = world.answers.plans[approved.name]
        assert plan.schema_uid == world.raw()["metadata"]["uid"]
        assert (plan.uid, plan.plan.digest) == (approved.uid, approved.digest)
        assert start.plan == plan
        review = world.spec["review"]
        decision = plan.decision if world.installation.admission_policies else None
        assert decision is None or decision.type == "Approve"
        by_person = decision is not None or review.get("approvedDigest") == approved.digest
        required = "Required" in (review["mode"], world.answers.floor)
        assert by_person or not (required or plan.plan.direction != "Upgrade")
        assert not by_person or not world.answers.sql_fault or not (required or self.asks[approved.digest])
        if not by_person and review["mode"] != "Auto":
            assert not any(
                each.severity == "error" and each.waived_until != "2026-11-23"
                for step in plan.plan.steps
                for each in step.findings
            )


Reviews.TestCase.settings = worlds_of(examples=120, steps=60)
TestReviews = Reviews.TestCase
