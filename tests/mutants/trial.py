"""Trying mutants: each in a copy of the repository of its own, never in the checkout."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .mutant import Mutant, Stale

ROOT = Path(__file__).parents[2]
LONGEST = 900  # seconds of one run of pytest
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+(?:\[.*?\])?)(?: - |$)", re.MULTILINE)
_TESTS_FAILED = 1  # pytest's exit code; others tell of a broken run

# The shell outlives this process when that is killed: its standard input ends then, and the copies go.
_REMOVE_LATER = 'trap "" INT TERM HUP; read -r word; rm -rf "$1"'


@dataclass(frozen=True)
class Verdict:
    """What came of a mutant: the first test that failed by it, or what was wrong."""

    mutant: Mutant
    caught_by: str = ""
    trouble: str = ""
    seconds: float = 0.0


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder that goes at the end, also of a process that is killed."""
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    words = ["/bin/sh", "-c", _REMOVE_LATER, "sh", str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True) as remover:
        try:
            yield folder
        finally:
            remover.communicate()


def copy_of_the_repository(folder: Path) -> Path:
    """The files that git knows or would take, as they are in the checkout now."""
    copy = folder / "unchanged"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Pytest's exit code and output; it ends at the first failure, and with this process."""
    paths = os.pathsep.join(str(copy / name) for name in ("operator", "helpers", "."))
    words = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "-rfE", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", "--", *words],
            cwd=copy,
            # Before the checkout, which the virtual environment has on its path.
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"pytest did not end within {LONGEST} s"
    return done.returncode, done.stdout + done.stderr


def trouble_without_a_fault(copy: Path, mutants: Sequence[Mutant]) -> str:
    """See that every test passes as long as nothing is changed; else what failed."""
    code, output = run_tests(copy, sorted({one.tests for one in mutants}))
    return "" if code == 0 else output[-3000:]


def attempt(mutant: Mutant, unchanged: Path) -> Verdict:
    """Make the change, and see which test fails."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=unchanged.parent) as folder:
        copy = Path(shutil.copytree(unchanged, Path(folder) / "changed"))
        try:
            mutant.apply(copy)
        except Stale as stale:
            return Verdict(mutant, trouble=str(stale))
        code, output = run_tests(copy, [mutant.tests])
    seconds = time.monotonic() - began
    if code == 0:
        return Verdict(mutant, trouble="SURVIVED: no test noticed it", seconds=seconds)
    failed = _FAILED.search(output)
    if code != _TESTS_FAILED or failed is None:
        return Verdict(mutant, trouble=f"pytest broke (exit code {code}): {output[-500:].strip()}", seconds=seconds)
    return Verdict(mutant, caught_by=failed[1], seconds=seconds)
