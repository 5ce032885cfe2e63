"""What the begin of a run, or of a new generation, does to the status.

The same whether the run was decided just now or is read from its Job: an operator that was killed in between must come
to the status that it would have written.
"""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.api.status import Run, Status
from alembic_operator.core.model.observed import DatabaseSchema, Tokens
from alembic_operator.core.status.conditions import forget_plan


def answered(status: Status, schema: DatabaseSchema, generation: int, tokens: Tokens) -> Status:
    """The status once that generation, and what the annotations ask for, are acted upon.

    Failures count for one target: a new generation, or a new value of retry-at, begins anew.
    """
    fresh = generation == schema.generation != status.observed_generation
    if fresh or (tokens.retry_at and tokens.retry_at != status.last_handled_retry_at):
        status = replace(status, failures=0, last_failure=None)
    if fresh:
        targets = schema.spec.targets if schema.spec else ()
        status = forget_plan(replace(with_targets(status, targets), pending_revisions=None))
    return replace(status, last_handled_reconcile_at=tokens.reconcile_at, last_handled_retry_at=tokens.retry_at)


def with_targets(status: Status, targets: tuple[str, ...]) -> Status:
    """The status with what is wanted; none where only the image knows."""
    return replace(status, target_revisions=targets, target_revision=",".join(targets))


def begun(status: Status, schema: DatabaseSchema, run: Run, tokens: Tokens) -> Status:
    """The status that names this run as the one under way."""
    status = answered(status, schema, run.generation, tokens)
    return replace(status, next_run_after="", attempts=max(status.attempts, run.attempt), run=run)
