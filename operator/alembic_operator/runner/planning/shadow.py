"""The shadow: a scratch PostgreSQL that the target's schema was restored into, where the revisions really run."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...contract import job_env
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ...contract.shadow import read_answer, write_source
from ..database.capture import Listener, connect_captured
from ..database.connect import session_settings
from ..database.driver import Driver, RawConnection, give_settings, rows
from ..database.secret import Target
from ..database.session import TargetSession
from ..database.sql_errors import printable
from ..errors import RunFailed
from ..signals import Signals
from .schema_comparison import quoted

MAINTENANCE = "postgres"  # the database to be in while others are copied and renamed
_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE name IN ('TimeZone', 'DateStyle', 'IntervalStyle')
    OR context = 'user' AND source IN ('database', 'user', 'database user')
       AND name NOT IN ('application_name', 'client_encoding', 'default_transaction_read_only', 'role', 'search_path')
"""
_OWN_NAME = re.compile(rf"\b{job_env.SHADOW_DATABASE}\w*")
_LOOK_EVERY = 0.02  # seconds
_VARIABLES = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "require_auth": "PGREQUIREAUTH",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcrl": "PGSSLCRL",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


@dataclass(frozen=True)
class Shadow:
    """How to reach the shadow's database, as its superuser.

    Attributes:
        driver: of the image.
        parameters: of the driver's connect.
        request: names timeouts.
        search_path: of the revisions.
        began_with: of a migrating session when env.py begins; empty where it is the same.
        settings: name and value of what the target's role, database or server sets, and a conversion may depend on.
        user: that the migrating session is of; "" for the superuser itself.
        role: that it has taken, by the spec or since ALTER ROLE … SET role has it begin so; else the user.
        stands_for: name of the target's database.
    """

    driver: Driver
    parameters: dict[str, Any] = field(repr=False)
    request: RunRequest
    search_path: tuple[str, ...]
    began_with: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    user: str = ""
    role: str = ""
    stands_for: str = ""

    @classmethod
    def beside(cls, driver: Driver, request: RunRequest, search_path: tuple[str, ...]) -> Shadow:
        """The one in this pod, by its socket."""
        parameters = {
            "host": job_env.SHADOW_DIRECTORY,
            "user": job_env.SHADOW_USER,
            "dbname": job_env.SHADOW_DATABASE,
            "client_encoding": "UTF8",
            "passfile": f"{job_env.SHADOW_DIRECTORY}/no-passwords",  # libpq warns of one that is no plain file
        }
        return cls(driver, parameters, request, search_path)

    @classmethod
    def at(cls, driver: Driver, target: Target, request: RunRequest, search_path: tuple[str, ...]) -> Shadow:
        """A database that somebody else restored the target's schema into; the user must be a superuser there."""
        parameters = {
            **target.options,
            "host": target.host,
            "port": target.port,
            "dbname": target.dbname,
            "user": target.user,
            "password": target.password,
            "client_encoding": "UTF8",
            "passfile": os.devnull,
        }
        return cls(driver, parameters, request, search_path)

    @property
    def name(self) -> str:
        """Of its database."""
        return str(self.parameters["dbname"])

    def another(self, suffix: str) -> str:
        """The name of a further database of this run's: somebody else's server may serve several runs at once."""
        return (self.name if self.name.startswith(job_env.SHADOW_DATABASE) else job_env.SHADOW_DATABASE) + suffix

    def like(self, target: RawConnection, session: TargetSession) -> Shadow:
        """The same with what a revision may meet on the target: names of database and user, settings, search path.

        Where the server has a database of that name already, or not that user as a superuser, its own names stay; what
        a plan shows has the target's all the same.

        Args:
            target: a session there.
            session: what it is. With review credentials, the user is not the one that will migrate.
        """
        database, user = session.database, "" if self.request.review_credentials else session.user
        ours = self.name == job_env.SHADOW_DATABASE  # on a server that is there for this run alone
        beside = self.connect(MAINTENANCE if ours else "")
        try:
            there = [name for (name,) in rows(beside, "SELECT datname::text FROM pg_catalog.pg_database")]
            if ours and database not in there:
                rows(beside, f"ALTER DATABASE {job_env.SHADOW_DATABASE} RENAME TO {quoted(database)}")
                there.remove(self.name)
            known = rows(beside, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s AND rolsuper", user)
        finally:
            beside.close()
        return replace(
            self,
            parameters={**self.parameters, "dbname": self.name if self.name in there else database},
            began_with=session.began_with.schemas,
            settings=tuple((str(name), str(value)) for name, value in rows(target, _SETTINGS)),
            user=user if known else "",
            role=session.began_with.role,
            stands_for=database,
        )

    def as_on_the_target(self, sql: str) -> str:
        """A statement as it is sent there, where it names its database: what current_database() tells."""
        return _OWN_NAME.sub(lambda _found: self.stands_for, sql) if self.stands_for else sql

    def connect(self, database: str = "") -> RawConnection:
        """A session of the superuser's in autocommit, with the settings that a session on the target has.

        Raises:
            RunFailed: ShadowFailed.
        """
        return self._ready(lambda: self.driver.connect(self.parameters_of(database)))

    def captured(self, listener: Listener, database: str = "") -> RawConnection:
        """The same as the target's user and role, and the listener hears of everything that is sent there.

        Raises:
            RunFailed: ShadowFailed.
        """
        connection = self._ready(lambda: connect_captured(self.driver, self.parameters_of(database), listener))
        self._begin(connection)
        return connection

    def restore(self, connection: RawConnection) -> None:
        """Give a captured session the settings of a new one."""
        rows(connection, "RESET SESSION AUTHORIZATION")
        rows(connection, "RESET ALL")
        self._settle(connection, self.search_path)
        self._begin(connection)

    def parameters_of(self, database: str) -> dict[str, Any]:
        """Of the driver's connect, to this database of the server's; "" for the shadow's own."""
        return {**self.parameters, **({"dbname": database} if database else {})}

    def _ready(self, connect: Any) -> RawConnection:
        try:
            connection: RawConnection = connect()
        except self.driver.error:
            raise shadow_failed(
                "Connecting to the shadow: it does not answer, although it was ready; its server most likely ran "
                "out of memory. Give the pod more, or check the log of its container alembic-operator-shadow",
                self.request,
            ) from None
        self._settle(connection, self.search_path)
        return connection

    def _begin(self, connection: RawConnection) -> None:
        if self.began_with:
            self._settle(connection, self.began_with)
        if self.user:
            rows(connection, f"SET SESSION AUTHORIZATION {quoted(self.user)}")
            rows(connection, f"SET ROLE {quoted(self.role)}")

    def _settle(self, connection: RawConnection, search_path: tuple[str, ...]) -> None:
        own = session_settings(self.request, search_path, self.driver.server_version(connection), monitor=False)
        give_settings(connection, {**dict(self.settings), **own})


def shadow_failed(found: str, request: RunRequest) -> RunFailed:
    """There is no shadow, and so no plan; `found` ends with what to do."""
    image = f" The shadow's image was {request.shadow_image}." if request.shadow_image else ""
    return RunFailed(Reason.SHADOW_FAILED, f"{found.rstrip('. ')}.{image}", "Nothing was sent to the target.")


def await_shadow(target: Target, request: RunRequest, signals: Signals) -> None:
    """Tell the sidecar which database to restore, and wait until it has; the run's time limit ends the wait.

    Raises:
        RunFailed: ShadowFailed, with what the sidecar wrote.
    """
    directory, never = Path(job_env.SHADOW_DIRECTORY), threading.Event()
    try:
        write_source(directory, _libpq(target, request))
    except OSError:
        raise shadow_failed(
            f"Writing the settings for the shadow into {directory}: it does not exist, or is not writable. The run "
            "needs the Job's pod with the container alembic-operator-shadow",
            request,
        ) from None
    while (answer := read_answer(directory)) is None:
        signals.check()
        never.wait(_LOOK_EVERY)
    if answer:
        raise shadow_failed(printable(" ".join(answer.split()), 600), request)


def _libpq(target: Target, request: RunRequest) -> dict[str, str]:
    """The connection as libpq's environment variables; keepalives have none."""
    variables = {
        "PGHOST": target.host,
        "PGPORT": target.port,
        "PGDATABASE": target.dbname,
        "PGUSER": target.user,
        "PGPASSWORD": target.password,
        **{_VARIABLES[name]: value for name, value in target.options.items() if name in _VARIABLES},
    }
    if request.role:
        escaped = re.sub(r"([\\\s])", r"\\\1", request.role)
        variables["PGOPTIONS"] = f"-c role={escaped}"
    return variables
