"""Reading a snapshot: one query a catalog, in one transaction that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ...contract import job_env
from ..database.driver import RawConnection, rows
from ..database.session import VersionTable
from . import queries
from .assemble import Assembly
from .lock_holders import naming_holders
from .snapshot import Snapshot

_NEVER = frozenset({job_env.JOURNAL_SCHEMA, "pg_catalog", "information_schema", "pg_toast"})

# Whatever steers how PostgreSQL writes a definition; an empty search path makes it name every schema.
_SETTINGS = """
SELECT set_config('search_path', '', true), set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
       set_config('intervalstyle', 'postgres', true), set_config('extra_float_digits', '1', true),
       set_config('quote_all_identifiers', 'off', true), set_config('bytea_output', 'hex', true)
"""


def snapshot(connection: RawConnection, search_path: Iterable[str], version_table: VersionTable) -> Snapshot:
    """Read the objects in the schemas of a search path.

    Left out are the journal's schema, the version table, the members of extensions, owners and grants. The session may
    be read-only, in autocommit or amid a transaction; its settings are afterwards as they were.

    Args:
        connection: any user's: the catalog is open to all.
        search_path: names of schemas; their order does not count.
        version_table: the version table.

    Raises:
        RunFailed: LockTimeout, where somebody holds a table for as long as that.
    """
    schemas = sorted(set(search_path) - _NEVER)
    with naming_holders(connection, schemas), _quiet(connection):
        one = Assembly(version_table)
        one.add_members(rows(connection, queries.MEMBERS))
        one.add_namespaces(rows(connection, queries.NAMESPACES, schemas))
        one.add_relations(rows(connection, queries.RELATIONS, schemas))
        one.add_types(rows(connection, queries.TYPES, schemas))
        one.add_columns(rows(connection, queries.COLUMNS, schemas))
        one.add_sequences(rows(connection, queries.SEQUENCES, schemas))
        one.add_constraints(rows(connection, queries.CONSTRAINTS, schemas))
        one.add_indexes(rows(connection, queries.INDEXES, schemas))
        one.add_triggers(rows(connection, queries.TRIGGERS, schemas))
        one.add_policies(rows(connection, queries.POLICIES, schemas))
        one.add_rules(rows(connection, queries.RULES, schemas))
        one.add_functions(rows(connection, queries.FUNCTIONS, schemas))
        one.add_statistics(rows(connection, queries.STATISTICS, schemas))
        one.add_others(rows(connection, queries.OTHERS, *[schemas] * queries.OTHERS.count("%s")))
        one.add_comments(rows(connection, queries.COMMENTS))
        return Snapshot(one.objects)


@contextmanager
def _quiet(connection: Any) -> Iterator[None]:
    """Settings of ours, until the end; the transaction that is open, or the want of one, stays."""
    inside = not connection.autocommit or connection.info.transaction_status != 0
    rows(
        connection,
        "SAVEPOINT alembic_operator_snapshot" if inside else "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    )
    try:
        rows(connection, _SETTINGS)
        yield
    finally:
        rows(connection, "ROLLBACK TO SAVEPOINT alembic_operator_snapshot" if inside else "ROLLBACK")
        if inside:
            rows(connection, "RELEASE SAVEPOINT alembic_operator_snapshot")
