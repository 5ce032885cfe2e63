"""A storm over one resource in memory: faults by a seed, second by second, and a kubelet that runs what there is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.component.memory_cluster import Crash
from tests.component.memory_kubelet import JOB_NAME
from tests.component.memory_store import Object

from alembic_operator.api import names
from alembic_operator.cluster.errors import Unavailable
from alembic_operator.contract import job_env
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunRequest
from alembic_operator.contract.result import Failure, Outcome, RunResult

from .database import REVISIONS, result_of
from .story import NAME, NAMESPACE, SPEC, Story

OTHER = "00000000-0000-4000-8000-000000000000"
MADE = ("jobs", "pods", "schemaplans", "configmaps")
REVIEWS: tuple[dict[str, Any], ...] = (
    SPEC["review"],
    {"mode": "OnFindings", "evidence": "Shadow"},
    {"mode": "Required", "evidence": "Shadow"},
)
# How a run ends that a fault of the server or of the network meets.
FAILURES = (Reason.CONNECTION_LOST, Reason.DATABASE_UNREACHABLE, Reason.LOCK_TIMEOUT, Reason.INTERRUPTED)


class Storm:
    """One resource `shop/shop`; `log` tells what happened, for a test that fails."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311
        self.story = Story()
        self.cluster = self.story.cluster
        self.review = REVIEWS[seed % len(REVIEWS)]
        self.target = 1
        self.suspended = False
        self.there = False
        self.raging = True
        self.log: list[str] = []
        self.born: dict[str, float] = {}

    async def rages(self, seconds: int) -> None:
        """Faults for so long."""
        self.put()
        for _ in range(seconds):
            if self.dice.random() < 0.25:
                fault = self.dice.choice(self.faults())
                self.log.append(f"{self.now():.0f} {fault.__name__}")
                fault()
            await self.second()
        self.raging = self.cluster.deaf = False
        self.cluster.calm()
        self.suspended = False
        self.put()
        self.relist()

    async def calm(self, at_most: int) -> int | None:
        """Seconds until everything is at its end; None where that is later than that. The hourly look comes first."""
        await self.story.resync.look()
        for second in range(at_most + 1):
            self.approve()
            if not self.unfinished():
                return second
            await self.second()
        return None

    def unfinished(self) -> list[str]:
        """What is not at its end."""
        ready, target = self.story.ready(), REVISIONS[self.target]
        left = [] if ready == ("True", "UpToDate") else [f"{ready} {self.story.status}"]
        if self.story.status.get("current") != target or self.story.database.current[-1:] != [target]:
            left.append(f"the database is at {self.story.database.current}, and {target} is wanted")
        uid = self.story.uid()
        jobs = {one["metadata"]["uid"] for one in self.cluster.all("jobs") if uid in (_owner(one), _label(one))}
        for kind in MADE:
            for item in self.cluster.all(kind, NAMESPACE):
                if _owner(item) not in {uid, *jobs} and _label(item) not in (uid, None):
                    left.append(f"{kind} {item['metadata']['name']} is left over")
        return left

    # Time

    def now(self) -> float:
        """Seconds."""
        return self.story.moment.timestamp()

    async def second(self) -> None:
        """A second passes: for the kubelet, then for the operator, which starts again where it is killed."""
        self.kubelet()
        try:
            await self.story.passes(1)
        except Crash:
            self.log.append(f"{self.now():.0f} the operator is killed")
            self.story.start()

    def kubelet(self) -> None:
        """Start what has no pod, and let what runs come to its end after some seconds."""
        for job in self.cluster.all("jobs", NAMESPACE):
            name = job["metadata"]["name"]
            over = job["status"].get("conditions") or "deletionTimestamp" in job["metadata"]
            if not over and not self.cluster.pods_of(job) and self.age(job) >= 1:
                self.cluster.start_pod(NAMESPACE, name)
        for pod in self.cluster.all("pods", NAMESPACE):
            if pod["status"]["phase"] != "Running":
                continue
            if "deletionTimestamp" in pod["metadata"]:
                self.ends(pod, "", 143)
            elif self.age(pod) >= 3:
                self.works(pod)

    def age(self, item: Object) -> float:
        """Seconds since it was first seen."""
        return self.now() - self.born.setdefault(item["metadata"]["uid"], self.now())

    def works(self, pod: Object) -> None:
        """The run does its work and says so, or fails as in a storm."""
        environment = pod["spec"]["containers"][0]["env"]
        request = RunRequest.from_json(next(v["value"] for v in environment if v["name"] == job_env.REQUEST_VARIABLE))
        if self.raging and self.dice.random() < 0.2:
            failure = Failure(self.dice.choice(FAILURES), "The storm.")
            result: RunResult = replace(result_of(request, Outcome.FAILED), failure=failure)
        else:
            result = self.story.database.answer(request)
        if request.job in self.story.database.documents:
            self.story.log_plan(request.job, pod["metadata"]["name"])
        silent = self.raging and self.dice.random() < 0.1
        self.ends(pod, "" if silent else result.to_json(), 137 if silent else 1 if result.failure else 0)

    def ends(self, pod: Object, message: str, code: int) -> None:
        """The pod's container ends; its Job, where there is one, with it."""
        job = pod["metadata"]["labels"][JOB_NAME]
        owner = _owner(pod)
        found = self.cluster.find("jobs", NAMESPACE, job)
        if found is not None and found["metadata"]["uid"] == owner:
            going = "deletionTimestamp" in found["metadata"]
            self.cluster.finish_pod(NAMESPACE, job, message, exit_code=code, complete=not going)
            return
        if "deletionTimestamp" in pod["metadata"]:
            self.cluster.drop("pods", NAMESPACE, pod["metadata"]["name"])
            return
        phase = {"phase": "Failed" if code else "Succeeded"}
        self.cluster.change("pods", pod | {"status": pod["status"] | phase})

    # People

    def put(self) -> None:
        """Apply the resource as it is meant to be."""
        changes = {
            "revision": REVISIONS[self.target],
            "review": self.review,
            "suspend": self.suspended,
            "retry": {"limit": 100, "backoff": "1s"},
        }
        self.cluster.put_schema(NAMESPACE, NAME, {**SPEC, **changes})
        self.there = True

    def approve(self) -> None:
        """Approve what waits for somebody."""
        if self.story.ready()[1] == Reason.AWAITING_APPROVAL.value:
            plan = self.cluster.find("schemaplans", NAMESPACE, self.story.status["plan"]["name"])
            if plan is not None and "decision" not in plan["spec"]:
                self.cluster.decide_plan(NAMESPACE, plan["metadata"]["name"], "Approve")

    # Faults

    def faults(self) -> list[Callable[[], None]]:
        """What may happen now."""
        always: list[Callable[[], None]] = [
            self.move,
            self.kill,
            self.stand_still,
            self.refuse,
            self.miss_events,
            self.suspend,
        ]
        made = [self.delete_job, self.lose_job, self.delete_pod, self.relabel, self.disown, self.delete_plan]
        here = [self.wipe, self.delete, self.orphan] if self.there else [self.put]
        return always + made + here

    def one(self, kind: str) -> Object | None:
        """One of the objects of that kind."""
        found = self.cluster.all(kind, NAMESPACE)
        return self.dice.choice(found) if found else None

    def move(self) -> None:
        """Another revision is wanted."""
        self.target = min(self.target + 1, len(REVISIONS) - 1)
        self.put()

    def kill(self) -> None:
        """The operator ends before or after one of its next effects."""
        self.cluster.crash(self.dice.randint(1, 3), after=self.dice.random() < 0.5)

    def stand_still(self) -> None:
        """The operator does nothing for some seconds, and everything else goes on."""
        for _ in range(self.dice.randint(2, 20)):
            self.story.moment += timedelta(seconds=1)
            self.kubelet()

    def refuse(self) -> None:
        """The API server does not answer, before or after it did what was asked."""
        verb, resource = self.dice.choice(
            [
                ("create", "jobs"),
                ("patch", "databaseschemas/status"),
                ("list", "jobs"),
                ("list", "pods"),
                ("get", "databaseschemas"),
                ("create", "schemaplans"),
                ("delete", "jobs"),
            ]
        )
        self.cluster.fail(verb, resource, Unavailable, self.dice.randint(1, 3), after=self.dice.random() < 0.5)

    def miss_events(self) -> None:
        """A gap in the watches begins, or is over: what is there is listed then, and what went is not told."""
        self.cluster.deaf = not self.cluster.deaf
        if not self.cluster.deaf:
            self.relist()

    def relist(self) -> None:
        """What kopf does after a gap."""
        self.cluster.relist()

    def suspend(self) -> None:
        """The resource is suspended, or is not any more."""
        self.suspended = not self.suspended
        if self.there:
            self.put()

    def wipe(self) -> None:
        """The status is gone."""
        schema = self.cluster.schema(NAMESPACE, NAME)
        self.cluster.change("databaseschemas", schema | {"status": {"observedGeneration": -1}})

    def delete(self) -> None:
        """The resource is deleted."""
        self.cluster.remove_schema(NAMESPACE, NAME)
        self.there = False

    def orphan(self) -> None:
        """The resource is deleted, and what it owns is left."""
        self.cluster.remove_schema(NAMESPACE, NAME, orphan=True)
        self.there = False

    def delete_job(self) -> None:
        """Somebody deletes a Job."""
        job = self.one("jobs")
        if job is not None:
            self.cluster.delete_job(NAMESPACE, job["metadata"]["name"])

    def lose_job(self) -> None:
        """Somebody deletes a Job and leaves its pod."""
        job = self.one("jobs")
        if job is not None:
            self.cluster.lose_job(NAMESPACE, job["metadata"]["name"])

    def delete_pod(self) -> None:
        """Somebody deletes a pod without any grace."""
        pod = self.one("pods")
        if pod is not None:
            self.cluster.delete_pod(NAMESPACE, pod["metadata"]["name"])

    def relabel(self) -> None:
        """A Job or a pod gets another resource's label."""
        kind = self.dice.choice(("jobs", "pods"))
        item = self.one(kind)
        if item is not None:
            item["metadata"]["labels"][names.LABEL_UID] = OTHER
            self.cluster.change(kind, item)

    def disown(self) -> None:
        """A Job loses its owner."""
        job = self.one("jobs")
        if job is not None and job["metadata"].pop("ownerReferences", None):
            self.cluster.change("jobs", job)

    def delete_plan(self) -> None:
        """Somebody deletes a plan, or its SQL."""
        kind = self.dice.choice(("schemaplans", "configmaps"))
        item = self.one(kind)
        if item is not None:
            self.cluster.drop(kind, NAMESPACE, item["metadata"]["name"])


def _label(item: Object) -> str | None:
    label: str | None = item["metadata"].get("labels", {}).get(names.LABEL_UID)
    return label


def _owner(item: Object) -> str | None:
    owners = item["metadata"].get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)
