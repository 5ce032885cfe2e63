"""Where a test run spent its time: `python -m tests.times` prints what the last one noted (`make test-times`).

Every worker appends to the one file: a line for each phase of a test, and for each fixture that took a while.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from multiprocessing import current_process
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / ".pytest_cache" / "times.jsonl"
LISTED = 40
_LEAST = 0.05  # seconds; a shorter fixture is not noted
_LEVELS = ("unit", "component", "e2e", "cluster")


@dataclass(frozen=True)
class Took:
    """One line of the file.

    Attributes:
        what: A test's id, or the name of a fixture with its scope and file.
        phase: setup, call or teardown of a test; fixture.
        worker: Which process.
        failed: Whether it did: `grep true` tells it while a long run goes on.
    """

    what: str
    phase: str
    seconds: float
    worker: str
    failed: bool = False

    @property
    def level(self) -> str:
        """The folder of tests/ that it is from."""
        return next((level for level in _LEVELS if f"tests/{level}/" in self.what), "")


class Times:
    """The plugin that notes them, in each process that runs tests."""

    def __init__(self) -> None:
        self._worker = os.environ.get("PYTEST_XDIST_WORKER")
        FILE.parent.mkdir(exist_ok=True)
        self._file = FILE.open("a", encoding="utf-8")  # of all workers: each line is one write

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note a phase of a test, in the process that runs it."""
        report = yield
        self._note(report.nodeid, report.when, report.duration, report.failed)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Note a fixture; those that it asks for first are in its seconds too."""
        began = time.monotonic()
        try:
            return (yield)
        finally:
            seconds = time.monotonic() - began
            if seconds >= _LEAST:
                self._note(f"{fixturedef.baseid}: {fixturedef.argname} ({fixturedef.scope})", "fixture", seconds)

    def _note(self, what: str, phase: str, seconds: float, failed: bool = False) -> None:
        took = Took(what, phase, round(seconds, 3), self._worker or current_process().name, failed)
        if phase != "call" and not took.seconds and not failed:
            return  # most of the phases of the unit tests
        self._file.write(json.dumps(vars(took)) + "\n")
        self._file.flush()


def read() -> list[Took]:
    """The lines of the last run."""
    return [Took(**json.loads(line)) for line in FILE.read_text(encoding="utf-8").splitlines()]


def table(noted: list[Took]) -> Iterator[str]:
    """The lines to print: sums by level and phase, the slowest tests of each level, the slowest fixtures."""
    yield f"{'level':<12}{'tests':>7}{'setup':>9}{'call':>9}{'teardown':>10}{'together':>10}   seconds of all workers"
    for level in _LEVELS:
        ours = [took for took in noted if took.level == level and took.phase != "fixture"]
        sums = {phase: sum(t.seconds for t in ours if t.phase == phase) for phase in ("setup", "call", "teardown")}
        count = len({took.what for took in ours})
        phases = f"{sums['setup']:>9.1f}{sums['call']:>9.1f}{sums['teardown']:>10.1f}"
        yield f"{level:<12}{count:>7}{phases}{sum(sums.values()):>10.1f}"
    for level in _LEVELS:
        yield from _slowest(f"tests of {level}", [t for t in noted if t.level == level and t.phase != "fixture"])
    yield from _slowest("files", [_of_file(took) for took in noted if took.phase != "fixture"])
    yield from _slowest("fixtures", [took for took in noted if took.phase == "fixture"])


def _of_file(took: Took) -> Took:
    return Took(took.what.partition("::")[0], took.phase, took.seconds, took.worker)


def _slowest(title: str, noted: list[Took]) -> Iterator[str]:
    sums: dict[str, float] = defaultdict(float)
    for took in noted:
        sums[took.what] += took.seconds
    yield f"\nthe slowest {title}"
    for what, seconds in sorted(sums.items(), key=lambda item: -item[1])[:LISTED]:
        yield f"{seconds:>9.1f}  {what}"


def main() -> int:
    """Print the table; the exit code."""
    if not FILE.exists():
        print("no test run was noted yet: make test, make component, make unit or make e2e first", file=sys.stderr)
        return 1
    for line in table(read()):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
