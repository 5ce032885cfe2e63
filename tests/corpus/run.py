"""The corpus through the real thing: one database with rows, `alembic-operator plan`, a shadow, the rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.postgres import Postgres, Version, binaries
from tests.component.runner.project import Project

from .case import Case
from .projects import PROJECTS
from .published import PUBLISHED

CORPORA = {"published": PUBLISHED, "projects": PROJECTS}

_ROOT = Path(__file__).parents[2]
_REVISION = re.compile(r"\(revision c(\d+)_")
_MOST_REFUSED = 12  # plans that end at a statement which the shadow's rows refuse


@dataclass
class Verdict:
    """What came of a case: `rule severity` of each finding, or why the shadow refused to go on."""

    case: Case
    findings: list[str] = field(default_factory=list)
    refused: str = ""

    @property
    def stopped(self) -> bool:
        """Whether the migration waits for a person, or was never planned."""
        return bool(self.refused) or any(one.endswith(" error") for one in self.findings)

    @property
    def wrong(self) -> bool:
        """A miss or a false alarm."""
        return self.stopped is not self.case.unsafe


def judge(version: Version, cases: Iterable[Case], *, evidence: str = "Shadow") -> list[Verdict]:
    """Plan and review migrations.

    Args:
        version: of PostgreSQL; cases that need a newer one are left out.
        cases: of one corpus.
        evidence: Shadow or Static.
    """
    verdicts = [Verdict(case) for case in cases if case.since <= version]
    with Postgres(version) as server:
        server.create_database("corpus")
        with server.connect("corpus") as connection:
            for number, verdict in enumerate(verdicts):
                connection.execute(verdict.case.own(number)[0])
            connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            connection.execute("INSERT INTO alembic_version VALUES ('start')")
        while True:
            refused = _once(server, verdicts, evidence)
            if refused is None:
                return verdicts
            number, why = refused
            verdicts[number].refused = why
            assert sum(bool(one.refused) for one in verdicts) <= _MOST_REFUSED, why


def _once(server: Postgres, verdicts: list[Verdict], evidence: str) -> tuple[int, str] | None:
    """Plan what was not refused yet; returns the case at which the plan ended, and its words."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as directory:
        project = Project(Path(directory) / "project")
        project.add("start", "pass")
        for number, verdict in enumerate(verdicts):
            if not verdict.refused:
                for at, text in enumerate(verdict.case.own(number)[1]):
                    project.add(f"c{number}_{at}", text, downgrade="raise NotImplementedError")
        ended = _plan(server, project, evidence)
    if ended.returncode not in (0, 1):
        found = _REVISION.search(ended.stderr)
        assert found, ended.stderr
        return int(found.group(1)), ended.stderr.strip()
    for verdict in verdicts:
        verdict.findings.clear()
    of_revisions = [one for one in json.loads(ended.stdout)["findings"] if one["revision"]]
    for one in of_revisions:  # not what is there beyond the history: the tables that the cases begin with
        number = int(one["revision"].partition("_")[0][1:])
        verdicts[number].findings.append(f"{one['rule']} {one['severity']}")
    return None


def _plan(server: Postgres, project: Project, evidence: str) -> subprocess.CompletedProcess[str]:
    environ: dict[str, Any] = {
        **os.environ,
        "PATH": f"{binaries(server.version)}:{os.environ['PATH']}",
        "PYTHONPATH": f"{_ROOT / 'operator'}:{_ROOT / 'helpers'}",
        "ALEMBIC_OPERATOR_DATABASE_URL": server.uri("corpus"),
        "ALEMBIC_OPERATOR_SHADOW_URL": server.uri(),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "alembic_operator.cli", "plan", "--project", str(project.directory)]
    return subprocess.run(
        [*command, "--format", "json"], env=environ, capture_output=True, text=True, check=False, timeout=600
    )


def table(verdicts: list[Verdict]) -> str:
    """The verdicts, a line each, and the count at the end."""
    lines = []
    for one in verdicts:
        mark = "WRONG" if one.wrong else "ok"
        said = "refused by the shadow" if one.refused else ", ".join(sorted(set(one.findings))) or "nothing"
        lines.append(f"{mark:5} {'unsafe' if one.case.unsafe else 'safe':6} {one.case.name[:60]:60} {said}")
    return "\n".join([*lines, "", summary(verdicts)])


def summary(verdicts: list[Verdict]) -> str:
    """How many of the unsafe ones were caught, and how many of the safe ones alarmed."""
    unsafe, safe = ([one for one in verdicts if one.case.unsafe is kind] for kind in (True, False))
    caught, alarms = sum(one.stopped for one in unsafe), sum(one.stopped for one in safe)
    return f"{caught} of {len(unsafe)} unsafe migrations caught, {alarms} of {len(safe)} safe ones alarmed"
