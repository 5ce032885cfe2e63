"""What a command works with: the request, the target, the image's history, and the record of what it finds out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from ..contract.request import RunRequest
from .database.driver import Driver, RawConnection
from .database.session import TargetSession, VersionTable, Wanted, no_schema
from .database.sessions import Sessions
from .database.version_table import schema_exists
from .migrate.statement_guard import StatementListener
from .outcome import RunFacts
from .planning.network import Network
from .report import Report
from .signals import Signals
from .terms import Words

if TYPE_CHECKING:
    from .history.load import History
    from .planning.shadow import Shadow

ShadowMaker = Callable[[Driver, RunRequest, "tuple[str, ...]"], "Shadow"]


@dataclass(frozen=True)
class Invocation:
    """What stands before the target is known.

    Attributes:
        facts: what the run finds out.
        network: what a plan run may not reach, and has tried to.
        gate: hears the statements of the migrating session.
        shadow: None for the one beside the runner; else makes one that was restored beforehand.
        began: when, by time.monotonic().
    """

    request: RunRequest
    report: Report
    signals: Signals
    facts: RunFacts
    network: Network
    gate: StatementListener
    shadow: ShadowMaker | None
    began: float

    @classmethod
    def of(cls, request: RunRequest, shadow: ShadowMaker | None, words: Words) -> Invocation:
        """The run that begins now, with its time limit."""
        return cls(
            request,
            Report(words),
            Signals(request.timeouts.run),
            RunFacts.at_the_start(request),
            Network(),
            StatementListener(),
            shadow,
            time.monotonic(),
        )


@dataclass(frozen=True)
class RunContext(Invocation):
    """The same once the project is loaded; nothing but `facts` changes from then on.

    Attributes:
        sessions: the way to the target.
        session: what the migrating session is.
        wanted: the version table as the spec or env.py names it.
        version_table: the version table.
        makes: schemas that env.py makes.
        history: of the image.
    """

    sessions: Sessions
    session: TargetSession
    wanted: Wanted
    version_table: VersionTable
    makes: frozenset[str]
    history: History

    @property
    def driver(self) -> Driver:
        """The image's."""
        return self.sessions.driver

    def check_schema(self, connection: RawConnection) -> None:
        """See that there is a schema to keep the version table in, or will be.

        Raises:
            RunFailed: InvalidSpec.
        """
        if self.version_table.schema not in self.makes and not schema_exists(connection, self.version_table.schema):
            raise no_schema(self.session.search_path, self.version_table)
