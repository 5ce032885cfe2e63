"""Moving the version rows by plain SQL on the driver's connection, in the transaction that Alembic has open.

Alembic builds and compiles a SQLAlchemy statement for each step, and the journal's row would be one more round trip:
for 500 revisions a third of the time of the run (measured). Here the last move of a step and its journal row are one
statement. Which rows are to move, and the check that exactly one did, stay as Alembic has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.runtime import migration
from alembic.util import CommandError

from .driver import RawConnection
from .session import Place


class Moves:
    """What Alembic has decided to do to the version rows in one step, and has not done yet."""

    def __init__(self, place: Place) -> None:
        self._table = ".".join('"' + part.replace('"', '""') + '"' for part in (place.schema, place.table))
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
def moved_by(moves: Moves) -> Iterator[None]:
    """While this lasts, Alembic's moves of version rows are collected, for its `on_version_apply` to send."""
    original = migration.HeadMaintainer

    class Collector(original):  # type: ignore[misc, valid-type]
        def _insert_version(self, version: str) -> None:
            moves.insert(version)
            self.heads.add(version)

        def _delete_version(self, version: str) -> None:
            moves.delete(version)
            self.heads.remove(version)

        def _update_version(self, from_: str, to_: str) -> None:
            moves.update(from_, to_)
            self.heads.remove(from_)
            self.heads.add(to_)

    migration.HeadMaintainer = Collector  # type: ignore[misc]
    try:
        yield
    finally:
        migration.HeadMaintainer = original  # type: ignore[misc]


def _expect_one(raw: RawConnection, statement: str, parameters: tuple[Any, ...]) -> None:
    cursor = raw.cursor()
    try:
        cursor.execute(statement, parameters)
        if cursor.rowcount != 1:
            raise CommandError(f"moving the version row met {cursor.rowcount} rows, and expected one")
    finally:
        cursor.close()
