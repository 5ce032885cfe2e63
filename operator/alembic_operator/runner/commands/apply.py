"""An apply run under the lock: the plan compared with what is there, the history claimed, the revisions sent, verified.

With an approved plan nothing is sent that it does not hold. Without one, everything pending is applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...contract.bundle import digest_of
from ...contract.guard import Guard
from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import Approved
from ...contract.result import Outcome
from ..assessment.approved import changed, check_inputs, check_place, check_targets
from ..assessment.assess import Assessment, Reading, check_owner
from ..assessment.verification import BY_OPERATOR
from ..database.connect import restore
from ..database.driver import Driver, RawConnection
from ..database.journal import adopt, claim, ensure_journal, resolve, rows_since
from ..database.lock import acquire
from ..database.lock_monitor import Watch
from ..database.version_table import read_version_rows
from ..errors import RunFailed
from ..history.bundle import files_of
from ..history.graph import Standing
from ..history.inputs import inputs_of
from ..migrate.migration import Migration, Session
from ..migrate.revision import Running
from ..migrate.settle import Settlement, repair_of, settle
from ..migrate.statement_guard import judge_of, read_guard
from ..migrate.verify import invalid_indexes, verify
from ..migrate.version_table_width import check_width
from ..schema import snapshot
from .first_contact import check_contact, contact_of

if TYPE_CHECKING:
    from ..history.load import History
    from ..run import Run


def apply(run: Run, driver: Driver, connection: RawConnection, history: History) -> Outcome:
    """Bring the database to the target.

    Raises:
        RunFailed: for every reason that is published.
    """
    approved = run.request.approved
    acquire(connection, run.place, run.report)
    reading = run.read(driver, connection)
    check_owner(reading.journal.owner, run.request, run.place)
    run.check_other_tables(connection, reading, history)
    guard = read_guard(approved)
    if approved is not None and approved.uid:
        settlement = _settlement(run, connection, reading, approved)
        planned = guard.inputs if guard is not None else None
        _check_approved(run, connection, reading, history, settlement=settlement, planned=planned)
        if settlement is not None:
            return _settle(run, connection, reading, history, settlement)
    assessment = run.assess(reading, history)
    direction = _direction(run, assessment, approved)
    if direction == Direction.DOWNGRADE:
        run.pending = len(history.graph.lineage(reading.rows) - history.graph.lineage(run.targets))
    verification = check_contact(run, connection, reading, history) if assessment.adopt or assessment.resolved else None
    _prepare(run, connection, reading, history, assessment.pending)
    if verification is not None:
        files = history.graph.files
        known = [(r, files[r].sha256) for r in assessment.adopt]
        adopt(connection, run.place, run.request, known, verification)
        resolve(connection, assessment.resolved, verification)
        run.verification = verification
    if assessment.standing == Standing.EQUAL:
        return Outcome.UP_TO_DATE
    if assessment.standing == Standing.AHEAD and direction != Direction.DOWNGRADE:
        return Outcome.AHEAD
    intents = {entry.revision: entry.id for entry in reading.journal.entries.values() if entry.open_intent}
    return _migrate(run, driver, connection, history, intents=intents, guard=guard, direction=direction)


def _check_approved(
    run: Run,
    connection: RawConnection,
    reading: Reading,
    history: History,
    *,
    settlement: Settlement | None,
    planned: dict[str, Any] | None,
) -> None:
    """See that the plan is still the one to run, before anything is sent.

    Raises:
        RunFailed: PlanChanged.
    """
    approved = run.request.approved
    if approved is None or run.database is None:
        raise RuntimeError("nothing was approved, or the database was not read yet")
    since = rows_since(connection, run.place, approved.journal_id) if reading.journal.exists else []
    check_place(approved, reading.rows, since, history.graph, run.place)
    files = files_of(run.request, history)
    inputs = inputs_of(
        run.request,
        server_version=run.database.version,
        identity=run.database.identity,
        journal_id=approved.journal_id,
        from_revisions=approved.from_revisions,
        to_revisions=approved.to_revisions,
        direction=approved.direction,
        place=run.place,
        search_path=run.session.search_path,
        history=history,
        driver=run.driver,
        bundle=digest_of(files),
        settles=settlement.facts if settlement is not None else None,
    )
    check_inputs(approved, inputs, planned)
    stale = history.sources.approve(files.values())
    if stale:
        raise changed(approved, f"{', '.join(stale[:5])} was changed after this run had imported it")


def _settlement(run: Run, connection: RawConnection, reading: Reading, approved: Approved) -> Settlement | None:
    """What the plan settles; None where it runs revisions.

    Raises:
        RunFailed: PlanChanged, where nothing is left to be settled.
    """
    if approved.direction not in (Direction.BASELINE.value, Direction.REPAIR.value):
        return None
    schema = snapshot(connection, run.session.search_path.schemas, run.place)
    if approved.direction == Direction.BASELINE.value:
        after = tuple(approved.to_revisions)
        return Settlement(Direction.BASELINE, schema.fingerprint, tuple(reading.rows), after)
    entries = list(reading.journal.entries.values())
    found = repair_of(entries, reading.rows, approved.to_revisions, schema.fingerprint, schema.invalid_indexes)
    if found is None:
        raise changed(approved, "the journal has no revision any more of which a part was committed")
    return found


def _settle(run: Run, connection: RawConnection, reading: Reading, history: History, settlement: Settlement) -> Outcome:
    """Send what settles the database, unless that was done already, and say what is left to do."""
    _prepare(run, connection, reading, history, list(settlement.after))
    if settlement.intent is not None or settlement.finishes:
        verification = contact_of(run.request, settlement)
        settle(connection, run.place, run.request, history.graph, settlement, verification=verification)
    with_new = run.open()
    try:
        after = run.read(run.driver, with_new)
    finally:
        with_new.close()
    run.before = reading.rows
    if after.rows != sorted(settlement.after):
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"Verifying {run.place} on a new connection after it was settled: the database is at "
            f"{', '.join(after.rows) or 'base'}. Something else moved it. Look at the database, then set the "
            "annotation alembic-operator.dev/retry-at.",
        )
    assessment = run.assess(after, history)
    run.before = reading.rows
    if assessment.standing == Standing.BEHIND:
        return Outcome.BEHIND
    return Outcome.APPLIED if assessment.standing == Standing.EQUAL else Outcome.AHEAD


def _direction(run: Run, assessment: Assessment, approved: Approved | None) -> Direction:
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
    check_targets(approved, run.targets)
    direction = Direction(approved.direction)
    wanted = Standing.AHEAD if direction == Direction.DOWNGRADE else Standing.BEHIND
    if assessment.standing not in (wanted, Standing.EQUAL):
        raise changed(approved, f"the database is {assessment.standing.value} of where the plan finds it")
    return direction


def _prepare(run: Run, connection: RawConnection, reading: Reading, history: History, pending: list[str]) -> None:
    """See that the version rows can be written, make the journal, and claim the history."""
    run.check_schema(connection)
    check_width(connection, run.place, pending, history)
    ensure_journal(run.driver, connection, run.report)
    if reading.journal.owner != run.request.target:
        claim(connection, run.place, run.request.target)
        run.owner = None


def _migrate(
    run: Run,
    driver: Driver,
    connection: RawConnection,
    history: History,
    *,
    intents: dict[str, int],
    guard: Guard | None,
    direction: Direction,
) -> Outcome:
    request, report = run.request, run.report
    run.invalid_before = invalid_indexes(connection)
    watch = Watch(lambda: run.open(monitor=True), driver.backend_pid(connection), request.timeouts.lock, report)
    try:
        running = Running(
            driver=driver,
            raw=connection,
            request=request,
            place=run.place,
            graph=history.graph,
            report=report,
            signals=run.signals,
            watch=watch,
            gate=run.gate,
            judge=judge_of(request.approved, guard),
            direction=direction,
        )
        running.intents = intents
        run.running = running
        driver.on_notice(connection, run.noticed)
        migration = Migration(
            session=Session(
                driver,
                connection,
                run.gate,
                judge=lambda: judge_of(request.approved, guard),
                restore=lambda: restore(driver, connection, request),
                signals=run.signals,
            ),
            history=history,
            request=request,
            place=run.place,
            running=running,
            watch=watch,
            report=report,
            open_intent=run.open_intent,
            direction=direction,
        )
        migration.run(run.targets)
    finally:
        watch.close()
    _verify(run, running)
    run.verification = run.verification or BY_OPERATOR
    return Outcome.APPLIED


def _verify(run: Run, running: Running) -> None:
    with_new = run.open()
    try:
        applied = [one.revision for one in running.applied]
        run.current = read_version_rows(with_new, run.place)
        verify(with_new, run.place, run.current, run.targets, applied)
        run.pending = 0
        for name in sorted(invalid_indexes(with_new) - run.invalid_before):
            run.report.warn(
                f"Index {name} is INVALID since this run: PostgreSQL does not use it. Drop it and build it again."
            )
    finally:
        with_new.close()
