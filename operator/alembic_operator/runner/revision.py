"""The revision that is running: its statements counted, its commits preceded by an intent, its end journalled.

A revision may commit before its end: in an autocommit block, by `op.get_bind().commit()` or by COMMIT in its SQL.
Before each of these the journal gets an `intent` row that the very commit makes durable. The `done` row goes with the
version row.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import event
from sqlalchemy.engine import Connection

from ..contract.request import RunRequest
from ..contract.result import AppliedRevision
from . import bundled
from .driver import RawConnection, rows
from .graph import Graph
from .heads import Moves
from .journal import job_uid
from .report import Report
from .session import Place
from .signals import Signals
from .watch import Watch

# Anywhere, also in a comment or a CASE: a row too many goes with its transaction, one too few hides what was committed.
_MAY_COMMIT = re.compile(r"\b(?:COMMIT|END|PREPARE\s+TRANSACTION)\b", re.IGNORECASE)
_MAY_LEAVE_A_PART = re.compile(r"\b(?:COMMIT|END|CALL|DO|DETACH)\b", re.IGNORECASE)

_INTENT = """
INSERT INTO alembic_operator.revision_journal
       (history, revision, state, resumable, file_sha256, image, job, job_uid, started)
VALUES (%s, %s, 'intent', %s, %s, %s, %s, %s, pg_catalog.clock_timestamp() - %s * interval '1 second') RETURNING id
"""
_HELD = "SELECT resumable FROM alembic_operator.revision_journal WHERE id = %s AND state = 'intent'"
_NOT_RESUMABLE = "UPDATE alembic_operator.revision_journal SET resumable = false WHERE id = %s"
_DONE = """
INSERT INTO alembic_operator.revision_journal
       (history, revision, state, file_sha256, image, job, job_uid, started, finished, statements)
SELECT %s, %s, 'done', %s, %s, %s, %s, pg_catalog.clock_timestamp() - %s * interval '1 second',
       pg_catalog.clock_timestamp(), %s
  FROM moved
"""
_INTENT_DONE = """
UPDATE alembic_operator.revision_journal
   SET state = 'done', finished = pg_catalog.clock_timestamp(), statements = %s, file_sha256 = %s, image = %s, job = %s,
       job_uid = %s
  FROM moved WHERE id = %s
"""


class Running:
    """The revision that is running, as the helpers find it in `op.get_context().opts["alembic_operator"]`.

    Attributes:
        history: key of its rows in the journal.
        revision: its id; "" between revisions.
        statements: that it has sent so far.
        in_upgrade: False before and after the user's code, when Alembic and the runner send statements of their own.
        applied: by this run, oldest first.
        moves: of the version rows, sent with the journal's row.
        intents: ids of resumable intents that earlier tries or runs left behind, by revision.
    """

    def __init__(
        self,
        *,
        raw: RawConnection,
        request: RunRequest,
        place: Place,
        graph: Graph,
        report: Report,
        signals: Signals,
        watch: Watch,
    ) -> None:
        self.history = place.history
        self.revision = ""
        self.statements = 0
        self.in_upgrade = False
        self.applied: list[AppliedRevision] = []
        self.moves = Moves(place)
        self.intents: dict[str, int] = {}
        self._raw, self._request, self._graph = raw, request, graph
        self._report, self._signals, self._watch = report, signals, watch
        self._since = 0.0
        self._intent: int | None = None
        self._changed = False  # something other than a helper's statement was sent
        self._helpers = 0
        self._last_statement = ""

    @contextmanager
    def resumable(self) -> Iterator[None]:
        """For helpers: what is sent inside may be sent again after a crash."""
        self._hear_helpers()
        self._helpers += 1
        try:
            yield
        finally:
            self._helpers -= 1

    def listen(self, connection: Connection) -> None:
        """Have every statement and commit of the migrating connection."""
        event.listen(connection, "before_cursor_execute", self._before_statement)
        event.listen(connection, "after_cursor_execute", self._after_statement)
        event.listen(connection, "commit", self._before_commit)

    def _hear_helpers(self) -> None:
        """Make a record of what the helpers tell of their progress."""
        helpers = sys.modules.get(bundled.PACKAGE)
        if helpers is not None:
            helpers.on_progress.set(lambda facts: self._report.record("helper", revision=self.revision, **facts))

    def guard(self, context: MigrationContext) -> None:
        """Wrap the context's autocommit_block, on this instance alone."""
        original = context.autocommit_block

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            self._write_intent()
            with original():
                yield

        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def steps(self, steps: list[RevisionStep]) -> Iterator[RevisionStep]:
        """Yield Alembic's steps one by one; Alembic comes back for the next when the last one is committed."""
        for number, step in enumerate(steps, 1):
            self._signals.check()
            self._begin(step)
            yield step
            self._end(number, len(steps))

    def on_version_apply(self, **_facts: Any) -> None:
        """Journal the revision in the transaction that has just moved the version row."""
        file, request = self._graph.files[self.revision], self._request
        who = (file.sha256, request.image, request.job, job_uid())
        if self._held_intent() is not None:
            self.moves.send(self._raw, _INTENT_DONE, self.statements, *who, self._intent)
        else:
            seconds = time.monotonic() - self._since
            self.moves.send(self._raw, _DONE, self.history, self.revision, *who, seconds, self.statements)

    @property
    def left_nothing(self) -> bool:
        """Whether the statement that the server has refused was the revision's first, and one that is atomic by itself.

        An index that failed to build concurrently is not looked for here.
        """
        return self.statements == 1 and not _MAY_LEAVE_A_PART.search(self._last_statement)

    def forget(self) -> None:
        """The revision failed and its transaction was rolled back."""
        self.in_upgrade = False
        self._intent = None
        self.moves.clear()
        self._watch.ended()

    def _begin(self, step: RevisionStep) -> None:
        self.revision, self.statements, self._since = step.revision.revision, 0, time.monotonic()
        self._intent = self.intents.get(self.revision)
        self._changed = False
        original = step.migration_fn

        def upgrade(**arguments: Any) -> None:
            self.in_upgrade = True
            original(**arguments)
            self.in_upgrade = False

        step.migration_fn = upgrade

    def _end(self, number: int, total: int) -> None:
        seconds = round(time.monotonic() - self._since, 3)
        self.applied.append(AppliedRevision(self.revision, self.statements, seconds))
        self._report.record(
            "applied", revision=self.revision, number=number, of=total, statements=self.statements, seconds=seconds
        )
        self.revision = ""

    def _before_statement(
        self, _connection: Connection, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
    ) -> None:
        self._signals.check()
        if not self.in_upgrade:
            return
        self.statements += 1
        self._last_statement = statement
        self._changed = self._changed or not self._helpers  # a SELECT too: it may call what writes
        if _MAY_COMMIT.search(statement):
            self._write_intent()
        self._watch.started(self.revision, self.statements)

    def _after_statement(
        self, _connection: Connection, _cursor: Any, _statement: str, _parameters: Any, _context: Any, _many: bool
    ) -> None:
        self._watch.ended()

    def _before_commit(self, _connection: Connection) -> None:
        if self.in_upgrade:
            self._write_intent()

    def _write_intent(self) -> None:
        """Journal, in the present transaction, that its commit leaves the revision half applied."""
        resumable = self._helpers > 0 and not self._changed
        held = self._held_intent()
        if held is None:
            file, request = self._graph.files[self.revision], self._request
            parameters = (file.sha256, request.image, request.job, job_uid(), time.monotonic() - self._since)
            self._intent = rows(self._raw, _INTENT, self.history, self.revision, resumable, *parameters)[0][0]
        elif held and not resumable:
            rows(self._raw, _NOT_RESUMABLE, self._intent)

    def _held_intent(self) -> bool | None:
        """Whether the intent is resumable, as the database holds it now; None where there is none.

        It is read each time, since a rollback, to a savepoint too and in the revision's own SQL, takes back its row.
        """
        found = rows(self._raw, _HELD, self._intent) if self._intent is not None else []
        if not found:
            self._intent = None
        return found[0][0] if found else None
