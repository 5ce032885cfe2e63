"""What the API server was asked, by its audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

READING = ("get", "list", "watch")


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        right: Group, resource with its subresource, and verb, as a rule of a role names them.
        allowed: Whether the access control let it in; what happened to it then is `code`.
    """

    right: tuple[str, str, str]
    namespace: str
    name: str
    code: int
    allowed: bool

    @property
    def writes(self) -> bool:
        """Whether it asks for a change, but of the Lease."""
        return self.right[2] not in READING and self.right[1] != "leases"


class Audit:
    """The log from where it ends now."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._start = log.stat().st_size

    def requests(self, account: str) -> Iterator[Request]:
        """What this user asked, in order; discovery and health left out."""
        with self._log.open("rb") as lines:
            lines.seek(self._start)
            for line in lines:
                if account.encode() in line and line.endswith(b"\n"):
                    said = json.loads(line)
                    if said["user"]["username"] == account and "objectRef" in said:
                        yield _request(said)


def _request(said: dict[str, dict[str, str]]) -> Request:
    thing = said["objectRef"]
    resource = "/".join(filter(None, (thing.get("resource"), thing.get("subresource"))))
    return Request(
        right=(thing.get("apiGroup", ""), resource, str(said["verb"])),
        namespace=thing.get("namespace", ""),
        name=thing.get("name", ""),
        code=int(said.get("responseStatus", {}).get("code", 0)),
        allowed=said.get("annotations", {}).get("authorization.k8s.io/decision") == "allow",
    )
