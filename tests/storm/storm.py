"""The storm itself: faults by a seed for so long, then calm, and the oracle's verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from tests.cluster.processes import CommandFailed, wait_until

from . import faults, oracle
from .fleet import Fleet

WITHIN = 60.0  # seconds after the last fault; or three times what a calm start takes, on a slow machine
BETWEEN = (0.2, 2.5)  # seconds between two faults
UNDONE = (1.0, 8.0)  # seconds until a fault that lasts is undone
# What a step may meet while the API server, or the database server, is away.
AWAY = (CommandFailed, RuntimeError, OSError, psycopg.OperationalError, StopIteration)


@dataclass
class Storm:
    """One storm over a fleet; `say` is told each fault as it happens.

    The seed decides which faults come, when, and whom they are meant for; what they meet depends on how far the runs
    are by then, which no seed can fix.
    """

    fleet: Fleet
    seed: int
    say: Callable[[str], None] = print
    clean: float = 0.0
    hit: dict[str, int] = field(default_factory=dict)
    _undo: list[tuple[float, str, faults.Undo]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def run(self, seconds: float) -> None:
        """A calm start, the faults, and the verdict.

        Raises:
            AssertionError: the oracle's sentences.
        """
        for member in self.fleet.members:
            member.put()
        self.clean = self._settle("the calm start", 300)
        self.say(
            f"seed {self.seed}: {len(self.fleet.members)} resources are up to date {self.clean:.0f} s after the start"
        )
        self._rage(time.monotonic() + seconds)
        self._calm()
        took = self._settle("the last fault", max(WITHIN, 3 * self.clean))
        self.say(f"all of it is at its end {took:.0f} s after the last fault; faults: {self.hit}")

    def _rage(self, until: float) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - a storm, no secret
        choices, weights = list(faults.FAULTS), list(faults.FAULTS.values())
        while time.monotonic() < until:
            (fault,) = chance.choices(choices, weights)
            lasts, pause, own = chance.uniform(*UNDONE), chance.uniform(*BETWEEN), random.Random(chance.random())  # noqa: S311
            self._strike(fault, own, lasts)
            time.sleep(pause)
            self._undo_what_is_due()

    def _strike(self, fault: faults.Fault, chance: random.Random, lasts: float) -> None:
        name = fault.__name__
        try:
            undo = fault(self.fleet, chance)
        except faults.Nothing:
            return
        except AWAY as error:
            self._tell(f"{name} came to nothing: {str(error)[:120]}")
            return
        self.hit[name] = self.hit.get(name, 0) + 1
        self._tell(name)
        if undo is not None:
            self._undo.append((time.monotonic() + lasts, name, undo))

    def _undo_what_is_due(self) -> None:
        now = time.monotonic()
        due = [one for one in self._undo if one[0] <= now]
        self._undo = [one for one in self._undo if one[0] > now]
        for _, name, undo in due:
            try:
                undo()
            except AWAY:
                self._undo.append((now, name, undo))
            else:
                self._tell(f"{name} is over")

    def _calm(self) -> None:
        """Undo what lasts, the servers first: without them nothing else can be undone."""
        first = (faults.crash_api_server.__name__, faults.crash_server.__name__)
        self._undo.sort(key=lambda one: one[1] not in first)
        for _, name, undo in self._undo:
            undo()
            self._tell(f"{name} is over")
        self._undo.clear()
        for member in self.fleet.members:
            if member.there:
                member.put()  # a fault may have come to nothing half-way

    def _settle(self, since: str, timeout: float) -> float:
        """Wait for the end of everything; the seconds that it took."""
        began = time.monotonic()
        left: list[str] = []

        def settled() -> bool:
            try:
                self.fleet.approve()
                left[:] = oracle.unfinished(self.fleet)
            except AWAY as error:
                left[:] = [f"it could not be asked: {error}"]
            return not left

        with suppress(TimeoutError):
            wait_until(settled, "the end", timeout, every=0.5)
        wrong = oracle.faults_of_databases(self.fleet)
        told = "\n".join([*wrong, *left])
        assert not wrong and not left, f"seed {self.seed}, {timeout:.0f} s after {since}:\n{told}"
        return time.monotonic() - began

    def _tell(self, what: str) -> None:
        self.say(f"{time.monotonic() - self._began:7.1f} {what}")
