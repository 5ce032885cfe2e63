"""The graph of revisions, and how a database stands to a target in it. Pure: no Alembic, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

RESERVED = frozenset(("base", "head", "heads"))  # Alembic reads them as symbols, and ends in an assertion at most steps


@dataclass(frozen=True)
class RevisionFile:
    """One revision as its file declares it.

    Attributes:
        revision: the full id.
        down: the ids it follows.
        depends: the ids it depends on beside those.
        labels: the names of branches that it declares.
        path: of the file, relative to the migrations where possible.
        sha256: of the file's bytes with line ends as LF.
    """

    revision: str
    down: tuple[str, ...]
    depends: tuple[str, ...] = ()
    path: str = ""
    sha256: str = ""
    labels: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """Everything that must be applied before."""
        return self.down + self.depends


class Standing(str, Enum):
    """How a database stands to a target."""

    EQUAL = "equal"
    BEHIND = "behind"
    AHEAD = "ahead"
    DIVERGED = "diverged"


@dataclass(frozen=True)
class Graph:
    """All revisions of a history by id, free of duplicates, gaps and cycles."""

    files: Mapping[str, RevisionFile] = field(default_factory=dict)

    def ancestors(self, ids: Iterable[str]) -> set[str]:
        """The given revisions and everything before them; unknown ids count for themselves."""
        found: set[str] = set()
        waiting = list(ids)
        while waiting:
            revision = waiting.pop()
            if revision not in found:
                found.add(revision)
                if revision in self.files:
                    waiting.extend(self.files[revision].parents)
        return found

    @property
    def heads(self) -> list[str]:
        """The revisions that no other one follows or depends on, sorted."""
        return self.heads_of(self.files)

    def heads_of(self, applied: Iterable[str]) -> list[str]:
        """The version rows of a database in which exactly these are applied: what none of them follows, sorted."""
        there = set(applied)
        followed = {parent for one in there if one in self.files for parent in self.files[one].parents}
        return sorted(there - followed)

    def rows_after(self, rows: Iterable[str], revision: str, *, upgrade: bool) -> list[str]:
        """The version rows once a revision is applied, or taken back, sorted."""
        parents, others = self.files[revision].parents, set(rows) - {revision}
        if upgrade:
            return sorted(others - set(parents) | {revision})
        if not others and len(parents) < 2:
            return list(parents)
        return self.heads_of(self.ancestors([*others, *parents]))

    def oldest_first(self, ids: set[str]) -> list[str]:
        """The ids so that parents come before children; those not in the graph, or in a circle, last by name."""
        children: dict[str, list[str]] = {}
        missing = {revision: 0 for revision in ids if revision in self.files}
        for revision in missing:
            for parent in set(self.files[revision].parents) & missing.keys():
                children.setdefault(parent, []).append(revision)
                missing[revision] += 1
        ready = sorted((revision for revision, count in missing.items() if not count), reverse=True)
        ordered: list[str] = []
        while ready:
            revision = ready.pop()
            ordered.append(revision)
            for child in sorted(children.get(revision, ()), reverse=True):
                missing[child] -= 1
                if not missing[child]:
                    ready.append(child)
        return ordered + sorted(ids - set(ordered))

    def circle(self) -> list[str]:
        """The revisions that follow one another in a circle, and those after them, sorted."""
        followed: set[str] = set()
        for revision in self.oldest_first(set(self.files)):
            if not followed.issuperset(self.files[revision].parents):
                return sorted(set(self.files) - followed)
            followed.add(revision)
        return []

    def standing(self, rows: Iterable[str], targets: Iterable[str]) -> Standing:
        """How a database with these version rows, all of them known, stands to the targets."""
        there, wanted = self.ancestors(rows), self.ancestors(targets)
        if there == wanted:
            return Standing.EQUAL
        if there < wanted:
            return Standing.BEHIND
        return Standing.AHEAD if there > wanted else Standing.DIVERGED

    def followers(self, ids: Iterable[str]) -> set[str]:
        """All that comes after one of these, or depends on it, directly or not; without themselves."""
        reached = set(ids)
        found = set()
        for one in self.oldest_first(set(self.files)):
            if not reached.isdisjoint(self.files[one].parents):
                reached.add(one)
                found.add(one)
        return found

    def left_behind(self, rows: Iterable[str], targets: Iterable[str]) -> list[str]:
        """Heads that are not applied, on branches that are applied in part and of which no target says anything.

        A branch that comes after a target is not among them: there the database is ahead.
        """
        ends = list(targets)
        there = self.ancestors(rows)
        beside = there - self.ancestors(ends) - self.followers(ends)
        pending = self.followers(beside) - there
        return [head for head in self.heads if head in pending]

    def unnamed_heads(self, rows: Iterable[str], targets: Iterable[str]) -> list[str]:
        """Heads that are not applied, and that neither are targets, nor come before or after one."""
        ends = list(targets)
        known = self.ancestors(rows) | self.ancestors(ends) | self.followers(ends)
        return [head for head in self.heads if head not in known]

    def taken_back_by(self, target: str, rows: Iterable[str]) -> set[str]:
        """What `alembic downgrade <target>` takes back: all that follows the target, and what depends on that."""
        children = {one for one, file in self.files.items() if target in file.down}
        return (children | self.followers(children)) & self.ancestors(rows)

    def inserted(self, rows: Iterable[str], journalled: set[str]) -> list[str]:
        """Revisions that stand before applied ones but were never applied themselves, oldest first.

        Alembic skips them for ever. A revision that is newer than everything in the journal is not among them: plain
        Alembic applied it.
        """
        there = self.ancestors(rows)
        skipped = (self.ancestors(there & journalled) & there) - journalled
        return self.oldest_first(skipped)

    def stale_rows(self, rows: list[str]) -> list[str]:
        """Version rows that lie before another one: there is one row for each head, never one for an ancestor."""
        return [
            row for row in rows if any(row in self.ancestors(self.files[r].parents) for r in rows if r in self.files)
        ]


def find_errors(files: list[RevisionFile]) -> list[str]:
    """What is wrong with a history, a sentence part each, with ids and files; at most five."""
    by_id: dict[str, list[RevisionFile]] = {}
    for file in files:
        by_id.setdefault(file.revision, []).append(file)
    errors = [
        f'revision "{revision}" is declared by {" and ".join(sorted(file.path for file in same))}'
        for revision, same in sorted(by_id.items())
        if len(same) > 1
    ]
    errors += [
        f'{file.path} declares the revision id "{file.revision}", which is reserved by Alembic; give it another id'
        for file in sorted(files, key=lambda file: file.path)
        if file.revision in RESERVED
    ]
    for file in sorted(files, key=lambda file: file.path):
        for kind, parents in (("down_revision", file.down), ("depends_on", file.depends)):
            errors += [
                f'{file.path} names "{parent}" in {kind}, which no file declares'
                for parent in parents
                if parent not in by_id
            ]
    if not errors:
        circle = Graph({revision: same[0] for revision, same in by_id.items()}).circle()
        if circle:
            errors = ["these revisions form a cycle: " + ", ".join(by_id[r][0].path for r in circle[:5])]
    return errors[:5]
