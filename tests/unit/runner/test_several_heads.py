"""Several heads: what is pending, what is taken back and which version rows are left, held against Alembic itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from alembic.runtime import migration
from alembic.runtime.migration import RevisionStep
from alembic.script.revision import RevisionError, RevisionMap
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import examples

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.runner.errors import RunFailed
from alembic_operator.runner.history.graph import Graph, RevisionFile, Standing
from alembic_operator.runner.history.load import resolve_targets
from alembic_operator.runner.migrate.version_rows import moved_by
from alembic_operator.runner.planning.target_check import check_way_back

from .histories import alembic_map, graphs, rows_in

REQUEST = RunRequest(RunKind.PLAN, Owner("c", "n", "db", "u"), 1, "job", "", "secret")


class Step(RevisionStep):
    """A step without the files."""

    def __init__(self, revisions: RevisionMap, revision: Any, *, up: bool) -> None:
        self.revision_map, self.revision, self.is_upgrade = revisions, revision, up


@contextmanager
def maintained(graph: Graph, rows: list[str]) -> Iterator[Any]:
    """Alembic's keeper of version rows as the runner has it move, with no database behind it."""
    with moved_by(graph):
        maintainer: Any = migration.HeadMaintainer(None, rows)  # type: ignore[arg-type]
        maintainer._insert_version = maintainer.heads.add
        maintainer._delete_version = maintainer.heads.remove
        maintainer._update_version = lambda old, new: (maintainer.heads.remove(old), maintainer.heads.add(new))
        yield maintainer


@given(st.data())
@settings(max_examples=examples(200), deadline=None)
def test_pending_is_what_alembic_applies_for_any_rows_and_targets(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    rows, targets = data.draw(rows_in(graph)), data.draw(rows_in(graph, least=1))
    there, wanted = graph.ancestors(rows), graph.ancestors(targets)
    revisions = alembic_map(graph)
    steps = list(revisions.iterate_revisions(tuple(targets), tuple(rows), implicit_base=True))

    if graph.standing(rows, targets) in (Standing.EQUAL, Standing.AHEAD):
        assert wanted <= there
        assert steps == []
        return
    assert {one.revision for one in steps} == wanted - there
    with maintained(graph, rows) as maintainer:
        for one in reversed(steps):
            maintainer.update_to_step(Step(revisions, one, up=True))
        assert sorted(maintainer.heads) == graph.heads_of(there | wanted)
    if graph.standing(rows, targets) == Standing.BEHIND:
        assert sorted(maintainer.heads) == targets


@given(st.data())
@settings(max_examples=examples(200), deadline=None)
def test_way_back_is_alembics_or_is_refused_for_any_rows_and_target(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    rows, target = data.draw(rows_in(graph, least=1)), data.draw(st.sampled_from(sorted(graph.files)))
    revisions = alembic_map(graph)
    there = graph.ancestors(rows)
    try:
        steps = {one.revision for one in revisions.iterate_revisions(tuple(rows), target, select_for_downgrade=True)}
    except RevisionError:
        steps = set()  # the target is not there, or nothing of its own branch follows it

    if target in there:
        assert graph.taken_back_by(target, rows) == steps
    if graph.standing(rows, [target]) != Standing.AHEAD:
        return
    left = graph.heads_of(there - steps)
    if left == [target]:
        check_way_back(rows, graph, [target], replace(REQUEST, revision=target))
    else:
        with pytest.raises(RunFailed) as raised:
            check_way_back(rows, graph, [target], replace(REQUEST, revision=target))
        assert raised.value.failure.reason is Reason.DOWNGRADE_REFUSED
        assert f"spec.revisions: [{', '.join(left)}]" in raised.value.failure.message
        # The first of the two ways that it names is one that works, and does what alembic downgrade would do.
        check_way_back(rows, graph, left, replace(REQUEST, revisions=left))
        assert there - graph.ancestors(left) == steps


@given(st.data())
@settings(max_examples=examples(200), deadline=None)
def test_version_rows_are_the_heads_of_what_is_left_when_it_is_taken_back_child_by_child(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    rows = data.draw(rows_in(graph, least=1))
    there = graph.ancestors(rows)
    revisions = alembic_map(graph)

    with maintained(graph, rows) as maintainer:
        for revision in reversed(graph.oldest_first(there)):
            maintainer.update_to_step(Step(revisions, revisions.get_revision(revision), up=False))
            there.discard(revision)
            assert sorted(maintainer.heads) == graph.heads_of(there)


@given(st.data())
@settings(max_examples=examples(200), deadline=None)
def test_database_that_is_ahead_follows_the_targets_or_has_all_of_its_branches(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    rows, targets = data.draw(rows_in(graph, least=1)), data.draw(rows_in(graph, least=1))
    there = graph.ancestors(rows)
    for head in graph.left_behind(rows, targets):
        added = graph.ancestors([head]) & there - graph.ancestors(targets)
        assert head not in there
        assert any(graph.ancestors([one]).isdisjoint(targets) for one in added), (
            "of this branch no target says anything"
        )
    for head in graph.unnamed_heads(rows, targets):
        assert head not in there
        assert graph.ancestors([head]).isdisjoint(targets)


def test_merge_of_two_is_taken_back_to_both_when_both_are_named() -> None:
    merge = Graph(
        {one: RevisionFile(one, down) for one, down in {"o": (), "a1": ("o",), "b1": ("o",), "m": ("a1", "b1")}.items()}
    )
    assert merge.rows_after(["m"], "m", upgrade=False) == ["a1", "b1"]
    assert merge.taken_back_by("a1", ["m"]) == {"m"}
    with pytest.raises(RunFailed, match=r'"b1" does not follow the target.*\[a1, b1\].*\[a1\]'):
        check_way_back(["m"], merge, ["a1"], replace(REQUEST, revision="a1"))


TWO = Graph(
    {
        one: RevisionFile(one, down, labels=labels, path=f"{one}.py")
        for one, down, labels in (
            ("a1", (), ("shop",)),
            ("a2", ("a1",), ()),
            ("b1", (), ("till",)),
            ("b2", ("b1",), ()),
        )
    }
    | {"e1": RevisionFile("e1", ("a2",), ("b2",), "e1.py")}
)


@pytest.mark.parametrize(
    ("wanted", "reason", "told"),
    [
        ({"revisions": ["a2", "a2"]}, Reason.INVALID_SPEC, '"a2" is named twice'),
        ({"revisions": ["a1", "a2"]}, Reason.INVALID_SPEC, '"a1" is contained in "a2"'),
        (
            {"revisions": ["b2", "e1"]},
            Reason.INVALID_SPEC,
            '"b2" is contained in "e1", which follows it or',
        ),
        ({"revisions": ["a2", "b"]}, Reason.REVISION_NOT_FOUND, 'Looking for spec.revisions "b"'),
        ({"revisions": ["a2", "heads"]}, Reason.REVISION_NOT_FOUND, 'spec.revisions "heads"'),
        ({"revisions": ["A2", "b2"]}, Reason.REVISION_NOT_FOUND, 'spec.revisions "A2"'),
        (
            {"revision": "till"},
            Reason.REVISION_NOT_FOUND,
            "labels are not accepted: its head is e1",
        ),
        ({"revision": ""}, Reason.REVISION_NOT_FOUND, "spec.revision"),
    ],
)
def test_targets_are_refused_when_they_are_no_heads_beside_each_other(
    wanted: dict[str, Any], reason: Reason, told: str
) -> None:
    with pytest.raises(RunFailed) as raised:
        resolve_targets(replace(REQUEST, **wanted), TWO)
    assert raised.value.failure.reason is reason
    assert told in raised.value.failure.message


def test_targets_are_the_heads_when_heads_is_asked_for() -> None:
    apart = Graph({one: file for one, file in TWO.files.items() if one != "e1"})
    assert resolve_targets(replace(REQUEST, revision="heads"), apart) == ["a2", "b2"]
    assert resolve_targets(replace(REQUEST, revision="heads"), TWO) == ["e1"]
    assert resolve_targets(replace(REQUEST, revision="head"), TWO) == ["e1"]
    assert resolve_targets(replace(REQUEST, revisions=["b2", "a1"]), apart) == ["a1", "b2"]
    with pytest.raises(RunFailed, match=r"spec.revisions: \[a2, b2\]"):
        resolve_targets(replace(REQUEST, revision="head"), apart)
