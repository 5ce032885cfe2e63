"""What env.py configures, learned before anything is decided: it runs once on a session that can write nothing.

Version table, options and search path are env.py's to say, and it says them where it runs. So it runs first on a
read-only session of its own on the target. What PostgreSQL refuses there because it would write is passed over, and
with it what fails because of that; the session ends afterwards, with whatever it was told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable

from ...contract.fingerprints import fingerprints
from ...contract.reasons import Reason
from ..database.capture import Sent, uncaptured
from ..database.driver import IDLE, IN_TRANSACTION, READ_ONLY, Driver, RawConnection, rows, sqlstate_of
from ..errors import RunFailed
from .application import Application, lacks_application
from .environments import Managed, Project
from .lending import Loan
from .program import Program, Target, Work

_WRITES = frozenset({READ_ONLY, "25001"})  # and what no transaction may hold
_CONSEQUENCES = frozenset({"3F000", "42P01", "42704", "42883", "42703"})  # of something that was passed over
_SCHEMA = re.compile(r'\bCREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"((?:[^"]|"")+)"|([A-Za-z_]\w*))', re.IGNORECASE)
_RETURNING = re.compile(r"\bRETURNING\b", re.IGNORECASE)
_ASKING = frozenset({"SELECT", "TABLE", "VALUES", "WITH"})
_SESSION = "SELECT pg_catalog.current_setting('search_path'), current_user::text"
_SAVEPOINT = "alembic_operator_learning"


@dataclass(frozen=True)
class Learned:
    """What env.py has configured.

    Attributes:
        version_table: its name; "" where env.py does not say.
        version_table_schema: where env.py says it; "" else.
        search_path: value of the setting where the revisions would begin; "" where env.py leaves it and the role alone.
        role: of the session then.
        makes: schemas that it makes where they are not there.
    """

    version_table: str = ""
    version_table_schema: str = ""
    search_path: str = ""
    role: str = ""
    makes: frozenset[str] = frozenset()


class Reader:
    """Delivers to a read-only session, and passes over what it refuses (capture.Listener)."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._raw: Any = None
        self._quiet = 0
        self.passed_over = 0
        self.makes: set[str] = set()

    def attach(self, raw: RawConnection) -> None:
        """Listen to this session."""
        self._raw = raw

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """What is sent inside is not env.py's."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def send(self, sent: Sent, deliver: Callable[[], Any]) -> Any:
        """See capture.Listener."""
        if self._quiet or self._raw is None:
            return deliver()
        if "read_only" in sent.sql.lower() or any(one.transaction_control for one in fingerprints(sent.sql)):
            self.passed_over += 1
            return None
        autocommit = bool(self._raw.autocommit)
        self._own("BEGIN READ ONLY" if autocommit else f"SET TRANSACTION READ ONLY; SAVEPOINT {_SAVEPOINT}")
        try:
            return deliver()
        except self._driver.error as error:
            state = sqlstate_of(error)
            if state not in _WRITES and not (self.passed_over and state in _CONSEQUENCES):
                raise
            self.passed_over += 1
            self.makes |= {quoted.replace('""', '"') or plain.lower() for quoted, plain in _SCHEMA.findall(sent.sql)}
            if not autocommit:
                self._own(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            return self._answer(sent)
        finally:
            if autocommit and self._driver.transaction(self._raw) != IDLE:
                self._own("ROLLBACK" if self._driver.transaction(self._raw) != IN_TRANSACTION else "COMMIT")

    @contextmanager
    def passing(self, sent: Sent) -> Iterator[None]:
        """See capture.Listener."""
        yield

    def ending(self, how: str) -> None:
        """See capture.Listener."""

    def blamed(self, failed: RunFailed) -> RunFailed:
        """The failure, with what it may come from."""
        failure = failed.failure
        if not self.passed_over or failure.reason != Reason.ENVIRONMENT_FAILED:
            return failed
        return RunFailed(
            failure.reason,
            f"{failed.found}. It ran on a read-only session, to learn what it configures, and an earlier statement "
            "had been skipped",
            f"Move what env.py itself writes and reads into a revision. {failed.todo}".rstrip(),
            sqlstate=failure.sqlstate,
        )

    @staticmethod
    def _answer(sent: Sent) -> Any:
        """What the code reads where it asked for rows: none of a table that is not there, NULL of a row not written."""
        found = fingerprints(sent.sql)
        if sent.instead is None or not found:
            return None
        if _RETURNING.search(sent.sql):
            return sent.instead("SELECT NULL")
        return sent.instead("SELECT NULL WHERE false") if found[-1].keyword in _ASKING else None

    def _own(self, sql: str) -> None:
        with uncaptured(self._driver, self._raw) as cursor:
            cursor.execute(sql)


def learn(
    environment: Managed | Project,
    driver: Driver,
    connect: Callable[[Reader], RawConnection],
    target: Target,
    imported: Callable[[], None],
) -> Learned:
    """Run env.py without a step.

    Args:
        environment: of the project.
        driver: of the image.
        connect: a read-only session on the target that tells this listener.
        target: for the arguments of the command line.
        imported: imports the revisions, where Alembic does: a file may ask for what env.py has configured.

    Raises:
        RunFailed: EnvironmentFailed; what `imported` raises.
    """
    if not isinstance(environment, Project):
        with environment.asked(target):
            imported()
        return Learned()
    try:
        return _learn(environment, driver, connect, target, imported)
    except RunFailed as failed:
        if failed.failure.reason != Reason.ENVIRONMENT_FAILED or environment.gives_connection:
            raise
        first = failed
    if lacks_application(first.__cause__):
        environment.application = Application()
        return _learn(environment, driver, connect, target, imported)
    environment.gives_connection = True  # an env.py that some program of the project's runs, with a connection
    try:
        return _learn(environment, driver, connect, target, imported)
    except RunFailed:
        environment.gives_connection = False
        raise first from None


def _learn(
    environment: Project,
    driver: Driver,
    connect: Callable[[Reader], RawConnection],
    target: Target,
    imported: Callable[[], None],
) -> Learned:
    reader = Reader(driver)
    raw = connect(reader)
    try:
        reader.attach(raw)
        found = [rows(raw, _SESSION)[0]]

        def look() -> None:
            with reader.quiet():
                found.append(rows(raw, _SESSION)[0])
                if not raw.autocommit:
                    raw.commit()  # an import may take longer than a session may be idle in a transaction
            imported()

        try:
            program = environment.run(Work(Loan(raw, quiet=reader.quiet), target, learning=look))
        except RunFailed as failed:
            raise reader.blamed(failed) from failed.__cause__
        setting, role = found[-1] if found[-1] != found[0] else ("", "")
        return _learned(program, reader, setting, role)
    finally:
        raw.close()


def _learned(program: Program, reader: Reader, setting: str, role: str) -> Learned:
    options = program.options
    return Learned(
        version_table=str(options.get("version_table") or ""),
        version_table_schema=str(options.get("version_table_schema") or ""),
        search_path=setting,
        role=role,
        makes=frozenset(reader.makes),
    )
