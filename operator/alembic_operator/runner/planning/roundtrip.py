"""Up, down, up: whether each step's downgrade() gives the schema back, tried in the shadow after the plan was made."""

from __future__ import annotations

import time
from dataclasses import replace

from ...contract.plan import Direction, Step
from ..database.driver import RawConnection
from ..database.version_table import read_version_rows
from ..errors import RunFailed
from ..schema import Snapshot, differences
from .downgrades import EMPTY, UNPROVEN, declared
from .empty_downgrades import kept_by
from .recorder import Recorder
from .rehearsal import Rehearsal
from .schema_comparison import schema_of
from .shadow import Shadow
from .static_plan import steps_of
from .task import Task

PROVEN, FAILED = "proven", "failed"
_BUDGET = 20.0  # seconds for looking at schemas: with 2,000 tables and many steps it would be minutes
_MOST = 25  # steps that are tried, the newest ones
_LISTED = 20


class Stations:
    """The shadow's schema and version rows where the round trip will come by again.

    Attributes:
        schemas: by the number of steps done; of the others nothing is known.
        rows: the same of version rows.
    """

    def __init__(self, task: Task, beside: RawConnection) -> None:
        """The plan has not begun."""
        self.schemas: dict[int, Snapshot] = {}
        self.rows: dict[int, list[str]] = {}
        self.beside = beside
        self._task, self._done, self._spent = task, 0, 0.0
        self._wanted = _wanted(task)
        self._look()

    def come_by(self) -> None:
        """One step more is done."""
        self._done += 1
        self._look()

    def _look(self) -> None:
        if self._done not in self._wanted or self._spent > _BUDGET:
            return
        began = time.monotonic()
        self.schemas[self._done] = schema_of(self.beside, self._task)
        self.rows[self._done] = read_version_rows(self.beside, self._task.version_table)
        self._spent += time.monotonic() - began


def _wanted(task: Task) -> set[int]:
    """After how many steps to look: around those that can be taken back one by one, from the newest on."""
    steps = steps_of(task)
    if task.direction == Direction.DOWNGRADE:
        return {*range(min(len(steps), _MOST) + 1), len(steps)}
    first = len(steps)
    while first and len(steps) - first < _MOST and declared(steps[first - 1].revision.path) == UNPROVEN:
        first -= 1
    return set(range(first, len(steps) + 1)) if first < len(steps) else set()


def tried(task: Task, shadow: Shadow, steps: list[Step], stations: Stations) -> list[Step]:
    """The steps with what became of their way back; one that fails is a finding and never an error."""
    schemas = stations.schemas
    if task.direction == Direction.DOWNGRADE:
        return _tried_down(task, shadow, steps, stations)
    if len(steps) not in schemas:
        return steps
    results = list(steps)
    for at in range(len(steps) - 1, -1, -1):
        if steps[at].downgrade != UNPROVEN or at not in schemas or at + 1 not in schemas:
            break  # missing or empty: what lies before it is not reached
        goes_on = at > 0 and steps[at - 1].downgrade == UNPROVEN and at - 1 in schemas
        found = _back_one(task, shadow, stations, at, goes_on=goes_on)
        results[at] = replace(steps[at], downgrade=FAILED if found else PROVEN, downgrade_differences=found)
        if found:
            break
    return results


def _tried_down(task: Task, shadow: Shadow, steps: list[Step], stations: Stations) -> list[Step]:
    """The steps of a plan that goes down: `empty`, with what stays, where the schema did not change and should have."""
    kept = kept_by(task, shadow, steps, stations.schemas)
    tried_up = len(steps) in stations.schemas
    found = _there_and_back(task, shadow, stations) if tried_up else []
    return [
        replace(step, downgrade=EMPTY, downgrade_differences=kept[at][:_LISTED])
        if at in kept
        else _told(step, found, tried_up=tried_up)
        for at, step in enumerate(steps)
    ]


def _told(step: Step, found: list[str], *, tried_up: bool) -> Step:
    """A step down; an empty one proves nothing, since the upgrade may pass over what is still there."""
    if step.downgrade == EMPTY or not tried_up:
        return step
    return replace(step, downgrade=FAILED if found else PROVEN, downgrade_differences=found)


def _back_one(task: Task, shadow: Shadow, stations: Stations, at: int, *, goes_on: bool) -> list[str]:
    """Down and up over one step, and down again where the round trip goes on from there.

    Returns:
        What the schema was like when it should have been another one.
    """
    before, after = stations.rows[at], stations.rows[at + 1]
    legs = [
        (Direction.DOWNGRADE, before, stations.schemas[at]),
        (Direction.UPGRADE, after, stations.schemas[at + 1]),
        (Direction.DOWNGRADE, before, stations.schemas[at]),
    ]
    for direction, target, wanted in legs if goes_on else legs[:2]:
        found = _go(task, shadow, direction, target) or differences(wanted, schema_of(stations.beside, task))
        if found:
            return found[:_LISTED]
        if read_version_rows(stations.beside, task.version_table) != target:
            return ["its version rows differ from those before"]
    return []


def _there_and_back(task: Task, shadow: Shadow, stations: Stations) -> list[str]:
    """Up again after a plan that goes down, and down once more."""
    last = max(stations.rows)
    start, end = stations.rows[0], stations.rows[last]
    for direction, target, wanted in (
        (Direction.UPGRADE, start, stations.schemas[0]),
        (Direction.DOWNGRADE, end, stations.schemas[last]),
    ):
        found = _go(task, shadow, direction, target) or differences(wanted, schema_of(stations.beside, task))
        if found:
            return found[:_LISTED]
    return []


def _go(task: Task, shadow: Shadow, direction: Direction, targets: list[str]) -> list[str]:
    recorder = Recorder(task.driver, task.signals, task.secrets, shadow)
    raw = shadow.captured(recorder)
    recorder.unprobed(raw)
    try:
        Rehearsal.of(task, raw, recorder, shadow).run(direction, targets)
    except RunFailed as failed:
        return [failed.plain]
    finally:
        raw.close()
        task.progress("")
    return []
