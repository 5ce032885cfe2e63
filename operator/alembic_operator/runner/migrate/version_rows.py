"""Moving the version rows: to those that the graph has, and in an apply run by plain SQL with the journal's row.

Which rows a step leaves behind is worked out here, alike for every version of Alembic: when it takes back a merge,
1.13.0 writes rows for revisions that others contain; 1.20 still does where a revision depends on an ancestor of what it
follows, and both end with a KeyError on the way up over such a revision (measured over random histories).

Alembic builds and compiles a SQLAlchemy statement for each step, and the journal's row would be one more round trip:
for 500 revisions a third of the time of the run (measured). In an apply run the last move of a step and its journal row
are one statement. The check that exactly one row moved stays as Alembic has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError

from ..alembic_private import version_rows_by
from ..database.driver import RawConnection
from ..database.session import VersionTable
from ..history.graph import Graph


class Moves:
    """What Alembic has decided to do to the version rows in one step, and has not done yet."""

    def __init__(self, version_table: VersionTable) -> None:
        self._table = ".".join(
            '"' + part.replace('"', '""') + '"' for part in (version_table.schema, version_table.table)
        )
        self._waiting: list[tuple[str, tuple[str, ...]]] = []

    def insert(self, version: str) -> None:
        """A new head."""
        self._waiting.append((f"INSERT INTO {self._table} (version_num) VALUES (%s)", (version,)))  # noqa: S608

    def delete(self, version: str) -> None:
        """A head that went into another one."""
        self._waiting.append((f"DELETE FROM {self._table} WHERE version_num = %s", (version,)))  # noqa: S608

    def update(self, from_: str, to_: str) -> None:
        """A head that moves on."""
        statement = f"UPDATE {self._table} SET version_num = %s WHERE version_num = %s"  # noqa: S608
        self._waiting.append((statement, (to_, from_)))

    def send(self, raw: RawConnection, journal: str, *parameters: Any) -> None:
        """Move the rows, and write the journal's row with the last of them.

        Args:
            raw: the connection, in Alembic's transaction.
            journal: one statement that reads a row of `moved` for the one it writes.
            parameters: of the journal's statement.

        Raises:
            CommandError: a version row was not there; as Alembic itself raises.
        """
        waiting, self._waiting = self._waiting, []
        for statement, values in waiting[:-1]:
            _expect_one(raw, statement, values)
        statement, values = waiting[-1]
        _expect_one(raw, f"WITH moved AS ({statement} RETURNING 1) {journal}", (*values, *parameters))

    def clear(self) -> None:
        """The step failed."""
        self._waiting = []


@contextmanager
def moved_by(graph: Graph, moves: Moves | None = None) -> Iterator[None]:
    """While this lasts, Alembic's version rows move as the graph has it.

    Args:
        graph: of the history.
        moves: collects them, for its `on_version_apply` to send; None: Alembic sends them itself.
    """

    def rows_after(rows: Collection[str], revision: str, upgrade: bool) -> Collection[str]:
        return graph.rows_after(rows, revision, upgrade=upgrade)

    with version_rows_by(rows_after, moves):
        yield


def _expect_one(raw: RawConnection, statement: str, parameters: tuple[Any, ...]) -> None:
    cursor = raw.cursor()
    try:
        cursor.execute(statement, parameters)
        if cursor.rowcount != 1:
            raise CommandError(f"updating the version row affected {cursor.rowcount} rows instead of one")
    finally:
        cursor.close()
