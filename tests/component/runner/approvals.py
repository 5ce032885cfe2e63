"""Approved plans made for a test: the inputs as they are now, and a guard over given statements."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alembic_operator.contract.bundle import digest_of
from alembic_operator.contract.digests import inputs_digest
from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.guard import Guard, sha256
from alembic_operator.contract.job_env import GUARD_FILE
from alembic_operator.contract.plan import PlanDocument, Statement, Step, StepKind
from alembic_operator.contract.request import Approved, RunRequest
from alembic_operator.contract.verification import Verification, VerifiedReason
from alembic_operator.runner.database.driver import find_driver
from alembic_operator.runner.database.search_path import SearchPath
from alembic_operator.runner.database.session import VersionTable, preflight
from alembic_operator.runner.history.bundle import files_of
from alembic_operator.runner.history.inputs import inputs_of
from alembic_operator.runner.history.load import load_history
from alembic_operator.runner.schema import snapshot

from .databases import USER, Database
from .harness import Ended, Runner, Running, make_request
from .project import Project

PLACE = VersionTable("public", "alembic_version")


def step(revision: str, *statements: str | tuple[str, bool]) -> Step:
    """A step of a plan, as the shadow would have captured it."""
    sent = []
    for one in statements:
        sql, autocommit = one if isinstance(one, tuple) else (one, False)
        value, ddl = text_fingerprint(sql)
        sent.append(Statement(sql, fingerprint=value, ddl=ddl, autocommit=autocommit))
    return Step(revision, StepKind.SQL, statements=sent)


@dataclass
class Approval:
    """A plan that was approved, and how it is run.

    Attributes:
        approved: as the request has it.
        directory: the mount of the guard.
    """

    runner: Runner
    project: Project
    database: Database
    approved: Approved
    directory: Path
    secret: str

    def run(self, *, more: str = "", **request: Any) -> Ended:
        """Run what was approved."""
        return self.start(more=more, **request).end()

    def start(self, *, more: str = "", **request: Any) -> Running:
        """Begin to run what was approved."""
        request = {"approved": self.approved, **request}
        return self.runner.start(self.project, self.secret, more=more, mounts=self.mounts, **request)

    @property
    def mounts(self) -> dict[str, Path]:
        """Where a run finds the guard."""
        return {"PLAN_DIRECTORY": self.directory}


def approve(
    runner: Runner,
    project: Project,
    database: Database,
    steps: Sequence[Step],
    *,
    to: str = "",
    direction: str = "Upgrade",
    uid: str = "plan-1",
    secret: str = "",
    inputs: Mapping[str, Any] | None = None,
    settles: Mapping[str, Any] | None = None,
) -> Approval:
    """Approve a plan from what the database holds now.

    Args:
        runner: will run it.
        project: with the revisions.
        database: as it is now.
        steps: what it may send.
        to: the target; without it the project's newest revision.
        direction: of the plan.
        uid: of the SchemaPlan.
        secret: the URI, where it is not the database's own.
        inputs: fields of the request that differ from the harness's own.
        settles: facts of a Baseline or Repair.
    """
    uri = secret or database.uri
    target = to or project.ids[-1]
    exists = database.all("SELECT to_regclass('alembic_operator.revision_journal') IS NOT NULL") == [(True,)]
    newest = database.all("SELECT coalesce(max(id), 0) FROM alembic_operator.revision_journal") if exists else [(0,)]
    versioned = database.all("SELECT to_regclass('alembic_version') IS NOT NULL") == [(True,)]
    request = replace(make_request(project), **(inputs or {}))
    session: Any = database.connect()
    facts = preflight(find_driver("psycopg"), session, request).facts(PLACE)
    approved = Approved(
        name="db-0123abcd",
        uid=uid,
        digest="sha256:" + "d" * 64,
        inputs_digest="",
        direction=direction,
        from_revisions=[str(row) for row in database.heads()] if versioned else [],
        to_revisions=[target],
        journal_id=int(str(newest[0][0])),
        approved_by="dana@example.com",
    )
    body = inputs_now(request, approved, facts.version, facts.identity, uri)
    if settles is not None:
        body = {**body, "settles": dict(settles)}
    parts = Guard.of(list(steps), body).to_parts(limit=500)
    directory = runner.directory / f"plan-{len(list(runner.directory.glob('plan-*')))}"
    directory.mkdir(parents=True)
    for number, part in enumerate(parts):
        (directory / f"{GUARD_FILE}{number}").write_bytes(part)
    approved = replace(approved, inputs_digest=inputs_digest(body), guard_sha256=sha256(parts))
    return Approval(runner, project, database, approved, directory, uri)


def approve_as_planned(plan: PlanDocument, directory: Path) -> tuple[Approved, dict[str, Path]]:
    """Approve what a plan run found, with its guard in that directory; the approval, and the mounts of its run."""
    parts = Guard.of(plan.steps).to_parts()
    for number, part in enumerate(parts):
        (directory / f"{GUARD_FILE}{number}").write_bytes(part)
    approved = Approved(
        name="db-01234567",
        uid="plan-1",
        digest=plan.digest,
        inputs_digest=plan.inputs_digest,
        direction=plan.direction.value,
        from_revisions=plan.from_revisions,
        to_revisions=plan.to_revisions,
        journal_id=plan.journal_id,
        guard_sha256=sha256(parts),
    )
    return approved, {"PLAN_DIRECTORY": directory}


def inputs_now(request: RunRequest, approved: Approved, version: str, identity: str, uri: str) -> dict[str, Any]:
    """The inputs as a plan run would find them."""
    before, known = Path.cwd(), {*sys.modules}
    role = request.role or USER
    sys.path_importer_cache.pop(".", None)  # another test's project was "." to this process
    try:
        history = load_history(request)
        return inputs_of(
            request,
            server_version=version,
            identity=identity,
            journal_id=approved.journal_id,
            from_revisions=approved.from_revisions,
            to_revisions=approved.to_revisions,
            direction=approved.direction,
            version_table=PLACE,
            search_path=SearchPath((role, "public"), missing=(role,), role=role),
            history=history,
            driver=find_driver("psycopg2" if "+psycopg2" in uri else ""),
            bundle=digest_of(files_of(request, history)),
        )
    finally:
        os.chdir(before)
        for name in {*sys.modules} - known:
            if name.partition(".")[0] == "migrations":
                del sys.modules[name]


def compared(database: Database) -> Verification:
    """What a plan run would have found of a schema that others migrated, as it is now."""
    connection: Any = database.connect()
    fingerprint = snapshot(connection, ["public"], VersionTable("public", "alembic_version")).fingerprint
    return Verification(VerifiedReason.COMPARED, "The schema has everything that the history creates.", fingerprint)
