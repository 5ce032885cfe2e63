"""The last word: what a new connection reads. Only then is a result `Applied`."""

from __future__ import annotations

from ..contract.reasons import Reason
from .driver import RawConnection, rows
from .errors import RunFailed
from .graph import Graph, Standing
from .journal import done_by_this_run
from .session import Place
from .versiontable import read_version_rows

_INVALID_INDEXES = """
SELECT n.nspname::text || '.' || c.relname::text
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
"""


def verify(connection: RawConnection, place: Place, graph: Graph, target: str, applied: list[str]) -> list[str]:
    """Read version rows and journal again.

    Returns:
        The version rows.

    Raises:
        RunFailed: OutcomeUnknown.
    """
    current = read_version_rows(connection, place)
    if any(row not in graph.files for row in current) or graph.standing(current, target) != Standing.EQUAL:
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f'Verifying {place} on a new connection after all revisions up to "{target}" were applied: the database '
            f"is at {', '.join(current) or 'base'}. Something else moved it, or a revision changes the version table "
            "itself. Look at the database: where its version table does not say what the schema is, alembic stamp it. "
            "Then set the annotation alembic-operator.dev/retry-at.",
            revision=target,
        )
    missing = sorted(set(applied) - done_by_this_run(connection, place, applied))
    if missing:
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"Verifying {place} on a new connection: the database is at the target, but the journal has no row of "
            f'this run for revision "{missing[0]}". Something else changed the journal. Give it '
            f"back what is missing: {_restored(missing, place)}. Then set the annotation "
            "alembic-operator.dev/retry-at.",
            revision=missing[0],
        )
    return current


def _restored(revisions: list[str], place: Place) -> str:
    """SQL that journals revisions which are applied."""
    history, *ids = ("'" + text.replace("'", "''") + "'" for text in (place.history, *revisions))
    return (
        "INSERT INTO alembic_operator.revision_journal (history, revision, state, started) "
        f"SELECT {history}, unnest(ARRAY[{', '.join(ids)}]), 'adopted', now()"
    )


def invalid_indexes(connection: RawConnection) -> set[str]:
    """Indexes that PostgreSQL does not use; those of partitioned tables and those being built are not counted."""
    return {name for (name,) in rows(connection, _INVALID_INDEXES)}
