"""Where the journal and the image's history disagree, and a run goes on all the same: a warning each. Pure."""

from __future__ import annotations

from ..database.journal import Journal
from ..history.graph import Graph
from ..terms import IMAGE

_LISTED = 5


def deviations(journal: Journal, graph: Graph, there: set[str], adopt: list[str], pending: list[str]) -> list[str]:
    """Sentences.

    Args:
        journal: of this history.
        graph: of the image.
        there: the revisions that the database has by its version rows.
        adopt: those of them that others applied.
        pending: those that are to be applied.
    """
    warnings = []
    edited = [
        revision
        for revision in sorted(there)
        if revision in journal.entries
        and journal.entries[revision].file_sha256 not in (None, "", graph.files[revision].sha256)
    ]
    if edited:
        warnings.append(
            f"{_listed(edited, graph)} changed after being applied; the database still has the old version."
        )
    removed = _removed(journal, graph)
    if removed:
        warnings.append(
            f"{_listed(removed, graph)} was applied here, but no file of this {IMAGE} declares it any more: its "
            "changes are still in this database, and no other database gets them."
        )
    if adopt and journal.applied:
        warnings.append(f"{_listed(adopt, graph)} was applied outside the operator; the journal records it as adopted.")
    again = [revision for revision in pending if revision in journal.applied]
    if again:
        warnings.append(
            f"{_listed(again, graph)} was applied before and reverted outside the operator; applying it again."
        )
    return warnings


def _removed(journal: Journal, graph: Graph) -> list[str]:
    """Applied revisions that have no file, since the schema was compared last: a squashed history is compared once."""
    compared = max((entry.id for entry in journal.entries.values() if entry.verified), default=0)
    return sorted(one for one in journal.applied - graph.files.keys() if journal.entries[one].id > compared)


def _listed(revisions: list[str], graph: Graph) -> str:
    shown = [f'"{one}" ({graph.files[one].path})' if one in graph.files else f'"{one}"' for one in revisions[:_LISTED]]
    more = f" and {len(revisions) - _LISTED} more" if len(revisions) > _LISTED else ""
    return ", ".join(shown) + more
