"""The status: what is written is read again, and fits the CRD."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from alembic_operator.api.status import (
    Condition,
    DatabaseFacts,
    HistoryEntry,
    LastFailure,
    OwnerRef,
    PlanRef,
    Run,
    Status,
    parse_status,
    status_to_raw,
)

from .crd import STATUS

AT = "2026-11-23T09:26:00Z"
DIGEST = "sha256:" + "0" * 64
HISTORY = HistoryEntry(
    *("shop-1a2b3c4d-1", 3, "Applied", "<base>", "8b7d0e44aa10", 4, "shop@sha256:00", AT, AT),
    *("shop-7f3c9a1b", DIGEST, "dana@example.com"),
)
FULL = Status(
    observed_generation=3,
    conditions=(Condition("Ready", "False", "LockTimeout", "waited 3s for a lock", 3, AT),),
    current_revisions=("3f2a9c1d7e55",),
    current="3f2a9c1d7e55",
    target_revisions=("8b7d0e44aa10",),
    target_revision="8b7d0e44aa10",
    pending_revisions=3,
    database=DatabaseFacts("PostgreSQL", "18.1", "sha256:00"),
    owner=OwnerRef("c", "ns", "n", "u"),
    plan=PlanRef("shop-7f3c9a1b", DIGEST, 0, 2, "+1 table, 1 index", "Upgrade", 3),
    run=Run("Apply", "shop-1a2b3c4d-2", 2, AT, 3, "8b7d0e44aa10", 4, "pid 4711 (reporting)"),
    attempts=2,
    failures=1,
    last_failure=LastFailure("LockTimeout", "waited", AT, 2, "55P03", "8b7d", 4, "pid 1"),
    history=(HISTORY,),
    next_run_after=AT,
    last_handled_reconcile_at="1",
    last_handled_retry_at="2",
)
STATUSES = {
    "the empty one": Status(),
    "the full one": FULL,
    "base, read": Status(observed_generation=1, current_revisions=(), current="<base>", pending_revisions=0),
    "a run of migrations in a ConfigMap": Status(
        history=(HistoryEntry("shop-1", 1, "Applied", "<base>", "8b7d", 1, "", AT, AT),)
    ),
    "a plan without findings": Status(plan=PlanRef("shop-7f3c9a1b", DIGEST)),
    "a condition without a message": Status(conditions=(Condition("Ready", "True", "UpToDate", "", 1, AT),)),
}


@pytest.mark.parametrize("status", STATUSES.values(), ids=STATUSES)
def test_status_is_read_as_it_was_written(status: Status) -> None:
    assert parse_status(status_to_raw(status)) == status


@pytest.mark.parametrize("status", STATUSES.values(), ids=STATUSES)
def test_status_fits_the_crd_when_the_operator_writes_it(status: Status) -> None:
    errors = jsonschema.Draft202012Validator(strict(STATUS)).iter_errors(status_to_raw(status))

    assert [error.message for error in errors] == []


def test_base_is_not_never_read_when_it_is_written() -> None:
    assert status_to_raw(Status(current_revisions=()))["currentRevisions"] == []
    assert "currentRevisions" not in status_to_raw(Status())


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"fromALaterVersion": 1},
        {"run": {"job": "x"}, "history": [{"job": "y"}], "database": {}, "lastFailure": {"at": AT}},
    ],
)
def test_status_is_empty_when_it_holds_nothing_that_this_operator_wrote(raw: dict[str, Any] | None) -> None:
    assert parse_status(raw) == Status()


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with unknown fields refused, as strict field validation does."""
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: strict(child) for name, child in schema["properties"].items()}
        closed["additionalProperties"] = False
    if "items" in schema:
        closed["items"] = strict(schema["items"])
    return closed
