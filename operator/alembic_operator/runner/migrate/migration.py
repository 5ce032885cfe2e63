"""Running the pending revisions by Alembic on the session that holds the lock.

Each revision has a transaction of its own. One that meets a lock timeout, a deadlock or a serialization failure is
rolled back and tried again here, unless a part of it was committed.
"""

from __future__ import annotations

import random
import re
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from alembic.runtime.migration import MigrationContext, RevisionStep

from ...contract import job_env
from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ...contract.result import Failure
from ..database.driver import Driver, RawConnection
from ..database.journal import Entry
from ..database.lock_monitor import Watch
from ..database.session import VersionTable
from ..database.sql_errors import ADVICE, RETRYABLE, SqlError, find_sql_error, print_error
from ..environment.lending import Loan
from ..environment.program import Work
from ..errors import RunFailed
from ..history.load import History
from ..history.steps import destination, steps_to
from ..report import Report
from ..signals import Signals
from ..terms import AND_A_NEW_IMAGE, LOG, ROLE
from .environment_step import Statements
from .revision import RevisionRun
from .statement_guard import StatementGuard, StatementListener
from .version_rows import moved_by
from .version_table_width import widen_fresh

TRIES = 10
_FOREIGN = re.compile(
    rf"^{re.escape(str(Path(traceback.__file__).parent))}/|/(?:site|dist)-packages/|/alembic_operator(?:_helpers)?/|^<"
)
FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Session:
    """The migrating session.

    Attributes:
        driver: of the image.
        raw: its connection in autocommit, which holds the lock.
        gate: hears its statements.
        judge: makes who decides about them.
        restore: gives the session the settings of a new one.
        signals: end the run.
    """

    driver: Driver
    raw: RawConnection
    gate: StatementListener
    judge: Callable[[], StatementGuard]
    restore: Callable[[], None]
    signals: Signals


class Migration:
    """The upgrade, or downgrade, of one database to its targets.

    Args:
        session: holds the lock.
        history: of the image.
        request: names version table and timeouts.
        running: counts and journals.
        watch: knows who blocks.
        open_intent: reads on a new session whether a part of the failed revision was committed: the journal's entry.
    """

    def __init__(
        self,
        *,
        session: Session,
        history: History,
        request: RunRequest,
        version_table: VersionTable,
        running: RevisionRun,
        watch: Watch,
        report: Report,
        open_intent: Callable[[Failure], Entry | None],
        direction: Direction = Direction.UPGRADE,
    ) -> None:
        self._session, self._history, self._request, self._version_table = session, history, request, version_table
        self._running, self._watch, self._report = running, watch, report
        self._open_intent = open_intent
        self._direction = direction
        self._tries: dict[str, int] = {}

    def run(self, targets: Sequence[str]) -> None:
        """Apply everything up to the targets, or take back everything that they do not contain.

        Raises:
            RunFailed: with revision, statement, SQLSTATE and who blocked.
        """
        while True:
            try:
                self._migrate(targets)
                return
            except (Exception, SystemExit) as error:  # sys.exit() in a revision is a failure of it
                failure = self._explain(error)
            self._running.forget()
            self._pause_or_raise(failure)

    def _migrate(self, targets: Sequence[str]) -> None:
        history, running = self._history, self._running

        def steps(heads: tuple[str, ...], _context: MigrationContext) -> Iterator[RevisionStep]:
            return running.steps(steps_to(history, self._direction, targets, heads))

        def prepared(context: MigrationContext) -> None:
            widen_fresh(context, history.graph.files)
            running.guard(context, autocommits=loan.autocommits)

        session = self._session
        loan = Loan(session.raw, quiet=running.quiet, restore=session.restore, wrote=running.wrote_beside)
        statements = Statements(session.raw, session.judge(), self._direction, session.signals, self._watch)

        def listen(environment: bool) -> None:
            session.gate.hears = statements if environment else None

        history.run(
            Work(
                loan,
                destination(targets),
                steps,
                self._direction,
                self._version_table,
                options={"alembic_operator": running},
                on_version_apply=running.on_version_apply,
                after_callbacks=running.after_callbacks,
                prepared=prepared,
                around=lambda: moved_by(history.graph, running.moves),
                listening=listen,
                callbacks=running.callback,
                refused=lambda: statements.refused,
            )
        )

    def _explain(self, error: BaseException) -> RunFailed:
        running = self._running
        if running.refused is not None:
            return running.refused  # whatever the revision made of it
        if isinstance(error, RunFailed):
            return error
        sql = find_sql_error(error)
        file = self._history.graph.files.get(running.revision)
        if file is None:
            what = f"Preparing the version table {self._version_table}"
        elif running.in_upgrade and running.statements and sql is not None:
            what = f'{running.doing} revision "{running.revision}" ({file.path}), statement {running.statements}'
        elif running.in_upgrade:
            what = f'{running.doing} revision "{running.revision}" ({file.path}), after {running.statements} statements'
        else:
            what = f'Committing revision "{running.revision}" ({file.path}) after {running.statements} statements'
        blocked_by = self._watch.blocked_by if sql is not None and sql.reason in RETRYABLE else ""
        took = self._watch.took if running.in_upgrade else None
        reason, found, todo = _found(sql, error, self._request, blocked_by, took)
        if sql is None:
            print_error(error, words=True)
        return RunFailed(
            reason,
            f"{what}: {found}",
            todo,
            revision=running.revision,
            statement=running.statements if running.in_upgrade else 0,
            sqlstate=sql.sqlstate if sql is not None else "",
            blocked_by=blocked_by,
        )

    def _pause_or_raise(self, failed: RunFailed) -> None:
        failure = failed.failure
        tried = self._tries[failure.revision] = self._tries.get(failure.revision, 0) + 1
        if failure.reason not in RETRYABLE or tried >= TRIES:
            raise failed
        try:
            intent = self._open_intent(failure)
        except (RunFailed, self._session.driver.error):
            raise failed from None
        if intent is not None and not intent.resumable:
            raise failed
        if intent is not None:
            self._running.intents[failure.revision] = intent.id
        pause = min(FIRST_PAUSE * 2 ** (tried - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
        self._report.record(
            "retry",
            revision=failure.revision,
            statement=failure.statement,
            sqlstate=failure.sqlstate,
            blockedBy=failure.blocked_by,
            tried=tried,
            of=TRIES,
            seconds=round(pause, 1),
        )
        threading.Event().wait(pause)


_ADVICE = {
    Reason.CONNECTION_LOST: ADVICE[Reason.CONNECTION_LOST],
    Reason.DEADLOCK: "It was rolled back; the operator retries automatically.",
    Reason.SERIALIZATION_FAILURE: "It was rolled back; the operator retries automatically.",
}
_OF_THE_JOURNAL = (job_env.JOURNAL_SCHEMA, "revision_journal")
_GRANT_JOURNAL = (
    "env.py or the revision changed the role with SET ROLE, and that role writes the journal. Grant it USAGE on "
    f"schema {job_env.JOURNAL_SCHEMA}, and SELECT, INSERT, UPDATE and DELETE on its tables; or name it in "
    f"{ROLE} before the first run, and it owns the journal."
)


def _found(
    sql: SqlError | None, error: BaseException, request: RunRequest, blocked_by: str, took: float | None
) -> tuple[Reason, str, str]:
    """Reason, what was found, what to do."""
    timeouts = request.timeouts
    if sql is None and type(error).__name__ == "HelperError":
        return Reason.MIGRATION_FAILED, str(error).rstrip("."), "It was rolled back."  # words of our own helpers
    if sql is None:
        found = f"{type(error).__name__} in {_line(error)}; the traceback is in the {LOG}"
        return Reason.MIGRATION_FAILED, found, f"It was rolled back. Correct the revision{AND_A_NEW_IMAGE}."
    by = f", held by {blocked_by}" if blocked_by else ""
    found = sql.words() + by
    general = ADVICE.get(sql.reason, "Correct the revision, or what it conflicts with in the database.")
    advice = _ADVICE.get(sql.reason, f"It was rolled back. {general}")
    if sql.reason == Reason.LOCK_TIMEOUT:
        found, advice = _lock_timeout(timeouts.lock, took, advice)
        found = f"{found}{by} (SQLSTATE {sql.sqlstate})"
    elif sql.sqlstate == "57014":
        found = f"SQLSTATE 57014: cancelled by spec.timeouts.statement ({timeouts.statement:g} s) or by another session"
        advice = "It was rolled back. Raise the limit, or make the statement smaller."
    elif sql.sqlstate == "25P03":
        advice = "It was rolled back. Raise spec.timeouts.idleInTransaction, or shorten what it does in Python."
    elif sql.reason == Reason.PERMISSION_DENIED and any(name in sql.text for name in _OF_THE_JOURNAL):
        advice = f"It was rolled back. {_GRANT_JOURNAL}"
    return sql.reason, found, advice


def _lock_timeout(limit: float, took: float | None, advice: str) -> tuple[str, str]:
    """What was found and what to do: env.py and the revision may set lock_timeout themselves, or say NOWAIT."""
    if took is None:
        return "a lock was not granted in time", advice
    if limit and limit * 0.9 <= took <= limit * 2 + 1:
        return f"a lock was not granted within {limit:g} s", advice
    found = f"a lock was not granted within {took:.1f} s" if took >= 0.1 else "a lock was not granted at once"
    return found, (
        "It was rolled back. End the session that holds the lock, or allow a longer wait: raise spec.timeouts.lock, "
        "or change the lock_timeout or NOWAIT of env.py or the revision, which takes precedence."
    )


def _line(error: BaseException) -> str:
    """The last place in the project's own files; neither a library nor the runner is to blame for a user's error."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not _FOREIGN.search(frame.filename)]
    if not own:
        return "a file outside the project"
    return f"{own[-1].filename.rsplit('/', 1)[-1]}, line {own[-1].lineno}"
