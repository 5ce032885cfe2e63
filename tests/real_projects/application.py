"""What the manifest of an application has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from alembic_operator.contract.request import ConnectionVariable
from tests.component.runner.databases import PASSWORD

DRIVERS = ("psycopg[binary]", "psycopg2-binary")


@dataclass(frozen=True)
class Application:
    """One application, whose files are used as they are.

    Attributes:
        name: on PyPI.
        path: spec.migrations.path, below site-packages.
        requirements: what is installed; without it, the application and the drivers.
        config_file: spec.migrations.configFile.
        ini: text of an ini file, where the application's own program does without one. It is kept in a folder of its
            own, which is spec.migrations.path then; spec.job.volumes brings it there.
        connection_env: spec.migrations.connectionEnv.
        job_env: spec.job.env; `{home}` is a folder that can be written.
        x: spec.migrations.x; `$(DATABASE_URL)` is the database's.
        baseline: spec.baseline: revisions: [], where there are tables before the first revision.
        first: a Python program that makes these, as the application's own does; it finds the URL in its arguments.
        target: of plain Alembic's command; where it is a label's head, the revision's id stands in the manifest.
        by: who runs env.py for plain Alembic: its command line; or, as in the application's own program, code that
            hands over a connection, or Flask with the application's context.
        driver: of plain Alembic's sqlalchemy.url; "" for none, where the application's settings have it.
        password_in_url: whether it has the password; the runner's never has.
        password: of the database's user; an env.py may be unable to read one with special characters.
    """

    name: str
    path: str = "."
    requirements: tuple[str, ...] = ()
    config_file: str = "alembic.ini"
    ini: str = ""
    connection_env: tuple[ConnectionVariable, ...] = ()
    job_env: Mapping[str, str] = field(default_factory=dict)
    x: tuple[str, ...] = ()
    first: str = ""
    target: str = "head"
    by: Literal["command", "connection", "flask"] = "command"
    driver: str = "psycopg2"
    password_in_url: bool = True
    password: str = PASSWORD

    @property
    def wanted(self) -> tuple[str, ...]:
        """What pip is given."""
        return self.requirements or (self.name, *DRIVERS)

    @property
    def fields(self) -> list[str]:
        """The fields of the manifest beside image, path, revision and Secret."""
        named = {
            "migrations.configFile": "" if self.ini or self.config_file == "alembic.ini" else self.config_file,
            "migrations.connectionEnv": ", ".join(f"{one.name} ({_part(one)})" for one in self.connection_env),
            "migrations.x": " ".join(self.x),
            "job.env": ", ".join(self.job_env),
            "job.volumes": "an `alembic.ini`" if self.ini else "",
            "baseline": "`revisions: []`" if self.first else "",
            "revision": f"the id of {self.target}" if "@" in self.target else "",
        }
        return [f"`{name}`: {value}" for name, value in named.items() if value]


def url(name: str, scheme: str = "postgresql") -> tuple[ConnectionVariable, ...]:
    """A variable with the whole connection."""
    return (ConnectionVariable(name, "uri", scheme),)


def _part(variable: ConnectionVariable) -> str:
    if variable.part != "uri":
        return variable.part
    return "uri" if variable.scheme == "postgresql" else f"uri, {variable.scheme}"
