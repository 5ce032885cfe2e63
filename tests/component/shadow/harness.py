"""The shadow's script as a local process, with everything that the pod would give it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from tests.cluster.postgres import Postgres, Version, binaries, fast_folder
from tests.cluster.processes import as_service_user, service_user, wait_until

from alembic_operator.contract import job_env
from alembic_operator.contract.shadow import read_answer, write_source
from alembic_operator.core.job.shadow_script import script

PATH = "/usr/bin:/bin"


def parameters(server: Postgres, database: str, user: str = "postgres", password: str | None = None) -> dict[str, str]:
    """Libpq's variables for a database."""
    return {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": user,
        "PGPASSWORD": server.password if password is None else password,
        "PGDATABASE": database,
        "PGAPPNAME": "alembic-operator/shadow",
    }


class Shadow:
    """One life of the script; what it leaves goes at the end.

    Attributes:
        command: what is run; it may be wrapped.
        shared, data: as job_env.SHADOW_DIRECTORY and SHADOW_DATA_DIRECTORY.
        process: the shell.
    """

    def __init__(
        self,
        version: Version = 16,
        *,
        shell: tuple[str, ...] = ("/bin/sh",),
        path: str | None = None,
        prefix: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        """Prepare it.

        Args:
            version: of the programs.
            shell: what the script runs in.
            path: in place of the PATH that has these programs.
            prefix: of the command, in place of the one that changes the user.
            environment: more of it.
        """
        self.directory = Path(tempfile.mkdtemp(prefix="shadow-", dir=fast_folder()))
        self.shared, self.data = self.directory / "shared", self.directory / "data"
        for folder in (self.directory, self.shared, self.data):
            folder.mkdir(exist_ok=True)
            if user := service_user():
                os.chown(folder, 0, pwd.getpwnam(user).pw_gid)
            folder.chmod(0o3777)
        self._log = self.directory / "log"
        words = [*shell, "-c", script(), "shadow", str(self.shared), str(self.data)]
        self.command = [*prefix, *words] if prefix else as_service_user(words)
        self.command[0] = shutil.which(self.command[0]) or self.command[0]
        self._environment = {"PATH": path or f"{binaries(version)}:{PATH}", "LANG": "C.UTF-8", **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Begin its life, the first or the next."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        wait_until(lambda: not self.left(), "the shadow's processes to end", timeout=10)
        shutil.rmtree(self.directory)

    @property
    def log(self) -> str:
        """What the container would have printed."""
        return self._log.read_text("utf-8", "replace")

    def tell(self, given: dict[str, str]) -> None:
        """Do the runner's part."""
        write_source(self.shared, given)

    def answer(self, timeout: float = 30) -> str:
        """Wait for the answer: "" or why there is no shadow."""

        def answered() -> tuple[str] | None:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the script ended with {self.process.returncode}: {self.log}")
            found = read_answer(self.shared)
            return None if found is None else (found,)

        return wait_until(answered, "the shadow's answer", timeout, every=0.01)[0]

    def failure(self) -> str:
        """Wait for the sentence of one that may have been ready before."""
        wait_until((self.shared / job_env.SHADOW_FAILED_FILE).exists, "the shadow's failure")
        return self.answer()

    def says(self, word: str, timeout: float = 30) -> None:
        """Wait until the log has a word."""
        wait_until(lambda: word in self.log, f"{word!r} in the shadow's log", timeout, every=0.005)

    def stop(self) -> int:
        """Ask it to end as the kubelet does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def connect(self, database: str = job_env.SHADOW_DATABASE) -> psycopg.Connection[tuple[object, ...]]:
        """A session of the superuser."""
        return psycopg.connect(host=str(self.shared), user=job_env.SHADOW_USER, dbname=database, autocommit=True)

    def left(self) -> list[int]:
        """Processes that have our folder in their command."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if bytes(self.directory) in command:
                    found.append(int(entry.name))
        return found
