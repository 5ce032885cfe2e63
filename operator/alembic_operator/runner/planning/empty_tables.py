"""The plan tried both ways: with a made-up row in each table, and with empty tables.

A row that nobody wrote must not decide what is approved. Where a revision reads rows, a copy of the shadow without them
is kept, and the steps run there too: what differs is approved as a second way. Code that fails on a made-up row is
planned by the copy alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...contract.plan import Statement, Step
from ..database.driver import RawConnection, rows
from ..database.sql_errors import find_sql_error
from ..errors import RunFailed
from ..terms import AND_A_NEW_IMAGE
from .shadow import MAINTENANCE, Shadow
from .static_plan import steps_of
from .task import Task

_SUFFIX = "_empty"
# Words of a file that may read rows; a false alarm costs a copy of an empty database.
_MAY_READ = re.compile(
    r"get_bind|connection|[Ss]ession|\binspect\b|engine|fetch|scalar"
    r"|^\s*(?:from|import)\s+(?!alembic|sqlalchemy|typing|__future__)",
    re.MULTILINE,
)
STATIC = "if it is already released, set spec.review.evidence: Static, which approves its file"


@contextmanager
def empty_copy(task: Task, shadow: Shadow) -> Iterator[Shadow | None]:
    """The shadow once more, before rows are made up; None where no revision may read any, or it cannot be copied."""
    name, copy = shadow.name, shadow.another(_SUFFIX)
    if not any(_MAY_READ.search(Path(step.revision.path).read_text("utf-8", "replace")) for step in steps_of(task)):
        yield None
        return
    beside = shadow.connect(MAINTENANCE)
    try:
        made = _copied(task, beside, name, copy)
        yield replace(shadow, parameters={**shadow.parameters, "dbname": copy}) if made else None
    finally:
        rows(beside, f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        beside.close()


def _copied(task: Task, beside: RawConnection, name: str, copy: str) -> bool:
    try:
        rows(beside, f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        rows(beside, f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    except task.driver.error as error:
        found = find_sql_error(error)
        words = found.words() if found is not None else type(error).__name__
        task.report.warn(f"The shadow could not be copied ({words}), so nothing was tried with empty tables.")
        return False
    return True


def reads_rows(steps: list[Step]) -> bool:
    """Whether any step sends something that may give it a row."""
    return any(not one.ddl for step in steps for one in step.statements)


def with_both_ways(steps: list[Step], empty: list[Step]) -> list[Step]:
    """The steps with what they send where tables are empty."""
    others = {step.revision: step.statements for step in empty}
    return [_both(step, others.get(step.revision, step.statements)) for step in steps]


def _both(step: Step, other: list[Statement]) -> Step:
    if _sent(step.statements) == _sent(other):
        return step
    said = (
        "It sends different SQL where its tables are empty: both variants are shown, and either may run. If a "
        f"database's rows lead to a third variant, the run stops; {STATIC}."
    )
    return replace(step, otherwise=other, rows=said)


def _sent(statements: list[Statement]) -> tuple[list[Any], set[Any]]:
    """What the guard tells apart: DDL in order, and which rows' statements."""
    ordered = [(one.fingerprint, one.autocommit, one.executions) for one in statements if one.ddl]
    return ordered, {(one.fingerprint, one.autocommit) for one in statements if not one.ddl}


def failed_on_rows(step: Step, failed: RunFailed) -> Step:
    """The step whose code did not bear a made-up row."""
    if step.revision != failed.failure.revision:
        return step
    return replace(
        step,
        rows=(
            "It failed with a made-up row in each table, so it was tried with empty tables; what it does with rows "
            f"is not shown: {failed.plain}. If a database's own rows cause StatementMismatch, {STATIC}."
        ),
    )


def blaming_rows(failed: RunFailed, again: RunFailed) -> RunFailed:
    """The failure, of a revision that fails with empty tables too."""
    also = (
        "It fails the same way with empty tables"
        if again.found == failed.found
        else f"With empty tables: {again.found}"
    )
    return RunFailed(
        failed.failure.reason,
        failed.found,
        f"{also}. Nothing was sent to the target. Correct the revision{AND_A_NEW_IMAGE}; {STATIC}.",
        revision=failed.failure.revision,
        statement=failed.failure.statement,
        sqlstate=failed.failure.sqlstate,
    )
