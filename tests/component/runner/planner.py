"""Plan runs, with a shadow: a database that the target's schema is dumped into, behind a socket of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg import sql
from tests.cluster.postgres import Postgres, binaries
from tests.component.runner.harness import TERM, Ended, Runner
from tests.component.runner.project import Project

from alembic_operator.contract import job_env
from alembic_operator.contract.plan import PlanDocument
from alembic_operator.contract.plan_records import unpack
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

from .databases import Database

_TRUSTING = "local all all trust\nhost all all all scram-sha-256\n"


@dataclass
class Planner:
    """Plans for one target database.

    Attributes:
        directory: Stands for job_env.SHADOW_DIRECTORY.
        shadow: The server whose socket is there.
        env: Of the runs.
    """

    database: Database
    runner: Runner
    directory: Path
    shadow: Postgres
    env: dict[str, str] = field(default_factory=dict)

    def restore(self) -> None:
        """Do what the sidecar does: copy the target's roles and schema into the shadow, and say so."""
        server, bin_ = self.database.server, binaries(self.database.server.version)
        self.clear()
        self._copy_roles()
        self.shadow.create_database(job_env.SHADOW_DATABASE)
        dump = subprocess.run(
            [bin_ / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", server.uri(self.database.name)],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            [bin_ / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.shadow.uri(job_env.SHADOW_DATABASE)],
            input=dump.stdout,
            check=True,
            capture_output=True,
        )
        (self.directory / job_env.SHADOW_READY_FILE).touch()

    def clear(self) -> None:
        """Leave no shadow."""
        for name in (job_env.SHADOW_DATABASE, self.database.name):
            self.shadow.drop_database(name)

    def _copy_roles(self) -> None:
        missing = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'"
        with self.database.server.connect() as target, self.shadow.connect() as shadow:
            there = set(shadow.execute(missing).fetchall())
            for (name,) in set(target.execute(missing).fetchall()) - there:
                shadow.execute(sql.SQL("CREATE ROLE {} SUPERUSER NOLOGIN").format(sql.Identifier(str(name))))
            shadow.commit()

    @property
    def mounts(self) -> dict[str, Path]:
        """Where a run finds the shadow."""
        return {"SHADOW_DIRECTORY": self.directory}

    def run(self, project: Project, *, driver: str = "psycopg", **request: Any) -> Ended:
        """A plan run to its end, with a fresh shadow."""
        self.restore()
        uri = self.database.uri.replace("postgresql://", f"postgresql+{driver}://")
        request = {"kind": RunKind.PLAN, "evidence": "Shadow", **request}
        return self.runner(project, uri, mounts=self.mounts, env=self.env, **request)

    def __call__(self, project: Project, **options: Any) -> PlanDocument:
        """The plan of a run that must have made one."""
        return read_plan(self.run(project, **options))


def read_plan(ended: Ended) -> PlanDocument:
    """The plan as the operator reads it from the log."""
    assert ended.result.outcome == Outcome.PLANNED, ended.message
    receipt = ended.result.plan
    assert receipt is not None
    records = ended.events("plan")
    assert [record["part"] for record in records] == list(range(1, receipt.parts + 1))
    document = unpack([record["data"] for record in records], receipt.sha256)
    assert not TERM.search(document.to_json())
    return document


def trust(server: Postgres) -> None:
    """Let everybody in by the server's socket, as the shadow does."""
    (server.data / "pg_hba.conf").write_text(_TRUSTING)
    server.execute("SELECT pg_reload_conf()")
