"""The revision that is running: its statements counted, its commits preceded by an intent, its end journalled.

A revision may commit before its end: in an autocommit block, or by ending its transaction itself. Before such a
commit, and before a text that may hold one unseen, the journal gets an `intent` row that the very commit makes durable;
before a statement that is sent outside of a transaction it is there already. The `done` row goes with the version row.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep

from ...contract.plan import Direction
from ...contract.request import RunRequest
from ...contract.result import AppliedRevision
from ..database.driver import IDLE, IN_TRANSACTION, Driver, RawConnection, rows
from ..database.journal import DONE, HELD, INTENT, INTENT_DONE, NOT_RESUMABLE, job_uid, plan_columns
from ..database.lock_monitor import Watch
from ..database.other_connections import watched_connects
from ..database.session import VersionTable
from ..errors import RunFailed
from ..history.graph import Graph
from ..history.steps import renew
from ..report import Report
from ..signals import Signals
from ..zipapp import helpers
from .statement_guard import Refused, StatementGuard, StatementListener, escape, refuse_control, sent_by_helpers
from .transactions import ENDS, REFUSED, begin_again, controls, in_no_transaction, must_stand_alone, stands_alone
from .version_rows import Moves

# Anywhere, also in a comment or a CASE: a row too many goes with its transaction, one too few hides what was committed.
_MAY_COMMIT = re.compile(r"\b(?:COMMIT|END|PREPARE\s+TRANSACTION)\b", re.IGNORECASE)
_MAY_LEAVE_A_PART = re.compile(r"\b(?:COMMIT|END|CALL|DO|DETACH)\b", re.IGNORECASE)
# Whether the transaction under way has written anything: else its commit leaves nothing.
_HAS_WRITTEN = "SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL"


class RevisionRun:
    """The revision that is running, as the helpers find it in `op.get_context().opts["alembic_operator"]`.

    Attributes:
        history: key of its rows in the journal.
        revision: its id; "" between revisions.
        statements: that it has sent so far.
        in_upgrade: False before and after the user's code, when Alembic and the runner send statements of their own.
        refused: why a statement was not sent; the revision ends there, whatever its code makes of the exception.
        applied: by this run, oldest first.
        moves: of the version rows, sent with the journal's row.
        intents: ids of resumable intents that earlier tries or runs left behind, by revision.
    """

    def __init__(
        self,
        *,
        driver: Driver,
        raw: RawConnection,
        request: RunRequest,
        version_table: VersionTable,
        graph: Graph,
        report: Report,
        signals: Signals,
        watch: Watch,
        gate: StatementListener,
        judge: StatementGuard,
        direction: Direction = Direction.UPGRADE,
    ) -> None:
        self.history = version_table.history
        self.revision = ""
        self.statements = 0
        self.in_upgrade = False
        self.applied: list[AppliedRevision] = []
        self.moves = Moves(version_table)
        self.intents: dict[str, int] = {}
        self._driver, self._raw, self._request, self._graph = driver, raw, request, graph
        self._report, self._signals, self._watch = report, signals, watch
        self.refused: RunFailed | None = None
        self._gate, self._judge = gate, judge
        self._direction = "down" if direction == Direction.DOWNGRADE else "up"
        self._since = 0.0
        self._intent: int | None = None
        self._changed = False  # something other than a helper's statement was sent
        self._helpers = 0
        self._last_statement = ""
        self._context: MigrationContext | None = None
        self._autocommits = False
        self._blocks = 0  # that are open
        self._left = False  # the revision has ended its transaction itself
        self._outside = False  # the statement under way is in no transaction
        self._durable = False  # an intent that is not run again is committed
        self._part_committed = False
        self._alone = False  # the statement under way is sent in autocommit, where psycopg 3 would begin

    @contextmanager
    def resumable(self) -> Iterator[None]:
        """For helpers: what is sent inside may be sent again after a crash."""
        self._hear_helpers()
        self._helpers += 1
        try:
            yield
        finally:
            self._helpers -= 1

    def call(self, name: str, arguments: str) -> None:
        """For helpers: what is called, as one statement that is approved in place of those that it sends itself."""
        with self._refusing():
            self._judge.check(helper_call(name, arguments), False)

    def _hear_helpers(self) -> None:
        """Make a record of what the helpers tell of their progress."""
        loaded = sys.modules.get(helpers.PACKAGE)
        if loaded is not None:
            loaded.on_progress.set(lambda facts: self._report.record("helper", revision=self.revision, **facts))

    def guard(self, context: MigrationContext, *, autocommits: bool) -> None:
        """Wrap the context's autocommit_block, on this instance alone; see Loan for the other."""
        original = context.autocommit_block
        self._context, self._autocommits = context, autocommits

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            self._stay_refused()
            lasting = self._before_commit()
            with self._gate.own():  # Alembic commits, and asks for the isolation level
                if not self._blocks:
                    begin_again(self._driver, self._raw, context)
                block = original()
                block.__enter__()
            self._durable = lasting
            self._blocks += 1
            try:
                yield
            except BaseException as error:
                with self._gate.own():
                    block.__exit__(type(error), error, error.__traceback__)
                raise
            finally:
                self._blocks -= 1
            with self._gate.own():
                block.__exit__(None, None, None)

        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def quiet(self) -> AbstractContextManager[None]:
        """Around what is the runner's, Alembic's or SQLAlchemy's own in the middle of user code."""
        return self._gate.own()

    @contextmanager
    def callback(self) -> Iterator[None]:
        """Around a callback of the project's, which is given the version that was applied, in its transaction."""
        self._gate.hears = self
        try:
            yield
        finally:
            self._gate.hears = None

    def steps(self, steps: list[RevisionStep]) -> Iterator[RevisionStep]:
        """Yield Alembic's steps one by one; Alembic comes back for the next when the last one is committed."""
        for number, step in enumerate(steps, 1):
            self._signals.check()
            self._begin(step)
            yield step
            self._end(number, len(steps))

    def on_version_apply(self, **_facts: Any) -> None:
        """Journal the revision in the transaction that has just moved the version row."""
        self._stay_refused()
        if self._held_intent() is not None:
            self.moves.send(self._raw, INTENT_DONE, self._intent, *self._who(), self.statements)
        else:
            seconds = time.monotonic() - self._since
            which = (self.history, self.revision, self._direction)
            self.moves.send(self._raw, DONE, *which, *self._who(), seconds, self.statements)

    def after_callbacks(self, **_facts: Any) -> None:
        """See that the revision, and the project's callbacks after it, have sent all that was approved."""
        self._stay_refused()
        with self._refusing():
            self._judge.finish()

    def _who(self) -> tuple[str | None, ...]:
        """Values of the columns _WHO."""
        file, request = self._graph.files[self.revision], self._request
        return (file.sha256, request.image, request.job, job_uid(), *plan_columns(request))

    @property
    def left_nothing(self) -> bool:
        """Whether nothing of what the revision has sent was committed, for all that is known here.

        An index that failed to build concurrently is not looked for.
        """
        return not self._part_committed

    @property
    def committed_by(self) -> str:
        """For messages: what has committed a part of it."""
        return "a COMMIT of its own" if self._left else "an autocommit block"

    def forget(self) -> None:
        """The revision failed and its transaction was rolled back."""
        self.in_upgrade = False
        self.refused = None
        self._intent = None
        self.moves.clear()
        self._watch.ended()

    def _begin(self, step: RevisionStep) -> None:
        self.revision, self.statements, self._since = step.revision.revision, 0, time.monotonic()
        self._intent = self.intents.get(self.revision)
        self._changed = self._left = self._outside = self._durable = self._part_committed = False
        with self._refusing():
            self._judge.begin(self.revision, self._direction)
        renew(step)
        original = step.migration_fn

        def upgrade(**arguments: Any) -> None:
            self.in_upgrade, self._gate.hears = True, self
            try:
                with watched_connects(self.connects):
                    original(**arguments)
            finally:
                self._gate.hears = None
            self.in_upgrade = False
            begin_again(self._driver, self._raw, self._context)

        step.migration_fn = upgrade

    def _end(self, number: int, total: int) -> None:
        seconds = round(time.monotonic() - self._since, 3)
        self.applied.append(AppliedRevision(self.revision, self.statements, seconds))
        self._report.record(
            "applied", revision=self.revision, number=number, of=total, statements=self.statements, seconds=seconds
        )
        self.revision = ""

    def before(self, sql: str) -> None:
        """A statement of the revision's is about to be sent (guarding.Hears)."""
        self._signals.check()
        self._stay_refused()
        if self._autocommits and stands_alone(sql):
            self._raw.commit()  # as if the revision did
        self.statements += 1
        self._last_statement = sql
        helpers = bool(self._helpers) and sent_by_helpers()
        self._changed = self._changed or not helpers  # a SELECT too: it may call what writes
        if self._left and must_stand_alone(self._driver, self._raw, sql):
            with self._gate.own():
                self._raw.autocommit = self._alone = True
        self._outside = in_no_transaction(self._driver, self._raw)
        with self._refusing():
            if helpers:  # approved by the helper's call
                refuse_control(sql)
            else:
                self._judge.check(sql, self._outside)
        if _MAY_COMMIT.search(sql):
            self._before_commit()
        elif self._outside and not self._durable:
            self._durable = self._write_intent()
        self._left = self._left or controls(sql)
        self._watch.started(self.revision, self.statements)

    def after(self, error: BaseException | None) -> None:
        """It came back, or failed (guarding.Hears)."""
        self._watch.ended()
        if self._outside and not controls(self._last_statement):
            refused = isinstance(error, self._driver.error) and not _MAY_LEAVE_A_PART.search(self._last_statement)
            self._part_committed = self._part_committed or not refused
        if self._alone:
            with self._gate.own():
                self._raw.autocommit = self._alone = False

    def ending(self, how: str) -> None:
        """The revision's code calls commit, rollback or the like (guarding.Hears); in an autocommit block it may."""
        self._stay_refused()
        if how in REFUSED:
            with self._refusing():
                raise escape(f"it calls {how}() on its connection; the call was refused")
        if self._raw.autocommit:
            return
        self._left = True
        idle = self._driver.transaction(self._raw) == IDLE
        if how != "transaction" and (idle or not self.statements):
            return  # nothing of the revision's is open
        if how in ENDS:
            self.statements += 1
            with self._refusing():
                self._judge.check(ENDS[how], False)
        if how == "transaction":  # psycopg 3 begins one, and commits it unseen
            self._durable = self._write_intent()
            with self._gate.own():
                self._raw.commit()
            self._part_committed = True
        elif how != "rollback":
            self._before_commit()

    def connects(self) -> None:
        """The revision's code is about to open a connection of its own."""
        with self._refusing():
            raise escape("it opens its own database connection; that was refused")

    def wrote_beside(self) -> None:
        """The revision's code has tried to write by another connection of its engine's."""
        with self._refusing():
            raise escape("it writes through its own connection, from the engine of op.get_bind(); that was refused")

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Refused as refused:
            file = self._graph.files[self.revision]
            before = f"Before it {', '.join(one.revision for one in self.applied[-3:])} stayed." if self.applied else ""
            self.refused = RunFailed(
                refused.reason,
                f'{self.doing} revision "{self.revision}" ({file.path}), statement {self.statements}: {refused.found}',
                f"The revision was rolled back. {before} {refused.todo}".replace("  ", " "),
                revision=self.revision,
                statement=self.statements,
            )
            raise self.refused from None

    def _stay_refused(self) -> None:
        if self.refused is not None:
            raise self.refused

    @property
    def doing(self) -> str:
        """For messages."""
        return "Reverting" if self._direction == "down" else "Applying"

    def _before_commit(self) -> bool:
        """What the revision has sent is about to be committed, before its end; as _write_intent."""
        if self.statements and self._driver.transaction(self._raw) == IN_TRANSACTION:
            with self._gate.own():
                self._part_committed = self._part_committed or rows(self._raw, _HAS_WRITTEN)[0][0]
        return self._write_intent()

    def _write_intent(self) -> bool:
        """Journal, in the present transaction, that its commit leaves the revision half applied.

        Returns:
            Whether it will not be run again unasked.
        """
        resumable = self._helpers > 0 and not self._changed
        with self._gate.own():
            held = self._held_intent()
            if held is None:
                which = (self.history, self.revision, self._direction, resumable)
                seconds = time.monotonic() - self._since
                self._intent = rows(self._raw, INTENT, *which, *self._who(), seconds)[0][0]
            elif held and not resumable:
                rows(self._raw, NOT_RESUMABLE, self._intent)
        return not (resumable and held in (None, True))

    def _held_intent(self) -> bool | None:
        """Whether the intent is resumable, as the database holds it now; None where there is none.

        It is read each time, since a rollback, to a savepoint too and in the revision's own SQL, takes back its row.
        """
        found = rows(self._raw, HELD, self._intent) if self._intent is not None else []
        if not found:
            self._intent = None
        return found[0][0] if found else None


def helper_call(name: str, arguments: str) -> str:
    """A helper's call as a statement, for reading and comparing; it is never sent."""
    text = f"{name} {arguments}".replace('"', '""')
    return f'CALL alembic_operator_helpers."{text}"()'
