"""The two ways to an Alembic environment: the project's env.py, or one of the runner's own without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..database.secret import Target
from ..errors import RunFailed
from ..terms import IMAGE
from .application import Application
from .attributes import Attributes
from .configuration import Configuration, command_line
from .failures import explain
from .lending import Lender
from .listeners import listening_until_its_end
from .program import Over, Program, Work

PROJECT, MANAGED = "Project", "Managed"


class Environment(Protocol):
    """How Alembic comes to a connection and its options."""

    @property
    def name(self) -> str:
        """Project or Managed."""

    def run(self, work: Work) -> Program | None:
        """Run the environment once.

        Returns:
            What env.py did; None without one.

        Raises:
            RunFailed: EnvironmentFailed, for env.py.
            Exception: with which a step failed.
        """


@dataclass
class Managed:
    """An environment without a line of the project's."""

    configuration: Configuration
    script: ScriptDirectory
    lender: Lender
    name: str = MANAGED

    @contextmanager
    def asked(self, target: str | tuple[str, ...]) -> Iterator[None]:
        """What revisions may ask of Alembic while they are imported: its configuration and arguments."""
        with EnvironmentContext(self.configuration.config(Direction.UPGRADE, target), self.script):
            yield

    def run(self, work: Work) -> None:
        """See Environment."""
        config = self.configuration.config(work.direction, work.target)
        version_table, url = work.version_table, f"postgresql+{self.lender.driver.name}://"
        assert version_table is not None
        with self.lender.lending(work.loan) as loan:
            dialect = create_engine(url).dialect
            engine = create_engine(
                url, creator=lambda: self.lender.take(dialect, None), poolclass=NullPool, hide_parameters=True
            )
            with (
                engine.connect() as connection,
                EnvironmentContext(config, self.script, fn=work.steps, destination_rev=work.target) as environment,
            ):
                loan.migrating, loan.dialect = True, dialect
                environment.configure(
                    connection=connection,
                    transaction_per_migration=True,
                    version_table=version_table.table,
                    version_table_schema=version_table.schema,
                    on_version_apply=work.around_callbacks(),  # type: ignore[arg-type]
                    **work.options,
                )
                work.prepared(environment.get_context())
                with work.around(), environment.begin_transaction():
                    environment.run_migrations()


@dataclass
class Project:
    """The project's env.py, as Alembic's command line runs it."""

    configuration: Configuration
    script: ScriptDirectory
    lender: Lender
    name: str = PROJECT
    gives_connection: bool = False  # env.py needs one in config.attributes, and makes no engine of its own
    application: Application | None = None  # env.py needs its context

    def run(self, work: Work) -> Program:
        """See Environment."""
        program = Program(work, self.lender)
        ended: BaseException | None = None
        try:
            program.begin()
            with self.lender.lending(work.loan):
                self._execute(program, work)
        except (Exception, SystemExit, Over) as error:
            ended = None if program.calls and isinstance(error, SystemExit) and not error.code else error
        # What was refused counts, and then how the steps failed, not what env.py has made of it. Raised while the other
        # is handled it would lose its own cause, by which it is known whether its words may be told.
        first = self._first(program)
        if first is not None:
            raise first
        if isinstance(ended, Over):
            raise ended
        if ended is not None:
            raise explain(ended, self.script, lost=work.loan.raw.closed) from ended
        if not program.calls:
            raise program.refuse("it never calls context.run_migrations()")
        return program

    def _first(self, program: Program) -> BaseException | None:
        return program.refused or self.lender.refused or program.work.refused() or program.error

    def _execute(self, program: Program, work: Work) -> None:
        config = self.configuration.config(work.direction, work.target)
        attributes = Attributes(self.lender, given=self.gives_connection)
        config.attributes = attributes
        with (
            command_line(self.configuration.arguments(work.direction, work.target)),
            EnvironmentContext(config, self.script, fn=program.steps, destination_rev=work.target) as environment,
        ):
            program.take_over(environment)
            work.listening(True)
            try:
                run_env, application = self.script.run_env, self.application
                held: AbstractContextManager[None] = application.context() if application is not None else nullcontext()
                env = Path(self.script.dir) / "env.py"
                with held, program.commands_refused(), program.settings.hearing(env), listening_until_its_end(env):
                    run_env()
            finally:
                work.listening(False)
                attributes.close()


def environment_of(
    request: RunRequest, configuration: Configuration, script: ScriptDirectory, lender: Lender
) -> Managed | Project:
    """The environment that the spec asks for: the project's own wherever it has one.

    Raises:
        RunFailed: InvalidSpec, where it asks for an env.py that is not there.
    """
    there = configuration.path is not None and (Path(script.dir) / "env.py").is_file()
    if request.environment == PROJECT and not there:
        raise RunFailed(
            Reason.INVALID_SPEC,
            f"Looking for {script.dir}/env.py in the {IMAGE}, since spec.migrations.environment is Project: the file "
            "does not exist. Correct script_location, or leave spec.migrations.environment out.",
        )
    kind = Project if there and request.environment != MANAGED else Managed
    return kind(configuration, script, lender)


def lender_of(driver: object, target: Target, request: RunRequest) -> Lender:
    """Who lends sessions on the Secret's database."""
    return Lender(driver, target, request.secret_name)  # type: ignore[arg-type]
