"""R1 and R2 with a plan: the same small change as in `latency`, tried in a shadow first, beside a bare Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.progress import step

from . import audit, change
from .latency import CONFIG, REQUESTS, calm, changed
from .samples import Result, Row, Verdict, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from .bed import Bed
    from .latency import Change

ROUNDS = 10
_REVIEWED = {"review": {"mode": "OnFindings", "evidence": "Shadow"}}


def measure(bed: Bed) -> list[Result]:
    """Three ways, in turns: with a plan, without one, and a bare Job."""
    reviewed: list[Change] = []
    direct: list[Change] = []
    bare: list[float] = []
    with step(f"measuring one small change with a plan, {ROUNDS} times each way") as show:
        changed(bed, "warm-plan", **_REVIEWED)  # the node has the shadow's image afterwards
        for number in range(ROUNDS):
            show(f"round {number + 1} of {ROUNDS}")
            ways: list[Callable[[], None]] = [
                lambda at=number: reviewed.append(changed(bed, f"p{at}-plan", **_REVIEWED)),  # type: ignore[misc]
                lambda at=number: bare.append(_bare(bed, f"p{at}-job")),  # type: ignore[misc]
                lambda at=number: direct.append(changed(bed, f"p{at}-dbs")),  # type: ignore[misc]
            ]
            for way in ways[number % 3 :] + ways[: number % 3]:
                way()
                calm(bed)
    return [_latency(reviewed, direct, bare), _requests(reviewed, direct)]


def _bare(bed: Bed, name: str) -> float:
    bed.database(name)
    return change.by_bare_job(bed, name, CONFIG)[0]


def _latency(reviewed: list[Change], direct: list[Change], bare: list[float]) -> Result:
    with_plan = Row("with a plan, request to Ready=True", "s", [one.seconds for one in reviewed])
    without = Row("without (review.mode Auto, evidence Static)", "s", [one.seconds for one in direct])
    by_job = Row("bare Job `alembic upgrade head`, request to Complete", "s", bare)
    return Result(
        title="One small change with a plan (R1 with a plan)",
        method=(
            "As for R1, with review.mode OnFindings and evidence Shadow, the defaults: a Job makes the plan in a"
            " shadow, a PostgreSQL beside it; the plan has no finding, so a second Job applies it. All three ways take"
            " turns, and who begins changes each round."
        ),
        rows=[with_plan, without, by_job],
        verdicts=[ratio("with a plan / bare Job", with_plan, by_job, 2.0)],
    )


def _requests(reviewed: list[Change], direct: list[Change]) -> Result:
    with_plan, without = ([audit.of_operator(one.requests) for one in ways] for ways in (reviewed, direct))
    rows = [
        Row("requests of the operator, with a plan", "", [float(len(requests)) for requests in with_plan]),
        Row("without", "", [float(len(requests)) for requests in without]),
    ]
    typical = min(with_plan, key=lambda requests: abs(len(requests) - rows[0].median))
    return Result(
        title="API requests for one migration with a plan (R2 with a plan)",
        method="From the API server's audit log, for the changes above; the Lease and the watches do not count.",
        rows=rows,
        verdicts=[Verdict("requests", max(rows[0].values), REQUESTS + 8)],
        notes=[f"One of them: {audit.listed(typical)}."],
    )
