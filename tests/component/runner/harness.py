"""Running the real zipapp as a process, the way the Job does: `<python> -c <bootstrap>`.

The places in the pod (the zipapp, the Secret, the termination message) are moved into the test's folder by
a prelude before the bootstrap: production code has no way to move them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.component.warm import Process, Warm

from alembic_operator.contract import job_env
from alembic_operator.contract.bootstrap import HASH_SEED as SEED
from alembic_operator.contract.bootstrap import bootstrap
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.contract.result import Outcome, RunResult

from .project import Project

HASH_SEED = dict([SEED])
_NO_MOUNTS: Mapping[str, Path] = {}
OWNER = Owner(cluster="c-1", namespace="shop", name="db", uid="uid-1")

_PRELUDE = """\
import sys
sys.path.insert(0, {pyz!r})
import alembic_operator.contract.job_env as job_env
job_env.SECRET_DIRECTORY = {secret!r}
job_env.MIGRATIONS_DIRECTORY = {migrations!r}
job_env.TERMINATION_LOG = {log!r}
{mounts}
{more}
sys.path.remove({pyz!r})
"""


def basic_environment() -> dict[str, str]:
    """What every process of the tests has of the environment."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    # A file that a test changes within a second, in place, would be taken for what was compiled before.
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1"}


TERM = re.compile(r"[\ue000-\ue0ff]|\\ue0[0-9a-f]{2}")  # of runner/terms.py, as it is or as JSON writes it


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    exit_code: int
    stdout: str
    stderr: str
    message: str

    def __post_init__(self) -> None:
        assert not TERM.search(f"{self.message}\n{self.stdout}"), f"a term was not told in words: {self}"

    @property
    def result(self) -> RunResult:
        """The termination message, read as the operator reads it."""
        assert self.message, f"no termination message; exit code {self.exit_code}\n{self.stdout}\n{self.stderr}"
        return RunResult.from_json(self.message)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The log records."""
        lines = [line for line in self.stdout.splitlines() if line.startswith(job_env.RECORD_PREFIX)]
        return [json.loads(line[len(job_env.RECORD_PREFIX) :]) for line in lines]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The records of one event."""
        return [record for record in self.records if record["event"] == name]

    @property
    def failure(self) -> str:
        """The failure's message; fails where the run did not fail."""
        assert self.result.failure is not None, self.result
        return self.result.failure.message


class Running:
    """A run that is under way; its output is read as it comes."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._more = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((process.stdout, self._lines), (process.stderr, self._errors))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._more:
                lines.append(line)
                self._more.notify_all()

    def wait_for(self, text: str, timeout: float = 20) -> str:
        """The first line of output that contains the text."""
        with self._more:
            found = self._more.wait_for(lambda: [line for line in self._lines if text in line], timeout)
        assert found, f"no {text!r} within {timeout} s in:\n{''.join(self._lines)}\n{''.join(self._errors)}"
        return found[0]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def end(self, timeout: float = 60) -> Ended:
        """Wait for its end."""
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        message = self.log.read_text() if self.log.exists() else ""
        return Ended(code, "".join(self._lines), "".join(self._errors), message)


@dataclass
class Runner:
    """Starts runs.

    Attributes:
        pyz: The zipapp.
        sha256: Of the zipapp.
        directory: For Secrets and termination messages.
        python: The interpreter, and so the libraries.
        warm: Where runs of that interpreter are forked from; without it each starts one.
    """

    pyz: Path
    sha256: str
    directory: Path
    python: str = sys.executable
    warm: Warm | None = None
    processes: list[Process] = field(default_factory=list)
    runs: int = 0

    def start(
        self,
        project: Project | None,
        secret: str | dict[str, str],
        *,
        more: str = "",
        mounts: Mapping[str, Path] = _NO_MOUNTS,
        env: dict[str, str] | None = None,
        job_uid: str = "",
        sha256: str = "",
        **request: Any,
    ) -> Running:
        """Start a run.

        Args:
            project: Its directory is spec.migrations.path.
            secret: The value of the key `uri`, or all keys.
            more: Python lines that run before the bootstrap, to hold the runner at a point; nothing is imported yet.
            mounts: Folders of the pod that are elsewhere, by their names in job_env.
            env: More environment.
            job_uid: Of the Job; a new one for each run without it.
            sha256: The hash to pin; the zipapp's own without it.
            request: Fields of the request.
        """
        self.runs += 1
        folder = self.directory / f"run-{self.runs}"
        (folder / "secret").mkdir(parents=True)
        for key, value in ({"uri": secret} if isinstance(secret, str) else secret).items():
            (folder / "secret" / key).write_text(value)
        log = folder / "termination-log"
        migrations = str(project.versions) if project is not None else ""
        body = make_request(project, **request)
        prelude = _PRELUDE.format(
            pyz=str(self.pyz),
            secret=str(folder / "secret"),
            migrations=migrations,
            log=str(log),
            mounts="\n".join(f"job_env.{name} = {str(mounted)!r}" for name, mounted in mounts.items()),
            more=more,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job_env, "RUNNER_PATH", str(self.pyz))
            patch.setattr(job_env, "TERMINATION_LOG", str(log))
            text = bootstrap(sha256 or self.sha256)
        environment = {
            **basic_environment(),
            job_env.REQUEST_VARIABLE: body.to_json(),
            job_env.JOB_UID_VARIABLE: job_uid or f"job-uid-{self.runs}",
            **(env or {}),
        }
        process = self._process(prelude + text, environment, folder, cold=bool(more))
        self.processes.append(process)
        return Running(process, log)

    def _process(self, code: str, environment: dict[str, str], folder: Path, *, cold: bool) -> Process:
        cold = cold or any(name.startswith("PYTHON") and name not in basic_environment() for name in environment)
        if self.warm and not cold:
            return self.warm.start(code, env={**environment, **HASH_SEED}, cwd=folder)
        return subprocess.Popen(
            [self.python, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        )

    def __call__(self, project: Project | None, secret: str | dict[str, str], **options: Any) -> Ended:
        """Do a run to its end."""
        return self.start(project, secret, **options).end()

    def close(self) -> None:
        """End what a failed test has left running."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def make_request(project: Project | None, **fields: Any) -> RunRequest:
    """A request as the operator makes it, for an Apply to head."""
    request = RunRequest(
        kind=RunKind.APPLY,
        target=OWNER,
        generation=3,
        job="db-1a2b3c4d-1",
        revision="head",
        secret_name="db-app",
        path=str(project.directory) if project is not None else "/app",
        image="registry.example/shop@sha256:" + "0" * 64,
        environment="Managed",
    )
    return replace(request, **fields)


def failed(ended: Ended, reason: Reason) -> str:
    """The message of a run that must have failed for this reason."""
    assert ended.result.outcome == Outcome.FAILED, ended.message
    assert ended.result.failure is not None
    assert ended.result.failure.reason == reason, ended.result.failure
    assert ended.exit_code == 1
    return ended.failure
