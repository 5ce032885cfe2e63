"""Random histories with several bases, branches, merges and dependencies, and Alembic's map of them."""

from __future__ import annotations

from alembic.script.revision import Revision, RevisionMap
from hypothesis import strategies as st

from alembic_operator.runner.history.graph import Graph, RevisionFile


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A history of at most nine revisions, each after the ones that it follows or depends on."""
    files: dict[str, RevisionFile] = {}
    for number in range(draw(st.integers(1, 9))):
        old = sorted(files)
        down: list[str] = draw(st.lists(st.sampled_from(old), max_size=2, unique=True)) if old else []
        rest = [one for one in old if one not in down]
        depends: list[str] = draw(st.lists(st.sampled_from(rest), max_size=1)) if rest else []
        revision = f"r{number}"
        files[revision] = RevisionFile(revision, tuple(down), tuple(depends))
    return Graph(files)


@st.composite
def rows_in(draw: st.DrawFn, graph: Graph, *, least: int = 0) -> list[str]:
    """The version rows of a database in which some of the history is applied."""
    chosen = draw(st.lists(st.sampled_from(sorted(graph.files)), min_size=least, max_size=3))
    return graph.heads_of(graph.ancestors(chosen))


def alembic_map(graph: Graph) -> RevisionMap:
    """The same history as Alembic has it."""
    return RevisionMap(
        lambda: [
            Revision(one.revision, one.down or None, dependencies=one.depends or None) for one in graph.files.values()
        ]
    )
