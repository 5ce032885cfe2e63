"""The review in a child process, which has so much time and memory, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from dataclasses import dataclass
from datetime import date

from .result import Lint

LARGEST_ANSWER = 16 * 1024 * 1024  # bytes
STACK = 256 * 1024 * 1024  # bytes: with the usual 8 MiB the parser breaks at a sum of 30 000 numbers
_SHOWN = 200  # characters of what the child said last


@dataclass(frozen=True)
class Limits:
    """What a review may take: bytes of address space, seconds of a processor, seconds of time."""

    memory: int = 1024 * 1024 * 1024
    processor: int = 60
    seconds: float = 120.0


class LintFailed(Exception):
    """A review came to no end; the text is a sentence that says why, and what to do."""


async def lint_in_child(text: str, today: date, limits: Limits = Limits()) -> Lint:
    """Review a plan document.

    Args:
        text: of the document.
        today: waivers that ended before do not count.
        limits: for the child.

    Raises:
        LintFailed: the child took too long or too much memory, or broke.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.processor, limits.processor))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_STACK)
        resource.setrlimit(resource.RLIMIT_STACK, (STACK if hard < 0 else min(STACK, hard), hard))

    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "alembic_operator.review",
        today.isoformat(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
        preexec_fn=limit,
    )
    try:
        async with asyncio.timeout(limits.seconds):
            _, answer, said = await asyncio.gather(
                _feed(child, text), _read(child.stdout, LARGEST_ANSWER), _read(child.stderr, 64 * 1024)
            )
            code = await child.wait()
    except TimeoutError:
        raise LintFailed(
            f"The review of the plan took longer than {limits.seconds:g} s; make the revision's statements shorter, or "
            "split the plan."
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
        await asyncio.to_thread(_reap, child.pid)
    if code != 0:
        raise LintFailed(_why(code, said, limits))
    try:
        return await asyncio.to_thread(Lint.from_json, answer.decode("utf-8", "replace"))
    except ValueError:
        raise LintFailed(_unread(answer)) from None


def _reap(group: int) -> None:
    """Take note of what was killed with the child: where this is a container's first process, that is its child now."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def _environment() -> dict[str, str]:
    """What the child needs to find its modules; no variable of the operator's besides."""
    kept = ("PATH", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


async def _feed(child: asyncio.subprocess.Process, text: str) -> None:
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(text.encode("utf-8", "replace"))
        await child.stdin.drain()
    child.stdin.close()


async def _read(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """At most so many bytes; the rest is read and thrown away."""
    assert stream is not None
    kept = bytearray()
    while piece := await stream.read(64 * 1024):
        kept += piece[: most - len(kept)]
    return bytes(kept)


def _unread(answer: bytes) -> str:
    if len(answer) >= LARGEST_ANSWER:
        return f"The review found more in the plan than {LARGEST_ANSWER >> 20} MiB can hold; split the plan."
    return "The review of the plan ended without a valid answer."


def _why(code: int, said: bytes, limits: Limits) -> str:
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    kind = last.partition(":")[0].rpartition(".")[2]
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"The review of the plan took more than {limits.processor} s of CPU time; split the plan."
    if kind == "MemoryError" or code in (-signal.SIGABRT, -signal.SIGSEGV):
        return (
            f"The review of the plan needs more than {limits.memory // 1024**2} MiB; make the revision's statements "
            "shorter, or split the plan."
        )
    if kind == "SquawkFailed":
        return last.partition(": ")[2]
    if kind == "ProtocolError":
        return "The review cannot read the plan; runner and operator may have different versions."
    return f"The review of the plan failed ({kind[:_SHOWN] or f'exit code {code}'}); please report it with the plan."
