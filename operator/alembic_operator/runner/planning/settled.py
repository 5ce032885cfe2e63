"""A plan's step that the runner does itself, so that people see its statements before they approve it."""

from __future__ import annotations

from ...contract.fingerprints import text_fingerprint
from ...contract.plan import Statement, Step
from ..settling import Settlement
from .document import step_of
from .task import Task


def step_of_settlement(task: Task, revision: str, settlement: Settlement) -> Step:
    """The step with what the apply run will send."""
    statements = [_statement(sql, autocommit=True) for sql in settlement.outside()]
    statements += [_statement(sql, autocommit=False) for sql in settlement.inside(task.place)]
    return step_of(task, revision, statements=statements, transactional=not settlement.outside())


def _statement(sql: str, *, autocommit: bool) -> Statement:
    value, ddl = text_fingerprint(sql)
    return Statement(sql=sql, fingerprint=value, ddl=ddl, autocommit=autocommit, channel="runner")
