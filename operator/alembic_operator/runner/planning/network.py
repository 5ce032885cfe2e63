"""Plan runs reach nothing but the target and the shadow: other sockets of Python's, and programs, are refused and told.

A plan run executes code that nobody has approved, for made-up rows, and more than once: what it does elsewhere is done
before anybody has decided, and nothing takes it back. A program has the target's connection in its environment: `psql`
of a revision would write to the target. libpq connects beside Python's sockets, and so it is not refused. Neither is a
library in C with sockets of its own: a NetworkPolicy is for those.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from ...contract.reasons import Reason
from ..errors import RunFailed

FIELD = "spec.review.network"
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_RESOLVING = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
# What code of the project's may have made of the refusal.
_BLAMED = frozenset({Reason.MIGRATION_FAILED, Reason.ENVIRONMENT_FAILED, Reason.INVALID_HISTORY})
_LISTED = 5

# What Python's library (platform, ctypes.util) and settings of projects ask about the machine and the sources.
_HARMLESS = frozenset({"cc", "file", "gcc", "git", "hostname", "ld", "ldconfig", "lsb_release", "objdump", "uname"})
_STARTING = frozenset({"os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"})
_SHELLS = frozenset({"bash", "dash", "sh"})


class Network:
    """What a plan run has tried to reach.

    Attributes:
        tried: "reach" with a host, and its port where that is known, or "start" with a program; in order.
    """

    def __init__(self) -> None:
        self.tried: list[str] = []
        self._open = False
        self._heard: Callable[[str], None] | None = None
        self._outside: list[str] = []  # of no revision's

    def guard(self, *, network_open: bool) -> None:
        """Refuse from now on, to the end of the process.

        Args:
            network_open: by the spec: then nothing is refused but the programs that revisions start.
        """
        self._open = network_open
        sys.addaudithook(self._audit)

    @contextmanager
    def told_to(self, heard: Callable[[str], None]) -> Iterator[None]:
        """While this lasts, code of a step runs: `heard` is told what it tries."""
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
            f"{failed.found}. It tried to {_listed(self.tried)}, which a plan run does not allow",
            f"{self._todo()} {failed.todo}".rstrip(),
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
            f"Code outside the revisions tried to {_listed(self._outside)}, which a plan run does not allow; "
            f"{FIELD}: Open allows it."
        )

    def _todo(self) -> str:
        if self._open:
            return "Do it in the revision through op.get_bind(), where the plan sees it."
        return f"If planning needs it, set {FIELD}: Open."

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTING:
            self._check_program(event, arguments)
        elif self._open:
            return
        elif event in _CONNECTING:
            if arguments[0].family in _INTERNET and arguments[1]:
                self._refuse("reach", _shown(*arguments[1][:2]))
        elif event in _RESOLVING and not _is_here(arguments[0]):
            self._refuse("reach", _shown(arguments[0], *arguments[1:2]))

    def _check_program(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._open and self._heard is None:
            return
        line = ["sh", "-c", arguments[0]] if event == "os.system" else [arguments[0], *_rest(arguments[1])]
        name = _program(line)
        if name not in _HARMLESS:
            self._refuse("start", name)

    def _refuse(self, verb: str, what: str) -> None:
        tried = f"{verb} {what}"
        if tried not in self.tried:
            self.tried.append(tried)
        if self._heard is not None:
            self._heard(tried)
        elif tried not in self._outside:
            self._outside.append(tried)
        if verb == "start":
            raise PermissionError(errno.EACCES, f"a plan run must not start programs: {what}")
        raise ConnectionRefusedError(
            errno.ECONNREFUSED, f"a plan run may connect only to the target and the shadow: {what} ({FIELD})"
        )


def _rest(arguments: Any) -> list[Any]:
    """What follows the program's name in `args` as subprocess and os take it."""
    return [] if isinstance(arguments, (str, bytes, os.PathLike)) else list(arguments)[1:]


def _program(line: list[Any]) -> str:
    """The name of what is started; for a shell that is given a text, the shell and the text's first word."""
    name = os.path.basename(_text(line[0]))  # noqa: PTH119 (bytes too)
    shown = "".join(letter for letter in name[:80] if letter.isalnum() or letter in ".-_+")
    if name in _SHELLS and len(line) > 2 and _text(line[1]) == "-c":
        words = _text(line[2]).split()
        return f"{shown} ({_program(words[:1])})" if words else shown
    return shown


def _text(given: Any) -> str:
    return os.fsdecode(given) if isinstance(given, (str, bytes, os.PathLike)) else str(given)


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


def _shown(host: Any, port: Any = None) -> str:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    shown = "".join(letter for letter in name[:253] if letter.isalnum() or letter in ".-_:")
    number = port.decode("ascii", "replace") if isinstance(port, bytes) else port
    return f"{shown}:{number}" if number not in (None, "", 0, "0") and str(number).isalnum() else shown


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
