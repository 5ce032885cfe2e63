"""A world to decide about: one resource, its Jobs and pods as raw objects, and a clock. Pure, as `decide` is.

`look` does what the control loop does with a decision, and holds every decision to what must always be true.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.instant import to_text
from alembic_operator.api.status import Status, parse_status, status_to_raw
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.contract.result import DatabaseFacts, Failure, Outcome, RunResult
from alembic_operator.core.job.manifest import build_job
from alembic_operator.core.model.decision import Decision, DeleteJob, NameTaken, NotAdmitted, StartRun
from alembic_operator.core.model.draft import Draft, NoDraft
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import Observed, Pod, parse_job, parse_pod, parse_progress, parse_schema

from .answering import Answers
from .laws import check_laws

INSTALLATION = Installation("cluster-1", hashlib.sha256(b"runner").hexdigest(), "")
UID = "6f1c1f9e-0000-4000-8000-000000000001"
IMAGE = "registry.example/shop@sha256:" + "0" * 64
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FACTS = DatabaseFacts("PostgreSQL", "16.4", "sha256:00")
SPEC: dict[str, Any] = {
    "database": {"secretRef": {"name": "shop-db"}},
    "migrations": {"image": IMAGE},
    "revision": "b2",
    "review": {"mode": "Auto", "evidence": "Static"},
}
Raw = dict[str, Any]


@dataclass(repr=False)
class Run:
    """A Job with its pods, as the cluster holds them."""

    job: Raw
    pods: list[Raw] = field(default_factory=list)
    refusal: str = ""
    progress: Raw | None = None
    draft: Draft | NoDraft | None = None

    def __repr__(self) -> str:
        """Short, as hypothesis prints every step."""
        return self.name

    @property
    def name(self) -> str:
        """The Job's."""
        name: str = self.job["metadata"]["name"]
        return name

    @property
    def over(self) -> bool:
        """Whether nothing of it runs, or will."""
        ended = bool(self.pods) and all("terminated" in state_of(pod) for pod in self.pods)
        return ended or bool(self.job["status"].get("conditions"))


def state_of(pod: Raw) -> Raw:
    """That of the pod's first container."""
    containers = pod["status"].get("containerStatuses") or [{"state": {}}]
    state: Raw = containers[0]["state"]
    return state


@dataclass
class World:
    """One resource `shop/shop` and what surrounds it."""

    spec: Raw = field(default_factory=lambda: copy.deepcopy(SPEC))
    now: datetime = NOON
    generation: int = 1
    annotations: dict[str, str] = field(default_factory=dict)
    status: Raw = field(default_factory=lambda: {"observedGeneration": -1})
    runs: dict[str, Run] = field(default_factory=dict)
    development: bool | None = None
    owner_gone: bool = False
    refusal: str = ""
    taken: bool = False
    deleting: bool = False
    installation: Installation = INSTALLATION
    writes: int = 0
    answers: Answers = field(default_factory=Answers)
    started: list[StartRun] = field(default_factory=list)

    # What is done to it

    def edit(self, **changes: Any) -> None:
        """Change fields of the spec."""
        self.spec = {**self.spec, **changes}
        self.generation += 1

    def annotate(self, **annotations: str) -> None:
        """Set annotations, `retry_at="1"` for alembic-operator.dev/retry-at."""
        self.annotations |= {f"{names.GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}

    def passes(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def wait(self) -> Decision:
        """Time passes until the next run is due, and we look."""
        due = datetime.fromisoformat(self.status["nextRunAfter"].replace("Z", "+00:00"))
        self.now = max(self.now, due)
        return self.look()

    def run(self) -> Run:
        """The one that is not over."""
        (found,) = (run for run in self.runs.values() if not run.over)
        return found

    def pod(self, run: Run, state: Raw, **status: Any) -> None:
        """The newest pod of the run that has not ended, or a new one, in that state."""
        if not run.pods or "terminated" in state_of(run.pods[-1]):
            name = f"{run.name}-pod{len(run.pods)}"
            run.pods.append({"metadata": {"name": name, "uid": name}})
        run.pods[-1]["status"] = {"containerStatuses": [{"name": "migration", "state": state}], **status}

    def starts(self) -> Decision:
        """The pod's container runs, and we look."""
        self.pod(self.run(), {"running": {"startedAt": to_text(self.now)}})
        return self.look()

    def ends(self, message: str = "", exit_code: int = 0, reason: str = "", run: Run | None = None) -> Decision:
        """The pod's container ends, and we look."""
        ended = {"exitCode": exit_code, "reason": reason, "message": message, "startedAt": to_text(self.now)}
        self.pod(run or self.run(), {"terminated": {**ended, "finishedAt": to_text(self.now)}})
        return self.look()

    def result(self, outcome: Outcome, run: Run | None = None, **more: Any) -> RunResult:
        """What the runner of that run says."""
        asked = request_of(run or self.run())
        facts = {"before": ["a1"], "current": ["b2"], "database": FACTS, "target_revisions": ["b2"], "pending": 0}
        return RunResult(asked.kind, outcome, asked.target.uid, asked.generation, asked.job, **{**facts, **more})

    def reports(self, outcome: Outcome, **more: Any) -> Decision:
        """The run says how it went, and we look."""
        return self.ends(self.result(outcome, **more).to_json())

    def fails(self, reason: Reason, message: str = "It went wrong.", **more: Any) -> Decision:
        """The run says why it failed, and we look."""
        owner = more.pop("owner", None)
        failure = Failure(reason, message, **more)
        result = self.result(
            Outcome.FAILED, failure=failure, owner=owner, current=None, before=None, database=None, target_revisions=[]
        )
        return self.ends(replace(result, pending=None).to_json(), exit_code=1)

    def finish_job(self, run: Run, kind: str = "Failed", reason: str = "BackoffLimitExceeded") -> None:
        """The Job's own condition."""
        run.job["status"]["conditions"] = [{"type": kind, "status": "True", "reason": reason, "message": ""}]

    def meets_deadline(self, run: Run) -> None:
        """The Job's deadline passes: its pods that have not ended go."""
        run.pods = [pod for pod in run.pods if "terminated" in state_of(pod)]
        self.finish_job(run, reason="DeadlineExceeded")

    def sweep(self) -> None:
        """What is being deleted goes."""
        self.runs = {name: run for name, run in self.runs.items() if "deletionTimestamp" not in run.job["metadata"]}

    # The operator

    def raw(self) -> Raw:
        """The resource."""
        meta = {
            "namespace": "shop",
            "name": "shop",
            "uid": UID,
            "resourceVersion": "1",
            "generation": self.generation,
            "annotations": self.annotations,
            **({"deletionTimestamp": to_text(self.now)} if self.deleting else {}),
        }
        return {"metadata": meta, "spec": self.spec, "status": self.status}

    def observe(self) -> Observed:
        """What is read of it."""
        jobs = []
        for run in self.runs.values():
            job = parse_job(run.job)
            assert job is not None
            progress = None if run.progress is None else parse_progress(run.progress)
            jobs.append(replace(job, pods=pods_of(run), refusal=run.refusal, progress=progress, draft=run.draft))
        return Observed(
            parse_schema(self.raw()),
            tuple(sorted(jobs, key=lambda job: job.attempt)),
            development=self.development,
            owner_gone=self.owner_gone,
        )

    def look(self, *, crash: bool = False) -> Decision:
        """Decide and do it; with `crash` the operator is killed between the Jobs and the status."""
        observed = self.observe()
        observed, decision = self.answers.decided(observed, self.now, self.installation)
        starts = [action for action in decision.actions if isinstance(action, StartRun)]
        if starts and (self.taken or self.refusal):
            failed = NameTaken(f"Job {starts[0].request.job}") if self.taken else NotAdmitted("the Job", self.refusal)
            observed, decision = self.answers.decided(observed, self.now, self.installation, failed)
        check_laws(observed, decision, [run.name for run in self.runs.values() if not run.over])
        self._act(observed, decision)
        if not crash:
            self.writes += decision.status != observed.schema.status
            self.status = json.loads(json.dumps(status_to_raw(decision.status)))
            for old in decision.old_jobs:
                del self.runs[old.name]
        return decision

    def _act(self, observed: Observed, decision: Decision) -> None:
        for action in decision.actions:
            if isinstance(action, StartRun):
                assert observed.schema.spec is not None
                body = build_job(observed.schema, observed.schema.spec, action, self.installation)
                body["metadata"] |= {"uid": f"uid-{action.attempt}", "creationTimestamp": to_text(self.now)}
                body["status"] = {}
                assert action.request.job not in self.runs
                self.runs[action.request.job] = Run(body)
                self.started.append(action)
            elif isinstance(action, DeleteJob):
                self.runs[action.name].job["metadata"]["deletionTimestamp"] = to_text(self.now)

    # What is there to see

    @property
    def parsed(self) -> Status:
        """The status."""
        return parse_status(self.status)

    def ready(self) -> tuple[str, str, str]:
        """Status, reason and message of Ready."""
        found = self.parsed.condition("Ready")
        assert found is not None
        return found.status, found.reason, found.message

    def reason(self) -> str:
        """The reason of Ready."""
        return self.ready()[1]

    def others(self) -> dict[str, str]:
        """The reasons of the conditions beside Ready."""
        return {c.type: c.reason for c in self.parsed.conditions if c.type != "Ready"}


def pods_of(run: Run) -> tuple[Pod, ...]:
    """As they are read."""
    return tuple(parse_pod(pod) for pod in run.pods)


def request_of(run: Run) -> RunRequest:
    """What the Job asks for."""
    job = parse_job(run.job)
    assert job is not None
    return RunRequest.from_json(job.request)


def migrating(**spec: Any) -> World:
    """A world in which the first run has just been created."""
    world = World(spec={**copy.deepcopy(SPEC), **spec})
    world.look()
    return world


def up_to_date(**spec: Any) -> World:
    """A world in which the first run has succeeded, and its Job is over."""
    world = migrating(**spec)
    run = world.run()
    world.reports(Outcome.APPLIED, applied_count=1)
    world.finish_job(run, "Complete", "CompletionsReached")
    return world


OTHER_OWNER = Owner("cluster-1", "other", "shop", "6f1c1f9e-0000-4000-8000-00000000000f")
CHECK, APPLY = RunKind.CHECK, RunKind.APPLY
