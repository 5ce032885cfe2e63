"""Servers that outlive the command that starts them, found again by a mark in their environment.

The mark needs no file that a crash could lose, and no other process can be taken for ours.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import process_runs, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .instance import Instance

_MARK = "ALEMBIC_OPERATOR_CLUSTER"
_PART = "ALEMBIC_OPERATOR_PART"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CGROUPS = Path("/sys/fs/cgroup")

LOOKS = 4  # at a process that seems to be gone


def start(instance: Instance, part: str, command: Sequence[str | Path]) -> None:
    """Start a server in the background; `log_tail` shows what it says."""
    environment = {"PATH": _PATH, "HOME": str(instance.state), _MARK: instance.name, _PART: part}
    with (instance.logs / f"{part}.log").open("ab") as log:
        subprocess.run(
            ["setsid", "--fork", *(str(word) for word in command)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd="/",
            check=True,
        )


def log_tail(instance: Instance, part: str, lines: int = 15) -> str:
    """The last lines that a server wrote."""
    with suppress(FileNotFoundError):
        text = (instance.logs / f"{part}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])
    return ""


def running(name: str) -> dict[int, str]:
    """The processes of an instance and which part of it each belongs to."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            marks = _marks(int(entry.name))
            if marks.get(_MARK) == name:
                found[int(entry.name)] = marks.get(_PART, "")
    return found


def _marks(pid: int) -> dict[str, str]:
    with suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
        return dict(line.split("=", 1) for line in environment.split("\0") if line.startswith((_MARK, _PART)))
    return {}


def process_of(name: str, part: str) -> int | None:
    """The process of a part that has one."""
    # While a process executes another program its environment reads as empty for a moment: one look is not enough.
    for _ in range(LOOKS):
        pid = next((pid for pid, other in sorted(running(name).items()) if other == part), None)
        if pid is not None:
            return pid
        time.sleep(0.05)
    return None


def kill_all(name: str, *, spare: str = "", timeout: float = 60) -> None:
    """Kill every process of an instance, but those of the part `spare`, and wait until all of them are gone.

    The time is for a disk that is so busy that a write, which no signal ends, holds a process up.
    """
    deadline = time.monotonic() + timeout
    while pids := [pid for pid, part in running(name).items() if part != spare]:
        for pid in pids:
            _kill(pid, name, deadline)


def _kill(pid: int, name: str, deadline: float) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # Looked at again, now that the handle pins the process: the number may be another's by now.
        if _marks(pid).get(_MARK) != name:
            return
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        if not waiting.poll(max(0, deadline - time.monotonic()) * 1000):
            raise TimeoutError(f"process {pid} of the cluster {name} does not die: see /proc/{pid}/stack")
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def cgroups(instance: Instance) -> list[Path]:
    """The instance's cgroup in each hierarchy that there is (one in version 2)."""
    roots = [_CGROUPS] if (_CGROUPS / "cgroup.controllers").exists() else list(_CGROUPS.iterdir())
    return sorted({root.resolve() / instance.cgroup.strip("/") for root in roots if root.is_dir()})


def make_cgroups(instance: Instance) -> None:
    """Make the parent of the pods' cgroups, so that two kubelets do not clean up each other's pods."""
    for folder in cgroups(instance):
        if folder.parent.name == "unified":
            continue
        for control in ("+cpuset", "+cpu", "+io", "+memory", "+hugetlb", "+pids"):
            with suppress(OSError):  # version 1 has no such file, and not every kernel has each controller
                (folder.parent / "cgroup.subtree_control").open("r+").write(control)
        folder.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            inherited = folder.parent / name
            if inherited.exists() and not (folder / name).read_text().strip():
                (folder / name).write_text(inherited.read_text())


def kill_pods(instance: Instance) -> None:
    """Kill what runs in the pods; as long as containerd's shims live, they reap it."""

    def dead() -> bool:
        pids = [pid for folder in cgroups(instance) for pid in _members(folder)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    wait_until(dead, f"the end of the pods in {instance.cgroup}", timeout=60)


def remove_cgroups(instance: Instance) -> None:
    """Remove the cgroups of the pods, which have ended."""

    def gone() -> bool:
        for folder in cgroups(instance):
            for child in sorted(_below(folder), reverse=True):
                with suppress(OSError):  # busy until the kernel is done with its processes: the next round
                    child.rmdir()
        return not any(folder.exists() for folder in cgroups(instance))

    wait_until(gone, f"the removal of {instance.cgroup} below {_CGROUPS}", timeout=60)


def _members(folder: Path) -> Iterator[int]:
    for child in _below(folder):
        with suppress(OSError):
            for pid in (child / "cgroup.procs").read_text().split():
                if process_runs(int(pid)):
                    yield int(pid)


def _below(folder: Path) -> list[Path]:
    """The folder and all folders in it."""
    # Not by Path.rglob, which fails when one goes meanwhile: containerd removes them, too.
    return [Path(path) for path, _, _ in os.walk(folder)]
