"""The enum of reasons, its classes, and the page that tells people what each one means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.api.crd import STATUS

from alembic_operator.contract.reasons import Reason, ReasonClass

PAGE = Path(__file__).parents[3] / "docs" / "reasons.md"
TROUBLESHOOTING = PAGE.with_name("troubleshooting.md")
ROW = re.compile(r"^\| `([A-Za-z]+)` \| (.+?) \| (.+?) \|$")
SHAPE = STATUS["properties"]["conditions"]["items"]["properties"]["reason"]


def rows() -> dict[str, list[tuple[str, str, str]]]:
    """The rows of each class's table: reason, cause, remedy."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").strip()
        elif heading and (row := ROW.match(line)):
            found.setdefault(heading, []).append((row[1], row[2], row[3]))
    return found


@pytest.mark.parametrize("reason_class", ReasonClass, ids=lambda reason_class: reason_class.value)
def test_page_has_a_row_for_each_reason_when_it_is_of_a_class(reason_class: ReasonClass) -> None:
    told = [reason for reason, _, _ in rows()[reason_class.value]]
    assert told == [reason.value for reason in Reason if reason.reason_class is reason_class]


def test_page_gives_cause_and_remedy_for_every_reason() -> None:
    for found in rows().values():
        for reason, cause, remedy in found:
            assert len(cause) > 20, reason
            assert remedy.endswith("."), reason


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_reason_fits_a_condition_when_it_is_written(reason: Reason) -> None:
    assert re.fullmatch(SHAPE["pattern"], reason.value)
    assert len(reason.value) <= SHAPE["maxLength"]


def test_class_is_stop_when_nothing_else_is_said_of_a_reason() -> None:
    stops = {reason.value for reason in Reason if reason.reason_class is ReasonClass.STOP}
    assert {"MigrationFailed", "RetriesExceeded", "InvalidSpec", "OutcomeUnknown", "JobNameConflict"} <= stops
    assert not stops & {"UpToDate", "Migrating", "Suspended", "LockTimeout", "SecretNotFound"}


def test_troubleshooting_names_reasons_that_exist() -> None:
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", TROUBLESHOOTING.read_text(encoding="utf-8")))
    others = {"DatabaseSchema", "SchemaPlan", "RetryingAfterFailure"}
    assert len(named) > 30
    assert named - others - {reason.value for reason in Reason} == set()
