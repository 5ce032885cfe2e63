"""A short migration while two others wait for locks, beside the same one alone."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tests.cluster.processes import wait_until
from tests.cluster.progress import step

from . import change
from .api import SCHEMAS
from .bed import NAMESPACE
from .samples import Result, Row, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bed import Bed

ROUNDS = 8
_WAITERS = 2
_PATIENT = {"timeouts": {"lock": "60s"}}


def measure(bed: Bed) -> list[Result]:
    """Alone, and behind two; they take turns."""
    alone, behind = [], []
    change_of = _Short(bed)
    change_of("warm-up")
    with step(f"measuring a short migration alone and beside two that wait, {ROUNDS} times") as show:
        for number in range(ROUNDS):
            show(f"round {number + 1} of {ROUNDS}")
            alone.append(change_of(f"alone-{number}"))
            with _waiting(bed, number):
                behind.append(change_of(f"behind-{number}"))
    rows = [
        Row("alone, request to Ready=True", "s", alone),
        Row("while two others wait for locks", "s", behind),
    ]
    return [
        Result(
            title="A short migration while two others wait",
            method=(
                "Two migrations wait for a table that another session holds, one statement each, for as long as the"
                " third is measured. Each has its own database and Job."
            ),
            rows=rows,
            verdicts=[ratio("beside two that wait / alone", rows[1], rows[0], 1.2)],
        )
    ]


class _Short:
    """One small change by a DatabaseSchema."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed

    def __call__(self, name: str) -> float:
        self._bed.database(name)
        return change.by_resource(self._bed, self._bed.schema(name, "small.ini", "a1_base"))[0]


@contextmanager
def _waiting(bed: Bed, number: int) -> Iterator[None]:
    """Two migrations that wait, until the end of the block; then they are let through and end."""
    names = [f"waiting-{number}-{which}" for which in range(_WAITERS)]
    with ExitStack() as held:
        for name in names:
            bed.database(name)
            change.by_resource(bed, bed.schema(name, "alter.ini", "a1_base", **_PATIENT))
            connection = held.enter_context(bed.server.connect(name))
            held.enter_context(connection.transaction())
            connection.execute("LOCK TABLE present IN ACCESS EXCLUSIVE MODE")
            path = f"{SCHEMAS.format(NAMESPACE)}/{name}"
            bed.api.request("PATCH", path, {"spec": {"revision": "b2_alter"}}, "application/merge-patch+json")
        wait_until(lambda: _blocked(bed) == _WAITERS, "two migrations to wait for their locks", timeout=60, every=0.2)
        yield
        assert _blocked(bed) == _WAITERS
    for name in names:
        bed.cluster.kubectl("-n", NAMESPACE, "wait", "databaseschema", name, "--for=condition=Ready", "--timeout=60s")


def _blocked(bed: Bed) -> int:
    with bed.server.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
        ).fetchone()
        assert row is not None
        return int(row[0])
