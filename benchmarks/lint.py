"""A plan of 500 revisions: the whole command of the tool, its review, and the fingerprints of 5 MiB of SQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.postgres import Postgres, binaries
from tests.cluster.progress import step
from tests.component.runner.project import Project

from alembic_operator.cli.review import review
from alembic_operator.contract.fingerprints import text_fingerprint
from alembic_operator.contract.plan import PlanDocument

from .samples import Result, Row, Verdict

REVISIONS = 500
ROUNDS = 3
LARGE = 5 * 2**20  # characters of SQL
ROOT = Path(__file__).parent.parent


def measure() -> list[Result]:
    """Plan once a round, and review what was planned."""
    plans, reviews, found = [], [], 0
    what = f"planning {REVISIONS} revisions, {ROUNDS} times"
    with tempfile.TemporaryDirectory() as folder, Postgres(16) as server, step(what, "about a minute"):
        project = history(Path(folder) / "app")
        for turn in range(ROUNDS):
            server.create_database(f"target{turn}")
            started = time.perf_counter()
            document = _plan(server, f"target{turn}", project)
            plans.append(time.perf_counter() - started)
            started = time.perf_counter()
            reviewed = review(document, datetime.now(UTC).date())
            reviews.append(time.perf_counter() - started)
            found = len(reviewed.findings)
    lint = Row("its review", "s", reviews)
    return [
        Result(
            title=f"The review of {REVISIONS} revisions",
            method=(
                f"A history of {REVISIONS} revisions (tables, columns, indexes, foreign keys, data), all pending on an"
                " empty database of PostgreSQL 16. The plan: `alembic-operator plan` from start to exit, with a scratch"
                " database on the same server. The review: all rules on the plan that came of it. Fingerprints: 5 MiB"
                " of SQL in short statements, in long ones, and as one statement."
            ),
            rows=[Row("alembic-operator plan", "s", plans), lint, *_fingerprints()],
            verdicts=[Verdict("seconds of the review", lint.median, 10.0)],
            notes=[f"The review had {found} findings."],
        )
    ]


def history(directory: Path) -> Project:
    """A project of many revisions, of the kinds that a real one has."""
    project = Project(directory)
    for number in range(REVISIONS // 5):
        for turn, statement in enumerate(_statements(number)):
            project.add(f"r{number:03}{turn}", f"op.execute({statement!r})")
    return project


def _statements(number: int) -> Iterator[str]:
    yield (
        f"CREATE TABLE orders_{number} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, "
        "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now())"
    )
    yield f"ALTER TABLE orders_{number} ADD COLUMN parent uuid"
    yield f"CREATE INDEX orders_{number}_parent ON orders_{number} (parent)"
    yield f"UPDATE orders_{number} SET name = lower(name) WHERE name <> lower(name)"
    yield (
        f"ALTER TABLE orders_{number} ADD CONSTRAINT orders_{number}_fk FOREIGN KEY (parent) "
        f"REFERENCES orders_{max(number - 1, 0)} (id) NOT VALID"
    )


def _plan(server: Postgres, database: str, project: Project) -> PlanDocument:
    env = {
        **os.environ,
        "PATH": f"{binaries(server.version)}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'helpers'}",
        "ALEMBIC_OPERATOR_DATABASE_URL": server.uri(database),
        "ALEMBIC_OPERATOR_SHADOW_URL": server.uri(),
    }
    command = [sys.executable, "-m", "alembic_operator.cli", "plan", "--project", str(project.directory)]
    done = subprocess.run(
        [*command, "--format", "json", "--fail-on", "never"], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return PlanDocument.from_json(json.dumps(json.loads(done.stdout)["plan"]))


def _fingerprints() -> list[Row]:
    """MiB a second, by the shape of the text."""
    short = "INSERT INTO orders (id, name, total) VALUES (17, 'a customer''s name', 12.50);\n"
    column = "  column_{} numeric(12, 2) NOT NULL DEFAULT 0, -- an amount\n"
    long = "CREATE TABLE wide (\n" + "".join(column.format(number) for number in range(400)) + "  last int\n);\n"
    rows = "INSERT INTO orders VALUES " + ", ".join(f"({number}, 'name {number}')" for number in range(LARGE // 24))
    texts = {"short statements": short * (LARGE // len(short)), "long DDL": long * (LARGE // len(long)), "one": rows}
    return [
        Row(f"fingerprints: {name}", "MiB/s", [_speed(text) for _ in range(ROUNDS)]) for name, text in texts.items()
    ]


def _speed(text: str) -> float:
    started = time.perf_counter()
    text_fingerprint(text)
    return len(text) / 2**20 / (time.perf_counter() - started)
