"""An apply run under the lock: the plan compared with what is there, the history claimed, the revisions sent, verified.

With an approved plan nothing is sent that it does not hold. Without one, everything pending is applied.
"""

from __future__ import annotations

from typing import Any

from ...contract.bundle import digest_of
from ...contract.guard import Guard
from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import Approved
from ...contract.result import Outcome
from ..assessment.approved import changed, check_inputs, check_targets, check_version_table
from ..assessment.assess import Assessment, Reading, check_owner
from ..assessment.verification import BY_OPERATOR
from ..context import RunContext
from ..database.connect import restore
from ..database.driver import RawConnection
from ..database.journal import adopt, claim, ensure_journal, resolve, rows_since
from ..database.lock_monitor import Watch
from ..database.version_table import read_version_rows
from ..errors import RunFailed
from ..history.bundle import files_of
from ..history.graph import Standing
from ..history.inputs import inputs_of
from ..migrate.migration import Migration, Session
from ..migrate.revision import RevisionRun
from ..migrate.settle import Settlement, repair_of, settle
from ..migrate.statement_guard import read_guard, statement_guard_of
from ..migrate.verify import invalid_indexes, verify
from ..migrate.version_table_width import check_width
from ..schema import snapshot
from .failure import open_intent
from .first_contact import check_contact, contact_of
from .reading import assess_reading, check_other_tables, read, read_under_lock

_SKIPPED = frozenset({"42P07", "42701", "42P06"})  # "already exists, skipping"


def apply(run: RunContext, connection: RawConnection) -> Outcome:
    """Bring the database to the target.

    Raises:
        RunFailed: for every reason that is published.
    """
    approved = run.request.approved
    reading = read_under_lock(run, connection)
    check_owner(reading.journal.owner, run.request, run.version_table)
    check_other_tables(run, connection, reading)
    guard = read_guard(approved)
    if approved is not None and approved.uid:
        settlement = _settlement(run, connection, reading, approved)
        planned = guard.inputs if guard is not None else None
        _check_approved(run, connection, reading, settlement=settlement, planned=planned)
        if settlement is not None:
            return _settle(run, connection, reading, settlement)
    assessment = assess_reading(run, reading)
    direction = _direction(run, assessment, approved)
    if direction == Direction.DOWNGRADE:
        run.facts.pending = len(
            run.history.graph.ancestors(reading.rows) - run.history.graph.ancestors(run.facts.targets)
        )
    verification = check_contact(run, connection, reading) if assessment.adopt or assessment.resolved else None
    _prepare(run, connection, reading, assessment.pending)
    if verification is not None:
        files = run.history.graph.files
        known = [(r, files[r].sha256) for r in assessment.adopt]
        adopt(connection, run.version_table, run.request, known, verification)
        resolve(connection, assessment.resolved, verification)
        run.facts.verification = verification
    if assessment.standing == Standing.EQUAL:
        return Outcome.UP_TO_DATE
    if assessment.standing == Standing.AHEAD and direction != Direction.DOWNGRADE:
        return Outcome.AHEAD
    intents = {entry.revision: entry.id for entry in reading.journal.entries.values() if entry.open_intent}
    return _migrate(run, connection, intents=intents, guard=guard, direction=direction)


def _check_approved(
    run: RunContext,
    connection: RawConnection,
    reading: Reading,
    *,
    settlement: Settlement | None,
    planned: dict[str, Any] | None,
) -> None:
    """See that the plan is still the one to run, before anything is sent.

    Raises:
        RunFailed: PlanChanged.
    """
    approved = run.request.approved
    if approved is None or run.facts.database is None:
        raise RuntimeError("nothing was approved, or the database was not read yet")
    since = rows_since(connection, run.version_table, approved.journal_id) if reading.journal.exists else []
    check_version_table(approved, reading.rows, since, run.history.graph, run.version_table)
    files = files_of(run.request, run.history)
    inputs = inputs_of(
        run.request,
        server_version=run.facts.database.version,
        identity=run.facts.database.identity,
        journal_id=approved.journal_id,
        from_revisions=approved.from_revisions,
        to_revisions=approved.to_revisions,
        direction=approved.direction,
        version_table=run.version_table,
        search_path=run.session.search_path,
        history=run.history,
        driver=run.driver,
        bundle=digest_of(files),
        settles=settlement.facts if settlement is not None else None,
    )
    check_inputs(approved, inputs, planned)
    stale = run.history.sources.approve(files.values())
    if stale:
        raise changed(approved, f"{', '.join(stale[:5])} changed after this run imported it")


def _settlement(run: RunContext, connection: RawConnection, reading: Reading, approved: Approved) -> Settlement | None:
    """What the plan settles; None where it runs revisions.

    Raises:
        RunFailed: PlanChanged, where nothing is left to be settled.
    """
    if approved.direction not in (Direction.BASELINE.value, Direction.REPAIR.value):
        return None
    schema = snapshot(connection, run.session.search_path.schemas, run.version_table)
    if approved.direction == Direction.BASELINE.value:
        after = tuple(approved.to_revisions)
        return Settlement(Direction.BASELINE, schema.fingerprint, tuple(reading.rows), after)
    entries = list(reading.journal.entries.values())
    found = repair_of(entries, reading.rows, approved.to_revisions, schema.fingerprint, schema.invalid_indexes)
    if found is None:
        raise changed(approved, "the journal has no revision any more of which a part was committed")
    return found


def _settle(run: RunContext, connection: RawConnection, reading: Reading, settlement: Settlement) -> Outcome:
    """Send what settles the database, unless that was done already, and say what is left to do."""
    _prepare(run, connection, reading, list(settlement.after))
    if settlement.intent is not None or settlement.finishes:
        verification = contact_of(run.request, settlement)
        settle(connection, run.version_table, run.request, run.history.graph, settlement, verification=verification)
    with_new = run.sessions.open()
    try:
        after = read(run, with_new)
    finally:
        with_new.close()
    run.facts.before = reading.rows
    if after.rows != sorted(settlement.after):
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"Verifying {run.version_table} on a new connection after settling it: the database is at "
            f"{', '.join(after.rows) or 'base'}. Something else changed it. Check the database, then set the "
            "annotation alembic-operator.dev/retry-at.",
        )
    assessment = assess_reading(run, after)
    run.facts.before = reading.rows
    if assessment.standing == Standing.BEHIND:
        return Outcome.BEHIND
    return Outcome.APPLIED if assessment.standing == Standing.EQUAL else Outcome.AHEAD


def _direction(run: RunContext, assessment: Assessment, approved: Approved | None) -> Direction:
    """Which way the run goes.

    Raises:
        RunFailed: PlanChanged.
    """
    if approved is None:
        return Direction.UPGRADE
    if not approved.uid:
        if assessment.standing == Standing.BEHIND:
            raise changed(approved, f"{len(assessment.pending)} revisions are pending, which need a plan")
        return Direction.UPGRADE
    check_targets(approved, run.facts.targets)
    direction = Direction(approved.direction)
    wanted = Standing.AHEAD if direction == Direction.DOWNGRADE else Standing.BEHIND
    if assessment.standing not in (wanted, Standing.EQUAL):
        raise changed(approved, f"the database is {assessment.standing.value} of where the plan finds it")
    return direction


def _prepare(run: RunContext, connection: RawConnection, reading: Reading, pending: list[str]) -> None:
    """See that the version rows can be written, make the journal, and claim the history."""
    run.check_schema(connection)
    check_width(connection, run.version_table, pending, run.history)
    ensure_journal(run.driver, connection, run.report)
    if reading.journal.owner != run.request.target:
        claim(connection, run.version_table, run.request.target)
        run.facts.owner = None


def _migrate(
    run: RunContext,
    connection: RawConnection,
    *,
    intents: dict[str, int],
    guard: Guard | None,
    direction: Direction,
) -> Outcome:
    driver, request, report = run.driver, run.request, run.report
    run.facts.invalid_before = invalid_indexes(connection)
    watch = Watch(
        lambda: run.sessions.open(monitor=True), driver.backend_pid(connection), request.timeouts.lock, report
    )
    try:
        running = RevisionRun(
            driver=driver,
            raw=connection,
            request=request,
            version_table=run.version_table,
            graph=run.history.graph,
            report=report,
            signals=run.signals,
            watch=watch,
            gate=run.gate,
            judge=statement_guard_of(request.approved, guard),
            direction=direction,
        )
        running.intents = intents
        run.facts.running = running
        driver.on_notice(connection, lambda sqlstate, text: _notice(run, sqlstate, text))
        migration = Migration(
            session=Session(
                driver,
                connection,
                run.gate,
                judge=lambda: statement_guard_of(request.approved, guard),
                restore=lambda: restore(driver, connection, request),
                signals=run.signals,
            ),
            history=run.history,
            request=request,
            version_table=run.version_table,
            running=running,
            watch=watch,
            report=report,
            open_intent=lambda failure: open_intent(run.facts, run.sessions, failure),
            direction=direction,
        )
        migration.run(run.facts.targets)
    finally:
        watch.close()
    _verify(run, running)
    run.facts.verification = run.facts.verification or BY_OPERATOR
    return Outcome.APPLIED


def _verify(run: RunContext, running: RevisionRun) -> None:
    with_new = run.sessions.open()
    try:
        applied = [one.revision for one in running.applied]
        run.facts.current = read_version_rows(with_new, run.version_table)
        verify(with_new, run.version_table, run.facts.current, run.facts.targets, applied)
        run.facts.pending = 0
        for name in sorted(invalid_indexes(with_new) - run.facts.invalid_before):
            run.report.warn(
                f"Index {name} became INVALID in this run: PostgreSQL does not use it. Drop and rebuild it."
            )
    finally:
        with_new.close()


def _notice(run: RunContext, sqlstate: str, text: str) -> None:
    """The server told something of its own."""
    running = run.facts.running
    if sqlstate in _SKIPPED and running is not None and running.in_upgrade:
        run.report.warn(
            f'Revision "{running.revision}", statement {running.statements}: PostgreSQL skipped it ({text}).'
        )
