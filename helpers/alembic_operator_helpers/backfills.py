"""Fill a column in batches, each committed by itself."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from .blocks import HelperError, block, connected, helper, literal, logger, report, run, value
from .positions import Bookmark, Position, bookmark
from .tables import Table, find_table, quote

HELPER = "backfill"
LOCK_CLASS = 0x616C6566  # "alef": two backfills of one call at once would count and pace wrongly
MAX_TURNS = 10


def backfill(
    table: str,
    set: Mapping[str, str],  # the SQL word is the right one
    where: str,
    *,
    batch: int = 1000,
    pause: float = 0.0,
    schema: str | None = None,
) -> None:
    """Update the rows that match a condition, in batches by primary key; killed at any point, it goes on where it was.

    One statement updates a batch and moves the position, so no row is done twice. It goes over the table until no row
    matches any more, as writers may add some behind it; rows that match even after they were set are done once.

    Args:
        table: the table, without a schema; it needs a primary key.
        set: an SQL expression for each column to set: {"currency": "upper(country)"}.
        where: the rows to update, in SQL; best a condition that ends by setting them: "currency IS NULL".
        batch: rows a statement, and so the most that are locked at once.
        pause: seconds between batches, for replicas and other users of the disk.
        schema: the table's; without it the search path finds the table.

    Raises:
        HelperError: bad arguments; the same backfill is running elsewhere; or rows that match keep coming.
        sqlalchemy.exc.DBAPIError: PostgreSQL's own errors, as lock_timeout; run again, it goes on.
    """
    arguments = {"table": table, "set": set, "where": where, "schema": schema}
    with helper(HELPER, **arguments) as context:
        connection = connected(context)
        found = find_table(connection, HELPER, table, schema)
        _check(found, set, where, batch, pause)
        mark = bookmark(context, connection, HELPER, _call(found, set, where))
        position, rows = mark.load(connection)
        if not position.done:
            with block(context) as autocommit, _alone(autocommit, found, mark):
                mark.create(autocommit)
                position, rows = mark.load(autocommit)
                rows = _Filling(autocommit, found, dict(set), where, batch, pause, mark).go(position, rows)
        report(helper=HELPER, table=found.text, rows=rows, step="done")
        mark.remove(connected(context))


def _call(table: Table, assignments: Mapping[str, str], where: str) -> int:
    """A number for what is asked, so that an edited call does not go on at the old one's position."""
    text = json.dumps([table.text, sorted(assignments.items()), where])
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16)


def _check(table: Table, assignments: object, where: object, batch: object, pause: object) -> None:
    if not isinstance(assignments, Mapping) or not assignments:
        raise HelperError(f'{HELPER}: set must map columns to SQL expressions, as {{"currency": "\'EUR\'"}}')
    for name, expression in assignments.items():
        column = table.column(name, HELPER)
        if not isinstance(expression, str) or not expression.strip():
            raise HelperError(f'{HELPER}: set[{name!r}] must be an SQL expression as text, e.g. "\'EUR\'" or "0"')
        if column.key:
            raise HelperError(f"{HELPER}: {name} is in the primary key of {table.text}, which orders the batches")
        if column.generated:
            raise HelperError(f"{HELPER}: {name} of {table.text} is generated; PostgreSQL fills it by itself")
    if not isinstance(where, str) or not where.strip():
        raise HelperError(f'{HELPER}: where must be an SQL condition, e.g. "currency IS NULL"; "true" means every row')
    if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= 100_000:
        raise HelperError(f"{HELPER}: batch must be an integer from 1 to 100000, got {batch!r}")
    if not isinstance(pause, (int, float)) or isinstance(pause, bool) or not 0 <= pause <= 3600:
        raise HelperError(f"{HELPER}: pause must be seconds from 0 to 3600, got {pause!r}")
    if not table.key:
        raise HelperError(f"{HELPER}: {table.text} has no primary key, which orders the batches; add one first")


@contextmanager
def _alone(connection: Connection, table: Table, mark: Bookmark) -> Iterator[None]:
    """Hold this call's lock; it ends with the connection, whatever happens.

    Raises:
        HelperError: another session holds it.
    """
    key = literal(f"{mark.history}/{mark.revision}/{mark.call}")
    if not value(connection, f"SELECT pg_try_advisory_lock({LOCK_CLASS}, hashtext({key}))"):
        raise HelperError(
            f"{HELPER}: another session is running the backfill of {table.text} in revision {mark.revision}; "
            "let it finish, then run again"
        )
    try:
        yield
    finally:
        if not connection.invalidated and not connection.closed:
            run(connection, f"SELECT pg_advisory_unlock({LOCK_CLASS}, hashtext({key}))")


@dataclass(frozen=True)
class _Filling:
    """One backfill under way."""

    connection: Connection
    table: Table
    assignments: dict[str, str]
    where: str
    batch: int
    pause: float
    mark: Bookmark

    def go(self, position: Position, rows: int) -> int:
        """From a position to the end; returns the rows done, those of earlier runs included."""
        # In the middle of a pass, rows may have come behind the position since: another pass has to look.
        batches, in_turn = 0, 0 if position.after is None else 1
        while True:
            changed, text = tuple(run(self.connection, self.statement(position)).one())
            position = Position.read(text)
            rows, in_turn, batches = rows + changed, in_turn + changed, batches + 1
            known = {} if self.table.estimate < 0 else {"estimate": self.table.estimate}
            report(helper=HELPER, table=self.table.text, rows=rows, batches=batches, step="batch", **known)
            if changed == self.batch:
                # Pacing, which is what was asked for; nothing is waited for.
                time.sleep(self.pause)
                continue
            if position.recurring and in_turn:
                logger.warning("%s: rows of %s match %r after they were set", HELPER, self.table.text, self.where)
            if position.recurring or not in_turn:
                self.mark.save(self.connection, replace(position, done=True))
                return rows
            if position.turn == MAX_TURNS:
                self.mark.save(self.connection, Position())
                raise HelperError(
                    f"{HELPER}: after {MAX_TURNS} passes over {self.table.text}, there are still rows that match"
                    f" {self.where!r}: a running release writes them. Give the column a default or a trigger, then run"
                    " again."
                )
            position, in_turn = Position(turn=position.turn + 1), 0
            self.mark.save(self.connection, position)

    def statement(self, position: Position) -> str:
        """Update the next batch and move the position; gives the rows changed and the position as text.

        The rows are locked in the key's order and looked at again once a concurrent writer has let go of them.
        """
        key = self.table.key
        names = [f"alembic_operator_k{number}" for number in range(len(key))]
        columns = ", ".join(quote(column.name) for column in key)
        beyond = ""
        if position.after is not None:
            values = zip(position.after, key)
            limits = ", ".join(f"CAST({literal(text)} AS {column.type})" for text, column in values)
            beyond = f"({columns}) > ({limits}) AND "
        aliases = ", ".join(f"{quote(column.name)} AS {name}" for column, name in zip(key, names))
        matches = " AND ".join(
            f"{self.table.sql}.{quote(column.name)} = picked.{name}" for column, name in zip(key, names)
        )
        assignments = ", ".join(f"{quote(name)} = (\n{text}\n)" for name, text in self.assignments.items())
        texts = ", ".join(f"{name}::text" for name in names)
        backwards = ", ".join(f"{name} DESC" for name in names)
        current = literal(position.write())
        return f"""
WITH picked AS MATERIALIZED (
  SELECT {aliases} FROM {self.table.sql} WHERE {beyond}(
{self.where}
) ORDER BY {columns} LIMIT {self.batch} FOR NO KEY UPDATE
), changed AS (
  UPDATE {self.table.sql} SET {assignments} FROM picked WHERE {matches} RETURNING (
{self.where}
) IS TRUE AS recurring
), outcome AS (
  SELECT count(*) AS changed, coalesce(bool_or(recurring), false) AS recurring FROM changed
), moved AS (
  SELECT outcome.changed, ({current}::jsonb || jsonb_build_object(
    'recurring', outcome.recurring OR ({current}::jsonb->>'recurring')::boolean,
    'after', coalesce((SELECT jsonb_build_array({texts}) FROM picked ORDER BY {backwards} LIMIT 1),
                      {current}::jsonb->'after')))::text AS position
  FROM outcome
), recorded AS (
  UPDATE {self.mark.table} AS mark SET position = moved.position, rows = mark.rows + moved.changed, updated = now()
  FROM moved WHERE {self.mark.condition}
)
SELECT changed, position FROM moved
"""
