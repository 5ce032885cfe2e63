"""NOT NULL without a scan under a lock that blocks readers."""

from __future__ import annotations

import hashlib

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from .blocks import HelperError, block, connected, helper, one, report, run, settings, value
from .tables import Table, find_table, identifier, quote

HELPER = "add_not_null"

# A waiting ALTER TABLE holds up every reader that comes after it, so it may not wait for ever.
DEFAULT_LOCK_TIMEOUT = "5s"


def add_not_null(table: str, column: str, *, schema: str | None = None) -> None:
    """Make a column NOT NULL; running it again goes on where it was.

    CHECK (column IS NOT NULL) NOT VALID, VALIDATE, SET NOT NULL, drop the CHECK: the table is read while readers and
    writers go on, and SET NOT NULL (PostgreSQL 12 and later) takes the CHECK's word for it. Each step commits itself.

    Args:
        table: the table, without a schema.
        column: its column, already filled.
        schema: the table's; without it the search path finds the table.

    Raises:
        HelperError: bad arguments, or rows still hold NULL there; then nothing was changed.
        sqlalchemy.exc.DBAPIError: PostgreSQL's own errors, as lock_timeout (5 s where the session has none).
    """
    with helper(HELPER, table=table, column=column, schema=schema) as context:
        connection = connected(context)
        found = find_table(connection, HELPER, table, schema)
        target = found.column(identifier(HELPER, "column", column), HELPER)
        check = _check_name(found, column)
        state = _state(connection, found, check)
        if target.not_null and state is None:
            report(helper=HELPER, table=found.text, column=column, step="already not null")
            return

        with block(context) as autocommit:
            timeout = str(value(autocommit, "SHOW lock_timeout"))
            bound = DEFAULT_LOCK_TIMEOUT if timeout == "0" else timeout
            with settings(autocommit, lock_timeout=bound):
                if not target.not_null:
                    _require(autocommit, found, column, check, state)
                report(helper=HELPER, table=found.text, column=column, step="drop the check")
                run(autocommit, f"ALTER TABLE {found.sql} DROP CONSTRAINT IF EXISTS {quote(check)}")


def _require(connection: Connection, table: Table, column: str, check: str, validated: bool | None) -> None:
    condition = f"{quote(column)} IS NOT NULL"
    if validated is None:
        # Looked for before the CHECK is there: with it, every UPDATE of a row that still holds NULL would fail.
        report(helper=HELPER, table=table.text, column=column, step="look for nulls")
        if value(connection, f"SELECT EXISTS (SELECT FROM {table.sql} WHERE NOT ({condition}))"):
            raise _nulls_left(table, column)
        report(helper=HELPER, table=table.text, column=column, step="check not valid")
        run(connection, f"ALTER TABLE {table.sql} ADD CONSTRAINT {quote(check)} CHECK ({condition}) NOT VALID")
    if not validated:
        report(helper=HELPER, table=table.text, column=column, step="validate")
        try:
            run(connection, f"ALTER TABLE {table.sql} VALIDATE CONSTRAINT {quote(check)}")
        except IntegrityError:
            run(connection, f"ALTER TABLE {table.sql} DROP CONSTRAINT {quote(check)}")
            raise _nulls_left(table, column) from None
    report(helper=HELPER, table=table.text, column=column, step="set not null")
    run(connection, f"ALTER TABLE {table.sql} ALTER COLUMN {quote(column)} SET NOT NULL")


def _nulls_left(table: Table, column: str) -> HelperError:
    return HelperError(
        f"{HELPER}: rows of {table.text} still hold NULL in {column}; nothing was changed. Fill them first, by"
        " backfill(…) in a revision before, and see that no running release still writes NULL there."
    )


def _check_name(table: Table, column: str) -> str:
    """The CHECK's name: the same in every run, and never cut by PostgreSQL."""
    mark = hashlib.sha256(f"{table.name}.{column}".encode()).hexdigest()[:12]
    return f"alembic_operator_not_null_{mark}"


def _state(connection: Connection, table: Table, check: str) -> bool | None:
    """Whether the CHECK is validated; None: there is none."""
    found = one(
        connection,
        f"SELECT convalidated FROM pg_constraint WHERE conrelid = {table.oid} AND conname = '{check}'",
    )
    return None if found is None else bool(found[0])
