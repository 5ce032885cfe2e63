"""Python processes that begin with their modules imported, forked from one that waits.

SQLAlchemy and Alembic are most of a second of CPU to import, more than all that a run does with a small database, and
the tests start more than a thousand runs. A process from here is one of its own in all else: environment, folder,
streams, signals, exit code. What is about the start of an interpreter is tested with `subprocess`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Protocol

# A child is forked by a process that does nothing but wait for it: the status that it writes is the one of the kernel.
_SERVE = """
import gc, importlib, importlib.util, json, os, signal, socket, sys, types

gate = socket.socket(fileno=int(sys.argv[1]))
sys.path[:0] = sys.argv[2:3]
for name in sys.argv[3:]:
    if importlib.util.find_spec(name.partition(".")[0]):
        importlib.import_module(name)
del sys.path[:1]
gc.freeze()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    asked, passed, _, _ = socket.recv_fds(gate, 1, 4)
    if not asked:
        os._exit(0)
    if os.fork():
        for fd in passed:
            os.close(fd)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gate.close()
    order, out, err, status = passed
    child = os.fork()
    if child == 0:
        os.close(status)
        break
    for fd in (0, 1, 2, order, out, err):
        os.close(fd)
    os.write(status, b"%d\\n" % child)
    os.write(status, b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)

with open(order, encoding="utf-8") as file:
    order = json.load(file)
for fd, stream in ((out, 1), (err, 2)):
    os.dup2(fd, stream)
    os.close(fd)
os.chdir(order["cwd"])
os.environ.clear()
os.environ.update(order["env"])
sys.argv[:] = ["-c"]
sys.modules["__main__"] = types.ModuleType("__main__")
exec(compile(order["code"], "<string>", "exec"), vars(sys.modules["__main__"]))
"""


class Process(Protocol):
    """What the tests use of `subprocess.Popen[str]`."""

    pid: int
    stdout: IO[str] | None
    stderr: IO[str] | None

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


def communicate(process: Process, timeout: float | None) -> tuple[str, str]:
    """What it prints until its end, to its two streams; killed, and TimeoutExpired raised, after so many seconds."""
    with ThreadPoolExecutor(2) as readers:
        out, err = (readers.submit(_read, stream) for stream in (process.stdout, process.stderr))
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return out.result(), err.result()


def _read(stream: IO[str] | None) -> str:
    assert stream is not None
    with stream:
        return stream.read()


def module(name: str, *arguments: str) -> str:
    """The code of `python -m NAME ARGUMENTS`."""
    words = [name, *arguments]
    return (
        f"import runpy, sys; sys.argv[:] = {words!r}; runpy.run_module({name!r}, run_name='__main__', alter_sys=True)"
    )


class _Forked:
    """A process that was forked, with the methods of Popen."""

    def __init__(self, status: int, out: int, err: int) -> None:
        self.stdout: IO[str] | None = os.fdopen(out, encoding="utf-8")
        self.stderr: IO[str] | None = os.fdopen(err, encoding="utf-8")
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(["forked", str(self.pid)], timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """Starts processes of one set of imports.

    Args:
        modules: What they begin with, as far as the interpreter has the packages.
        path: Where the interpreter looks for those before it looks elsewhere.
        env: Of the process that waits: what an interpreter reads when it starts, such as PYTHONHASHSEED.
        python: The interpreter.
    """

    def __init__(
        self, modules: Sequence[str], env: Mapping[str, str], path: Path, python: str = sys.executable
    ) -> None:
        self._gate, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [python, "-c", _SERVE, str(theirs.fileno()), str(path), *modules],
                env=dict(env),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd="/",
            )

    def start(self, code: str, *, env: Mapping[str, str], cwd: Path) -> Process:
        """Start `python -c CODE` in a folder, with an environment."""
        order = os.memfd_create("order")
        (out, out_end), (err, err_end), (status, status_end) = os.pipe(), os.pipe(), os.pipe()
        os.pwrite(order, json.dumps({"code": code, "env": dict(env), "cwd": str(cwd)}).encode(), 0)
        socket.send_fds(self._gate, [b"."], [order, out_end, err_end, status_end])
        for passed in (order, out_end, err_end, status_end):
            os.close(passed)
        return _Forked(status, out, err)

    def run(self, code: str, *, env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        process = self.start(code, env=env, cwd=cwd)
        out, err = communicate(process, None)
        return subprocess.CompletedProcess(["python", "-c", code], process.wait(), out, err)

    def close(self) -> None:
        """End the process that waits; what it forked goes on."""
        self._gate.close()
        self._server.wait()
