"""One execution of env.py: what it configures is taken over, what would break a guarantee is overridden or refused.

The connection that it gives to `context.configure()` migrates, whatever it has been told by then, and each revision is
committed by itself, whatever transaction env.py has opened around them: where env.py has one open, Alembic leaves it
alone, and the runner commits on the driver's connection after each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from ...contract.plan import Direction
from ...contract.reasons import Reason
from ..alembic_private import set_steps, steps_of
from ..database.session import VersionTable
from ..database.version_table import read_version_rows
from ..errors import RunFailed
from ..terms import ARGUMENTS, BASELINE, secret_named
from .lending import Lender, Loan
from .local_settings import LocalSettings, carried

_STAMPED = (
    "The version rows must match the revisions that were run. Remove it from env.py; to adopt a database that "
    f"already has its schema, set {BASELINE}."
)
_OURS = frozenset({"as_sql", "destination_rev", "dont_mutate", "fn", "purge", "starting_rev"})
Steps = Callable[[Any, MigrationContext], Any]
Target = Union[str, "tuple[str, ...]"]


def _listed(rows: Sequence[str]) -> str:
    return ", ".join(f'"{row}"' for row in sorted(rows)) or "none"


def _no_steps(_heads: Any, _context: MigrationContext) -> list[RevisionStep]:
    return []


@dataclass
class Work:
    """What an environment is run for, and who is told what.

    Attributes:
        loan: of the session.
        steps: given the heads and the context, Alembic's steps.
        target: revision that they lead to, or revisions.
        options: of the runner's, for `configure()`.
        on_version_apply: of the runner's, before the project's callbacks; None for none.
        after_callbacks: of the runner's, after them; None for none.
        prepared: given the context before the steps run.
        around: around the run of the steps.
        listening: told whether what is sent from now on is env.py's own.
        refused: why a statement was not sent, whatever env.py has made of the exception.
        learning: called in place of the steps, where there are none to run.
        callbacks: around a callback of the project's own, in a revision's transaction.
    """

    loan: Loan
    target: Target
    steps: Steps = _no_steps
    direction: Direction = Direction.UPGRADE
    version_table: VersionTable | None = None
    options: dict[str, Any] = field(default_factory=dict)
    on_version_apply: Callable[..., None] | None = None
    after_callbacks: Callable[..., None] | None = None
    prepared: Callable[[MigrationContext], None] = lambda _context: None
    around: Callable[[], AbstractContextManager[None]] = nullcontext
    listening: Callable[[bool], None] = lambda _environment: None
    refused: Callable[[], RunFailed | None] = lambda: None
    learning: Callable[[], None] | None = None
    callbacks: Callable[[], AbstractContextManager[None]] = nullcontext

    def around_callbacks(self, theirs: Iterable[Callable[..., None]] = ()) -> list[Callable[..., None]]:
        """All callbacks of `on_version_apply`, in their order."""
        return [one for one in (self.on_version_apply, *theirs, self.after_callbacks) if one is not None]


class Over(BaseException):
    """The steps have failed: env.py ends too, whatever exceptions it catches to try again."""


class Program:
    """An execution of env.py.

    Attributes:
        error: with which the steps failed; it counts, not what env.py has made of it.
        refused: what env.py may not do.
        calls: of `run_migrations()`.
        options: that env.py gave to `configure()` last.
        context: that was configured last.
        settings: that hold in plain Alembic's one transaction.
    """

    def __init__(self, work: Work, lender: Lender) -> None:
        self.work, self._lender = work, lender
        self.error: BaseException | None = None
        self.refused: RunFailed | None = None
        self.calls = 0
        self.options: dict[str, Any] = {}
        self.context: MigrationContext | None = None
        self._began_outside = False
        self._rows: list[str] | None = None
        self.settings = LocalSettings(lender.driver, work.loan)
        self._each_its_own = False  # plain Alembic has a transaction for each revision, too
        self._configured: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Remember the version rows that env.py finds."""
        if self.work.version_table is not None:
            with self.work.loan.quiet():
                self._rows = read_version_rows(self.work.loan.raw, self.work.version_table)

    def steps(self, heads: Any, context: MigrationContext) -> Any:
        """Alembic's steps from these rows, which have to be those that were there before env.py ran."""
        if self._rows is not None and sorted(heads) != sorted(self._rows):
            raise self.refuse(
                f"it changes the rows of the version table {self.work.version_table} from {_listed(self._rows)} to "
                f"{_listed(heads)} before the revisions run",
                _STAMPED,
            )
        return self._carrying(self.work.steps(heads, context))

    def _carrying(self, steps: Iterable[RevisionStep]) -> Iterator[RevisionStep]:
        """The steps, each with the settings that hold in plain Alembic's transaction there."""
        for step in steps:
            step.migration_fn = carried(step.migration_fn, self.settings, Path(str(step.revision.path)))
            yield step
            self.settings.committed()
            if self._each_its_own:
                self.settings.values = {}

    @contextmanager
    def commands_refused(self) -> Iterator[None]:
        """While env.py runs, what stamps, and Alembic's commands, which would run env.py within itself, are refused."""
        stamp, run_env = MigrationContext.stamp, ScriptDirectory.run_env

        def stamped(*arguments: Any, **options: Any) -> None:
            if self.work.loan.migrating:  # a revision, whose statements others look at
                return stamp(*arguments, **options)
            raise self.refuse("it calls stamp, which writes version rows without running their revisions", _STAMPED)

        def run(_script: ScriptDirectory) -> None:
            raise self.refuse("it calls a command of Alembic (alembic.command), which runs env.py again", _STAMPED)

        MigrationContext.stamp, ScriptDirectory.run_env = stamped, run  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            MigrationContext.stamp, ScriptDirectory.run_env = stamp, run_env  # type: ignore[method-assign]

    def take_over(self, environment: EnvironmentContext) -> None:
        """Have env.py's calls of this environment come here."""
        configure: Callable[..., None] = environment.configure
        migrate: Callable[..., None] = environment.run_migrations

        def configured(connection: Any = None, **options: Any) -> None:
            self._configure(configure, connection, options)

        def run_migrations(**arguments: Any) -> None:
            self._migrate(environment, migrate, arguments)

        environment.configure = configured  # type: ignore[method-assign, assignment]
        environment.run_migrations = run_migrations  # type: ignore[method-assign]

    def _configure(self, original: Callable[..., None], connection: Any, options: dict[str, Any]) -> None:
        self._check_connection(connection, options)
        ours = sorted(_OURS & {name for name, value in options.items() if value})
        if ours:
            raise self.refuse(f"it passes context.configure() the option {ours[0]}, which is reserved for Alembic")
        self.options = dict(options)
        options["on_version_apply"] = self._callbacks(to_tuple(options.get("on_version_apply"), default=()))
        apart = options.get("transaction_per_migration") or options.get("transactional_ddl") is False
        options["transaction_per_migration"] = True
        if self.work.version_table is not None:
            options.update(
                version_table=self.work.version_table.table, version_table_schema=self.work.version_table.schema
            )
        options.update(self.work.options)
        self._configured = lambda: original(connection=connection, **options)
        self._configured()
        self._began_outside = bool(connection.in_transaction())
        self._each_its_own = bool(apart) and not self._began_outside

    def _check_connection(self, connection: Any, options: dict[str, Any]) -> None:
        if connection is None:
            raise self.refuse("it calls context.configure() without a connection, as for offline mode")
        engine = getattr(connection, "engine", None)
        session = getattr(getattr(connection, "connection", None), "dbapi_connection", None)
        if engine is None or session is None:
            raise self.refuse("it passes context.configure() something that is not an open SQLAlchemy connection")
        if not self._lender.is_lent(session):
            raise self.refuse(
                f"its connection ({engine.dialect.name}) was not made by an engine from its URL for the database of "
                f"{secret_named(self._lender.secret_name)}: it goes to another database, or was made by `creator` or "
                "an event"
            )
        engine.hide_parameters = True

    def _callbacks(self, theirs: Sequence[Callable[..., None]]) -> list[Callable[..., None]]:
        def heard(callback: Callable[..., None]) -> Callable[..., None]:
            def call(**facts: Any) -> None:
                with self.work.callbacks():
                    callback(**facts)

            return call

        return self.work.around_callbacks(map(heard, theirs))

    def _migrate(self, environment: EnvironmentContext, original: Callable[..., None], facts: dict[str, Any]) -> None:
        self.calls += 1
        if self.error is not None:
            raise Over from self.error
        if self.calls > 1:
            raise self.refuse(
                "it calls context.run_migrations() more than once",
                "A DatabaseSchema manages one history in one version table: create one for each schema or tenant, "
                f"and have env.py choose by an argument in {ARGUMENTS}.",
            )
        self.context = context = environment.get_context()
        connection: Any = context.connection
        if connection.in_nested_transaction():
            raise self.refuse(
                "it runs the revisions inside of a savepoint (connection.begin_nested()), which ends with the first "
                "revision's commit",
                "Run them in a transaction (connection.begin()), or in none.",
            )
        if self.work.learning is not None:
            try:
                with Operations.context(context):
                    self.work.learning()
            except RunFailed as failed:
                self.refused = failed  # whatever env.py makes of it
                raise
            return
        if bool(connection.in_transaction()) != self._began_outside:
            self._configured()
            self.context = context = environment.get_context()
        self.work.listening(False)
        try:
            with self._migrating(context, outside=bool(connection.in_transaction())), self.work.around():
                original(**facts)
        except (Exception, SystemExit) as error:
            self.error = error
            raise Over from error
        self.work.listening(True)

    @contextmanager
    def _migrating(self, context: MigrationContext, *, outside: bool) -> Iterator[None]:
        loan, connection = self.work.loan, context.connection
        raw: Any = loan.raw
        self.settings.commit()  # what env.py has sent stays, whatever becomes of the revisions
        loan.autocommits = bool(raw.autocommit)  # isolation_level="AUTOCOMMIT"
        raw.autocommit = False
        loan.migrating, loan.dialect, loan.owner = True, connection.dialect, connection.connection  # type: ignore[union-attr]
        if outside:
            self._commit_each(context)
        self.work.prepared(context)
        try:
            yield
            if outside:
                with loan.quiet():
                    raw.commit()
        finally:
            loan.migrating, loan.owner = False, None

    def _commit_each(self, context: MigrationContext) -> None:
        """Commit after each step on the driver's connection: Alembic leaves that to who has opened the transaction."""
        loan, steps = self.work.loan, steps_of(context)
        raw: Any = loan.raw

        def committed(heads: Any, of: MigrationContext) -> Iterator[RevisionStep]:
            for step in steps(heads, of):
                yield step
                with loan.quiet():
                    raw.commit()

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            raw.commit()
            raw.autocommit = True
            try:
                yield
            finally:
                raw.autocommit = False

        set_steps(context, committed)
        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def refuse(self, found: str, todo: str = "") -> RunFailed:
        """What env.py may not do; the run ends there, whatever env.py makes of the exception."""
        self.refused = RunFailed(
            Reason.ENVIRONMENT_FAILED,
            f"Running env.py: {found}. No revision was run",
            todo or "See docs/env-py.md for what env.py may do, or set spec.migrations.environment to Managed.",
        )
        return self.refused
