"""Whether an approved plan is still the one to run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alembic_operator.contract.digests import inputs_digest
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Approved
from alembic_operator.runner.assessment.approved import check_inputs, check_targets, check_version_table
from alembic_operator.runner.database.journal import Row
from alembic_operator.runner.database.session import VersionTable
from alembic_operator.runner.errors import RunFailed
from alembic_operator.runner.history.graph import Graph, RevisionFile

PLACE = VersionTable("public", "alembic_version")
GRAPH = Graph(
    {one: RevisionFile(one, (down,) if down else ()) for one, down in (("a", ""), ("b", "a"), ("c", "b"), ("d", "c"))}
)
UP = Approved("plan", "uid-1", "sha256:d", "sha256:i", "Upgrade", ["a"], ["c"], 4)
DOWN = replace(UP, direction="Downgrade", from_revisions=["c"], to_revisions=["a"])
BASELINE = replace(UP, direction="Baseline", from_revisions=[], to_revisions=["b"])
REPAIR = replace(UP, direction="Repair", from_revisions=["a"], to_revisions=["b"])


def row(revision: str, state: str = "done", direction: str = "up", uid: str = "uid-1") -> Row:
    return Row(5, revision, direction, state, uid)


@pytest.mark.parametrize(
    ("plan", "rows", "since"),
    [
        (UP, ["a"], []),
        (UP, ["b"], [row("b")]),
        (UP, ["c"], [row("b"), row("c")]),
        (UP, ["a"], [row("b", "intent")]),
        (UP, ["a"], [row("a", "adopted")]),
        (DOWN, ["c"], []),
        (DOWN, ["b"], [row("c", direction="down")]),
        (DOWN, ["a"], [row("c", direction="down"), row("b", direction="down")]),
        (BASELINE, [], []),
        (BASELINE, ["b"], [row("a", "adopted"), row("b", "adopted")]),
        (REPAIR, ["a"], []),
        (REPAIR, ["b"], []),
    ],
)
def test_a_plan_is_in_order_when_nothing_else_moved_the_database(
    plan: Approved, rows: list[str], since: list[Row]
) -> None:
    refused = ""
    try:
        check_version_table(plan, rows, since, GRAPH, PLACE)
    except RunFailed as error:
        refused = error.failure.message
    assert refused == ""


@pytest.mark.parametrize(
    ("plan", "rows", "since", "told"),
    [
        (UP, ["b"], [], "public.alembic_version is at"),
        (UP, ["b"], [row("b", uid="")], "applied by another run"),
        (UP, ["a"], [row("b", uid="uid-2"), row("b", direction="down")], "applied by another run"),
        (UP, ["a"], [row("b")], "covers each revision once"),
        (UP, [], [], "is at base"),
        (UP, ["d"], [row("b"), row("c"), row("d")], 'is at "d"'),
        (UP, ["unknown"], [], 'is at "unknown"'),
        (UP, ["c"], [row("c")], 'is at "c"'),
        (DOWN, ["c"], [row("c", direction="down")], "already reverted"),
        (DOWN, ["b"], [row("c")], 'is at "b"'),
        (DOWN, [], [row("c", direction="down"), row("b", direction="down")], "is at base"),
        (DOWN, ["d"], [], 'is at "d"'),
        (BASELINE, ["a"], [], 'is at "a"'),
        (BASELINE, [], [row("a", "adopted")], "covers each revision once"),
        (REPAIR, ["c"], [], 'is at "c"'),
        (REPAIR, ["a"], [row("b", uid="uid-2")], "another run"),
    ],
)
def test_a_plan_is_out_of_date_when_something_else_moved_the_database_or_it_was_used(
    plan: Approved, rows: list[str], since: list[Row], told: str
) -> None:
    with pytest.raises(RunFailed) as raised:
        check_version_table(plan, rows, since, GRAPH, PLACE)
    assert raised.value.failure.reason is Reason.PLAN_CHANGED
    assert told in raised.value.failure.message
    assert "Nothing was sent." in raised.value.failure.message


def test_a_plan_is_out_of_date_when_the_target_is_another() -> None:
    check_targets(UP, ["c"])
    with pytest.raises(RunFailed, match='now targets "d"'):
        check_targets(UP, ["d"])


INPUTS: dict[str, Any] = {
    "bundle": "sha256:1",
    "image": "old",
    "revisions": [{"id": "a", "file": "a.py", "sha256": "1"}, {"id": "b", "file": "b.py", "sha256": "2"}],
    "versions": {"alembic": "1.13.0", "driver": "psycopg 3.1.8"},
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": "new"}, "image was 'old' and is now 'new'"),
        ({"bundle": "sha256:2"}, "a file next to the revisions was edited"),
        (
            {"versions": {"alembic": "1.20.0", "driver": "psycopg 3.1.8"}},
            "versions.alembic was '1.13.0' and is now '1.20.0'",
        ),
        (
            {"bundle": "sha256:2", "revisions": [INPUTS["revisions"][0], {"id": "c", "file": "c.py", "sha256": "3"}]},
            ': revision "c" (c.py) is new; revision "b" (b.py) was removed. Nothing',
        ),
    ],
)
def test_what_differs_is_named_when_the_inputs_are_known(change: dict[str, object], told: str) -> None:
    plan = replace(UP, inputs_digest=inputs_digest(INPUTS))
    check_inputs(plan, dict(INPUTS), INPUTS)
    with pytest.raises(RunFailed) as raised:
        check_inputs(plan, {**INPUTS, **change}, INPUTS)
    assert told in raised.value.failure.message


@pytest.mark.parametrize("planned", [None, {**INPUTS, "image": "forged"}])
def test_only_kinds_are_named_when_the_inputs_are_not_known_for_sure(planned: dict[str, object] | None) -> None:
    plan = replace(UP, inputs_digest=inputs_digest(INPUTS))
    with pytest.raises(RunFailed, match="a migration file or another file") as raised:
        check_inputs(plan, {**INPUTS, "image": "new"}, planned)
    assert "forged" not in raised.value.failure.message
