"""Where a statement of a revision is sent: in the transaction that Alembic has open, or outside of any.

A revision may end its transaction itself: `op.execute("COMMIT")`, `op.get_bind().commit()`, an isolation level of
AUTOCOMMIT. What follows is sent as the driver sends it under plain Alembic: psycopg 3 begins a transaction with the
next statement; psycopg2 does not notice a COMMIT in SQL, and sends everything outside of one from then on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...contract.fingerprints import fingerprints
from ..database.driver import IDLE, Driver, RawConnection, rows

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

_BEGUN = 2  # psycopg2.extensions.STATUS_BEGIN: it will not begin a transaction again
_MAY_CONTROL = re.compile(r"\b(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|PREPARE)\b", re.IGNORECASE)
_MAY_PREPARE = re.compile(r"\bPREPARE\s+TRANSACTION\b", re.IGNORECASE)
# Ways of a driver's connection that begin or end a transaction, as SQL; and those that lose the session, or commit in
# two phases.
ENDS = {"commit": "COMMIT", "rollback": "ROLLBACK", "transaction": "BEGIN"}
REFUSED = frozenset({"tpc_begin", "reset", "close"})
_ALONE = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:(?:CREATE|DROP|REINDEX|ALTER)\b.*\bCONCURRENTLY\b|VACUUM\b|ALTER\s+SYSTEM\b"
    r"|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)\b|REINDEX\s+(?:\(.*\)\s*)?(?:DATABASE|SYSTEM|SCHEMA)\b)",
    re.IGNORECASE | re.DOTALL,
)


def in_no_transaction(driver: Driver, raw: Any) -> bool:
    """Whether the next statement is sent outside of any transaction, and commits by itself."""
    if driver.transaction(raw) != IDLE:
        return False
    return bool(raw.autocommit) or (driver.name == "psycopg2" and raw.status == _BEGUN)


def stands_alone(sql: str) -> bool:
    """Whether it is a statement that no transaction may hold."""
    return bool(_ALONE.match(sql))


def must_stand_alone(driver: Driver, raw: RawConnection, sql: str) -> bool:
    """Whether psycopg 3 would begin a transaction for a statement that no transaction may hold.

    To be asked where the revision has ended its transaction: there psycopg2 sends it as it is.
    """
    return driver.transaction(raw) == IDLE and not in_no_transaction(driver, raw) and stands_alone(sql)


def controls(sql: str) -> bool:
    """Whether a text begins or ends a transaction; savepoints do not."""
    return bool(_MAY_CONTROL.search(sql)) and any(one.transaction_control for one in fingerprints(sql))


def prepares(sql: str) -> bool:
    """Whether a text leaves a prepared transaction behind, which outlasts the session with its locks."""
    return bool(_MAY_PREPARE.search(sql)) and any(one.keyword == "PREPARE TRANSACTION" for one in fingerprints(sql))


def begin_again(driver: Driver, raw: RawConnection, context: MigrationContext | None) -> None:
    """Have a transaction of Alembic's own open, in which it moves the version row, whatever the revision has left."""
    if raw.autocommit:
        if driver.transaction(raw) != IDLE:
            rows(raw, "COMMIT")
        raw.autocommit = False
    if context is not None and context.connection is not None:
        from ..alembic_private import adopt_transaction  # noqa: PLC0415 (needs the image's Alembic)

        adopt_transaction(context)
    if in_no_transaction(driver, raw):
        rows(raw, "BEGIN")
