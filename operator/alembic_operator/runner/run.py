"""One run from the Secret to the verified result: connect, read, lock, decide, apply, verify."""

from __future__ import annotations

import gc
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Callable

from ..contract import job_env
from ..contract.reasons import Reason
from ..contract.request import Owner, RunKind, RunRequest
from ..contract.result import DatabaseFacts, Failure, Outcome, PlanReceipt
from ..contract.verification import Verification
from .assessment.assess import Assessment, Reading, assess, remedy
from .assessment.baseline import adopts
from .assessment.verification import journalled
from .commands.project import load
from .database.capture import Listener
from .database.connect import connect, drop_libpq_variables
from .database.driver import Driver, RawConnection, find_driver
from .database.journal import Entry, job_uid, read_journal, withdraw
from .database.lock import acquire
from .database.other_connections import read_only_connects
from .database.other_version_tables import OwnTable, check_others, find_others
from .database.project_driver import preferred_driver
from .database.secret import Target, read_secret
from .database.session import DEFAULT_TABLE, Place, TargetSession, Wanted, find_place, no_schema, preflight
from .database.sql_errors import ADVICE, find_sql_error
from .database.version_table import read_version_rows, schema_exists, users_tables
from .errors import RunFailed
from .history.graph import Standing
from .migrate.statement_guard import Gate
from .migrate.verify import invalid_indexes
from .planning.network import Network
from .report import Report
from .schema import snapshot
from .signals import Signals

if TYPE_CHECKING:
    from .history.load import History
    from .migrate.revision import Running
    from .planning.shadow import Shadow

_SKIPPED = frozenset({"42P07", "42701", "42P06"})  # "already exists, skipping"
_GRANT = (
    "Grant USAGE on their schemas, and SELECT, INSERT, UPDATE and DELETE on their tables, to the Secret's user, or to "
    "spec.database.role."
)


class Run:
    """One run. What it has found out so far stands in its attributes, also when it ends early.

    Attributes:
        place: the version table; known for sure from `locate` on.
        database: which one it is.
        owner: whom its journal names, where that is not the target.
        before, current: version rows at the start and as read last.
        targets: the full ids that are wanted, sorted; empty until they are known.
        pending: revisions still to apply.
        running: the applied revisions, and the one under way; None before anything is applied.
        gate: hears the statements of the migrating session.
        invalid_before: INVALID indexes that were there before anything was applied.
        receipt: of the plan that was made.
        verification: how it is known that the schema is the history's; None as long as it is not.
        rehearsing: the revision that is under way in the shadow.
        shadow: None for the one beside the runner; else makes one that was restored beforehand.
        network: what a plan run may not reach, and has tried to.
        began: when, by time.monotonic().
    """

    def __init__(self, request: RunRequest, report: Report, signals: Signals) -> None:
        self.request, self.report, self.signals = request, report, signals
        self.place = Place(request.version_table_schema, request.version_table or DEFAULT_TABLE)
        self.database: DatabaseFacts | None = None
        self.owner: Owner | None = None
        self.before: list[str] | None = None
        self.current: list[str] | None = None
        self.targets: list[str] = []
        self.pending: int | None = None
        self.running: Running | None = None
        self.gate = Gate()
        self.receipt: PlanReceipt | None = None
        self.verification: Verification | None = None
        self.rehearsing = ""
        self.shadow: Callable[[Driver, RunRequest, tuple[str, ...]], Shadow] | None = None
        self.network = Network()
        self.began = time.monotonic()
        self._driver: Driver | None = None
        self._target: Target | None = None
        self._session: TargetSession | None = None
        self._wanted = Wanted()
        self._makes: frozenset[str] = frozenset()
        self.invalid_before: set[str] = set()

    def execute(self) -> Outcome:
        """Do what the request asks.

        Raises:
            RunFailed: for every reason that is published.
            EndRequested: on SIGTERM and at the time limit.
        """
        request = self.request
        if request.kind == RunKind.PLAN:
            self.network.guard(network_open=request.network == "Open")
        drop_libpq_variables()
        self._target = read_secret(request.secret_name, request.secret_key)
        self._driver = find_driver(self._target.driver, preferred_driver(request))
        connection = self.open(listener=self.gate)
        try:
            self._session = preflight(self._driver, connection, request)
            self.locate(connection, Wanted(request.version_table, request.version_table_schema))
            path = self._session.search_path
            self.report.record("session", searchPath=path.schemas, missing=path.missing, versionTable=str(self.place))
            for sentence in self._session.warnings(request):
                self.report.warn(sentence)
            if self._driver.name == "psycopg2":
                self.signals.cancel_on_signal(connection)
            writes = request.kind == RunKind.APPLY and request.approved is None
            with nullcontext() if writes else read_only_connects():
                return self._execute(self._driver, connection)
        finally:
            connection.close()

    @property
    def secret(self) -> Target:
        """The connection that the Secret names."""
        if self._target is None:
            raise RuntimeError("the Secret was not read yet")
        return self._target

    @property
    def driver(self) -> Driver:
        """The image's."""
        if self._driver is None:
            raise RuntimeError("the Secret was not read yet")
        return self._driver

    @property
    def session(self) -> TargetSession:
        """What the migrating session is."""
        if self._session is None:
            raise RuntimeError("the database was not read yet")
        return self._session

    def locate(self, connection: RawConnection, wanted: Wanted) -> None:
        """Find the version table of this run; the database's identity follows from where it is."""
        self._wanted = wanted
        self.place = find_place(connection, self.session.search_path, wanted)
        self.database = self.session.facts(self.place)

    def learned(self, connection: RawConnection, session: TargetSession, wanted: Wanted, makes: frozenset[str]) -> None:
        """What env.py configures counts from now on; it makes these schemas."""
        self._session, self._makes = session, makes
        self.locate(connection, wanted)

    def check_schema(self, connection: RawConnection) -> None:
        """See that there is a schema to keep the version table in, or will be.

        Raises:
            RunFailed: InvalidSpec.
        """
        if self.place.schema not in self._makes and not schema_exists(connection, self.place.schema):
            raise no_schema(self.session.search_path, self.place)

    def rehearses(self, revision: str) -> None:
        """A revision is under way in the shadow; "" for none."""
        self.rehearsing = revision

    def open(
        self, *, monitor: bool = False, read_only: bool = False, listener: Listener | None = None
    ) -> RawConnection:
        """A new session on the target; `listener` is told of all that is sent there."""
        settings = {"monitor": monitor, "read_only": read_only}
        return connect(self.driver, self.secret, self.request, job_uid(), listener=listener, **settings)

    def _execute(self, driver: Driver, connection: RawConnection) -> Outcome:
        history = load(self, driver, connection)
        gc.freeze()  # no collection walks what was imported
        gc.enable()
        if self.request.kind == RunKind.CHECK:
            outcome = self._check(driver, connection, history)
        elif self.request.kind == RunKind.PLAN:
            from .commands.plan import make_plan  # noqa: PLC0415 (needs Alembic)

            outcome = make_plan(self, driver, connection, history)
            if self.network.warning:
                self.report.warn(self.network.warning)
        else:
            from .commands.apply import apply  # noqa: PLC0415 (needs Alembic)

            outcome = apply(self, driver, connection, history)
        return outcome

    def _check(self, driver: Driver, connection: RawConnection, history: History) -> Outcome:
        reading = self.read(driver, connection)
        if any(entry.open_intent for entry in reading.journal.entries.values()):
            # Perhaps its run is still alive, or its backend is: only under the lock is it known to be over.
            acquire(connection, self.place, self.report)
            reading = self.read(driver, connection)
        self.check_other_tables(connection, reading, history)
        if adopts(reading, self.request):
            return Outcome.BEHIND  # a plan is wanted, and a decision on it
        assessment = self.assess(reading, history)
        if assessment.standing == Standing.BEHIND or assessment.adopt or assessment.resolved:
            return Outcome.BEHIND  # what others applied is compared before it is believed
        return Outcome.UP_TO_DATE if assessment.standing == Standing.EQUAL else Outcome.AHEAD

    def check_other_tables(self, connection: RawConnection, reading: Reading, history: History) -> None:
        """Look for version tables beside the one of this run, before anything is believed of what that one says.

        Raises:
            RunFailed: VersionTableElsewhere.
        """
        ids, target = set(history.graph.files), self.request.target
        others = find_others(connection, self.place, target, journal=reading.journal.exists, known=ids)
        for sentence in check_others(others, OwnTable(self.place, reading.rows, self._wanted), self.request, ids):
            self.report.warn(sentence)

    def read(self, driver: Driver, connection: RawConnection) -> Reading:
        """Version rows and journal, as they are now."""
        rows = read_version_rows(connection, self.place)
        if self.before is None:
            self.before = rows
        self.current = rows
        tables = [] if rows else users_tables(connection, self.session.search_path.existing, self.place)
        journal = read_journal(driver, connection, self.place)
        owner = journal.owner
        self.owner = owner if owner is not None and owner.uid != self.request.target.uid else None
        strange = bool(tables) and not journal.applied and self.request.baseline != []
        found = snapshot(connection, self.session.search_path.schemas, self.place).fingerprint if strange else ""
        return Reading(rows, journal, tables, found)

    def assess(self, reading: Reading, history: History) -> Assessment:
        """Decide what the reading asks for, and tell it.

        Raises:
            RunFailed: see assess.
        """
        from .history.load import resolve_targets  # noqa: PLC0415 (needs Alembic)

        self.before = reading.rows
        self.targets = resolve_targets(self.request, history.graph)
        assessment = assess(reading, history.graph, self.targets, self.request, self.place)
        self.pending = len(assessment.pending)
        self.verification = journalled(reading.journal, history.graph.lineage(reading.rows))
        for sentence in assessment.warnings:
            self.report.warn(sentence)
        self.report.record(
            "assessed",
            standing=assessment.standing.value,
            current=reading.rows,
            targets=self.targets,
            pending=self.pending,
        )
        return assessment

    def noticed(self, sqlstate: str, text: str) -> None:
        """The server told something of its own."""
        if sqlstate in _SKIPPED and self.running is not None and self.running.in_upgrade:
            self.report.warn(
                f'Revision "{self.running.revision}", statement {self.running.statements}: '
                f"PostgreSQL skipped it ({text})."
            )

    def open_intent(self, failure: Failure) -> Entry | None:
        """The journal's entry of a failed revision of which a part was committed; None where nothing was."""
        connection = self.open()
        try:
            if self._driver is None:
                return None
            self.current = read_version_rows(connection, self.place)
            entry = read_journal(self._driver, connection, self.place).entries.get(failure.revision)
            if entry is None or not entry.open_intent:
                return None
            told = failure.reason != Reason.CONNECTION_LOST
            left_nothing = told and self.running is not None and self.running.left_nothing
            if not entry.resumable and left_nothing and invalid_indexes(connection) <= self.invalid_before:
                withdraw(connection, entry.id)
                return None
            return entry
        finally:
            connection.close()

    def after_failure(self, failed: RunFailed) -> RunFailed:
        """Read on a new connection what the database holds now, and whether a revision is half applied.

        Returns:
            The failure to report: OutcomeUnknown where an autocommit block of the revision was committed.
        """
        if self._driver is None or self.running is None or failed.failure.reason == Reason.OUTCOME_UNKNOWN:
            return self.network.blamed(failed)
        failure = failed.failure
        if self.pending is not None:
            self.pending = max(0, self.pending - len(self.running.applied))
        try:
            intent = self.open_intent(failure)
        except (RunFailed, self._driver.error):
            return failed  # the next run reads it
        if intent is None or intent.resumable:
            return failed
        return RunFailed(
            Reason.OUTCOME_UNKNOWN,
            f"{failed.found}. Before that the revision had committed a part of itself ({self.running.committed_by})",
            remedy(failure.revision, self.place),
            revision=failure.revision,
            statement=failure.statement,
            sqlstate=failure.sqlstate,
            blocked_by=failure.blocked_by,
        )


def as_run_failed(error: Exception, place: Place) -> RunFailed:
    """An error outside of user code: a statement of the runner's own, or the runner itself."""
    if isinstance(error, RunFailed):
        return error
    sql = find_sql_error(error)
    if sql is not None:
        reason = sql.reason if sql.reason != Reason.MIGRATION_FAILED else Reason.RUNNER_PROTOCOL_ERROR
        todo = _GRANT if reason == Reason.PERMISSION_DENIED else ADVICE.get(reason, "The next run tries again.")
        return RunFailed(
            reason,
            f"Reading or writing the version table {place} or the journal in schema {job_env.JOURNAL_SCHEMA}: "
            f"{sql.words()}",
            todo,
            sqlstate=sql.sqlstate,
        )
    return RunFailed(
        Reason.RUNNER_PROTOCOL_ERROR,
        f"Running: {type(error).__name__} inside the runner; the traceback is in the log of the Job's pod. Report it.",
    )
