"""Child processes, free ports and waiting, as the servers of the tests need them."""

from __future__ import annotations

import errno
import os
import pwd
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Popen = subprocess.Popen[bytes]

Found = TypeVar("Found")

_SERVICE_USERS = ("postgres", "nobody")

_FIRST_PORT = 12000  # above what well-known servers listen on
_reservations: list[socket.socket] = []

# The shell outlives a test process that was killed: its standard input ends then, and it stops the server.
_SUPERVISOR = """
trap '' INT TERM HUP
directory=$1 log=$2 signal=$3; shift 3
"$@" </dev/null >>"$log" 2>&1 & server=$!
echo $server
exec >/dev/null 2>&1
read -r word
kill -s "$signal" "$server"
wait "$server"
[ "$word" = keep ] || [ -z "$directory" ] || rm -rf "$directory"
"""


class NotPossible(RuntimeError):
    """This machine cannot do what was asked for; the message is one line and names the remedy."""


class CommandFailed(RuntimeError):
    """A command ended with another code than 0; the message has the command and the end of what it said."""

    def __init__(self, command: Sequence[str], code: int, said: str) -> None:
        super().__init__(f"`{' '.join(command)}` ended with {code}: {said.strip()[-2000:]}")
        self.code = code
        self.said = said


def checked(
    command: Sequence[str | Path],
    *,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | str | None = None,
    timeout: float = 120,
) -> str:
    """Run a command and give its output.

    Args:
        command: The program and its arguments.
        stdin: What it reads.
        environment: Its whole environment; ours without it.
        folder: Its working directory; ours without it.
        timeout: Seconds until subprocess.TimeoutExpired.

    Raises:
        CommandFailed: With what it said on standard error, or else on standard output.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words, input=stdin, env=environment, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode:
        raise CommandFailed(words, done.returncode, done.stderr.strip() or done.stdout)
    return done.stdout


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port of `host` that nobody listens on, kept for the caller while this process runs.

    It lies below the ports that the kernel gives to outgoing connections: a test run makes thousands of those, and one
    of them took a port of etcd's between this look and etcd's start.
    """
    ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.randbelow(ephemeral - _FIRST_PORT) + _FIRST_PORT
        if _reserve(port) and not _in_use(host, port):
            return port


def _reserve(port: int) -> bool:
    """Keep other processes' `free_port` from giving the port: an abstract socket has no file that could stay behind."""
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0alembic-operator-port-{port}")
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    return True


def _in_use(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
    return False


def wait_until(condition: Callable[[], Found | None], what: str, timeout: float = 30, every: float = 0.02) -> Found:
    """Poll `condition` until it gives something true, and return that.

    Args:
        condition: Asked again and again; what it raises ends the waiting.
        what: Names the awaited thing in the error.
        timeout: Seconds until TimeoutError.
        every: Seconds between two questions.

    Raises:
        TimeoutError: It never became true.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)


def service_user() -> str | None:
    """Whom a server that refuses root runs as; None where we are not root anyway."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _SERVICE_USERS:
        if name in known:
            return name
    raise NotPossible(f"none of the users {', '.join(_SERVICE_USERS)} exists: apt-get install postgresql")


def as_service_user(command: Sequence[str | Path]) -> list[str]:
    """The command line that runs `command` as the service user.

    It may read below folders that are root's alone: a checkout in /root, pytest's tmp_path.
    """
    user = service_user()
    words = [str(word) for word in command]
    if user is None:
        return words
    group = str(pwd.getpwnam(user).pw_gid)
    capability = "-all,+dac_read_search"
    return [
        *("setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups"),
        *(f"--inh-caps={capability}", f"--ambient-caps={capability}", "--", *words),
    ]


class Supervised:
    """A server in the foreground that ends when this process ends, however it ends.

    (The kernel's parent-death signal would do it too, but also when only the starting thread ends.)
    """

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, stop_signal: str, remove: Path | None = None
    ) -> None:
        """Start `command` as the service user; `remove` goes when the server is stopped for good."""
        arguments = [remove or "", log, stop_signal, *command]
        self._shell: Popen = subprocess.Popen(
            as_service_user(["/bin/sh", "-c", _SUPERVISOR, "sh", *arguments]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        assert self._shell.stdout is not None
        self.pid = int(self._shell.stdout.readline())
        self._shell.stdout.close()

    def runs(self) -> bool:
        """Whether the server still runs."""
        return process_runs(self.pid)

    def stop(self, *, keep: bool, timeout: float = 20) -> None:
        """Stop the server and wait for its end; `keep` leaves its files."""
        assert self._shell.stdin is not None
        if keep:
            self._shell.stdin.write(b"keep\n")
        self._shell.stdin.close()
        self._shell.wait(timeout)


def process_runs(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
