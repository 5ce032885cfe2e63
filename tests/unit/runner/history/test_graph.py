"""The graph of revisions, and how a database stands to a target in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_operator.runner.history.graph import Graph, RevisionFile, Standing, find_errors


def file(revision: str, *down: str, depends: tuple[str, ...] = (), path: str = "") -> RevisionFile:
    return RevisionFile(revision, down, depends, path or f"{revision}.py")


def graph(*files: RevisionFile) -> Graph:
    return Graph({one.revision: one for one in files})


#   a ── b ── d ── e
#    \── c ──/
#   x depends on c
DIAMOND = graph(
    file("a"), file("b", "a"), file("c", "a"), file("d", "b", "c"), file("e", "d"), file("x", depends=("c",))
)


@pytest.mark.parametrize(
    ("rows", "target", "standing"),
    [
        ([], "a", Standing.BEHIND),
        (["a"], "a", Standing.EQUAL),
        (["a"], "e", Standing.BEHIND),
        (["b"], "e", Standing.BEHIND),
        (["b", "c"], "d", Standing.BEHIND),
        (["e"], "b", Standing.AHEAD),
        (["b", "c"], "b", Standing.AHEAD),
        (["b"], "c", Standing.DIVERGED),
        (["e"], "x", Standing.DIVERGED),
        (["c"], "x", Standing.BEHIND),
        (["x"], "c", Standing.AHEAD),
    ],
)
def test_standing_follows_from_the_lineages(rows: list[str], target: str, standing: Standing) -> None:
    assert DIAMOND.standing(rows, [target]) == standing


def test_heads_are_what_nothing_follows_or_depends_on() -> None:
    assert DIAMOND.heads == ["e", "x"]


def test_orders_parents_before_children() -> None:
    assert DIAMOND.oldest_first({"e", "d", "a", "c", "b"}) == ["a", "b", "c", "d", "e"]
    assert DIAMOND.oldest_first({"gone", "b"}) == ["b", "gone"]


@given(st.lists(st.integers(0, 10), max_size=30))
def test_orders_parents_before_children_in_any_graph(parents: list[int]) -> None:
    files = [file(f"r{i}", *({f"r{parent}"} if parent < i else ())) for i, parent in enumerate(parents)]
    order = graph(*files).oldest_first({one.revision for one in files})
    assert sorted(order) == sorted(one.revision for one in files)
    for one in files:
        assert all(order.index(parent) < order.index(one.revision) for parent in one.down)


@pytest.mark.parametrize(
    ("rows", "journalled", "inserted"),
    [
        (["e"], set(), []),  # plain Alembic until now: nothing is known
        (["e"], {"a", "b", "c", "d", "e"}, []),
        (["e"], {"a", "b", "d", "e"}, ["c"]),
        (["e"], {"a", "b", "c"}, []),  # d and e by plain Alembic
        (["b"], {"b"}, ["a"]),
        (["d"], {"a", "b", "c", "d", "e"}, []),  # e was taken back
    ],
)
def test_finds_what_was_inserted_into_applied_history(
    rows: list[str], journalled: set[str], inserted: list[str]
) -> None:
    assert DIAMOND.inserted(rows, journalled) == inserted


def test_finds_rows_that_lie_before_others() -> None:
    assert DIAMOND.stale_rows(["a", "e"]) == ["a"]
    assert DIAMOND.stale_rows(["b", "c"]) == []


@pytest.mark.parametrize(
    ("files", "errors"),
    [
        ([], []),
        ([file("a"), file("b", "a")], []),
        ([file("a"), file("a", path="z.py")], ['revision "a" is declared by a.py and z.py']),
        ([file("b", "gone")], ['b.py names "gone" in down_revision, which no file declares']),
        ([file("b", depends=("gone",))], ['b.py names "gone" in depends_on, which no file declares']),
        ([file("a", "b"), file("b", "a")], ["these revisions form a cycle: a.py, b.py"]),
        (
            [file("base"), file("b", "base")],
            ['base.py declares the revision id "base", which is reserved by Alembic; give it another id'],
        ),
        ([file("bases"), file("header", "bases")], []),
        ([file("a", "a")], ["these revisions form a cycle: a.py"]),
    ],
)
def test_names_ids_and_files_when_a_history_is_broken(files: list[RevisionFile], errors: list[str]) -> None:
    assert find_errors(files) == errors


def test_lists_five_errors_at_most() -> None:
    assert len(find_errors([file(f"r{i}", "gone") for i in range(20)])) == 5
