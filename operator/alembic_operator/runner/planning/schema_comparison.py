"""Schemas held against each other while a plan is made."""

from __future__ import annotations

from collections.abc import Sequence

from ..database.driver import RawConnection, rows
from ..schema import Snapshot, snapshot
from .task import Task

_LISTED = 8
_LONGEST_LIST = 520  # characters: what to do has to fit behind it into a condition's 1 KiB

# plpgsql is there from the start, in every database.
_EXTENSIONS = """
SELECT e.extname::text, n.nspname::text
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname <> 'plpgsql' ORDER BY 1
"""
_SCHEMAS = """
SELECT n.nspname::text FROM pg_catalog.pg_namespace n
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid
                      AND d.deptype = 'e')
 ORDER BY 1
"""


def schema_of(connection: RawConnection, task: Task, also: Sequence[str] = ()) -> Snapshot:
    """The schema behind a connection: of the search path, and of other schemas."""
    return snapshot(connection, [*task.search_path.schemas, *also], task.version_table)


def schemas_of(connection: RawConnection) -> list[str]:
    """Every schema that is neither PostgreSQL's nor an extension's."""
    return [name for (name,) in rows(connection, _SCHEMAS)]


def extensions_of(connection: RawConnection) -> dict[str, str]:
    """The extensions in the database, each with its schema."""
    return dict(rows(connection, _EXTENSIONS))


def listed(sentences: Sequence[str], most: int = _LISTED, longest: int = _LONGEST_LIST) -> str:
    """The first of them, for a message: at least one, and no more than it has room for."""
    shown: list[str] = []
    for sentence in sentences[:most]:
        if shown and sum(len(one) + 2 for one in shown) + len(sentence) > longest:
            break
        shown.append(sentence.rstrip("."))
    left = len(sentences) - len(shown)
    return "; ".join(shown) + (f"; and {left} more" if left else "")


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'
