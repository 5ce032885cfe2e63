"""Up, down, up: whether each step's downgrade() gives the schema back, tried in the shadow after the plan was made."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from ...contract.plan import Direction, Step
from ..driver import RawConnection
from ..errors import RunFailed
from ..versiontable import read_version_rows
from .doors import led_to
from .downgrades import UNPROVEN
from .look import differences, schema_of
from .recorder import Recorder
from .rehearsal import Rehearsal
from .shadow import Shadow
from .task import Task

PROVEN, FAILED = "proven", "failed"
_BUDGET = 20.0  # seconds for looking at schemas: with 2,000 tables and many steps it would be minutes
_LISTED = 20


@dataclass
class Stations:
    """The shadow's schema and version rows before the plan, and after each step, as long as the budget lasts."""

    task: Task
    beside: RawConnection
    spent: float = 0.0

    def __post_init__(self) -> None:
        self.schemas: list[Any] = []
        self.rows: list[list[str]] = []
        self.look()

    def look(self) -> None:
        """The plan has come by here."""
        began = time.monotonic()
        if self.spent < _BUDGET:
            self.schemas.append(schema_of(self.beside, self.task))
        self.rows.append(read_version_rows(self.beside, self.task.place))
        self.spent += time.monotonic() - began


def tried(task: Task, shadow: Shadow, steps: list[Step], stations: Stations) -> list[Step]:
    """The steps with what became of their way back; one that fails is a finding and never an error."""
    if len(stations.schemas) <= len(steps) or None in stations.schemas:
        return steps
    if task.direction == Direction.DOWNGRADE:
        found = _there_and_back(task, shadow, stations)
        return [replace(step, downgrade=FAILED if found else PROVEN, downgrade_differences=found) for step in steps]
    results = list(steps)
    for at in range(len(steps) - 1, -1, -1):
        if steps[at].downgrade != UNPROVEN:
            break  # missing or empty: what lies before it is not reached
        found = _back_one(task, shadow, stations, at)
        results[at] = replace(steps[at], downgrade=FAILED if found else PROVEN, downgrade_differences=found)
        if found:
            break
    return results


def _back_one(task: Task, shadow: Shadow, stations: Stations, at: int) -> list[str]:
    """Down and up and down again over one step; what the schema was like when it should have been another one."""
    before, after = stations.rows[at], stations.rows[at + 1]
    for direction, target, wanted in (
        (Direction.DOWNGRADE, before, stations.schemas[at]),
        (Direction.UPGRADE, after, stations.schemas[at + 1]),
        (Direction.DOWNGRADE, before, stations.schemas[at]),
    ):
        found = _go(task, shadow, direction, target) or differences(wanted, schema_of(stations.beside, task))
        if found:
            return found[:_LISTED]
        if read_version_rows(stations.beside, task.place) != target:
            return ["its version rows are not those from before"]
    return []


def _there_and_back(task: Task, shadow: Shadow, stations: Stations) -> list[str]:
    """Up again after a plan that goes down, and down once more."""
    start, end = stations.rows[0], stations.rows[-1]
    for direction, target, wanted in (
        (Direction.UPGRADE, start, stations.schemas[0]),
        (Direction.DOWNGRADE, end, stations.schemas[-1]),
    ):
        found = _go(task, shadow, direction, target) or differences(wanted, schema_of(stations.beside, task))
        if found:
            return found[:_LISTED]
    return []


def _go(task: Task, shadow: Shadow, direction: Direction, target: list[str]) -> list[str]:
    recorder = Recorder(task.driver, task.signals, task.secrets)
    try:
        for revision in target or ["base"]:
            raw = shadow.captured(recorder)
            recorder.unprobed(raw)
            try:
                Rehearsal(
                    driver=task.driver,
                    raw=raw,
                    history_files=task.history,
                    place=task.place,
                    recorder=recorder,
                    began=task.progress,
                    around=lambda: led_to(shadow.parameters, recorder.opened),
                ).run(direction, revision)
            finally:
                raw.close()
    except RunFailed as failed:
        return [failed.found]
    finally:
        task.progress("")
    return []
