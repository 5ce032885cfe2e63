"""A plan run: the target is read, its next state decided, the steps run in its shadow, and the plan published."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from ...contract import job_env
from ...contract.plan import Direction, PlanDocument
from ...contract.reasons import Reason
from ...contract.result import Outcome
from ..assessment.assess import Assessment, Reading, check_owner
from ..assessment.baseline import adopts
from ..context import RunContext
from ..database.driver import RawConnection, rows
from ..errors import RunFailed
from ..history.graph import Standing
from ..migrate.version_table_width import check_width
from ..planning.baseline import plan_baseline, plan_pinned
from ..planning.downgrades import MISSING, declared
from ..planning.first_contact import Contact, first_contact
from ..planning.publish import publish_plan
from ..planning.repair import plan_repair
from ..planning.shadow import Shadow, await_shadow
from ..planning.shadow_plan import plan_in_shadow
from ..planning.target_check import check_way_back
from ..planning.task import Task
from ..terms import AN_IMAGE, IMAGE, REVISION, ROLE, secret_named
from .reading import assess_reading, check_other_tables, read_settled

# Keys of a Secret whose values are secret. Others hold names: a schema's, say, which the plan has to show.
_CONFIDENTIAL = re.compile("pass|pwd|secret|token|key|credential|uri|url|dsn|conn", re.IGNORECASE)
# Extensions' own tables are not dumped; of the others pg_dump locks each, which needs SELECT.
_UNREADABLE = """
SELECT n.nspname || '.' || c.relname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('alembic_operator', 'pg_catalog', 'information_schema', 'pg_toast')
   AND NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY 1 LIMIT 3
"""


def plan(run: RunContext, connection: RawConnection) -> Outcome:
    """Plan what would take the target to where the request wants it.

    Args:
        run: its facts are given what was read, and the receipt of the plan.
        connection: a read-only session on the target.

    Returns:
        Planned; or UpToDate, SchemaAhead, and Behind with nothing pending where an apply run has to claim the database.

    Raises:
        RunFailed: what stands in the way.
    """
    outcome = _plan(run, connection)
    if run.network.warning:
        run.report.warn(run.network.warning)
    return outcome


def _plan(run: RunContext, connection: RawConnection) -> Outcome:
    reading = read_settled(run, connection)
    check_other_tables(run, connection, reading)
    if adopts(reading, run.request):
        return _adopt(run, _task(run, connection, reading, Direction.BASELINE))
    try:
        assessment = assess_reading(run, reading)
    except RunFailed as failed:
        if failed.failure.reason != Reason.OUTCOME_UNKNOWN or run.request.evidence == "Static":
            raise
        unknown = failed
        task = _task(run, connection, reading, Direction.REPAIR)
        return _settle(run, task, lambda task, shadow: plan_repair(task, shadow, unknown))
    contact = None
    if assessment.adopt or assessment.resolved:
        contact = _first_contact(run, _task(run, connection, reading, Direction.UPGRADE))
    direction = _direction(run, assessment)
    if direction is None:
        return _nothing_to_plan(run, reading, assessment)
    check_width(connection, run.version_table, assessment.pending, run.history)
    task = replace(_task(run, connection, reading, direction), contact=contact)
    run.facts.receipt = publish_plan(_planned(run, task), run.report)
    return Outcome.PLANNED


def _nothing_to_plan(run: RunContext, reading: Reading, assessment: Assessment) -> Outcome:
    claims = bool(run.request.target.uid)  # the command-line tool has none
    if claims and (run.request.target != reading.journal.owner or assessment.adopt or assessment.resolved):
        run.facts.pending = 0
        return Outcome.BEHIND
    return Outcome.UP_TO_DATE if assessment.standing == Standing.EQUAL else Outcome.AHEAD


def _adopt(run: RunContext, task: Task) -> Outcome:
    """Plan what spec.baseline says, for a database without version rows."""
    if run.request.evidence == "Static":
        document, contact = plan_pinned(task)
    else:
        check_owner(task.journal.owner, run.request, run.version_table)
        document, contact = plan_baseline(task, _shadow(run, task))
    run.facts.verification = contact.verification
    return _settled(run, document)


def _first_contact(run: RunContext, task: Task) -> Contact:
    """Compare what others applied with the history.

    Raises:
        RunFailed: SchemaMismatch, BaselineMismatch, ShadowFailed.
    """
    contact = first_contact(task, lambda: _shadow(run, task))
    run.facts.verification = contact.verification
    if contact.refusal is not None:
        raise contact.refusal
    return contact


def _direction(run: RunContext, assessment: Assessment) -> Direction | None:
    """Where a plan has to go; None where there is nothing to do."""
    if assessment.standing == Standing.BEHIND:
        return Direction.UPGRADE
    if assessment.standing == Standing.EQUAL or not run.request.allow_downgrade:
        return None
    graph, current = run.history.graph, run.facts.current or []
    unknown = [row for row in current if row not in graph.files]
    if unknown:
        raise RunFailed(
            Reason.DOWNGRADE_REFUSED,
            f'Planning the downgrade from "{unknown[0]}" to "{", ".join(run.facts.targets)}": no migration file of '
            f"this {IMAGE} declares it, so its downgrade() is not known. Nothing was sent. Use {AN_IMAGE} that has "
            f"both, with {REVISION} at the older one.",
            revision=unknown[0],
        )
    check_way_back(current, graph, run.facts.targets, run.request)
    back = graph.ancestors(current) - graph.ancestors(run.facts.targets)
    _check_declared(run, back)
    run.facts.pending = len(back)
    return Direction.DOWNGRADE


def _check_declared(run: RunContext, back: set[str]) -> None:
    """See that each revision has a way back at all; whether it leads there, the shadow shows.

    Raises:
        RunFailed: DowngradeRefused.
    """
    graph = run.history.graph
    for revision in reversed(graph.oldest_first(back)):
        script: Any = run.history.script.get_revision(revision)
        if declared(script.path) == MISSING:
            raise RunFailed(
                Reason.DOWNGRADE_REFUSED,
                f'Planning the downgrade to "{", ".join(run.facts.targets)}": the downgrade() of "{revision}" '
                f"({graph.files[revision].path}) is missing, or only raises. Nothing was sent. Fix forward with a "
                "new revision, or write the downgrade() and build a new image.",
                revision=revision,
            )


def _settle(run: RunContext, task: Task, plan: Callable[[Task, Shadow], PlanDocument]) -> Outcome:
    """Plan what the runner does itself; the history's schemas are made in the shadow, whatever the evidence."""
    check_owner(task.journal.owner, run.request, run.version_table)
    return _settled(run, plan(task, _shadow(run, task)))


def _settled(run: RunContext, document: PlanDocument) -> Outcome:
    run.facts.receipt = publish_plan(document, run.report)
    run.facts.pending = 0
    return Outcome.PLANNED


def _planned(run: RunContext, task: Task) -> PlanDocument:
    if run.request.evidence == "Static":
        from ..planning.static_plan import plan_statically  # noqa: PLC0415 (needs what a shadow does not)

        return plan_statically(task)
    return plan_in_shadow(task, _shadow(run, task))


def _shadow(run: RunContext, task: Task) -> Shadow:
    """The shadow, once the target's schema is in it."""
    check_readable(run, task.target)
    if run.shadow is not None:
        shadow = run.shadow(task.driver, run.request, task.search_path.schemas)
    else:
        await_shadow(run.sessions.secret, run.request, run.signals)
        shadow = Shadow.beside(task.driver, run.request, task.search_path.schemas)
    return shadow.like(task.target, run.session)


def check_readable(run: RunContext, connection: RawConnection) -> None:
    """See that pg_dump may lock every table.

    Raises:
        RunFailed: PermissionDenied.
    """
    closed = [name for (name,) in rows(connection, _UNREADABLE)]
    if closed:
        raise RunFailed(
            Reason.PERMISSION_DENIED,
            f"Reading the database's schema for the shadow: the user of {secret_named(run.request.secret_name)} lacks "
            f"SELECT on {', '.join(closed)}, or USAGE on the schema. GRANT pg_read_all_data to it, or to "
            f"{ROLE}.",
            sqlstate="42501",
        )


def _task(run: RunContext, connection: RawConnection, reading: Reading, direction: Direction) -> Task:
    assert run.facts.database is not None
    run.check_schema(connection)
    return Task(
        request=run.request,
        version_table=run.version_table,
        search_path=run.session.search_path,
        driver=run.driver,
        target=connection,
        history=run.history,
        journal=reading.journal,
        database=run.facts.database,
        rows=reading.rows,
        targets=run.facts.targets,
        direction=direction,
        report=run.report,
        signals=run.signals,
        secrets=_secrets(run),
        began=run.began,
        progress=run.facts.rehearses,
        network=run.network,
    )


def _secrets(run: RunContext) -> list[str]:
    """What no plan may hold: what the Secret's keys keep, and the values of job.env, in each way of writing them."""
    directory = Path(job_env.SECRET_DIRECTORY)
    files = [entry for entry in directory.iterdir() if entry.is_file() and _CONFIDENTIAL.search(entry.name)]
    values = {run.sessions.secret.password, *(os.environ.get(name, "") for name in run.request.env_names)}
    values |= {entry.read_text("utf-8", "replace").rstrip("\r\n") for entry in files}
    values |= {form(value) for value in values for form in (quote, quote_plus, _quote_all)}
    values |= {value.replace("%", "%%") for value in values}  # as SQLAlchemy hands it to the driver
    return sorted(filter(None, values), key=len, reverse=True)


def _quote_all(value: str) -> str:
    return quote(value, safe="")
