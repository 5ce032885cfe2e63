"""Plan runs reach nothing but the target and the shadow: Python's other network sockets are refused, and told of.

A plan run executes code that nobody has approved, for made-up rows, and more than once: what it does elsewhere is done
before anybody has decided, and nothing takes it back. libpq connects beside Python's sockets, and so it is not refused.
Neither is a library in C with sockets of its own, nor a program that the code starts: a NetworkPolicy is for those.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from ..contract.reasons import Reason
from .errors import RunFailed

FIELD = "spec.review.network"
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_RESOLVING = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
# What code of the project's may have made of the refusal.
_BLAMED = frozenset({Reason.MIGRATION_FAILED, Reason.ENVIRONMENT_FAILED, Reason.INVALID_HISTORY})
_LISTED = 5


class Network:
    """What a plan run has tried to reach.

    Attributes:
        tried: hosts, with the port where it is known, in order.
    """

    def __init__(self) -> None:
        self.tried: list[str] = []
        self._heard: Callable[[str], None] | None = None
        self._outside: list[str] = []  # of no revision's

    def close(self) -> None:
        """Refuse from now on, to the end of the process."""
        sys.addaudithook(self._audit)

    @contextmanager
    def told_to(self, heard: Callable[[str], None]) -> Iterator[None]:
        """While this lasts, code of a step runs: `heard` is told what it tries to reach."""
        before, self._heard = self._heard, heard
        try:
            yield
        finally:
            self._heard = before

    def blamed(self, failed: RunFailed) -> RunFailed:
        """The failure, with what it may come from."""
        failure = failed.failure
        if not self.tried or failure.reason not in _BLAMED:
            return failed
        return RunFailed(
            failure.reason,
            f"{failed.found}. It had tried to reach {_listed(self.tried)}, which a plan run may not",
            f"If it needs that to be planned, set {FIELD}: Open.{failure.message[len(failed.found) + 1 :]}",
            revision=failure.revision,
            statement=failure.statement,
            sqlstate=failure.sqlstate,
            blocked_by=failure.blocked_by,
        )

    @property
    def warning(self) -> str:
        """What was tried outside of every revision, as a sentence; "" for nothing."""
        if not self._outside:
            return ""
        return (
            f"Code outside of the revisions tried to reach {_listed(self._outside)}, which a plan run may not; "
            f"{FIELD}: Open lets it."
        )

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CONNECTING:
            if arguments[0].family in _INTERNET and arguments[1]:
                self._refuse(*arguments[1][:2])
        elif event in _RESOLVING and not _is_here(arguments[0]):
            self._refuse(arguments[0], *arguments[1:2])

    def _refuse(self, host: Any, port: Any = None) -> None:
        where = _shown(host, port)
        if where not in self.tried:
            self.tried.append(where)
        if self._heard is not None:
            self._heard(where)
        elif where not in self._outside:
            self._outside.append(where)
        raise ConnectionRefusedError(
            errno.ECONNREFUSED, f"a plan run reaches nothing but the target and the shadow: {where} ({FIELD})"
        )


def _is_here(host: Any) -> bool:
    """Whether a name needs no look-up: an address, or this machine's."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not name or name in ("localhost", socket.gethostname()):
        return True
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _shown(host: Any, port: Any) -> str:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    shown = "".join(letter for letter in name[:253] if letter.isalnum() or letter in ".-_:")
    number = port.decode("ascii", "replace") if isinstance(port, bytes) else port
    return f"{shown}:{number}" if number not in (None, "", 0, "0") and str(number).isalnum() else shown


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
