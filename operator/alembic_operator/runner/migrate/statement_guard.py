"""What lets the statements of a revision through: each is judged as it is sent, whatever way it takes in the driver.

Without a review only what would outlast the session is refused (PREPARE TRANSACTION), and transaction control in the
SQL that a helper was given. With one, a statement must be among those that were captured when the plan was made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Protocol

from ...contract import job_env
from ...contract.fingerprints import fingerprints
from ...contract.guard import Checker, EitherWay, Guard, NotApproved, sha256
from ...contract.reasons import Reason
from ...contract.request import Approved
from ..database.sql_errors import printable
from ..errors import RunFailed
from ..terms import AND_A_NEW_IMAGE
from ..zipapp import helpers
from .transactions import controls, prepares

if TYPE_CHECKING:
    from ..database.capture import Sent

RULE = "transaction-escape"
_EXCERPT = 120
_BETWEEN = frozenset({"alembic", "alembic_operator", "contextlib", "psycopg", "psycopg2", "sqlalchemy"})


class Refused(Exception):
    """A statement may not be sent.

    Attributes:
        reason: to publish.
        found: a part of a sentence: what was about to be sent.
        todo: what to do.
    """

    def __init__(self, reason: Reason, found: str, todo: str) -> None:
        super().__init__(found)
        self.reason, self.found, self.todo = reason, found, todo


class StatementGuard(Protocol):
    """Who decides about the statements of one run."""

    def begin(self, revision: str, direction: str) -> None:
        """A revision begins, perhaps again.

        Raises:
            Refused: it may not be run at all.
        """

    def check(self, sql: str, autocommit: bool) -> None:
        """A statement is about to be sent.

        Raises:
            Refused: it may not be.
        """

    def finish(self) -> None:
        """The revision has sent everything.

        Raises:
            Refused: something is missing.
        """


def escape(found: str) -> Refused:
    """A revision that leaves its transaction."""
    return Refused(
        Reason.MIGRATION_FAILED,
        f"{found} (rule {RULE})",
        "A revision must run on the session that holds the lock; SQL that must run outside its transaction belongs "
        f"in op.get_context().autocommit_block(). Correct the revision{AND_A_NEW_IMAGE}.",
    )


def refuse_control(sql: str) -> None:
    """See that a helper's statement leaves the transaction alone, in the SQL that it was given too.

    Raises:
        Refused: it begins or ends one.
    """
    if controls(sql):
        which = " ".join({one.keyword for one in fingerprints(sql) if one.transaction_control and one.keyword})
        which = f" ({which})" if which else ""
        raise escape(f"its SQL begins or ends a transaction{which}; it was not sent")


class Unreviewed:
    """Refuses a prepared transaction, and nothing else."""

    def begin(self, revision: str, direction: str) -> None:
        """Nothing is remembered."""

    def check(self, sql: str, autocommit: bool) -> None:
        """See StatementGuard."""
        if prepares(sql):
            raise escape("its SQL prepares a transaction that outlasts the session; it was not sent")

    def finish(self) -> None:
        """Nothing is missing."""


class Reviewed(Unreviewed):
    """Lets through what an approved plan holds."""

    def __init__(self, guard: Guard, plan: Approved) -> None:
        self._guard, self._plan = guard, plan
        self._checker: Checker | EitherWay | None = None

    def begin(self, revision: str, direction: str) -> None:
        """See StatementGuard."""
        try:
            self._checker = self._guard.begin(revision, direction)
        except NotApproved as error:
            raise self._mismatch(error, "it was not run") from None

    def check(self, sql: str, autocommit: bool) -> None:
        """See StatementGuard."""
        super().check(sql, autocommit)
        try:
            if self._checker is not None:
                self._checker.check(sql, autocommit)
        except NotApproved as error:
            raise self._mismatch(error, f"refused to send: {_cut(error.sent)}") from None

    def finish(self) -> None:
        """See StatementGuard."""
        try:
            if self._checker is not None:
                self._checker.finish()
        except NotApproved as error:
            raise self._mismatch(error, "the revision ended without sending it") from None

    def _mismatch(self, error: NotApproved, deed: str) -> Refused:
        return Refused(
            Reason.STATEMENT_MISMATCH,
            f'the approved plan "{self._plan.name}" expects {_cut(error.expected)}; {deed}',
            "The revision behaves differently here than in the plan's shadow: it depends on the time, on rows, or "
            f"on other objects in the database. Make it send the same statements everywhere{AND_A_NEW_IMAGE}; "
            "if it is already released, set spec.review.evidence: Static, which approves its file.",
        )


def read_guard(approved: Approved | None) -> Guard | None:
    """The approved statements, from their mount; None where a run has none.

    Raises:
        RunFailed: RunnerProtocolError, where they are not those that the request pins.
    """
    if approved is None or not approved.guard_sha256:
        return None
    parts = _read_parts(approved)
    if sha256(parts) != approved.guard_sha256:
        raise _unreadable(approved, f"the {len(parts)} files there do not have the sha256 in the request")
    try:
        return Guard.from_parts(parts)
    except ValueError as error:
        raise _unreadable(approved, f"they cannot be read ({type(error).__name__})") from None


def statement_guard_of(approved: Approved | None, guard: Guard | None) -> StatementGuard:
    """Who decides in a run."""
    return Unreviewed() if approved is None or guard is None else Reviewed(guard, approved)


def _read_parts(approved: Approved) -> list[bytes]:
    parts: list[bytes] = []
    while (path := Path(job_env.PLAN_DIRECTORY) / f"{job_env.GUARD_FILE}{len(parts)}").is_file():
        parts.append(path.read_bytes())
    if not parts:
        raise _unreadable(approved, "there is none")
    return parts


def _unreadable(approved: Approved, found: str) -> RunFailed:
    return RunFailed(
        Reason.RUNNER_PROTOCOL_ERROR,
        f'Reading the statements of plan "{approved.name}" in {job_env.PLAN_DIRECTORY}: {found}. Nothing was sent.',
        "Check that the plan's ConfigMaps exist unchanged; if not, delete the SchemaPlan to have a new plan created.",
    )


def _cut(text: str) -> str:
    return printable(text, _EXCERPT)


class Hears(Protocol):
    """The revision under way."""

    def before(self, sql: str) -> None:
        """A statement of its code is about to be sent; raises where it may not be."""

    def after(self, error: BaseException | None) -> None:
        """It came back, or failed with this."""

    def ending(self, how: str) -> None:
        """Its code is about to end or leave its transaction by the driver; raises where it may not."""


class StatementListener:
    """What the migrating connection tells of its statements (capture.Listener), handed on while user code runs.

    Attributes:
        hears: the revision, while its own code is running; None in between, when Alembic and the runner send theirs.
    """

    def __init__(self) -> None:
        self.hears: Hears | None = None
        self._own = 0

    @contextmanager
    def own(self) -> Iterator[None]:
        """What is sent inside is the runner's or Alembic's own, in the middle of user code."""
        self._own += 1
        try:
            yield
        finally:
            self._own -= 1

    def send(self, sent: Sent, deliver: Callable[[], Any]) -> Any:
        """See capture.Listener."""
        with self.passing(sent):
            return deliver()

    @contextmanager
    def _heard(self, sent: Sent, hears: Hears) -> Iterator[None]:
        hears.before(sent.sql)
        try:
            yield
        except BaseException as error:
            hears.after(error)
            raise
        hears.after(None)

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        yield

    def passing(self, sent: Sent) -> AbstractContextManager[None]:
        """See capture.Listener."""
        if self.hears is None or self._own:
            return self._unheard()
        return self._heard(sent, self.hears)

    def ending(self, how: str) -> None:
        """See capture.Listener."""
        if self.hears is not None and not self._own:
            self.hears.ending(how)


def sent_by_helpers() -> bool:
    """Whether the code of alembic_operator_helpers sends the statement under way, not that of a revision beside it."""
    frame = sys._getframe(1)
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).split(".")[0]
        if package not in _BETWEEN:
            return package == helpers.PACKAGE
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False
