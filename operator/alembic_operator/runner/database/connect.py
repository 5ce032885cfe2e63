"""Opening sessions on the target: connection errors by a fixed table, and settings that hold for every session.

Errors while connecting carry no SQLSTATE in either driver (measured), and both quote the password for some malformed
connection strings. So their text is only looked at, never passed on.
"""

from __future__ import annotations

import os
import re
from typing import Any

from ...contract.reasons import Reason
from ...contract.request import RunKind, RunRequest
from ..errors import RunFailed
from ..terms import DNS, LIBPQ, ROLE, SECRET, database_of, secret_named
from .capture import Listener, connect_captured
from .driver import Driver, RawConnection, give_settings, rows, sqlstate_of
from .search_path import setting_of
from .secret import Target

APPLICATION = "alembic-operator"
_NAME_LIMIT = 63  # bytes; PostgreSQL cuts application_name there

# The first pattern that is found decides.
_TABLE: list[tuple[str, Reason, str]] = [
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        Reason.AUTHENTICATION_FAILED,
        "the server's pg_hba.conf rejects this user, database, address or transport; add an entry, or correct the "
        f"user or sslmode in {SECRET}",
    ),
    (
        r"password authentication failed|no password supplied|authentication failed|not permitted to log in"
        r'|role "[^"]*" does not exist|certificate authentication|SASL|no such user',
        Reason.AUTHENTICATION_FAILED,
        f"the server refused the user or the password; correct {SECRET}, or the role in the database",
    ),
    (
        r'database "[^"]*" does not exist|no such database',
        Reason.DATABASE_NOT_FOUND,
        f"that database does not exist on the server; create it, or correct the name in {SECRET}",
    ),
    (
        r"permission denied for database",
        Reason.PERMISSION_DENIED,
        "the user lacks CONNECT on the database; grant it",
    ),
    (
        r"too many clients|too many connections|remaining connection slots|no more connections allowed",
        Reason.TOO_MANY_CONNECTIONS,
        "the server, the database or the role has no free connections; raise the limit, or close connections",
    ),
    (
        r"unsupported startup parameter",
        Reason.POOLER_UNSUPPORTED,
        f"a connection pooler answered; point {SECRET} at the server itself, because session locks do not work "
        "through a pooler",
    ),
    (
        r"session is read-only|session is not read-write|server is in hot standby|database is read only",
        Reason.TARGET_READ_ONLY,
        f"no writable server answered; point {SECRET} at the primary",
    ),
    (
        r"starting up|shutting down|in recovery mode|not yet accepting|not accepting connections",
        Reason.DATABASE_UNREACHABLE,
        "the server is starting up or shutting down",
    ),
    (
        r"does not support SSL|SSL error|certificate verify failed|root certificate file|SSL (negotiation|connection)",
        Reason.DATABASE_UNREACHABLE,
        f"the TLS connection failed; compare sslmode and sslrootcert in {SECRET} with what the server offers",
    ),
    (
        r"translate host name|resolve host|Name or service not known|Temporary failure in name",
        Reason.DATABASE_UNREACHABLE,
        f"the host's name could not be resolved; correct it in {SECRET}, or check {DNS}",
    ),
    (
        r"invalid connection option|invalid \S+ value|invalid integer value|invalid port number",
        Reason.INVALID_CONNECTION_SECRET,
        f"{LIBPQ} does not support an option in the URI, or its value; correct {SECRET}",
    ),
    (
        r"Connection refused",
        Reason.DATABASE_UNREACHABLE,
        f"nothing listens on that host and port; start the server, or correct host and port in {SECRET}",
    ),
    (
        r"timeout expired|timed out|No route to host|Network is unreachable",
        Reason.DATABASE_UNREACHABLE,
        f"the host does not answer; check host and port in {SECRET}, network policies and firewalls",
    ),
]


def drop_libpq_variables() -> None:
    """Take every PG* variable from the environment: the Secret alone says where to connect."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def connect(
    driver: Driver,
    target: Target,
    request: RunRequest,
    job_uid: str,
    *,
    monitor: bool = False,
    read_only: bool = False,
    listener: Listener | None = None,
) -> RawConnection:
    """A session in autocommit with every setting of ours.

    Args:
        driver: of the image.
        target: from the Secret.
        request: names Secret, target, search path, role and timeouts.
        job_uid: for the session's application_name.
        monitor: a read-only session that looks at other sessions while the migration runs.
        read_only: a session whose transactions cannot write; a plan run has no others.
        listener: is told of all that is sent.

    Raises:
        RunFailed: see the table above; PermissionDenied where spec.database.role may not be taken.
    """
    try:
        parameters = _parameters(target, request, job_uid)
        connection = connect_captured(driver, parameters, listener) if listener else driver.connect(parameters)
    except driver.error as error:
        raise connect_failure(str(error), request.secret_name) from None
    try:
        _settle(driver, connection, request, monitor=monitor, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def restore(driver: Driver, connection: RawConnection, request: RunRequest) -> None:
    """Give a session back the settings that `connect` gave it, and the server's own for all others."""
    rows(connection, "RESET SESSION AUTHORIZATION")
    rows(connection, "RESET ROLE")  # to that of ALTER ROLE … SET role, if there is one
    rows(connection, "RESET ALL")
    _settle(driver, connection, request, monitor=False, read_only=False)


def _settle(driver: Driver, connection: RawConnection, request: RunRequest, *, monitor: bool, read_only: bool) -> None:
    path = tuple(request.pinned_search_path)
    settings = session_settings(request, path, driver.server_version(connection), monitor=monitor)
    if read_only or request.kind == RunKind.PLAN:
        settings["default_transaction_read_only"] = "on"
    give_settings(connection, settings)
    if request.role:
        _take_role(driver, connection, request)


def connect_failure(text: str, secret_name: str) -> RunFailed:
    """What a driver's words while connecting mean; none of them is in the result."""
    for pattern, reason, found in _TABLE:
        if re.search(pattern, text, re.IGNORECASE):
            return _cannot_connect(reason, found, secret_name)
    return _cannot_connect(
        Reason.DATABASE_UNREACHABLE,
        "the connection failed for an unknown reason (the driver's message is withheld because it can contain the "
        "password); check the server's log",
        secret_name,
    )


def _cannot_connect(reason: Reason, found: str, secret_name: str) -> RunFailed:
    return RunFailed(reason, f"Connecting to {database_of(secret_name)}: {found}.")


def session_settings(
    request: RunRequest, search_path: tuple[str, ...], server_version: int, *, monitor: bool
) -> dict[str, str]:
    """Name and value of every setting of a session; times in milliseconds. Without a search path it keeps its own."""
    timeouts = request.timeouts
    settings = {
        "lock_timeout": _milliseconds(timeouts.lock),
        "statement_timeout": _milliseconds(timeouts.statement),
        "idle_in_transaction_session_timeout": _milliseconds(timeouts.idle_in_transaction),
    }
    if server_version >= 140000:
        # Without it a killed pod's statement runs on, and commits (measured).
        settings["client_connection_check_interval"] = "1000"
    if search_path:
        settings["search_path"] = setting_of(search_path)
    if monitor:
        settings.update(search_path="pg_catalog", lock_timeout="1000", statement_timeout="2000")
        settings["default_transaction_read_only"] = "on"
    return settings


def _parameters(target: Target, request: RunRequest, job_uid: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "connect_timeout": "10",
        "keepalives": "1",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        **target.options,
        "host": target.host,
        "port": target.port,
        "dbname": target.dbname,
        "user": target.user,
        "password": target.password,
        "passfile": os.devnull,
        "client_encoding": "UTF8",
    }
    name = f"{APPLICATION}/{request.target.namespace}/{request.target.name}/{job_uid}"
    parameters["application_name"] = name.encode("ascii", "replace").decode("ascii")[:_NAME_LIMIT]
    return parameters


def _take_role(driver: Driver, connection: RawConnection, request: RunRequest) -> None:
    try:
        rows(connection, "SELECT pg_catalog.set_config('role', %s::text, false)", request.role)
    except driver.error as error:
        sqlstate = sqlstate_of(error)
        found = "the role does not exist" if sqlstate == "22023" else "permission denied"
        raise RunFailed(
            Reason.PERMISSION_DENIED,
            f'Setting the role "{request.role}" from {ROLE}: {found}. Create the role, grant it to the '
            f"user of {secret_named(request.secret_name)}, or leave {ROLE} empty.",
            sqlstate=sqlstate,
        ) from None


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
