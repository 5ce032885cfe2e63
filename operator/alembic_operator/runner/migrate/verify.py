"""The last word: what a new connection reads. Only then is a result `Applied`."""

from __future__ import annotations

from collections.abc import Sequence

from ...contract.reasons import Reason
from ..database.driver import RawConnection, rows
from ..database.journal import done_by_this_run
from ..database.session import VersionTable
from ..errors import RunFailed

_INVALID_INDEXES = """
SELECT n.nspname::text || '.' || c.relname::text
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
"""


def verify(
    connection: RawConnection,
    version_table: VersionTable,
    current: Sequence[str],
    targets: Sequence[str],
    applied: list[str],
) -> None:
    """See that the version rows are the targets, each of them and nothing else, and that the journal has every step.

    Args:
        connection: a new one.
        version_table: the one that was read.
        current: its rows, read on that connection.
        targets: that they have to be.
        applied: revisions that this run applied or took back.

    Raises:
        RunFailed: OutcomeUnknown.
    """
    if set(current) != set(targets):
        named = ", ".join(f'"{one}"' for one in targets[:5])
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"Verifying {version_table} on a new connection after the last step to {named}: the database is at "
            f"{', '.join(current) or 'base'}. Something else changed it, or a revision changes the version table "
            "itself. Check the database: if its version table does not match the schema, alembic stamp it. Then set "
            "the annotation alembic-operator.dev/retry-at.",
            revision=targets[0] if targets else "",
        )
    missing = sorted(set(applied) - done_by_this_run(connection, version_table, applied))
    if missing:
        raise RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"Verifying {version_table} on a new connection: the database is at the target, but the journal has no "
            f'row of this run for revision "{missing[0]}". Something else changed the journal. Restore the missing '
            f"rows: {_restored(missing, version_table)}. Then set the annotation alembic-operator.dev/retry-at.",
            revision=missing[0],
        )


def _restored(revisions: list[str], version_table: VersionTable) -> str:
    """SQL that journals revisions which are applied."""
    history, *ids = ("'" + text.replace("'", "''") + "'" for text in (version_table.history, *revisions))
    return (
        "INSERT INTO alembic_operator.revision_journal (history, revision, state, started) "
        f"SELECT {history}, unnest(ARRAY[{', '.join(ids)}]), 'adopted', now()"
    )


def invalid_indexes(connection: RawConnection) -> set[str]:
    """Indexes that PostgreSQL does not use; those of partitioned tables and those being built are not counted."""
    return {name for (name,) in rows(connection, _INVALID_INDEXES)}
