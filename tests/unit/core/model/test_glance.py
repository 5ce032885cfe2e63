"""What one look at a raw DatabaseSchema says of whether it is at rest."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.api import names
from alembic_operator.contract.reasons import Reason
from alembic_operator.core.model.glance import Glance, glance

ANNOTATIONS = {names.ANNOTATION_RECONCILE_AT: "t1", names.ANNOTATION_RETRY_AT: "t2"}


def seen(annotations: dict[str, str] | None = None, **status: Any) -> Glance:
    return glance({"metadata": {"generation": 2, "annotations": annotations}, "status": status})


def conditions(**statuses: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": status, "reason": "UpToDate"} for kind, status in statuses.items()]


def test_nothing_is_decided_when_there_is_no_status() -> None:
    found = glance({"metadata": {"generation": 1}})
    assert (found.decided, found.answered, found.runs, found.reason, found.stalled) == (False, True, False, None, False)


@pytest.mark.parametrize(("generation", "decided"), [(2, True), (1, False)])
def test_status_is_of_the_spec_when_it_names_its_generation(generation: int, decided: bool) -> None:
    assert seen(observedGeneration=generation).decided is decided


@pytest.mark.parametrize(
    ("reconciled", "retried", "answered"), [("t1", "t2", True), ("t1", "t1", False), ("", "t2", False)]
)
def test_annotations_are_answered_when_the_status_repeats_both(reconciled: str, retried: str, answered: bool) -> None:
    found = seen(ANNOTATIONS, lastHandledReconcileAt=reconciled, lastHandledRetryAt=retried)
    assert found.answered is answered


@pytest.mark.parametrize(("stalled", "expected"), [("True", True), ("False", False)])
def test_it_stands_still_when_the_condition_is_true(stalled: str, expected: bool) -> None:
    found = seen(conditions=conditions(Ready="False", Stalled=stalled))
    assert (found.stalled, found.reason) == (expected, Reason.UP_TO_DATE)


def test_reason_is_kept_when_this_version_does_not_know_it() -> None:
    found = seen(conditions=[{"type": "Ready", "status": "True", "reason": "OfTomorrow"}])
    assert (found.ready, found.reason) == ("OfTomorrow", None)
