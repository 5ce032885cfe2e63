"""R3: what 500 settled resources cost while nothing happens, and at a restart; without plans, and with five each."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo import places
from tests.cluster.processes import wait_until
from tests.cluster.progress import step

from . import audit, change
from .api import PLANS, SCHEMAS
from .bed import NAMESPACE
from .samples import Result, Row, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from .bed import Bed

RESOURCES = 500
PLANS_EACH = 5
IDLE = 300  # seconds
AFTER_START = 60  # seconds: what a restart sets off is over by then
_MODEL = "model"
_MERGE = "application/merge-patch+json"
_TICKS = os.sysconf("SC_CLK_TCK")

PEERS = """\
Other operators with 500 settled resources, measured by us on the same kind of machine (2 cores, Kubernetes 1.36.3,
PostgreSQL 15):

| | RSS | CPU in 300 idle seconds | writes in them | writes at a restart |
|---|---|---|---|---|
| alembic-operator | {rss} MiB | {cpu} s | {writes} | {restart} |
| Atlas Operator 0.7.37 (AtlasMigration) | 51 MiB | 0.21 s | 0 | 2,000 (31 s of CPU) |
| SchemaHero 0.25 | 152 MiB | 21 s | 1,554 | not measured |"""


@dataclass(frozen=True)
class Used:
    """What the operator's process used in a while."""

    rss: float  # MiB at its end
    cpu: float  # seconds
    requests: list[audit.Request]

    @property
    def writes(self) -> list[audit.Request]:
        """Those that may have changed something."""
        return [request for request in self.requests if request.writes]


def measure(bed: Bed) -> list[Result]:
    """At a restart, then idle; and the same with plans."""
    _settle(bed)
    restart = _restart(bed)
    with step(f"watching the operator do nothing for {IDLE} s") as show:
        idle = _during(bed, lambda: _pass(IDLE, show))
    _plan(bed)
    planned = _restart(bed)
    with step(f"watching the operator do nothing for {IDLE} s") as show:
        calm = _during(bed, lambda: _pass(IDLE, show))
    return [_result(restart, idle), _with_plans(idle, planned, calm)]


def _settle(bed: Bed) -> None:
    """500 resources with the status that the operator wrote for one that it migrated."""
    bed.database(_MODEL)
    _, raw = change.by_resource(bed, bed.schema(_MODEL, "small.ini", "a1_base"))
    with step(f"making {RESOURCES} settled resources") as show:
        _scale(bed, 0)
        made = 0
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda number: _copy(bed, raw, f"settled-{number:03}"), range(RESOURCES)):
                made += 1
                show(f"{made} of {RESOURCES}")


def _copy(bed: Bed, model: dict[str, Any], name: str) -> None:
    path = SCHEMAS.format(NAMESPACE)
    made = bed.api.request("POST", path, bed.schema(name, "small.ini", "a1_base"))
    text = json.dumps(model["status"]).replace(model["status"]["history"][0]["job"], f"{name}-1a2b3c4d-1")
    status = {**json.loads(text), "observedGeneration": made["metadata"]["generation"]}
    bed.api.request("PATCH", f"{path}/{name}/status", {"status": status}, _MERGE)


def _plan(bed: Bed) -> None:
    """Five plans for each resource, copies of one that the operator made and applied."""
    name = f"{_MODEL}-plan"
    bed.database(name)
    reviewed = bed.schema(name, "small.ini", "a1_base", review={"mode": "OnFindings", "evidence": "Shadow"})
    _, raw = change.by_resource(bed, reviewed)
    plan = bed.api.request("GET", f"{PLANS.format(NAMESPACE)}/{raw['status']['plan']['name']}")
    schemas = bed.api.request("GET", SCHEMAS.format(NAMESPACE))["items"]
    wanted = [(one, at) for one in schemas if one["metadata"]["name"] != name for at in range(PLANS_EACH)]
    with step(f"making {len(wanted)} plans") as show:
        _scale(bed, 0)
        with ThreadPoolExecutor(8) as pool:
            for made, _ in enumerate(pool.map(lambda each: _copy_plan(bed, plan, *each), wanted), 1):
                show(f"{made} of {len(wanted)}")


def _copy_plan(bed: Bed, model: dict[str, Any], schema: dict[str, Any], number: int) -> None:
    path, meta = PLANS.format(NAMESPACE), schema["metadata"]
    text = json.dumps({key: model[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    for old, new in ((model["spec"]["schemaRef"][key], meta[key]) for key in ("uid", "name")):
        text = text.replace(f'"{old}"', f'"{new}"')
    body = json.loads(text)
    kept = {key: body["metadata"][key] for key in ("namespace", "labels", "ownerReferences")}
    name = f"{meta['name']}-{number:08x}"
    bed.api.request("POST", path, {**body, "metadata": {**kept, "name": name}})
    bed.api.request("PATCH", f"{path}/{name}/status", {"status": model["status"]}, _MERGE)


def _restart(bed: Bed) -> Used:
    with step(f"starting the operator with {RESOURCES} settled resources") as show:

        def start() -> None:
            _scale(bed, 1)
            _pass(AFTER_START, show)

        return _during(bed, start, fresh=True)


def _scale(bed: Bed, replicas: int) -> None:
    deployment = f"deployment/{places.OPERATOR}"
    namespace = ("-n", places.OPERATOR)
    bed.cluster.kubectl(*namespace, "scale", deployment, f"--replicas={replicas}")
    if replicas:
        bed.cluster.kubectl(*namespace, "rollout", "status", deployment, "--timeout=120s", timeout=150)
    else:
        bed.cluster.kubectl(*namespace, "wait", "pod", "--all", "--for=delete", "--timeout=60s", timeout=90)


def _pass(seconds: float, show: Callable[[str], None]) -> None:
    """Let time pass: the measurement is of what happens in it."""
    end = time.monotonic() + seconds

    def over() -> bool:
        show(f"{max(0, end - time.monotonic()):.0f} s left")
        return time.monotonic() >= end

    wait_until(over, "the time to pass", timeout=seconds + 5, every=1)


def _during(bed: Bed, act: Callable[[], None], *, fresh: bool = False) -> Used:
    start = audit.position(bed.cluster.audit_log)
    before = 0.0 if fresh else _cpu(_process(bed))
    act()
    process = _process(bed)
    requests = audit.of_operator(audit.since(bed.cluster.audit_log, start))
    return Used(_rss(process), _cpu(process) - before, requests)


def _process(bed: Bed) -> Path:
    """The operator's process, in /proc: the one of its pod that uses most memory."""
    uid = bed.cluster.kubectl("-n", places.OPERATOR, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    assert len(uid.split()) == 1, f"one pod was expected, there are: {uid}"
    found = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and uid in _cgroup(entry)]
    return max(found, key=_rss)


def _cgroup(process: Path) -> str:
    try:
        return (process / "cgroup").read_text()
    except OSError:  # it has ended
        return ""


def _rss(process: Path) -> float:
    """MiB in memory."""
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu(process: Path) -> float:
    """Seconds of CPU since its start."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _result(restart: Used, idle: Used) -> Result:
    figures = {"rss": f"{idle.rss:.0f}", "cpu": f"{idle.cpu:.2f}"}
    counts = {"writes": len(idle.writes), "restart": len(restart.writes)}
    return Result(
        title=f"{RESOURCES} settled resources (R3)",
        method=(
            "The resources were made through the API while the operator was stopped, each with a copy of the status"
            " that the operator had written for one that it migrated. The restart counts from the start of the process"
            f" until {AFTER_START} s after it was ready; idle are the {IDLE} s after that. Requests are from the audit"
            " log, without the Lease; memory and CPU are the process's."
        ),
        rows=[
            Row("RSS, idle", "MiB", [idle.rss]),
            Row(f"CPU in {IDLE} s, idle", "s", [idle.cpu]),
            Row("reads in them", "", [float(len(idle.requests) - len(idle.writes))]),
            Row("CPU of a restart", "s", [restart.cpu]),
            Row("reads of a restart", "", [float(len(restart.requests) - len(restart.writes))]),
        ],
        verdicts=[
            Verdict("writes while idle", len(idle.writes), 0),
            Verdict("writes over a restart", len(restart.writes), 0),
        ],
        notes=[
            *([f"Reads of the restart: {audit.listed(restart.requests)}."] if restart.requests else []),
            PEERS.format(**figures, **counts),
        ],
    )


def _with_plans(without: Used, restart: Used, idle: Used) -> Result:
    return Result(
        title=f"{RESOURCES} settled resources with {PLANS_EACH} plans each",
        method=(
            "The same resources, each with five SchemaPlans: copies, with names and owners of their own, of one that"
            " the operator had made and applied. Measured as above, after another restart."
        ),
        rows=[
            Row("RSS, idle, with plans", "MiB", [idle.rss]),
            Row("RSS, idle, without plans (above)", "MiB", [without.rss]),
            Row(f"CPU in {IDLE} s, idle", "s", [idle.cpu]),
            Row("CPU of a restart", "s", [restart.cpu]),
        ],
        verdicts=[
            Verdict("writes while idle", len(idle.writes), 0),
            Verdict("writes over a restart", len(restart.writes), 0),
        ],
        notes=[f"Reads of the restart: {audit.listed(restart.requests)}."] if restart.requests else [],
    )
