"""Where the time of a change goes, by the logs."""

from __future__ import annotations

import pytest
from benchmarks.audit import OPERATOR, Request
from benchmarks.latency import Change, _phases, _requests
from benchmarks.samples import Result


def request(at: float, verb: str, resource: str, user: str = OPERATOR, code: int = 201) -> Request:
    return Request(user, verb, resource, "x", "bench", code, at)


CHANGE = Change(
    name="x",
    seconds=3.0,
    began=100.0,
    requests=[
        request(100.02, "get", "databaseschemas", code=200),
        request(100.04, "create", "jobs", code=409),
        request(100.05, "create", "jobs"),
        request(100.06, "create", "pods", "system:serviceaccount:kube-system:job-controller"),
        request(100.07, "create", "pods/binding", "system:kube-scheduler"),
        request(100.9, "patch", "pods/status", "system:node:n1", 200),
        request(102.9, "patch", "pods/status", "system:node:n1", 200),
        request(102.95, "patch", "databaseschemas/status", code=200),
        request(103.5, "patch", "pods/status", "system:node:n1", 200),
    ],
    connected=(101.2, 101.9),
)


def test_the_phases_are_the_whole_time_when_they_are_added_up() -> None:
    rows = _phases([CHANGE, CHANGE])
    assert sum(row.values[0] for row in rows) == pytest.approx(CHANGE.seconds)
    assert [len(row.values) for row in rows] == [2] * len(rows)


def test_a_phase_ends_with_the_last_report_before_the_outcome() -> None:
    rows = {row.what: row.median for row in _phases([CHANGE])}
    assert rows["· process and container end, kubelet's report"] == pytest.approx(1.0)
    assert rows["· lock, journal, migration, verification, to the last one's end"] == pytest.approx(0.7)


def test_the_worst_change_counts_when_requests_are_held_to_their_target() -> None:
    busy = Change("y", 3.0, 100.0, [*CHANGE.requests, *(request(1, "create", "events") for _ in range(3))], (1, 2))
    found: Result = _requests([CHANGE, busy])
    assert [(verdict.what, verdict.value, verdict.reached) for verdict in found.verdicts] == [
        ("requests", 7.0, True),
        ("writes", 6.0, False),
    ]
