"""A PostgreSQL server that stays up when the command ends, until `down`."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
from psycopg import sql
from tests.cluster.postgres import SUPERUSER, binaries
from tests.cluster.processes import as_service_user, checked, free_port, service_user

if TYPE_CHECKING:
    from tests.cluster.postgres import Version

VERSION: Version = 15


@dataclass(frozen=True)
class Server:
    """A running server. People of this machine's root reach it by its socket, without a password.

    Attributes:
        folder: Data, socket and log.
        host: The address that pods reach it at.
        port: On every address that it listens on.
    """

    folder: Path
    host: str
    port: int

    def uri(self, database: str, user: str, password: str) -> str:
        """For a Secret."""
        return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{self.host}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """As the superuser, in autocommit mode."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=10
        )

    def version(self) -> str:
        """Such as 15.14."""
        with self.connect() as connection:
            row = connection.execute("SELECT split_part(current_setting('server_version'), ' ', 1)").fetchone()
            assert row is not None
            return str(row[0])

    def fresh_database(self, name: str, password: str) -> None:
        """An empty database and the role of the same name that owns it, whatever was there."""
        database, role = sql.Identifier(name), sql.Identifier(name)
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone()
            verb = sql.SQL("ALTER" if known is not None else "CREATE")
            connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(password)))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))


def find(folder: Path) -> Server | None:
    """The server of that folder, when it runs."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not _runs(folder):
        return None
    return Server(folder, host=(folder / "host").read_text(), port=int(lines[3]))


def start(folder: Path, host: str, *, everywhere: bool = False) -> Server:
    """Start the server of that folder, or find it running.

    Args:
        folder: Made, with an empty server in it, where it does not exist.
        host: The address that pods reach it at.
        everywhere: Listen on every address, as `host` may be one that this machine does not know itself by.
    """
    running = find(folder)
    if running is not None and running.host == host:
        return running
    stop(folder)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(folder)
    (folder / "host").write_text(host)
    port = free_port("0.0.0.0" if everywhere else host)  # noqa: S104 - asked for, and every connection authenticates
    settings = {
        "listen_addresses": "*" if everywhere else f"127.0.0.1,{host}",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "unix_socket_permissions": "0700",
        "log_lock_waits": "on",
        "timezone": "UTC",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    _control(folder, "start", "--wait", f"--log={folder}/log", f"--options={options}")
    return Server(folder, host, port)


def stop(folder: Path) -> bool:
    """Stop the server, and end its connections; False when none runs."""
    if not _runs(folder):
        return False
    _control(folder, "stop", "--wait", "--mode=fast")
    return True


def remove(folder: Path) -> bool:
    """Stop the server and remove its files; False when there was nothing."""
    there = folder.exists()
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return there


def _initialise(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    user = service_user()
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    program = binaries(VERSION) / "initdb"
    options = ["--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    checked(as_service_user([program, "-D", folder / "data", "-U", SUPERUSER, *options]), folder="/")
    with (folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")


def _control(folder: Path, *arguments: str) -> None:
    program = binaries(VERSION) / "pg_ctl"
    # Its own session: Ctrl-C in the terminal is not for the server.
    checked(["setsid", "--wait", *as_service_user([program, "-D", folder / "data", *arguments])], folder="/")


def _runs(folder: Path) -> bool:
    """Whether the process that the server's file names is that server."""
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError, ValueError, IndexError):
        return False
    return str(folder / "data") in command
