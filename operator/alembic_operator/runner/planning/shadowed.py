"""The plan of the steps that ran in the shadow."""

from __future__ import annotations

import time

from ...contract.digests import inputs_digest, plan_digest, statements_digest
from ...contract.plan import PlanDocument, ShadowFacts, Step, StepKind
from ..driver import RawConnection, rows
from ..graph import RevisionFile
from ..inputs import inputs_of, major_version
from ..journal import ensure_journal
from .catalog import relations_of, tables_of
from .doors import led_to
from .probe import Probe
from .recorder import Recorder
from .rehearsal import Rehearsal, Rehearsed
from .seed import Seeds
from .shadow import Shadow
from .stamp import stamp
from .task import Task


def plan_in_shadow(task: Task, shadow: Shadow) -> PlanDocument:
    """Run the steps in the shadow.

    Raises:
        RunFailed: MigrationFailed, ShadowFailed.
    """
    recorder = Recorder(task.driver, task.signals, task.secrets)
    migrating, beside = shadow.captured(recorder), shadow.connect()
    try:
        if task.driver.name == "psycopg2":
            task.signals.cancel_on_signal(migrating)
        rows(beside, "SET statement_timeout = 0")
        ensure_journal(task.driver, beside, task.report)
        stamp(beside, task.place, task.rows)
        seeds = Seeds(beside, task.place)
        probe = Probe(beside, task.place, recorder.own)
        recorder.attach(migrating, probe, seeds)
        facts = _facts(beside, task, seeds)
        task.report.record("shadow", tables=facts.tables, bytes=facts.bytes, seconds=facts.seconds)
        if seeds.empty:
            task.report.warn(_not_seeded(seeds.empty))
        rehearsal = Rehearsal(
            driver=task.driver,
            raw=migrating,
            history_files=task.history,
            place=task.place,
            recorder=recorder,
            began=task.progress,
            around=lambda: led_to(shadow.parameters, recorder.opened),
        )
        done = rehearsal.run(task.direction, task.revision)
        task.progress("")
        steps = [_step(one, task.history.graph.files[one.revision], task) for one in done]
        return _document(task, steps, probe, beside, facts)
    finally:
        migrating.close()
        beside.close()


def _document(task: Task, steps: list[Step], probe: Probe, beside: RawConnection, facts: ShadowFacts) -> PlanDocument:
    request, to = task.request, [task.revision]
    journal_id = max((entry.id for entry in task.journal.entries.values()), default=0)
    bundle = ""
    inputs = inputs_of(
        request,
        server_version=task.database.version,
        identity=task.database.identity,
        journal_id=journal_id,
        from_revisions=task.rows,
        to_revisions=to,
        direction=task.direction.value,
        history=task.history,
        driver=task.driver,
        bundle=bundle,
    )
    of_inputs, of_statements = inputs_digest(inputs), statements_digest(steps)
    return PlanDocument(
        direction=task.direction,
        evidence="Shadow",
        from_revisions=task.rows,
        to_revisions=to,
        inputs=inputs,
        inputs_digest=of_inputs,
        statements_digest=of_statements,
        digest=plan_digest(of_inputs, of_statements),
        bundle_digest=bundle,
        journal_id=journal_id,
        identity=task.database.identity,
        server_major=major_version(task.database.version),
        search_path=request.search_path,
        steps=steps,
        relations=relations_of(task.target, steps, probe.names),
        tables=tables_of(task.target, beside, steps, probe.names),
        shadow=facts,
    )


def _step(one: Rehearsed, file: RevisionFile, task: Task) -> Step:
    script = task.history.script.get_revision(one.revision)
    return Step(
        revision=one.revision,
        kind=StepKind.SQL,
        down=list(file.down),
        message=(script.doc or "").strip().partition("\n")[0][:200],
        file=file.path,
        file_sha256=file.sha256,
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
        f"No row was found that {shown} takes: in the shadow these are empty, and what depends on rows is not shown "
        "by the plan."
    )
