"""The plan of the steps that ran in the shadow."""

from __future__ import annotations

import time

from ...contract.plan import PlanDocument, ShadowFacts, Step
from ...contract.reasons import Reason
from ..database.driver import RawConnection, rows
from ..database.journal import ensure_journal
from ..database.version_table import read_version_rows
from ..errors import RunFailed
from ..migrate.version_table_width import fresh_width
from .catalog import relations_of, tables_of
from .document import document, environment_step, step_of
from .empty_tables import blaming_rows, empty_copy, failed_on_rows, reads_rows, with_both_ways
from .probe import Probe
from .recorder import Recorder
from .rehearsal import Rehearsal, Rehearsed
from .roundtrip import Stations, tried
from .schema_comparison import schema_of
from .seed import Seeds
from .shadow import Shadow
from .shadow_version_table import stamp
from .target_check import check_rows, check_steps
from .task import Task


def plan_in_shadow(task: Task, shadow: Shadow) -> PlanDocument:
    """Run the steps in the shadow, and where rows may lead them another way, with empty tables too.

    Raises:
        RunFailed: MigrationFailed, ShadowFailed.
    """
    with empty_copy(task, shadow) as empty:
        try:
            return _planned(task, shadow, empty=empty)
        except RunFailed as failed:
            if empty is None or failed.failure.reason != Reason.MIGRATION_FAILED or not failed.failure.revision:
                raise
            first = failed
        try:
            return _planned(task, empty, failed=first)
        except RunFailed as again:
            raise blaming_rows(first, again) from None


def _planned(
    task: Task, shadow: Shadow, *, empty: Shadow | None = None, failed: RunFailed | None = None
) -> PlanDocument:
    """The plan of a run with made-up rows; or, where that has failed, without."""
    recorder = Recorder(task.driver, task.signals, task.secrets, shadow)
    migrating, beside = shadow.captured(recorder), shadow.connect()
    try:
        if task.driver.name == "psycopg2":
            task.signals.cancel_on_signal(migrating)
        rows(beside, "SET statement_timeout = 0")
        ensure_journal(task.driver, beside, task.report)
        stamp(beside, task.version_table, task.rows, fresh_width(task.history.graph.files))
        seeds = Seeds(beside, task.version_table, task.driver.error, planted=failed is None)
        probe = Probe(beside, task.version_table, recorder.own)
        recorder.attach(migrating, probe, seeds)
        facts = _facts(beside, task, seeds)
        task.report.record("shadow", tables=facts.tables, bytes=facts.bytes, seconds=facts.seconds)
        if seeds.empty:
            task.report.warn(_not_seeded(seeds.empty))
        stations = Stations(task, beside)
        rehearsal = Rehearsal.of(task, migrating, recorder, shadow)
        rehearsal.ended = stations.come_by
        done = rehearsal.run(task.direction, task.targets)
        task.progress("")
        check_steps(task, [one.revision for one in done])
        check_rows(task, read_version_rows(beside, task.version_table))
        steps = [_step(one, task) for one in done]
        all_steps = [*_environment(rehearsal, task), *steps]
        relations = relations_of(task.target, all_steps, probe.names)
        tables = tables_of(task.target, beside, all_steps, probe.names)
        expected = schema_of(beside, task).fingerprint
        migrating.close()  # what it holds would stand in the way of the round trip
        steps = tried(task, shadow, steps, stations)
        if failed is not None:
            steps = [failed_on_rows(step, failed) for step in steps]
        elif empty is not None and seeds.tables and reads_rows(steps):
            steps = with_both_ways(steps, _sent_without_rows(task, empty))
        for step in steps:
            if step.rows:
                task.report.warn(f"Revision {step.revision}: {step.rows}")
        return document(
            task,
            [*_environment(rehearsal, task), *steps],
            "Shadow",
            relations=relations,
            tables=tables,
            shadow=facts,
            fingerprint=schema_of(task.target, task).fingerprint,
            expected_fingerprint=expected,
        )
    finally:
        migrating.close()
        beside.close()


def _environment(rehearsal: Rehearsal, task: Task) -> list[Step]:
    """What env.py sent by itself, before and after the revisions."""
    step = rehearsal.environment
    if not step.statements:
        return []
    return [environment_step(task, step.statements, transactional=not step.committed)]


def _sent_without_rows(task: Task, shadow: Shadow) -> list[Step]:
    """The steps as they run with empty tables; those alone that come before one that fails there."""
    recorder = Recorder(task.driver, task.signals, task.secrets, shadow)
    migrating, beside = shadow.captured(recorder), shadow.connect()
    try:
        ensure_journal(task.driver, beside, task.report)
        stamp(beside, task.version_table, task.rows, fresh_width(task.history.graph.files))
        seeds = Seeds(beside, task.version_table, task.driver.error, planted=False)
        recorder.attach(migrating, Probe(beside, task.version_table, recorder.own), seeds)
        rehearsal = Rehearsal.of(task, migrating, recorder, shadow)
        try:
            rehearsal.run(task.direction, task.targets)
        except RunFailed as failed:
            task.report.warn(f"With empty tables: {failed.found}.")
        return [_step(one, task) for one in rehearsal.done]
    finally:
        task.progress("")
        migrating.close()
        beside.close()


def _step(one: Rehearsed, task: Task) -> Step:
    return step_of(
        task,
        one.revision,
        transactional=not one.step.committed,
        escapes=one.step.escapes,
        statements=one.step.statements,
        seconds=one.seconds,
    )


def _facts(beside: RawConnection, task: Task, seeds: Seeds) -> ShadowFacts:
    size, version = rows(
        beside,
        "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), "
        "pg_catalog.current_setting('server_version')",
    )[0]
    return ShadowFacts(
        seconds=round(time.monotonic() - task.began, 3), bytes=size, tables=seeds.tables, version=version.split(" ")[0]
    )


def _not_seeded(empty: list[str]) -> str:
    shown = ", ".join(empty[:5]) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
    return (
        f"No row could be made up for {shown}: these tables are empty in the shadow, and the plan does not show what "
        "depends on rows."
    )
