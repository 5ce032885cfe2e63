"""Reading the database, and holding what was read against the history: the first steps of every command."""

from __future__ import annotations

from ..assessment.assess import Assessment, Reading, assess
from ..assessment.verification import journalled
from ..context import RunContext
from ..database.driver import RawConnection
from ..database.journal import read_journal
from ..database.lock import acquire
from ..database.other_version_tables import OwnTable, check_others, find_others
from ..database.version_table import read_version_rows, users_tables
from ..history.load import resolve_targets
from ..schema import snapshot


def read(run: RunContext, connection: RawConnection) -> Reading:
    """Version rows and journal, as they are now."""
    facts, request = run.facts, run.request
    rows = read_version_rows(connection, run.version_table)
    if facts.before is None:
        facts.before = rows
    facts.current = rows
    tables = [] if rows else users_tables(connection, run.session.search_path.existing, run.version_table)
    journal = read_journal(run.driver, connection, run.version_table)
    owner = journal.owner
    facts.owner = owner if owner is not None and owner.uid != request.target.uid else None
    strange = bool(tables) and not journal.applied and request.baseline != []
    found = snapshot(connection, run.session.search_path.schemas, run.version_table).fingerprint if strange else ""
    return Reading(rows, journal, tables, found)


def read_under_lock(run: RunContext, connection: RawConnection) -> Reading:
    """The same, once no other run is at work on this history; none begins as long as the session lasts."""
    acquire(connection, run.version_table, run.report)
    return read(run, connection)


def read_settled(run: RunContext, connection: RawConnection) -> Reading:
    """The same for a command that writes nothing: it takes the lock only where a revision is half applied.

    Perhaps its run is still alive, or its backend is: only under the lock is it known to be over.
    """
    reading = read(run, connection)
    if any(entry.open_intent for entry in reading.journal.entries.values()):
        return read_under_lock(run, connection)
    return reading


def check_other_tables(run: RunContext, connection: RawConnection, reading: Reading) -> None:
    """Look for version tables beside the one of this run, before anything is believed of what that one says.

    Raises:
        RunFailed: VersionTableElsewhere.
    """
    ids, target = set(run.history.graph.files), run.request.target
    others = find_others(connection, run.version_table, target, journal=reading.journal.exists, known=ids)
    for sentence in check_others(others, OwnTable(run.version_table, reading.rows, run.wanted), run.request, ids):
        run.report.warn(sentence)


def assess_reading(run: RunContext, reading: Reading) -> Assessment:
    """Decide what the reading asks for, and put it on record.

    Raises:
        RunFailed: see assess.
    """
    facts, graph = run.facts, run.history.graph
    facts.before = reading.rows
    facts.targets = resolve_targets(run.request, graph)
    assessment = assess(reading, graph, facts.targets, run.request, run.version_table)
    facts.pending = len(assessment.pending)
    facts.verification = journalled(reading.journal, graph.ancestors(reading.rows))
    for sentence in assessment.warnings:
        run.report.warn(sentence)
    run.report.record(
        "assessed",
        standing=assessment.standing.value,
        current=reading.rows,
        targets=facts.targets,
        pending=facts.pending,
    )
    return assessment
