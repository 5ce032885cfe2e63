"""R1 and R2: how long one small change takes beside a bare Job, where the time goes, and what it asks of the API."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cluster.processes import wait_until
from tests.cluster.progress import step

from . import audit, change, sessions
from .samples import Result, Row, Verdict, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from .audit import Request
    from .bed import Bed

ROUNDS = 12
REQUESTS = 12  # at most, for a change that nobody reviews
CONFIG, REVISION = "small.ini", "a1_base"


@dataclass(frozen=True)
class Change:
    """One change by a resource: how long it took, and the requests of everybody meanwhile."""

    name: str
    seconds: float
    began: float
    requests: list[Request]
    connected: tuple[float, float]


def measure(bed: Bed) -> list[Result]:
    """Both figures, from the same changes, which nobody reviews: no plan, one Job."""
    ours: list[Change] = []
    bare: list[float] = []
    _one(bed, "warm-up", [], [])
    with step(f"measuring one small change, {ROUNDS} times each way") as show:
        for number in range(ROUNDS):
            show(f"round {number + 1} of {ROUNDS}")
            order = (ours, bare) if number % 2 else (bare, ours)
            _one(bed, f"r{number}", ours, bare, first_bare=order[0] is bare)
    return [_latency(ours, bare), _requests(ours)]


def _one(bed: Bed, name: str, ours: list[Change], bare: list[float], *, first_bare: bool = False) -> None:
    def by_job() -> None:
        bed.database(f"{name}-job")
        bare.append(change.by_bare_job(bed, f"{name}-job", CONFIG)[0])

    def by_us() -> None:
        ours.append(changed(bed, f"{name}-dbs"))

    steps: list[Callable[[], None]] = [by_job, by_us] if first_bare else [by_us, by_job]
    for run in steps:
        run()
        calm(bed)


def calm(bed: Bed) -> None:
    """Wait until every Job has ended, so that the next change has the node for itself."""

    def ended() -> bool:
        states = bed.cluster.kubectl("-n", "bench", "get", "jobs", "-o", "jsonpath={.items[*].status.active}")
        return not states.strip()

    wait_until(ended, "the Jobs to end", timeout=60, every=0.5)


def changed(bed: Bed, name: str, **spec: Any) -> Change:
    """Have a new database brought to the small revision by a resource; `spec` is what it says beside the rest."""
    bed.database(name)
    start, began = audit.position(bed.cluster.audit_log), time.time()
    seconds, _ = change.by_resource(bed, bed.schema(name, CONFIG, REVISION, **spec))
    calm(bed)
    requests = audit.since(bed.cluster.audit_log, start)
    return Change(name, seconds, began, requests, sessions.span(bed.server.log, name))


def _latency(ours: list[Change], bare: list[float]) -> Result:
    by_us = Row("DatabaseSchema, request to Ready=True", "s", [one.seconds for one in ours])
    by_job = Row("bare Job `alembic upgrade head`, request to Complete", "s", bare)
    return Result(
        title="One small change (R1)",
        method=(
            "An empty database and one revision with one table. Both run in the same image, which the node has"
            " already; they take turns, and who begins changes each round. Times are from just before the POST to the"
            " watch event with the condition."
        ),
        rows=[by_us, *_phases(ours), by_job],
        verdicts=[ratio("DatabaseSchema / bare Job", by_us, by_job, 0.9)],
        notes=[
            "The phases are cut at the times of the API server's audit log and of PostgreSQL's log of connections. The"
            " outcome is read from the kubelet's report on the pod; the Job's own Complete comes after that and is not"
            " waited for.",
        ],
    )


def _phases(ours: list[Change]) -> list[Row]:
    """Where the time goes: the moments of the audit log, in the order in which they come."""
    found = [_moments(one) for one in ours]
    names = list(found[0])
    rows, before = [], "began"
    for name in names[1:]:
        rows.append(Row(f"· {name}", "s", [moments[name] - moments[before] for moments in found]))
        before = name
    return rows


def _moments(one: Change) -> dict[str, float]:
    def first(verb: str, resource: str, after: float = 0.0, by: str = "") -> float:
        return min(
            request.at
            for request in one.requests
            if request.verb == verb
            and request.resource == resource
            and request.at > after
            and request.code < 300
            and (not by or request.user.startswith(by))
            and request.namespace == "bench"
        )

    job = first("create", "jobs", by=audit.OPERATOR)
    pod = first("create", "pods", after=job)
    bound = first("create", "pods/binding", after=pod)
    last = one.began + one.seconds
    reports = [
        request.at
        for request in one.requests
        if request.resource == "pods/status" and request.user.startswith("system:node") and bound < request.at < last
    ]
    return {
        "began": one.began,
        "accepted, looked at, Job created (operator)": job,
        "pod created (Job controller)": pod,
        "pod bound (scheduler)": bound,
        "sandbox, volumes, container, Python and imports, to the first connection": one.connected[0],
        "lock, journal, migration, verification, to the last one's end": one.connected[1],
        "process and container end, kubelet's report": max(reports),
        "outcome read, status written, watch event (operator)": last,
    }


def _requests(ours: list[Change]) -> Result:
    asked = [audit.of_operator(one.requests) for one in ours]
    everything = Row("requests of the operator", "", [float(len(requests)) for requests in asked])
    writes = Row("of which writes", "", [float(sum(one.writes for one in requests)) for requests in asked])
    typical = min(asked, key=lambda requests: abs(len(requests) - everything.median))
    return Result(
        title="API requests for one migration (R2)",
        method=(
            "From the API server's audit log, for the changes of R1, until the Job is complete. The Lease and the"
            " watches, which are there all the time, do not count."
        ),
        rows=[everything, writes],
        verdicts=[
            Verdict("requests", max(everything.values), REQUESTS),
            Verdict("writes", max(writes.values), 5),
        ],
        notes=[f"One of them: {audit.listed(typical)}."],
    )
