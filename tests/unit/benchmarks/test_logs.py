"""What is read from the API server's audit log and from PostgreSQL's log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import audit, sessions


def line(verb: str, resource: str, user: str = audit.OPERATOR, **reference: str) -> str:
    event: dict[str, Any] = {
        "stage": "ResponseComplete",
        "verb": verb,
        "requestURI": "/somewhere",
        "user": {"username": user},
        "objectRef": {"resource": resource, **reference},
        "responseStatus": {"code": 200},
        "stageTimestamp": "2026-11-23T17:00:00.250000Z",
    }
    return json.dumps(event)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


def test_requests_are_read_from_the_position_on_when_older_ones_are_there(log: Path) -> None:
    log.write_text(line("get", "jobs") + "\n")
    start = audit.position(log)
    with log.open("a") as file:
        file.write(line("patch", "databaseschemas", subresource="status", name="shop", namespace="bench") + "\n")
    (request,) = audit.since(log, start)
    assert (request.verb, request.resource, request.name) == ("patch", "databaseschemas/status", "shop")
    assert request.at % 1 == 0.25
    assert request.writes


def test_a_line_is_left_for_later_when_it_is_half_written(log: Path) -> None:
    log.write_text(line("get", "jobs") + "\n" + line("create", "jobs")[:40])
    assert [request.verb for request in audit.since(log, 0)] == ["get"]


def test_a_request_counts_once_when_the_beginning_of_its_answer_is_logged_too(log: Path) -> None:
    begun = {**json.loads(line("get", "pods", subresource="log")), "stage": "ResponseStarted"}
    log.write_text(json.dumps(begun) + "\n" + line("get", "pods", subresource="log") + "\n")
    assert [request.resource for request in audit.since(log, 0)] == ["pods/log"]


def test_lease_watches_and_others_do_not_count_when_the_operator_is_asked_about(log: Path) -> None:
    lines = [
        line("update", "leases"),
        line("watch", "jobs"),
        line("create", "jobs", user="system:node:n1"),
        line("create", "jobs"),
        line("create", "events"),
        line("create", "events"),
    ]
    log.write_text("\n".join(lines) + "\n")
    assert audit.listed(audit.of_operator(audit.since(log, 0))) == "2 create events, 1 create jobs"


def test_a_request_without_object_is_named_by_its_address(log: Path) -> None:
    log.write_text(json.dumps({**json.loads(line("get", "x")), "objectRef": None}) + "\n")
    assert audit.since(log, 0)[0].resource == "/somewhere"


POSTGRES = """\
2026-11-23 17:00:01.500 UTC LOG:  connection received: host=10.80.1.7 port=1
2026-11-23 17:00:01.510 UTC LOG:  connection authorized: user=app database=app application_name=x
2026-11-23 17:00:01.700 UTC LOG:  connection authorized: user=app database=application
2026-11-23 17:00:02.250 UTC LOG:  disconnection: session time: 0:00:00.740 user=app database=app host=10.80.1.7 port=1
2026-11-23 17:00:09.000 UTC LOG:  disconnection: session time: 0:00:07.300 user=app database=application host=x port=1
"""


def test_a_database_is_in_use_from_the_first_connection_to_the_last_end(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(POSTGRES)
    first, last = sessions.span(file, "app")
    assert last - first == pytest.approx(0.74)


def test_it_is_an_error_when_nobody_connected(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(POSTGRES)
    with pytest.raises(ValueError, match="nobody connected to other"):
        sessions.span(file, "other")
