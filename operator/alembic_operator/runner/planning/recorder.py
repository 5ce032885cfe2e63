"""Each statement of a step, delivered in the shadow and written down with what it did there."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ...contract.fingerprints import text_fingerprint
from ...contract.masking import mask
from ...contract.plan import Notice, Statement
from ..database.capture import Sent, uncaptured
from ..database.driver import IDLE, IN_TRANSACTION, Driver, RawConnection, sqlstate_of
from ..database.sql_errors import find_sql_error, printable
from ..migrate.statement_guard import sent_by_helpers
from ..migrate.transactions import ENDS, REFUSED, controls, in_no_transaction, must_stand_alone, prepares, stands_alone
from ..signals import Signals
from .probe import Effects, Probe
from .seed import NO_SUCH_PARENT, Seeds
from .shadow import Shadow
from .statement_list import MOST_NOTICES, merged, same, skipped

_UNSAVED = re.compile(r"\s*(?:SET|RESET|SHOW|BEGIN|START|SAVEPOINT|RELEASE|ROLLBACK|COMMIT|END|PREPARE|ABORT)\b", re.I)
_SAVEPOINT = "alembic_operator_probe"
_UNPROBED_AFTER = 20  # the same text so often in a row: what it does is known by then
_LONGEST_SHOWN = 60


@dataclass
class Step:
    """What a step has done so far."""

    statements: list[Statement] = field(default_factory=list)
    escapes: list[str] = field(default_factory=list)
    sent: int = 0
    committed: bool = False  # it committed a part of itself, by a block or otherwise
    left: bool = False  # it ended its transaction itself
    environment: bool = False  # of env.py, which may commit


class Recorder:
    """Listens to the migrating session of the shadow.

    Attributes:
        step: the one under way; None between steps, when Alembic and the runner send statements of their own.
        autocommits: whether the engine commits each statement (see Loan).
    """

    def __init__(self, driver: Driver, signals: Signals, secrets: Collection[str], shadow: Shadow) -> None:
        self.step: Step | None = None
        self.autocommits = False
        self._driver, self._signals, self._secrets, self._shadow = driver, signals, secrets, shadow
        self._raw: Any = None
        self._probe: Probe | None = None
        self._seeds: Seeds | None = None
        self._quiet = 0
        self._blocks = 0
        self._helpers = 0
        self._notices: list[Notice] = []

    def attach(self, raw: RawConnection, probe: Probe, seeds: Seeds) -> None:
        """Look at this session, which tells this listener, by this probe."""
        self._raw, self._probe, self._seeds = raw, probe, seeds
        self._driver.on_notice(raw, lambda code, text: self._notices.append(Notice(code, printable(text, 300))))

    def unprobed(self, raw: RawConnection) -> None:
        """Only deliver what is sent on this session, once a step has begun there."""
        self._raw, self._quiet = raw, 1

    def own(self, sql: str) -> list[tuple[Any, ...]]:
        """Send statements of the runner's on the migrating session; the rows of the last that has any."""
        found: list[tuple[Any, ...]] = []
        with uncaptured(self._driver, self._raw) as cursor:
            cursor.execute(sql)
            while True:
                if cursor.description:
                    found = cursor.fetchall()
                if self._driver.name != "psycopg" or not cursor.nextset():
                    return found

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """What is sent inside is not the step's."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    @property
    def in_block(self) -> bool:
        """Whether an autocommit block of the step is open."""
        return self._blocks > 0

    @contextmanager
    def block(self) -> Iterator[None]:
        """Around an autocommit block of the step."""
        if self.step is not None:
            self.step.committed = True
        self._blocks += 1
        try:
            yield
        finally:
            self._blocks -= 1
            self._forget_transaction()

    def called(self, sql: str) -> None:
        """A helper is called: this text is approved in place of the statements that it sends."""
        if self.step is not None and not self._quiet:
            self._write(self._enter(Sent(sql)), Effects(), 0.0, "")

    @contextmanager
    def helping(self) -> Iterator[None]:
        """Around what a helper of alembic_operator_helpers sends: it depends on what the database holds."""
        self._helpers += 1
        try:
            yield
        finally:
            self._helpers -= 1

    def begin(self) -> None:
        """A step begins."""
        self.step, self._notices = Step(), []
        self._forget_transaction()

    def ending(self, how: str) -> None:
        """The step's code ends its transaction by the driver."""
        step = self.step
        if step is None or self._quiet:
            return
        if step.environment:  # env.py may end its transactions
            step.committed = step.committed or how != "rollback"
            self._forget_transaction()
            return
        if how in REFUSED:
            self.escape(f"After statement {step.sent} it calls {how}() on the connection.")
        if self._blocks or self._raw.autocommit:
            return
        step.left = True
        open_ = step.sent > 0 and self._driver.transaction(self._raw) != IDLE
        if how in ENDS and (open_ or how == "transaction"):
            self._write(self._enter(Sent(ENDS[how], channel="connection")), Effects(), 0.0, "")
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        if self._probe is not None:
            self._probe.transaction = 0

    def opened(self) -> None:
        """The step's code opens a connection of its own."""
        if self.step is not None:
            self.escape(f"After statement {self.step.sent} it opens its own database connection.")

    def tries(self, what: str) -> None:
        """The step's code tries to reach something else by the network, or to start a program, which is refused."""
        if self.step is not None:
            self.escape(f"After statement {self.step.sent} it tries to {what}, which a plan run does not allow.")

    def escape(self, sentence: str) -> None:
        """The step left its transaction."""
        if self.step is not None and sentence not in self.step.escapes:
            self.step.escapes.append(sentence)

    def send(self, sent: Sent, deliver: Callable[[], Any]) -> Any:
        """Deliver a statement; one that the seeded rows refuse is sent again without them."""
        if self.step is None or self._quiet:
            return deliver()
        self._signals.check()
        return self._delivered(sent, deliver, again=True)

    @contextmanager
    def passing(self, sent: Sent) -> Iterator[None]:
        """Around a COPY or a stream."""
        if self.step is None or self._quiet:
            yield
            return
        self._signals.check()
        entry = self._enter(sent)
        began = time.monotonic()
        yield
        self._write(entry, self._look(entry.sql, ""), time.monotonic() - began, "")

    def _delivered(self, sent: Sent, deliver: Callable[[], Any], *, again: bool) -> Any:
        if self.autocommits and stands_alone(sent.sql):
            self._raw.commit()  # as if the step's code did
        if self.step is not None and self.step.left and must_stand_alone(self._driver, self._raw, sent.sql):
            return self._alone(sent, deliver)
        entry = self._enter(sent)
        if self._repeated(entry):
            result = deliver()
            self._write(entry, Effects(), 0.0, "")
            return result
        if in_no_transaction(self._driver, self._raw):
            return self._outside(entry, deliver) if controls(sent.sql) else self._in_autocommit(entry, deliver)
        assert self._seeds is not None
        saved = again and not _UNSAVED.match(sent.sql) and not controls(sent.sql)
        if saved:
            self.own(f"SAVEPOINT {_SAVEPOINT}")
        began, violation = time.monotonic(), ""
        try:
            result = deliver()
        except self._driver.error as error:
            violation = sqlstate_of(error)
            if not saved or not self._seeds.may_have_refused(violation):
                self._failed(entry, error)
                raise
            result = self._without_seeds(entry, error, deliver)
        seconds = time.monotonic() - began
        self._write(
            entry, self._look(entry.sql, f"RELEASE SAVEPOINT {_SAVEPOINT}" if saved else ""), seconds, violation
        )
        return result

    def _failed(self, entry: Statement, error: Exception) -> None:
        """Write down what was sent and refused: the step's code may go on from there, to a savepoint."""
        found = find_sql_error(error)
        words = found.words() if found is not None else type(error).__name__
        self._notices.append(Notice(sqlstate_of(error), f"It failed: {words}", refused=True))
        self._write(entry, Effects(), 0.0, "")

    def _without_seeds(self, entry: Statement, error: Exception, deliver: Callable[[], Any]) -> Any:
        """Send the statement again: without the table's seeds, without its rows, without foreign keys."""
        assert self._seeds is not None
        for attempt in range(3):
            self.own(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            try:
                if attempt == 2:
                    return self._seeds.unchecked(self.own, deliver)
                self._seeds.remove(self.own, error, entry.sql, thorough=attempt == 1)
                return deliver()
            except self._driver.error as still:
                state = sqlstate_of(still)
                last = attempt == 2 or (attempt == 1 and state != NO_SUCH_PARENT)
                if last or not self._seeds.may_have_refused(state):
                    self._failed(entry, still)
                    raise
                error = still
        raise error

    def _in_autocommit(self, entry: Statement, deliver: Callable[[], Any]) -> Any:
        """In a transaction for itself where that is possible: locks are seen in one alone."""
        began = time.monotonic()
        self.own("BEGIN")
        try:
            result = deliver()
        except self._driver.error:
            self.own("ROLLBACK")
            return self._outside(entry, deliver)
        seconds = time.monotonic() - began
        self._write(entry, self._look(entry.sql, ""), seconds, "")
        if self._in_transaction():
            self.own("COMMIT")
        return result

    def _alone(self, sent: Sent, deliver: Callable[[], Any]) -> Any:
        """Send what no transaction may hold in autocommit, where psycopg 3 would begin one."""
        with self.quiet():
            self._raw.autocommit = True
        try:
            return self._outside(self._enter(sent), deliver)
        finally:
            with self.quiet():
                self._raw.autocommit = False

    def _outside(self, entry: Statement, deliver: Callable[[], Any]) -> Any:
        """Send what no transaction may hold, or what fails in one too."""
        began = time.monotonic()
        try:
            result = deliver()
        except self._driver.error as error:
            self._failed(entry, error)
            raise
        self._write(entry, self._look(entry.sql, ""), time.monotonic() - began, "")
        return result

    def _in_transaction(self) -> bool:
        """Whether a transaction is open, and not a failed one."""
        return self._driver.transaction(self._raw) == IN_TRANSACTION

    def _look(self, sql: str, first: str) -> Effects:
        assert self._probe is not None
        if not self._raw.autocommit and self._probe.transaction and not self._blocks:
            before = self._probe.transaction
        else:
            before = 0
        if not self._in_transaction():
            if self._driver.transaction(self._raw) != IDLE:
                return Effects()
            outside = self._probe.after_outside()
            if self._in_transaction():  # psycopg 3 began one to look
                self.own("COMMIT")
            return outside
        effects = self._probe.after(sql, first)
        if before and self._probe.transaction != before and self.step is not None and not self.step.environment:
            self.escape(f"It ended its transaction itself, at statement {self.step.sent}.")
            self.step.committed = True
        return effects

    def _enter(self, sent: Sent) -> Statement:
        assert self.step is not None
        self.step.sent += 1
        sql = self._shadow.as_on_the_target(sent.sql)
        value, ddl = text_fingerprint(sql)
        shown = mask(sql, self._secrets)
        if prepares(sent.sql):
            start = printable(" ".join(shown.split()), _LONGEST_SHOWN)
            self.escape(f"Statement {self.step.sent} prepares a transaction that outlasts the session: {start}")
        if controls(sent.sql):
            self.step.left = self.step.committed = True
            self._forget_transaction()
        return Statement(
            sql=shown,
            parameters=list(sent.parameters),
            fingerprint=value,
            ddl=ddl,
            autocommit=in_no_transaction(self._driver, self._raw),
            channel="runner" if self._helpers and sent_by_helpers() else sent.channel,
            executions=sent.executions,
        )

    def _repeated(self, entry: Statement) -> bool:
        last = self.step.statements[-1] if self.step is not None and self.step.statements else None
        return last is not None and last.executions >= _UNPROBED_AFTER and same(last, entry) and not entry.ddl

    def _write(self, entry: Statement, effects: Effects, seconds: float, violation: str) -> None:
        assert self.step is not None
        notices, self._notices = self._told(), []
        written = replace(
            entry,
            locks=effects.locks,
            rewrites=effects.rewrites,
            scans=effects.scans,
            drops=effects.drops,
            objects=effects.objects,
            violation=violation,
            notices=notices[:MOST_NOTICES],
            seconds=round(seconds, 4),
        )
        self.step.committed = self.step.committed or written.autocommit
        statements = self.step.statements
        if statements and same(statements[-1], written):
            statements[-1] = merged(statements[-1], written)
        else:
            statements.append(written)

    def _told(self) -> list[Notice]:
        if self._driver.name == "psycopg":
            return self._notices
        texts, self._raw.notices[:] = list(self._raw.notices), []
        return self._notices + skipped(texts)
