"""The API server's audit log: who asked for what, and when."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OPERATOR = "system:serviceaccount:alembic-operator:alembic-operator"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Request:
    """One request that was answered. `at` is when the answer was complete, in seconds since 1970."""

    user: str
    verb: str
    resource: str
    name: str
    namespace: str
    code: int
    at: float

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.verb in WRITES


def position(log: Path) -> int:
    """Where the log ends now."""
    return log.stat().st_size


def since(log: Path, start: int) -> list[Request]:
    """The requests that were logged after a position; those that last, such as watches, when they ended.

    Of these and of logs of pods there are two lines, one for the beginning of the answer.
    """
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().splitlines()
    events = [json.loads(line) for line in lines if line.endswith(b"}")]
    return [_request(event) for event in events if event["stage"] != "ResponseStarted"]


def _request(event: dict[str, object]) -> Request:
    reference, user, status = (event.get(key) or {} for key in ("objectRef", "user", "responseStatus"))
    assert isinstance(reference, dict) and isinstance(user, dict) and isinstance(status, dict)
    parts = [reference.get("resource") or str(event["requestURI"]), reference.get("subresource")]
    return Request(
        user=str(user.get("username")),
        verb=str(event["verb"]),
        resource="/".join(str(part) for part in parts if part),
        name=str(reference.get("name", "")),
        namespace=str(reference.get("namespace", "")),
        code=int(status.get("code", 0)),
        at=datetime.fromisoformat(str(event["stageTimestamp"])).timestamp(),
    )


def of_operator(requests: Iterable[Request]) -> list[Request]:
    """What the operator asked for; its Lease and the watches, which are there all the time, do not count."""
    return [
        request
        for request in requests
        if request.user == OPERATOR and request.resource != "leases" and request.verb != "watch"
    ]


def listed(requests: Iterable[Request]) -> str:
    """A line such as `2 patch databaseschemas/status, 1 create jobs`."""
    counted = Counter(f"{request.verb} {request.resource}" for request in requests)
    return ", ".join(f"{count} {what}" for what, count in sorted(counted.items(), key=lambda item: item[0]))
