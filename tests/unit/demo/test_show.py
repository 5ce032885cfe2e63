"""How a status looks in the story."""

from __future__ import annotations

from typing import Any

import pytest
from demo import show
from demo.watch import observed, settled


def schema(ready: tuple[str, str] | None, *others: str, generation: int = 2, seen: int = 2) -> dict[str, Any]:
    conditions = [{"type": kind, "status": "True", "reason": "x", "message": ""} for kind in others]
    if ready:
        conditions.append({"type": "Ready", "status": ready[0], "reason": ready[1], "message": "word " * 40})
    status = {"observedGeneration": seen, "conditions": conditions, "current": "a1"}
    return {"metadata": {"generation": generation}, "status": status}


def test_the_first_line_has_time_condition_and_revision_when_a_status_is_shown() -> None:
    head, *_ = show.moment_lines(1.25, schema(("True", "UpToDate")), 80)
    assert head.plain == "    1.2 s  Ready=True UpToDate  at a1"


def test_the_whole_message_is_shown_when_it_is_longer_than_a_line() -> None:
    _, *message = show.moment_lines(1, schema(("False", "MigrationFailed"), "Stalled"), 80)
    assert " ".join(" ".join(line.plain for line in message).split()) == " ".join(["word"] * 40)
    assert max(len(line.plain) for line in message) <= 80
    assert all(line.plain.startswith(" " * 11) for line in message)


def test_stalled_is_named_when_it_is_true() -> None:
    head, *_ = show.moment_lines(1, schema(("False", "MigrationFailed"), "Stalled"), 80)
    assert "Stalled=True" in head.plain


@pytest.mark.parametrize(
    ("raw", "done"),
    [
        (schema(("True", "UpToDate")), True),
        (schema(("False", "MigrationFailed"), "Stalled"), True),
        (schema(("False", "LockTimeout"), "Reconciling"), False),
        (schema(("Unknown", "Migrating"), "Reconciling"), False),
        (schema(("True", "UpToDate"), generation=3), False),
        (schema(None), False),
        ({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}, False),
        ({"metadata": {"generation": 1}}, False),
    ],
)
def test_a_resource_is_settled_only_when_its_present_generation_is_done(raw: dict[str, Any], done: bool) -> None:
    assert settled(raw) is done


def test_a_status_is_stale_when_it_is_about_an_older_generation() -> None:
    assert observed(schema(("True", "UpToDate")))
    assert not observed(schema(("True", "UpToDate"), generation=3))
