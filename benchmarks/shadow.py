"""The shadow of a plan run: how long it takes and how large it is, by the number of tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.cluster.postgres import Postgres
from tests.cluster.progress import step
from tests.component.shadow.measure import Planned
from tests.component.shadow.measure import measure as plan

from .samples import Result, Row

TABLES = (10, 200, 2000)
ROUNDS = 3


def measure() -> list[Result]:
    """Every size in each round, in turn."""
    found: dict[int, list[Planned]] = {tables: [] for tables in TABLES}
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres(16) as server,
        step(f"planning beside {', '.join(map(str, TABLES))} tables, {ROUNDS} times each", "about 3 minutes"),
    ):
        for turn in range(ROUNDS):
            for tables in TABLES:
                found[tables].append(plan(server, Path(folder) / f"{turn}-{tables}", tables))
    return [
        Result(
            title="The shadow of a plan run",
            method=(
                "A database of 10, 200 and 2,000 tables, each with a primary key, two more indexes and a foreign key,"
                " and a plan of one small revision. The shadow's script and the runner start at the same moment, as"
                " processes on this machine, with PostgreSQL 16; the start of a pod is not in it. Restored: until the"
                " scratch server was made, the schema restored, and a row seeded in every table."
            ),
            rows=[row for tables in TABLES for row in _rows(tables, found[tables])],
            verdicts=[],
        )
    ]


def _rows(tables: int, found: list[Planned]) -> list[Row]:
    return [
        Row(f"{tables:,} tables: restored and seeded", "s", [one.shadow for one in found]),
        Row(f"{tables:,} tables: the whole plan run", "s", [one.seconds for one in found]),
        Row(f"{tables:,} tables: its database", "MB", [one.bytes / 1e6 for one in found]),
        Row(f"{tables:,} tables: all files of its server", "MB", [one.disk / 1e6 for one in found]),
    ]
