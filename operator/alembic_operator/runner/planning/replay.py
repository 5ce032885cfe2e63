"""The history run into an empty database beside the shadow: the schema that its revisions make, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from ...contract import places
from ...contract.plan import Direction
from ..driver import rows
from ..journal import ensure_journal
from ..schema import Snapshot
from .look import schema_of
from .recorder import Recorder
from .rehearsal import Rehearsal
from .shadow import Shadow
from .stamp import stamp
from .task import Task

_DATABASE = places.SHADOW_DATABASE + "_history"


def replayed(task: Task, shadow: Shadow, stops: Sequence[Sequence[str]]) -> list[Snapshot]:
    """Run the history from base, and look at the schema at each stop.

    Args:
        task: knows the history.
        shadow: whose server gets the database.
        stops: version rows to come by, one after the other; [] is base.

    Returns:
        A snapshot for each stop.

    Raises:
        RunFailed: MigrationFailed, where the history does not run from base; ShadowFailed.
    """
    beside = shadow.connect()
    try:
        rows(beside, f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        rows(beside, f"CREATE DATABASE {_DATABASE} TEMPLATE template0")
        return _replayed(task, shadow, stops)
    finally:
        rows(beside, f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        beside.close()


def _replayed(task: Task, shadow: Shadow, stops: Sequence[Sequence[str]]) -> list[Snapshot]:
    prepared = shadow.connect(_DATABASE)
    try:
        for schema in dict.fromkeys([*task.search_path.existing, task.place.schema]):
            quoted = '"' + schema.replace('"', '""') + '"'
            rows(prepared, f"CREATE SCHEMA IF NOT EXISTS {quoted}")
        ensure_journal(task.driver, prepared, task.report)
        stamp(prepared, task.place, [])
        found = []
        for stop in stops:
            if stop:
                _run(task, shadow, stop)
            found.append(schema_of(prepared, task))
        return found
    finally:
        prepared.close()


def _run(task: Task, shadow: Shadow, targets: Sequence[str]) -> None:
    recorder = Recorder(task.driver, task.signals, task.secrets)
    raw = shadow.captured(recorder, _DATABASE)
    recorder.unprobed(raw)
    try:
        parameters = {**shadow.parameters, "dbname": _DATABASE}
        Rehearsal.of(task, raw, recorder, parameters).run(Direction.UPGRADE, targets)
    finally:
        task.progress("")
        raw.close()
