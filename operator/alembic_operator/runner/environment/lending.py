"""The one session that every engine for the Secret's database is given, and which engines that are.

An engine that the project's code makes believes that it connects, commits and closes. It gets the runner's session; a
commit or rollback counts only where the engine's connection began the transaction, and closing gives the session back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Callable

from ...contract.reasons import Reason
from ..database.driver import IDLE, Driver, RawConnection, rows
from ..database.secret import Target
from ..errors import RunFailed
from ..terms import SECRET, database_of
from .second_connection import Beside, reading
from .startup import startup_statements

_SHOWN = re.compile(r"[A-Za-z0-9_.,:/-]{1,80}")
_LOOPBACK = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


@dataclass
class Loan:
    """A session while it is lent.

    Attributes:
        raw: the session.
        quiet: around what SQLAlchemy itself sends to get to know a server.
        restore: gives the session the settings that a new one has; for an engine that connects anew.
        wrote: what becomes of a write by another connection of the migrating engine: raises.
        migrating: whether Alembic has begun to run the steps.
        autocommits: whether the migrating engine commits each statement. The runner does not; what no transaction may
            hold is sent outside of one.
        dialect: of the engine that Alembic migrates by; None before.
        owner: the pool's connection that began the transaction; None where none is open.
        out: connections that are lent and not given back.
        used: whether it was lent before.
    """

    raw: RawConnection
    quiet: Callable[[], AbstractContextManager[None]] = nullcontext
    restore: Callable[[], None] = lambda: None
    wrote: Callable[[], None] = lambda: None
    migrating: bool = False
    autocommits: bool = False
    dialect: Any = None
    owner: Any = None
    out: int = 0
    used: bool = False


@dataclass
class Lender:
    """Who lends the session.

    Attributes:
        driver: of the image.
        target: the connection that the Secret names.
        secret_name: for messages.
        loan: None where no environment is running.
        refused: why a connection was refused; the run ends there, whatever env.py makes of the exception.
        sessions: that were ever lent. An engine's pool may hold one for longer; what it does then has no effect.
    """

    driver: Driver
    target: Target = field(repr=False)
    secret_name: str = ""
    loan: Loan | None = None
    refused: RunFailed | None = None
    sessions: list[RawConnection] = field(default_factory=list)

    @contextmanager
    def lending(self, loan: Loan) -> Iterator[Loan]:
        """While this lasts, engines get this session; afterwards it is in autocommit again, for the runner."""
        self.loan, self.refused = loan, None
        if not self.was_lent(loan.raw):
            self.sessions.append(loan.raw)
        loan.raw.autocommit = False
        try:
            yield loan
        finally:
            self.loan = None
            if not loan.raw.closed:
                with loan.quiet():
                    loan.raw.rollback()  # type: ignore[attr-defined]  # both drivers have it
                loan.raw.autocommit = True

    def take(self, dialect: Any, parameters: Mapping[str, Any] | None) -> RawConnection | Beside | None:
        """The session for an engine.

        Args:
            dialect: of the engine.
            parameters: of libpq, as the engine has them; None for an engine of the runner's own.

        Returns:
            None where the engine shall connect by itself: one of a revision's own, which others watch over.

        Raises:
            RunFailed: EnvironmentFailed, for another database; ConnectionLost.
        """
        loan = self.loan
        if loan is None or (loan.migrating and dialect is not loan.dialect):
            return None
        if parameters is not None:
            self.check_database(parameters)
        if loan.raw.closed:
            raise RunFailed(Reason.CONNECTION_LOST, "The connection to the server was lost.")
        if loan.migrating:
            return self._beside(loan)
        if loan.used and not loan.out:
            with loan.quiet():
                loan.raw.rollback()  # type: ignore[attr-defined]
                loan.restore()
        loan.out, loan.used = loan.out + 1, True
        self._start(loan, parameters or {})
        return loan.raw

    def _start(self, loan: Loan, parameters: Mapping[str, Any]) -> None:
        """Give the session what the engine would start its own with: statements of env.py's, like any other."""
        idle = self.driver.transaction(loan.raw) == IDLE
        statements = startup_statements(parameters)
        for statement in statements:
            rows(loan.raw, statement)
        if statements and idle:
            with loan.quiet():
                loan.raw.commit()

    def _beside(self, loan: Loan) -> Beside:
        @contextmanager
        def read() -> Iterator[None]:
            with loan.quiet(), reading(self.driver, loan.raw, loan.wrote):
                yield

        return Beside(loan.raw, read)

    def is_usable(self, session: Any) -> bool:
        """Whether a connection that a pool has held is the one that a new connection would be."""
        raw = session.raw if isinstance(session, Beside) else session
        if not self.was_lent(raw):
            return True
        loan = self.loan
        return loan is not None and raw is loan.raw and isinstance(session, Beside) == loan.migrating

    def was_lent(self, session: Any) -> bool:
        """Whether this session was lent at any time."""
        return any(session is one for one in self.sessions)

    def is_lent(self, session: Any) -> bool:
        """Whether this session is lent now."""
        return self.loan is not None and session is self.loan.raw

    def give_back(self) -> None:
        """An engine has closed its connection."""
        if self.loan is not None:
            self.loan.out = max(0, self.loan.out - 1)

    def begin(self, connection: Any) -> None:
        """A pool's connection begins a transaction."""
        loan = self.loan
        if loan is not None and (loan.owner is None or self.driver.transaction(loan.raw) == IDLE):
            loan.owner = connection

    def may_end(self, connection: Any) -> bool:
        """Whether a transaction is this connection's to end; it is nobody's afterwards."""
        loan = self.loan
        if loan is None or loan.owner not in (None, connection):
            return False
        loan.owner = None
        return True

    def check_database(self, parameters: Mapping[str, Any]) -> None:
        """See that an engine is for the Secret's database.

        Raises:
            RunFailed: EnvironmentFailed, with the other one's name.
        """
        host = str(parameters.get("host") or os.environ.get("PGHOST", ""))
        port = str(parameters.get("port") or os.environ.get("PGPORT", ""))
        dbname = str(parameters.get("dbname") or os.environ.get("PGDATABASE", "") or parameters.get("user") or "")
        servers = _servers(host, port)
        if dbname == self.target.dbname and servers and servers <= _servers(self.target.host, self.target.port):
            return
        where = f"on {_shown(', '.join(f'{name}:{number}' for name, number in sorted(servers)))}" if servers else ""
        found = f'database "{_shown(dbname)}" {where or "without the name of a host"}'
        self.refused = RunFailed(
            Reason.ENVIRONMENT_FAILED,
            f"Connecting in env.py: it creates an engine for {found}, which is not "
            f"{database_of(self.secret_name)}. Nothing was sent.",
            f"Have env.py read sqlalchemy.url, or pass {SECRET}'s connection to its settings with "
            "spec.migrations.connectionEnv. Each database needs its own DatabaseSchema.",
        )
        raise self.refused


def _servers(host: str, port: str) -> set[tuple[str, str]]:
    hosts = [_LOOPBACK.get(name.lower(), name.lower()) for name in host.strip("[]").split(",") if name]
    ports = [one or "5432" for one in port.split(",")]
    return {(name, ports[at] if len(ports) == len(hosts) else ports[0]) for at, name in enumerate(hosts)}


def _shown(text: str) -> str:
    """A name, unless it may hold more than one: a URL that was read wrongly has its password anywhere."""
    return text if _SHOWN.fullmatch(text.replace(", ", ",")) else "(not shown)"
