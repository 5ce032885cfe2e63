"""Where a helper runs: its own autocommit block in an online migration of PostgreSQL.

alembic-operator's runner leaves an object in the migration context's options, under "alembic_operator": `history` and
`revision` are the key of what it journals, `resumable()` a context manager around what may be sent again, and `call()`
takes name and arguments of the helper, which a reviewed plan holds in place of the statements that follow from them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Callable, Protocol, Union

from alembic import op
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection, CursorResult

Progress = dict[str, Union[str, int]]
Callback = Callable[[Progress], None]

# True while a helper is at work: whatever it sends may be sent again.
resuming: ContextVar[bool] = ContextVar("alembic_operator_resuming", default=False)
# Called between statements with what is being done; it must not use the migration's connection.
on_progress: ContextVar[Callback | None] = ContextVar("alembic_operator_progress", default=None)

# Below "alembic", so that the logging of an ordinary alembic.ini shows it.
logger = logging.getLogger("alembic.operator_helpers")


class HelperError(RuntimeError):
    """A helper cannot do what it was asked; the message says what was found and what to do; no row's values."""


@contextmanager
def helper(called: str, /, **arguments: object) -> Iterator[MigrationContext]:
    """Around all that a helper does: the migration that calls it, where whatever is sent may be sent again.

    Args:
        called: its name.
        arguments: that it was called with; they decide what it does.

    Raises:
        HelperError: no migration runs, it is offline, on another database than PostgreSQL, or in an autocommit block.
    """
    outside = HelperError(f"{called} works in a migration only: call it in upgrade() or downgrade()")
    try:
        context = op.get_context()
    except (AttributeError, NameError):  # before the first migration of a process, and after it
        raise outside from None
    if context.as_sql or context.connection is None:
        raise HelperError(f"{called} reads the database, so it cannot be written out with --sql; run it online")
    if context.connection.closed:  # Alembic leaves the context of a migration that failed
        raise outside
    if context.dialect.name != "postgresql":
        raise HelperError(f"{called} is for PostgreSQL; this database is {context.dialect.name}")
    if context.connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        raise HelperError(f"{called} opens an autocommit block of its own: call it outside of autocommit_block()")
    operator = operator_run(context)
    if operator is not None:
        operator.call(called, json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str))
    token = resuming.set(True)
    try:
        with operator.resumable() if operator else nullcontext():
            yield context
    finally:
        resuming.reset(token)


def connected(context: MigrationContext) -> Connection:
    """The migration's connection: another object in an autocommit block than outside of it."""
    assert context.connection is not None
    return context.connection


@contextmanager
def block(context: MigrationContext) -> Iterator[Connection]:
    """An autocommit block."""
    with context.autocommit_block():
        yield connected(context)


class OperatorRun(Protocol):
    """What the runner of alembic-operator offers to helpers."""

    history: str
    revision: str

    def resumable(self) -> AbstractContextManager[object]:
        """Around what may be sent again after a crash."""

    def call(self, name: str, arguments: str) -> None:
        """Told before anything is sent; raises where a plan was approved that has no such call here."""


def operator_run(context: MigrationContext) -> OperatorRun | None:
    """The run by alembic-operator that this migration belongs to; None under plain Alembic."""
    found: OperatorRun | None = context.opts.get("alembic_operator")
    return found


def report(**progress: str | int) -> None:
    """Tell what is being done: to the runner, or to the log."""
    callback = on_progress.get()
    if callback is not None:
        callback(progress)
    else:
        logger.info("%s", " ".join(f"{name}={value}" for name, value in progress.items()))


def one(connection: Connection, statement: str) -> tuple[Any, ...] | None:
    """The only row of a query, or None."""
    row = run(connection, statement).one_or_none()
    return None if row is None else tuple(row)


def value(connection: Connection, statement: str) -> Any:
    """The only value of a query."""
    return run(connection, statement).scalar_one()


def run(connection: Connection, statement: str) -> CursorResult[Any]:
    """Send a statement as it stands: no parameters, so `:` and `%` mean what they mean in SQL."""
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@contextmanager
def settings(connection: Connection, **values: str) -> Iterator[None]:
    """Session settings for the statements of a block; those from before come back, unless the connection is gone."""
    before = {name: str(value(connection, f"SHOW {name}")) for name in values}
    assign(connection, values)
    try:
        yield
    finally:
        if not connection.invalidated and not connection.closed:
            assign(connection, before)


def assign(connection: Connection, values: dict[str, str]) -> None:
    """SET each of the settings."""
    for name, value in values.items():
        run(connection, f"SET {name} = {literal(value)}")


def literal(text: str) -> str:
    """Text as an SQL literal, whatever standard_conforming_strings says."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
