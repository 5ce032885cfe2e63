"""Running the steps in the shadow, by Alembic as the apply run does it, each statement recorded."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable

from alembic.runtime.migration import MigrationContext, RevisionStep

from ...contract.plan import Direction
from ...contract.reasons import Reason
from ..database.driver import Driver, RawConnection
from ..database.session import VersionTable
from ..database.sql_errors import SqlError, find_sql_error, print_error
from ..environment.lending import Loan
from ..environment.program import Work
from ..errors import RunFailed
from ..history.load import History
from ..history.steps import destination, renew, steps_to
from ..migrate.revision import helper_call
from ..migrate.transactions import begin_again
from ..migrate.version_rows import moved_by
from ..migrate.version_table_width import widen_fresh
from ..terms import AND_A_NEW_IMAGE, LOG
from .recorder import Recorder, Step
from .redirect import redirected_to
from .shadow import Shadow
from .task import Task

_SERVER_ENDED = frozenset({Reason.CONNECTION_LOST, Reason.DATABASE_FULL, Reason.TOO_MANY_CONNECTIONS})


@dataclass
class Rehearsed:
    """One revision as it ran."""

    revision: str
    step: Step
    seconds: float


@contextmanager
def _closed_in(task: Task, recorder: Recorder, parameters: dict[str, Any]) -> Iterator[None]:
    """A step's code connects to the shadow alone."""
    with redirected_to(parameters, recorder.opened), task.network.told_to(recorder.tries):
        yield


@dataclass
class Rehearsal:
    """A run of revisions on the captured session; Alembic's context has it under "alembic_operator", for helpers.

    Attributes:
        revision: under way; "" between revisions.
        done: those that ran, in order.
        failed: the step whose code raised, as it was then.
        environment: what env.py sent itself, before and after them.
        restore: gives the session the settings of a new one.
    """

    driver: Driver
    raw: RawConnection
    history_files: History
    version_table: VersionTable
    recorder: Recorder
    began: Callable[[str], None]
    around: Callable[[], AbstractContextManager[None]]
    ended: Callable[[], None] = lambda: None
    restore: Callable[[], None] = lambda: None
    environment: Step = field(default_factory=lambda: Step(environment=True))
    revision: str = ""
    context: MigrationContext | None = None
    done: list[Rehearsed] = field(default_factory=list)
    failed: Step | None = None

    @classmethod
    def of(cls, task: Task, raw: RawConnection, recorder: Recorder, shadow: Shadow, database: str = "") -> Rehearsal:
        """For a task; whatever else a revision connects to is led to the shadow's database, or to this one there."""
        parameters = shadow.parameters_of(database)
        return cls(
            driver=task.driver,
            raw=raw,
            history_files=task.history,
            version_table=task.version_table,
            recorder=recorder,
            began=task.progress,
            around=lambda: _closed_in(task, recorder, parameters),
            restore=lambda: shadow.restore(raw),
        )

    @property
    def history(self) -> str:
        """The key of the journal's rows, for helpers."""
        return self.version_table.history

    def resumable(self) -> AbstractContextManager[None]:
        """For helpers: what is sent inside follows from what the database holds."""
        return self.recorder.helping()

    def call(self, name: str, arguments: str) -> None:
        """For helpers: what is called, as one statement."""
        self.recorder.called(helper_call(name, arguments))

    def run(self, direction: Direction, targets: Sequence[str]) -> list[Rehearsed]:
        """Run every step up, or back, to the targets; none: to base.

        Raises:
            RunFailed: MigrationFailed, or ShadowFailed where the server ended.
        """
        try:
            self._run(direction, targets)
        except RunFailed:
            raise
        except (Exception, SystemExit) as error:
            raise self._explain(error) from error
        return self.done

    def _wrote_beside(self) -> None:
        self.recorder.opened()  # op.get_bind().engine.begin()
        file = self.history_files.graph.files[self.revision]
        raise RunFailed(
            Reason.MIGRATION_FAILED,
            f'Trying revision "{self.revision}" ({file.path}) in the shadow: it writes through its own database '
            "connection, from the engine of op.get_bind(); that was refused",
            "Statements sent there are outside the migration's transaction. Use op.get_bind() itself in the "
            f"revision{AND_A_NEW_IMAGE}.",
            revision=self.revision,
        )

    def _run(self, direction: Direction, targets: Sequence[str]) -> None:
        history = self.history_files

        def steps(heads: tuple[str, ...], _context: MigrationContext) -> Iterator[RevisionStep]:
            return self._steps(steps_to(history, direction, targets, heads))

        def prepared(context: MigrationContext) -> None:
            widen_fresh(context, history.graph.files)
            self.recorder.autocommits = loan.autocommits
            self._wrap_blocks(context)

        loan = Loan(self.raw, quiet=self.recorder.quiet, restore=self.restore, wrote=self._wrote_beside)
        history.run(
            Work(
                loan,
                destination(targets),
                steps,
                direction,
                self.version_table,
                options={"alembic_operator": self},
                prepared=prepared,
                around=lambda: moved_by(history.graph),
                listening=self._listen,
                callbacks=self._callback,
            )
        )

    def _listen(self, environment: bool) -> None:
        """What comes is env.py's own, or is not."""
        self.recorder.step = self.environment if environment else None

    @contextmanager
    def _callback(self) -> Iterator[None]:
        """What comes belongs to the revision that was done last."""
        self.recorder.step = self.done[-1].step
        try:
            yield
        finally:
            self.recorder.step = None

    def _wrap_blocks(self, context: MigrationContext) -> None:
        original, recorder = context.autocommit_block, self.recorder
        self.context = context

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            outermost = not recorder.in_block
            with recorder.block():
                block = original()
                with recorder.quiet():
                    if outermost:
                        begin_again(self.driver, self.raw, context)
                    block.__enter__()
                try:
                    yield
                except BaseException:
                    with recorder.quiet():
                        swallowed = block.__exit__(*sys.exc_info())
                    if not swallowed:
                        raise
                else:
                    with recorder.quiet():
                        block.__exit__(None, None, None)

        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def _steps(self, steps: list[RevisionStep]) -> Iterator[RevisionStep]:
        for step in steps:
            self.revision = step.revision.revision
            self.began(self.revision)
            renew(step)
            step.migration_fn = self._recorded(step.migration_fn)
            yield step
            self.ended()
            self.revision = ""

    def _recorded(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def migrate(**arguments: Any) -> None:
            began = time.monotonic()
            self.recorder.begin()
            try:
                with self.around():
                    original(**arguments)
            except BaseException:
                self.failed, self.recorder.step = self.recorder.step, None  # the rollback is not the revision's
                raise
            self._ended(began)
            begin_again(self.driver, self.raw, self.context)

        return migrate

    def _ended(self, began: float) -> None:
        step, self.recorder.step = self.recorder.step, None
        assert step is not None
        self.done.append(Rehearsed(self.revision, step, round(time.monotonic() - began, 3)))

    def _explain(self, error: BaseException) -> RunFailed:
        sql, step = find_sql_error(error), self.failed or self.recorder.step
        self.failed = self.recorder.step = None
        file = self.history_files.graph.files.get(self.revision)
        if file is None:
            what = f"Preparing the version table {self.version_table} in the shadow"
        else:
            what = f'Trying revision "{self.revision}" ({file.path}) in the shadow'
        sent = step.sent if step is not None else 0
        if sent:
            what += f", {'' if sql is not None else 'after '}statement {sent}"
        if sql is None:
            print_error(error, words=True)
        return RunFailed(
            Reason.SHADOW_FAILED if sql is not None and sql.reason in _SERVER_ENDED else Reason.MIGRATION_FAILED,
            f"{what}: {_found(sql, error)}",
            _advice(sql),
            revision=self.revision,
            statement=sent if sql is not None else 0,
            sqlstate=sql.sqlstate if sql is not None else "",
        )


def _found(sql: SqlError | None, error: BaseException) -> str:
    if sql is not None and sql.sqlstate == "57014":
        return "SQLSTATE 57014: cancelled by spec.timeouts.statement"
    if sql is not None:
        return sql.words()
    if type(error).__name__ == "HelperError":
        return str(error).rstrip(".")  # words of our own helpers
    from ..migrate.migration import _line  # noqa: PLC0415

    return f"{type(error).__name__} in {_line(error)}; the traceback is in the {LOG}"


def _advice(sql: SqlError | None) -> str:
    nothing = "Nothing was sent to the target. "
    if sql is not None and sql.reason in _SERVER_ENDED:
        return nothing + (
            "The shadow's server stopped, or is out of space: give the pod more memory or ephemeral storage."
        )
    return (
        nothing + f"Correct the revision{AND_A_NEW_IMAGE}; the shadow has the target's schema, and one row per table."
    )
