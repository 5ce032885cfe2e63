"""The history run into an empty database beside the shadow: the schema that its revisions make, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ...contract.plan import Direction
from ...contract.reasons import Reason
from ..database.driver import RawConnection, rows
from ..database.journal import ensure_journal
from ..errors import RunFailed
from ..migrate.version_table_width import fresh_width
from ..schema import Snapshot
from .recorder import Recorder
from .rehearsal import Rehearsal
from .schema_comparison import extensions_of, quoted, schema_of, schemas_of
from .shadow import Shadow
from .shadow_version_table import stamp
from .task import Task

_SUFFIX = "_history"


def replayed(task: Task, shadow: Shadow, stops: Sequence[Sequence[str]]) -> list[Snapshot]:
    """Run the history from base, and look at the schema in the search path at each stop.

    Args:
        task: knows the history.
        shadow: whose server gets the database.
        stops: version rows to come by, one after the other; [] is base.

    Returns:
        A snapshot for each stop.

    Raises:
        RunFailed: MigrationFailed, where the history does not run from base; ShadowFailed.
    """
    with _empty_database(task, shadow) as prepared:
        found = []
        for stop in stops:
            if stop:
                _run(task, shadow, stop)
            found.append(schema_of(prepared, task))
        return found


@dataclass(frozen=True)
class Made:
    """What a history makes.

    Attributes:
        schema: everything in the search path, and in other schemas that it makes or fills.
        schemas: names of those others.
        extensions: names.
    """

    schema: Snapshot
    schemas: list[str]
    extensions: set[str]


def made_by_history(task: Task, shadow: Shadow, heads: Sequence[str]) -> Made:
    """Run the history from base to these version rows, and look at everything that it makes.

    The target's extensions are there first: who may not create them leaves that to somebody else. A history that makes
    one without IF NOT EXISTS, or the schema that one is in, is run without.

    Raises:
        RunFailed: MigrationFailed, where the history does not run from base; ShadowFailed.
    """
    extensions = extensions_of(task.target)
    try:
        return _made(task, shadow, heads, extensions)
    except RunFailed as failed:
        if not extensions or failed.failure.reason is Reason.SHADOW_FAILED:
            raise
    return _made(task, shadow, heads, {})


def _made(task: Task, shadow: Shadow, heads: Sequence[str], extensions: dict[str, str]) -> Made:
    with _empty_database(task, shadow) as prepared:
        for extension, schema in extensions.items():
            _offer(task, prepared, extension, schema)
        _run(task, shadow, heads)
        schemas = schemas_of(prepared)
        return Made(schema_of(prepared, task, schemas), schemas, set(extensions_of(prepared)))


def _offer(task: Task, prepared: RawConnection, extension: str, schema: str) -> None:
    try:
        if not schema.startswith("pg_"):
            rows(prepared, f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        rows(prepared, f"CREATE EXTENSION IF NOT EXISTS {quoted(extension)} SCHEMA {quoted(schema)} CASCADE")
    except task.driver.error as error:
        # One that only the superuser's own database may have, say: a revision that needs it fails, and says so.
        task.report.record("no-extension", name=extension, error=type(error).__name__)


@contextmanager
def _empty_database(task: Task, shadow: Shadow) -> Iterator[RawConnection]:
    """A session on a database that has the search path's schemas, journal and version table, and nothing in them."""
    beside, name = shadow.connect(), shadow.another(_SUFFIX)
    try:
        rows(beside, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
        rows(beside, f"CREATE DATABASE {quoted(name)} TEMPLATE template0")
        prepared = shadow.connect(name)
        try:
            for schema in dict.fromkeys([*task.search_path.existing, task.version_table.schema]):
                rows(prepared, f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            ensure_journal(task.driver, prepared, task.report)
            stamp(prepared, task.version_table, [], fresh_width(task.history.graph.files))
            yield prepared
        finally:
            prepared.close()
    finally:
        rows(beside, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
        beside.close()


def _run(task: Task, shadow: Shadow, targets: Sequence[str]) -> None:
    recorder = Recorder(task.driver, task.signals, task.secrets, shadow)
    raw = shadow.captured(recorder, shadow.another(_SUFFIX))
    recorder.unprobed(raw)
    try:
        Rehearsal.of(task, raw, recorder, shadow, shadow.another(_SUFFIX)).run(Direction.UPGRADE, targets)
    finally:
        task.progress("")
        raw.close()
