"""How wide the version table is, and has to be: Alembic makes version_num as VARCHAR(32), and ids may be longer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...contract.reasons import Reason
from ..alembic_private import version_column
from ..database.driver import RawConnection
from ..database.session import VersionTable
from ..database.version_table import LONGEST_ID, width_of
from ..errors import RunFailed

if TYPE_CHECKING:
    from ..history.load import History

ALEMBICS = 32
_LENGTH = re.compile(r"(?:String|Unicode|char|varying)\s*\(\s*(?:length\s*=\s*)?(\d+)", re.IGNORECASE)


def fresh_width(ids: Iterable[str]) -> int:
    """Of a table that is still to be made: as Alembic makes it, or wide enough for any id where one is longer."""
    return ALEMBICS if all(len(one) <= ALEMBICS for one in ids) else LONGEST_ID


def widen_fresh(context: Any, ids: Iterable[str]) -> None:
    """Have Alembic make the version table, where there is none yet, as wide as the ids need."""
    column, width = version_column(context), fresh_width(ids)
    if column.type.length is not None and column.type.length < width:
        column.type = type(column.type)(width)


def check_width(
    connection: RawConnection, version_table: VersionTable, pending: Iterable[str], history: History
) -> None:
    """Refuse before anything is sent what would fail at the version row, after autocommit work was committed.

    A pending revision that widens the column counts from itself on.

    Raises:
        RunFailed: InvalidHistory.
    """
    limit = width_of(connection, version_table) or fresh_width(history.graph.files)
    for revision in pending:
        if limit < LONGEST_ID:
            script: Any = history.script.get_revision(revision)
            limit = max(limit, widened_to(Path(script.path), version_table.table))
        if len(revision) > limit:
            raise RunFailed(
                Reason.INVALID_HISTORY,
                f'Comparing the pending revisions with {version_table}: the id "{revision}" '
                f"({history.graph.files[revision].path}) has {len(revision)} characters, but the table takes "
                f"{limit}. Shorten the id, or widen the column version_num in a revision before it.",
                revision=revision,
            )


def widened_to(path: Path, table: str) -> int:
    """How wide the version table's column is after this file's upgrade(), as far as its text says; 0: as before."""
    if path.suffix != ".py":
        return 0  # compiled: nothing to read
    module = ast.parse(path.read_text("utf-8", "replace"))
    module.body = [one for one in module.body if not (isinstance(one, ast.FunctionDef) and one.name == "downgrade")]
    source = ast.unparse(module)  # without comments
    if "version_num" not in source or table not in source:
        return 0
    return max((int(length) for length in _LENGTH.findall(source)), default=LONGEST_ID)
