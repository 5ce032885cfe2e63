"""A PostgreSQL server as psql and pg_dump of the PATH reach it. No password in an argument, a message or a repr."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field, replace

from alembic_operator.cli.failure import CannotPlan
from alembic_operator.cli.wording import ON_COMMAND_LINE
from alembic_operator.contract.masking import mask
from alembic_operator.runner.database.secret import Target, parse_uri
from alembic_operator.runner.errors import RunFailed

_CONNECT_TIMEOUT = "10"  # seconds
_SHOWN = 300  # characters of what a program said


@dataclass(frozen=True)
class Server:
    """One database on a server. `option` is the one that named it."""

    option: str
    target: Target = field(repr=False)
    role: str = ""

    @classmethod
    def named(cls, option: str, url: str, role: str = "") -> Server:
        """The database that a URL names.

        Raises:
            CannotPlan: it is no URL that the operator takes.
        """
        try:
            return cls(option, parse_uri(url, option, "url"), role)
        except RunFailed as failed:
            raise CannotPlan(failed.told(ON_COMMAND_LINE).message) from None

    def at(self, database: str) -> Server:
        """Another database of the server."""
        return replace(self, target=replace(self.target, dbname=database))

    @property
    def address(self) -> str:
        """What may be shown of it."""
        return f"{self.target.host}:{self.target.port}/{self.target.dbname}"

    @property
    def conninfo(self) -> str:
        """As libpq takes it in an argument: everything but the password."""
        parts = {
            "host": self.target.host,
            "port": self.target.port,
            "dbname": self.target.dbname,
            "user": self.target.user,
            "connect_timeout": _CONNECT_TIMEOUT,
            **self.target.options,
        }
        quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in parts.items() if value}
        return " ".join(f"{name}='{value}'" for name, value in quoted.items())

    @property
    def environment(self) -> dict[str, str]:
        """Of a program that connects there: none of the caller's PG* variables, the password in PGPASSWORD."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        more = {"PGPASSWORD": self.target.password, "PGPASSFILE": os.devnull, "PGAPPNAME": "alembic-operator plan"}
        options = "-c client_min_messages=warning"
        if self.role:
            escaped = "".join(f"\\{char}" if char.isspace() or char == "\\" else char for char in self.role)
            options += f" -c role={escaped}"
        return {**kept, "LC_ALL": "C.UTF-8", "PGOPTIONS": options, **more}

    def psql(self, *arguments: str) -> list[str]:
        """A command line of psql that stops at the first error and prints bare values."""
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo, *arguments]

    def query(self, *statements: str, doing: str) -> list[str]:
        """The lines that the statements return, each statement in a transaction of its own.

        Raises:
            CannotPlan: `doing` failed.
        """
        commands = [argument for statement in statements for argument in ("-c", statement)]
        try:
            done = subprocess.run(
                self.psql(*commands),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise CannotPlan(
                f"{doing}: psql is not on the PATH. Install PostgreSQL's client programs of the target's version."
            ) from None
        if done.returncode != 0:
            raise CannotPlan(f"{doing} ({self.option}, {self.address}): {self.words(done.stderr)}.")
        return done.stdout.splitlines()

    def words(self, stderr: str) -> str:
        """What a program said, shortened to its first error, without the password."""
        lines = [line.strip() for line in stderr.splitlines() if line.strip()]
        telling = [line for line in lines if any(word in line for word in ("ERROR:", "FATAL:", "error:"))] or lines
        text = mask(telling[0] if telling else "it ended without a message", [self.target.password])
        for word in ("ERROR:", "FATAL:", "error:"):
            text = text.rpartition(word)[2].strip() if word in text else text
        return text[:_SHOWN].rstrip(".")
