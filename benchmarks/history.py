"""R6: a history of 500 revisions, by the runner and by plain Alembic, whole processes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.cluster.postgres import Postgres
from tests.cluster.progress import step
from tests.component.runner.measure import measure as migrate

from .samples import Result, Row, ratio

REVISIONS = 500
ROUNDS = 20


def measure() -> list[Result]:
    """Every way in each round, in turn."""
    what = f"migrating through {REVISIONS} revisions, {ROUNDS} times each way"
    with tempfile.TemporaryDirectory() as folder, Postgres(15) as server, step(what, "about 2 minutes"):
        times = migrate(server, Path(folder), revisions=REVISIONS, repetitions=ROUNDS)
    ours = Row("runner", "s", times["runner"].wall)
    plain = Row("plain `alembic upgrade head`", "s", times["plain"].wall)
    each = Row("the same, transaction_per_migration=True", "s", times["each"].wall)
    return [
        Result(
            title=f"A history of {REVISIONS} revisions (R6)",
            method=(
                "One small statement a revision; an empty database each time. Whole processes, from start to exit: the"
                " runner as in its Job (zipapp, lock, journal, a transaction for each revision, verification), and"
                " Alembic with the env.py that `alembic init` writes (one transaction for all). They take turns;"
                " psycopg 3."
            ),
            rows=[
                ours,
                plain,
                each,
                *(Row(f"· CPU of the process: {name}", "s", times[name].cpu) for name in ("runner", "plain", "each")),
            ],
            verdicts=[ratio("runner / plain", ours, plain, 1.1)],
            notes=[
                "Beside Alembic with a transaction for each revision, as the runner has it:"
                f" {ours.median / each.median:.2f}."
            ],
        )
    ]
