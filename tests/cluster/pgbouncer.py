"""A real PgBouncer in transaction mode in front of a PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from . import packages
from .processes import Supervised, free_port, service_user, wait_until

if TYPE_CHECKING:
    from types import TracebackType

    from .postgres import Postgres


class PgBouncer:
    """A pooler that runs as a context manager; every user is known to it by the password that it is told.

    Attributes:
        host: Where it listens.
        port: Stays the same while it runs.
        log: What it says.
    """

    def __init__(
        self, server: Postgres, users: dict[str, str], *, mode: str = "transaction", host: str = "127.0.0.1"
    ) -> None:
        """Prepare a pooler; nothing runs yet.

        Args:
            server: What it connects to.
            users: Passwords by user.
            mode: transaction, session or statement.
            host: Where it listens; a cluster's `host_address`, so that pods reach it.
        """
        packages.ensure(packages.PGBOUNCER)
        self.host = host
        self.port = free_port(host)
        self._directory = Path(tempfile.mkdtemp(prefix="bouncer-", dir="/tmp"))
        self.log = self._directory / "log"
        names = self._directory / "users"
        names.write_text("".join(f"{_quoted(user)} {_quoted(password)}\n" for user, password in users.items()))
        self._config = self._directory / "config.ini"
        self._config.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = {host}\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"pool_mode = {mode}\nauth_type = scram-sha-256\nauth_file = {names}\n"
            "ignore_startup_parameters = extra_float_digits\nmax_client_conn = 100\ndefault_pool_size = 20\n"
        )
        user = service_user()
        if user:
            for path in (self._directory, names, self._config):
                os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        names.chmod(0o600)
        self._server: Supervised | None = None

    def __enter__(self) -> Self:
        self._server = Supervised(
            ["/usr/sbin/pgbouncer", self._config], self.log, stop_signal="TERM", remove=self._directory
        )
        try:
            wait_until(self._answers, f"pgbouncer on port {self.port}")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answers(self) -> bool:
        if self._server is not None and not self._server.runs():
            raise RuntimeError(f"pgbouncer ended at once: {self.log.read_text()[-1000:]}")
        with suppress(OSError), socket.create_connection((self.host, self.port), timeout=2):
            return True
        return False

    def close(self) -> None:
        """Stop it and remove its files."""
        if self._server is not None:
            self._server.stop(keep=False)
            self._server = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def uri(self, database: str, user: str, password: str) -> str:
        """A libpq URI by way of the pooler."""
        identity = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{identity}@{self.host}:{self.port}/{quote(database, safe='')}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
