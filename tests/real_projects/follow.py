"""One application's history in two databases: to nine tenths at once, the rest by a plan, and the last one back."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome
from tests.component.runner.approvals import approve_as_planned
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, Runner
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from .application import Application
from .compare import differences
from .install import Installed

_PLAIN = Path(__file__).with_name("plain.py")


class Failed(Exception):
    """A step did not do what plain Alembic did, or plain Alembic could not do it."""


class PatientRunner(Runner):
    """Starts runs that may take long: some histories have hundreds of revisions."""

    def __call__(self, project: Project | None, secret: str | dict[str, str], **options: Any) -> Ended:
        """Do a run to its end."""
        return self.start(project, secret, **options).end(timeout=1800)


class Tree(Project):
    """The application's files, which are not ours to make."""

    def __post_init__(self) -> None:
        """Leave them as they are."""


@dataclass
class Following:
    """An application between two databases.

    Attributes:
        planner: for the runner's database.
        plain: plain Alembic's database.
        work: a folder for ini files, guards, and what the application writes.
    """

    application: Application
    installed: Installed
    planner: Planner
    plain: Database
    work: Path

    def __post_init__(self) -> None:
        """Write the ini file that the application does not bring."""
        self.tree = Tree(self.installed.directory)
        self.env = {name: value.replace("{home}", str(self.work)) for name, value in self.application.job_env.items()}
        self.env.setdefault("HOME", str(self.work))
        if self.application.ini:
            (self.work / "alembic.ini").write_text(self.application.ini)
            self.tree = Tree(self.work)
        self.planner.env = self.env

    def revisions(self) -> list[str]:
        """Every revision, from the first to the last."""
        return self._plain("revisions", "", "upgrade", self.application.target).splitlines()[-1].split()

    def alembic(self, *arguments: str) -> None:
        """Run plain Alembic on its database."""
        driver = self.application.driver
        url = _with_scheme(self.plain, f"postgresql+{driver}") if driver else ""
        if not self.application.password_in_url:
            url = url.replace(f":{quote(self.application.password, safe='')}@", "@")
        self._plain("run", url, *arguments)

    def make_first(self) -> None:
        """Make in both databases what the history takes for granted."""
        for database in (self.plain, self.planner.database):
            if self.application.first:
                self._python(["-c", self.application.first, _with_scheme(database, "postgresql+psycopg2")])

    def apply(self, revision: str) -> None:
        """Apply without a review."""
        self._check(self._run(self._request(revision)))

    def plan_and_apply(self, revision: str, *, back: bool = False) -> None:
        """Plan, approve and apply."""
        request = {**self._request(revision), "allow_downgrade": back}
        self.planner.restore()
        ended = self._run({**request, "kind": RunKind.PLAN, "evidence": "Shadow"}, self.planner.mounts)
        if ended.result.outcome != Outcome.PLANNED:
            raise Failed(f"plan: {_why(ended)}")
        mount = Path(tempfile.mkdtemp(dir=self.work))
        approved, mounts = approve_as_planned(read_plan(ended), mount)
        self._check(self._run({**request, "approved": approved}, mounts))

    def compare(self) -> None:
        """See that both databases are equal."""
        found = differences(self.plain, self.planner.database)
        if found:
            raise Failed(f"{len(found)} lines differ: " + "; ".join(found[:4])[:400])

    def _plain(self, what: str, url: str, *arguments: str) -> str:
        given = [word for one in self.application.x for word in ("-x", one.replace("$(DATABASE_URL)", self.plain.uri))]
        config = self.tree.directory / self.application.config_file
        return self._python([_PLAIN, what, self.application.by, url, "-c", config, *given, *arguments])

    def _python(self, arguments: Sequence[str | Path]) -> str:
        parts = _parts(self.plain)
        settings = {
            one.name: parts[one.part] if one.part != "uri" else _with_scheme(self.plain, one.scheme)
            for one in self.application.connection_env
        }
        ended = subprocess.run(
            [self.installed.python, *arguments],
            cwd=self.tree.directory,
            env={"PATH": "/usr/bin:/bin", **self.env, "DATABASE_URL": self.plain.uri, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            said = [
                line for line in ended.stderr.splitlines() if line and not line.startswith((" ", "(Background", "["))
            ]
            raise Failed(f"plain Alembic: {said[-1][:300] if said else ended.returncode}")
        return ended.stdout

    def _request(self, revision: str) -> dict[str, Any]:
        """The run request's fields: the manifest."""
        application = self.application
        return {
            "revision": revision,
            "environment": "",
            "config_file": application.config_file,
            "connection_env": list(application.connection_env),
            "env_names": sorted(application.job_env),
            "x": list(application.x),
            "baseline": [] if application.first else None,
        }

    def _run(self, request: dict[str, Any], mounts: dict[str, Path] | None = None) -> Ended:
        return self.planner.runner(self.tree, self.planner.database.uri, mounts=mounts or {}, env=self.env, **request)

    def _check(self, ended: Ended) -> None:
        if ended.result.outcome != Outcome.APPLIED:
            raise Failed(f"apply: {_why(ended)}")


def _why(ended: Ended) -> str:
    failure = ended.result.failure
    return f"{failure.reason.value}: {failure.message}" if failure else f"it ended as {ended.result.outcome.value}"


def _with_scheme(database: Database, scheme: str) -> str:
    return database.uri.replace("postgresql", scheme, 1)


def _parts(database: Database) -> dict[str, str]:
    facts = psycopg.conninfo.conninfo_to_dict(database.uri)
    names = {"host": "host", "port": "port", "name": "dbname", "user": "user", "password": "password"}
    return {part: str(facts[name]) for part, name in names.items()}
