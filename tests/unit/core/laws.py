"""What must be true of every decision, whatever the world is."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
from tests.unit.api.crd import STATUS
from tests.unit.api.test_status import strict

from alembic_operator.api.instant import from_text
from alembic_operator.api.status import Status, parse_status, status_to_raw
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.core.model.decision import Decision, DeleteJob, StartRun
from alembic_operator.core.model.observed import Observed

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_moment(text: object) -> bool:
    """RFC 3339, as the API server checks it."""
    return isinstance(text, str) and text[-1:] == "Z" and from_text(text) is not None


@cache
def _schema() -> Any:
    return jsonschema.Draft7Validator(strict(STATUS), format_checker=FORMATS)


def check_laws(observed: Observed, decision: Decision, unfinished: list[str]) -> None:
    """Raise AssertionError where the decision breaks a law.

    Args:
        observed: what it was decided on.
        decision: the decision.
        unfinished: names of the Jobs that may still do something.
    """
    check_status(decision.status)
    _check_truth(observed, decision)
    _check_progress(observed, decision)
    _check_actions(observed, decision, unfinished)
    assert all(event.message for event in decision.events)
    assert decision.requeue_after is None or 0 <= decision.requeue_after <= 720


@cache
def _check_schema(text: str) -> None:
    """Once for what many tests come past, such as the first status of a resource."""
    for error in _schema().iter_errors(json.loads(text)):
        raise AssertionError(f"{list(error.absolute_path)}: {error.message}")


def check_status(status: Status) -> None:
    """It fits the CRD, is read as it was written, and its conditions are ones that kstatus understands."""
    text = json.dumps(status_to_raw(status))
    _check_schema(text)
    assert parse_status(json.loads(text)) == status
    conditions = {c.type: c for c in status.conditions}
    assert len(conditions) == len(status.conditions)
    assert conditions.keys() <= {"Ready", "Reconciling", "Stalled", "SchemaAhead", "Planned", "Approved", "Verified"}
    assert not {"Reconciling", "Stalled"} <= conditions.keys()
    if not conditions:
        return
    ready = conditions["Ready"]
    present = {"Reconciling"} & conditions.keys() or {"Stalled"} & conditions.keys()
    reason_class = Reason(ready.reason).reason_class
    expected: dict[ReasonClass, tuple[str, set[str]]] = {
        ReasonClass.OK: ("True", set()),
        ReasonClass.HELD: ("False", set()),
        ReasonClass.RUNNING: ("Unknown", {"Reconciling"}),
        ReasonClass.RETRY: ("False", {"Reconciling"}),
        ReasonClass.WAIT: ("False", {"Reconciling"}),
        ReasonClass.REPLAN: ("False", {"Reconciling"}),
        ReasonClass.STOP: ("False", {"Stalled"}),
    }
    assert (ready.status, present) == expected[reason_class]
    assert ("SchemaAhead" in conditions) == (ready.reason == "SchemaAhead")
    assert all(c.status == "True" for c in status.conditions if c.type not in ("Ready", "Approved", "Verified"))
    assert {c.observed_generation for c in status.conditions} == {status.observed_generation}
    assert all(c.message for c in status.conditions)


def _check_truth(observed: Observed, decision: Decision) -> None:
    """Ready is True only by what a run has just read, of this very generation; a check alone may go on meanwhile."""
    before, after = observed.schema.status.condition("Ready"), decision.status.condition("Ready")
    if after is None or after.status != "True":
        return
    assert after == before or after.observed_generation == observed.schema.generation
    assert decision.status.run is None or decision.status.run.kind == "Check"
    if after != before:
        assert decision.finished
        assert decision.finished[-1].outcome in ("Applied", "UpToDate", "SchemaAhead")


def _check_progress(observed: Observed, decision: Decision) -> None:
    before, after = observed.schema.status, decision.status
    assert after.attempts >= before.attempts
    assert after.observed_generation in (before.observed_generation, observed.schema.generation)
    assert after.failures <= before.failures + len(decision.finished)
    ready, spec = after.condition("Ready"), observed.schema.spec
    if spec and ready and after != before and Reason(ready.reason).reason_class is ReasonClass.RETRY:
        assert after.failures <= spec.retry.limit, "it is to be tried again, and no retry is left"
    if after != before and after.run is None and not after.next_run_after and not observed.schema.deleting:
        waits = {c.reason for c in after.conditions if c.type == "Reconciling"}
        assert not waits or decision.requeue_after is not None, "nothing wakes a resource that is to be tried again"


def _check_actions(observed: Observed, decision: Decision, unfinished: list[str]) -> None:
    schema, starts = observed.schema, [a for a in decision.actions if isinstance(a, StartRun)]
    assert len(starts) <= 1
    if starts:
        assert unfinished == [], "a run is started while another one goes on"
        assert schema.spec is not None
        assert not schema.spec.suspend
        run = decision.status.run
        assert run is not None
        assert run.job == starts[0].request.job
        assert starts[0].attempt == decision.status.attempts > max([0, *(job.attempt for job in observed.jobs)])
        assert decision.requeue_after is not None
    deleted = [*(a for a in decision.actions if isinstance(a, DeleteJob)), *decision.old_jobs]
    assert len({a.name for a in deleted}) == len(deleted)
    assert not {a.name for a in decision.old_jobs} & set(unfinished)
    assert not (schema.deleting and (decision.actions or decision.old_jobs))
