"""What the begin of a run, or of a new generation, does to the status.

The same whether the run was decided just now or is read from its Job: an operator that was killed in between must come
to the status that it would have written.
"""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.api.spec import HEAD
from alembic_operator.api.status import Run, Status

from .observed import Schema, Tokens
from .summarize import say_no_plan


def answered(status: Status, schema: Schema, generation: int, tokens: Tokens) -> Status:
    """The status once that generation, and what the annotations ask for, are acted upon.

    Failures count for one target: a new generation, or a new value of retry-at, begins anew.
    """
    fresh = generation == schema.generation != status.observed_generation
    if fresh or (tokens.retry_at and tokens.retry_at != status.last_handled_retry_at):
        status = replace(status, failures=0, last_failure=None)
    if fresh:
        target = schema.spec.revision if schema.spec and schema.spec.revision != HEAD else ""
        status = say_no_plan(replace(status, target_revision=target, pending_revisions=None))
    return replace(status, last_handled_reconcile_at=tokens.reconcile_at, last_handled_retry_at=tokens.retry_at)


def begun(status: Status, schema: Schema, run: Run, tokens: Tokens) -> Status:
    """The status that names this run as the one under way."""
    status = answered(status, schema, run.generation, tokens)
    return replace(status, next_run_after="", attempts=max(status.attempts, run.attempt), run=run)
