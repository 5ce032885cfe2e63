"""Random worlds: whatever people, pods and the API server do, and wherever the operator is killed, the laws hold.

Each look is checked by `laws.check_laws`; here stands what happens between the looks, and what must hold over several.
"""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alembic_operator.api.status import parse_status
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import Owner
from alembic_operator.contract.result import AppliedRevision, DatabaseFacts, Failure, Outcome, RunResult
from alembic_operator.control.watch.event_filter import EventFilter
from alembic_operator.core.model.decision import DeleteJob

from .random_worlds import worlds_of
from .world import Run, World, request_of, state_of

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
LONG = st.one_of(WORDS, st.sampled_from(["x" * 2000, "ä" * 1025, "wörter " * 300]))
SHORT = st.one_of(st.just(""), WORDS, st.just("r" * 70))
RUN_REASONS = [
    reason for reason in Reason if reason.reason_class in (ReasonClass.RETRY, ReasonClass.WAIT, ReasonClass.STOP)
]
FAILURES = st.builds(Failure, st.sampled_from(RUN_REASONS), LONG.filter(bool), SHORT, st.integers(0, 9), SHORT, LONG)
OWNERS = st.builds(Owner, st.just("cluster-1"), st.just("other"), st.sampled_from(["shop", "till"]), st.just("uid-9"))
ROWS = st.one_of(st.none(), st.lists(SHORT, max_size=3), st.just([f"head{n}" for n in range(100)]))
RESULTS = st.fixed_dictionaries(
    {
        "database": st.one_of(st.none(), st.builds(DatabaseFacts, SHORT, LONG, SHORT)),
        "before": ROWS,
        "current": ROWS,
        "target_revisions": st.one_of(st.lists(SHORT, max_size=3), st.just([f"head{n}" for n in range(100)])),
        "pending": st.one_of(st.none(), st.integers(0, 500)),
        "applied": st.lists(st.builds(AppliedRevision, SHORT, st.integers(0, 9), st.floats(0, 9)), max_size=3),
        "applied_count": st.integers(0, 9),
        "owner": st.one_of(st.none(), OWNERS),
        "warnings": st.lists(LONG.filter(bool), max_size=2),
        "started_at": st.sampled_from(["", "2026-11-23T11:00:00Z", "2026-11-23 11:00:00", "yesterday"]),
        "finished_at": st.sampled_from(["", "2026-11-23T11:59:00Z", "2026-11-23T11:59:00.25+01:00", "later"]),
    }
)
PULL = st.sampled_from(["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "ContainerCreating"])
DONE = (Outcome.APPLIED, Outcome.UP_TO_DATE, Outcome.AHEAD)


class Worlds(RuleBasedStateMachine):
    """What may happen to a resource."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(limit=st.integers(0, 3), history=st.integers(0, 3))
    def begin(self, limit: int, history: int) -> None:
        self.world.spec |= {"retry": {"limit": limit, "backoff": "10s"}, "historyLimit": history}

    def unfinished(self) -> list[Run]:
        return [run for run in self.world.runs.values() if not run.over]

    # People

    @rule(revision=st.sampled_from(["a1", "b2", "head"]), suspend=st.booleans())
    def edit(self, revision: str, suspend: bool) -> None:
        self.world.edit(revision=revision, suspend=suspend)

    @rule()
    def spoil(self) -> None:
        self.world.edit(migrations={})

    @rule()
    def mend(self) -> None:
        self.world.edit(migrations=World().spec["migrations"], suspend=False, revision="b2")

    @rule(token=st.sampled_from(["1", "2", "t" * 400]), which=st.sampled_from(["reconcile_at", "retry_at"]))
    def ask(self, token: str, which: str) -> None:
        self.world.annotate(**{which: token})

    @rule()
    def take_over(self) -> None:
        self.world.annotate(take_over="uid-9")

    @rule(development=st.sampled_from([None, True, False]))
    def label(self, development: bool | None) -> None:
        self.world.development = development

    @precondition(lambda self: self.world.runs)
    @rule(data=st.data(), at_once=st.booleans())
    def delete_job(self, data: st.DataObject, at_once: bool) -> None:
        run = data.draw(st.sampled_from(list(self.world.runs.values())))
        run.job["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
        if at_once:
            self.world.sweep()

    # The cluster

    @rule(refusal=st.sampled_from(["", "exceeded quota: pods"]), taken=st.booleans(), gone=st.booleans())
    def weather(self, refusal: str, taken: bool, gone: bool) -> None:
        self.world.refusal, self.world.taken, self.world.owner_gone = refusal, taken, gone

    @rule(seconds=st.sampled_from([0.5, 9, 61, 700]))
    def time(self, seconds: float) -> None:
        self.world.passes(seconds)

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), reason=PULL, words=LONG)
    def pod_waits(self, data: st.DataObject, reason: str, words: str) -> None:
        run = data.draw(st.sampled_from(self.unfinished()))
        assume(not any("running" in state_of(pod) for pod in run.pods))
        self.world.pod(run, {"waiting": {"reason": reason, "message": words}})

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), words=LONG)
    def pods_are_refused(self, data: st.DataObject, words: str) -> None:
        data.draw(st.sampled_from(self.unfinished())).refusal = words

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), revision=st.one_of(SHORT, st.none(), st.integers()), statement=st.integers(-1, 2**40))
    def pod_runs(self, data: st.DataObject, revision: object, statement: int) -> None:
        run = data.draw(st.sampled_from(self.unfinished()))
        self.world.pod(run, {"running": {"startedAt": "2026-11-23T12:00:00Z"}})
        run.progress = {"revision": revision, "statement": statement, "blockedBy": data.draw(LONG)}

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), outcome=st.sampled_from(Outcome), more=RESULTS, failure=FAILURES)
    def pod_reports(self, data: st.DataObject, outcome: Outcome, more: dict[str, object], failure: Failure) -> None:
        run = data.draw(st.sampled_from(self.unfinished()))
        asked = request_of(run)
        result = RunResult(asked.kind, outcome, asked.target.uid, asked.generation, asked.job)
        result = replace(result, **more, failure=failure if outcome is Outcome.FAILED else None)  # type: ignore[arg-type]
        self._end(run, result.to_json())

    @precondition(lambda self: self.unfinished())
    @rule(
        data=st.data(),
        text=st.sampled_from(["", "{", json.dumps({"version": 2}), "null", "[]"]),
        code=st.sampled_from([0, 1, 137, 143]),
        reason=st.sampled_from(["", "Error", "OOMKilled", "StartError", "ContainerStatusUnknown"]),
    )
    def pod_ends(self, data: st.DataObject, text: str, code: int, reason: str) -> None:
        self._end(data.draw(st.sampled_from(self.unfinished())), text, code, reason)

    def _end(self, run: Run, text: str, code: int = 0, reason: str = "") -> None:
        started = None if reason == "ContainerStatusUnknown" else "2026-11-23T12:00:00Z"
        ended = {"exitCode": code, "reason": reason, "message": text, "startedAt": started, "finishedAt": None}
        self.world.pod(run, {"terminated": ended})

    @precondition(lambda self: self.world.runs)
    @rule(data=st.data(), reason=st.sampled_from(["DeadlineExceeded", "BackoffLimitExceeded", "PodFailurePolicy"]))
    def job_fails(self, data: st.DataObject, reason: str) -> None:
        run = data.draw(st.sampled_from(list(self.world.runs.values())))
        if reason == "DeadlineExceeded":
            self.world.meets_deadline(run)
        else:
            self.world.finish_job(run, reason=reason)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    # The operator

    @rule(killed=st.booleans())
    def look(self, killed: bool) -> None:
        if killed:
            self.world.look(crash=True)
            return
        decision = self.world.look()
        wants_more = EventFilter().schema(None, self.world.raw()) != []
        assert wants_more == (decision.requeue_after is not None), "slept through, or woken for nothing"
        if any(isinstance(action, DeleteJob) for action in decision.actions):
            return
        before, started = dict(self.world.status), len(self.world.started)
        again = self.world.look()
        assert not (again.actions or again.events or again.finished)
        assert self.world.status == before
        assert len(self.world.started) == started

    @invariant()
    def one_run_at_a_time(self) -> None:
        assert len(self.unfinished()) <= 1

    def teardown(self) -> None:
        """From any world the resource comes to rest, and to the truth, once people and pods behave."""
        world = self.world
        world.edit(migrations=World().spec["migrations"], suspend=False, revision="b2")
        world.development, world.refusal, world.taken, world.owner_gone = None, "", False, False
        for _ in range(20):
            world.sweep()
            world.passes(700)
            world.look()
            for run in self.unfinished():
                if not run.job["metadata"].get("deletionTimestamp"):
                    self._end(run, world.result(Outcome.UP_TO_DATE, run).to_json())
            status = parse_status(world.status)
            if not self.unfinished() and status.run is None and world.reason() == "UpToDate":
                break
        assert (world.ready()[:2], world.parsed.observed_generation) == (("True", "UpToDate"), world.generation)
        assert world.parsed.failures == 0
        assert world.parsed.last_failure is None
        assert world.parsed.current_revisions == ("b2",)


Worlds.TestCase.settings = worlds_of(examples=150, steps=30)
TestWorlds = Worlds.TestCase
