"""What `spec.baseline` can still mean for a database: it takes effect, is contradicted, or comes too late. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..database.session import VersionTable
from ..errors import RunFailed
from ..history.graph import Graph
from ..history.ids import hint
from ..terms import AN_IMAGE, BASELINE, IMAGE, SECRET

if TYPE_CHECKING:
    from .assess import Reading


def adopts(reading: Reading, request: RunRequest) -> bool:
    """Whether spec.baseline says at which revisions the database is, and nothing in it does."""
    untouched = not reading.rows and bool(reading.tables) and not reading.journal.applied
    return bool(request.baseline) and untouched


def heads_of(named: list[str], graph: Graph) -> list[str]:
    """The version rows that these revisions mean: without those that another one contains.

    Raises:
        RunFailed: RevisionNotFound.
    """
    unknown = [revision for revision in named if revision not in graph.files]
    if unknown:
        raise RunFailed(
            Reason.REVISION_NOT_FOUND,
            f'Looking for revision "{unknown[0]}" of {BASELINE}.revisions among {len(graph.files)} revisions of the '
            f"{IMAGE}: no file declares it.{hint(unknown[0], graph)} Name full revision ids, or {AN_IMAGE} that has "
            "them.",
            revision=unknown[0],
        )
    return sorted(set(named) - set(graph.stale_rows(sorted(set(named)))))


def pins(request: RunRequest, rows: list[str], graph: Graph) -> bool:
    """Whether Git has the fingerprint of the schema at these version rows."""
    named = request.baseline or []
    known = all(revision in graph.files for revision in named)
    return bool(request.baseline_fingerprint) and known and heads_of(named, graph) == sorted(rows)


def check_baseline(reading: Reading, graph: Graph, request: RunRequest, version_table: VersionTable) -> list[str]:
    """See that spec.baseline does not contradict the database.

    Args:
        reading: whose version rows are all known.
        graph: of the image.
        request: may have a baseline.
        version_table: the version table.

    Returns:
        Warnings: sentences that say why spec.baseline has no effect.

    Raises:
        RunFailed: BaselineMismatch, RevisionNotFound.
    """
    if request.baseline is None or adopts(reading, request):
        return []
    named = ", ".join(request.baseline[:5])
    if reading.journal.applied:
        return _too_late(reading, graph, request, named)
    if reading.rows:
        if not request.baseline:
            return [f"{BASELINE} is base but has no effect: the database is at {', '.join(reading.rows[:5])}."]
        if heads_of(request.baseline, graph) != sorted(reading.rows):
            raise RunFailed(
                Reason.BASELINE_MISMATCH,
                f"Comparing {BASELINE} with the version table {version_table}: {BASELINE} names {named}, but "
                f"the table has {', '.join(reading.rows[:5])}. Nothing was sent. Recreate the DatabaseSchema with "
                f"the table's revisions, or without {BASELINE}; if the table is wrong, correct it with alembic "
                "stamp.",
                revision=request.baseline[0],
            )
        return []
    if request.baseline_fingerprint:
        raise RunFailed(
            Reason.BASELINE_MISMATCH,
            f"Comparing the schema with {BASELINE}.fingerprint {request.baseline_fingerprint}: there are no "
            f"tables and no version row in {version_table}. Nothing was sent. Check that {SECRET} names the right "
            f"database. To create the schema from base, recreate the DatabaseSchema without {BASELINE}.",
        )
    return [f"{BASELINE} names {named} but has no effect: the database was empty."] if request.baseline else []


def _too_late(reading: Reading, graph: Graph, request: RunRequest, named: str) -> list[str]:
    if not request.baseline:
        return []  # base was meant, and that is where it began
    entries = [reading.journal.entries.get(one) for one in heads_of(request.baseline, graph)]
    if not all(entry is not None and entry.state == "adopted" for entry in entries):
        return [f"{BASELINE} names {named} but has no effect: the journal already records this database's revisions."]
    kept = {entry.fingerprint for entry in entries if entry is not None and entry.fingerprint}
    if request.baseline_fingerprint and kept and request.baseline_fingerprint not in kept:
        return [
            f"{BASELINE}.fingerprint has no effect: the journal records {sorted(kept)[0]} as the fingerprint of "
            "the adopted schema."
        ]
    return []
