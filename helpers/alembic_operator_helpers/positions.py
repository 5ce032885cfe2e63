"""Where a backfill is: one row, changed by the same statement that changes the batch.

Under alembic-operator the row is in its journal. Elsewhere it is in a table beside Alembic's version table, which goes
with its last row. Either way the row is deleted in the transaction that also moves the version, so a finished backfill
is not repeated when something after it fails, and is when the revision was downgraded and comes again.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from .blocks import HelperError, literal, one, operator_run, run, value
from .tables import quote

JOURNAL = "alembic_operator.backfill_progress"
OWN_TABLE = "alembic_operator_backfill"


@dataclass(frozen=True)
class Position:
    """How far a backfill is.

    Attributes:
        after: the key of the last row done in this pass, as text; None at the start of a pass.
        turn: which pass over the table, from 1.
        recurring: rows that were set still match the condition, so there is one pass only.
        done: nothing is left.
    """

    after: tuple[str, ...] | None = None
    turn: int = 1
    recurring: bool = False
    done: bool = False

    @classmethod
    def read(cls, text: str) -> Position:
        """From the row."""
        body: dict[str, Any] = json.loads(text)
        after = body["after"]
        return cls(None if after is None else tuple(after), body["turn"], body["recurring"], body["done"])

    def write(self) -> str:
        """For the row."""
        return json.dumps(vars(self), sort_keys=True)


@dataclass(frozen=True)
class Bookmark:
    """The row of one call in one revision."""

    table: str
    own: bool
    history: str
    revision: str
    call: int

    @property
    def condition(self) -> str:
        """What finds the row."""
        return f"history = {literal(self.history)} AND revision = {literal(self.revision)} AND call = {self.call}"

    def create(self, connection: Connection) -> None:
        """Make the table where it is ours to make, and the row at its beginning."""
        if self.own:
            run(
                connection,
                f"CREATE TABLE IF NOT EXISTS {self.table} (history text NOT NULL, revision text NOT NULL,"
                " call integer NOT NULL, position text NOT NULL, rows bigint NOT NULL,"
                " updated timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (history, revision, call))",
            )
        run(
            connection,
            f"INSERT INTO {self.table} (history, revision, call, position, rows) VALUES ({literal(self.history)},"
            f" {literal(self.revision)}, {self.call}, {literal(Position().write())}, 0) ON CONFLICT DO NOTHING",
        )

    def load(self, connection: Connection) -> tuple[Position, int]:
        """The position and the rows done so far; the beginning where there is no row."""
        row = None
        if value(connection, f"SELECT to_regclass({literal(self.table)})") is not None:
            row = one(connection, f"SELECT position, rows FROM {self.table} WHERE {self.condition}")
        return (Position(), 0) if row is None else (Position.read(row[0]), row[1])

    def save(self, connection: Connection, position: Position) -> None:
        """Move without rows: a new pass, or the end."""
        run(
            connection,
            f"UPDATE {self.table} SET position = {literal(position.write())}, updated = now() WHERE {self.condition}",
        )

    def remove(self, connection: Connection) -> None:
        """Delete the row, and our own table with its last row."""
        run(connection, f"DELETE FROM {self.table} WHERE {self.condition}")
        if self.own and not value(connection, f"SELECT EXISTS (SELECT FROM {self.table})"):
            run(connection, f"DROP TABLE {self.table}")


def bookmark(context: MigrationContext, connection: Connection, caller: str, call: int) -> Bookmark:
    """The row for a call from the revision that is running."""
    operator = operator_run(context)
    if operator is not None:
        return Bookmark(JOURNAL, False, operator.history, operator.revision, call)
    schema = context.version_table_schema or str(value(connection, "SELECT current_schema()"))
    history = f"{schema}.{context.version_table}"
    return Bookmark(f"{quote(schema)}.{OWN_TABLE}", True, history, calling_revision(caller), call)


def calling_revision(caller: str) -> str:
    """The id of the revision module that is calling, since Alembic tells it nowhere.

    Raises:
        HelperError: no revision module is among the callers.
    """
    frame = sys._getframe(1)
    while frame is not None:
        names = frame.f_globals
        if isinstance(names.get("revision"), str) and "down_revision" in names:
            return str(names["revision"])
        if frame.f_back is None:
            break
        frame = frame.f_back
    raise HelperError(f"{caller} keeps its position by revision: call it from a revision's upgrade() or downgrade()")
