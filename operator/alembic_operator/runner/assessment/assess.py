"""What is to be done: the database as it was read under the lock, held against the image's history. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...contract import job_env
from ...contract.plan import Direction
from ...contract.reasons import Reason
from ...contract.request import Owner, RunKind, RunRequest
from ..database.journal import Entry, Journal
from ..database.session import VersionTable
from ..errors import RunFailed
from ..history.graph import Graph, Standing
from ..history.ids import flow
from ..terms import AN_IMAGE, AND_A_NEW_IMAGE, BASE_OR_REVISION, BASELINE, IMAGE, REVISIONS
from .baseline import check_baseline
from .deviations import deviations

_LISTED = 5


@dataclass(frozen=True)
class Reading:
    """What was read in one go.

    Attributes:
        rows: of the version table.
        journal: of this history.
        tables: some of the users' tables in the search path; read only where there are no rows.
        fingerprint: of the schema, where there are such tables and no rows.
    """

    rows: list[str]
    journal: Journal
    tables: list[str] = field(default_factory=list)
    fingerprint: str = ""


@dataclass(frozen=True)
class Assessment:
    """How the database stands, and what follows.

    Attributes:
        standing: to the targets.
        pending: revisions to apply, oldest first; empty unless the database is behind.
        adopt: revisions that somebody else applied and the journal does not have, oldest first.
        resolved: ids of intents whose revision the version table now says is applied.
        warnings: one sentence each.
    """

    standing: Standing
    pending: list[str]
    adopt: list[str]
    resolved: list[int]
    warnings: list[str]


def assess(
    reading: Reading, graph: Graph, targets: Sequence[str], request: RunRequest, version_table: VersionTable
) -> Assessment:
    """Decide what a run against this database would do.

    Raises:
        RunFailed: TargetOwned, OutcomeUnknown, VersionTableInvalid, InvalidHistory, BaselineRequired, Diverged.
    """
    journal = reading.journal
    check_owner(journal.owner, request, version_table)
    there = graph.ancestors(reading.rows)
    intents = [entry for entry in journal.entries.values() if entry.open_intent]
    check_intents([entry for entry in intents if not _is_over(entry, there)], version_table)
    resolved = [entry.id for entry in intents if _is_over(entry, there)]
    unknown = [row for row in reading.rows if row not in graph.files]
    if unknown:
        return _assess_unknown(unknown, reading, graph, targets, version_table)
    _check_rows(reading, graph, version_table)
    if not reading.rows:
        _check_first_contact(reading, request, version_table)
    too_late = check_baseline(reading, graph, request, version_table)
    standing = graph.standing(reading.rows, targets)
    if standing == Standing.DIVERGED:
        raise _diverged(reading.rows, graph, targets, version_table)
    if standing == Standing.AHEAD and not _goes_back(request):
        _check_left_behind(reading.rows, graph, targets, version_table)
    known = journal.applied | {entry.revision for entry in intents}
    adopt = graph.oldest_first(there - known)
    pending = graph.oldest_first(graph.ancestors(targets) - there) if standing == Standing.BEHIND else []
    warnings = [*too_late, *deviations(journal, graph, there, adopt, pending)]
    warnings += _unnamed(graph.unnamed_heads(reading.rows, targets), targets)
    return Assessment(standing, pending, adopt, resolved, warnings)


def _goes_back(request: RunRequest) -> bool:
    """Whether what the targets do not contain is to be taken back."""
    if request.kind == RunKind.APPLY:
        return request.approved is not None and request.approved.direction == Direction.DOWNGRADE.value
    return request.kind == RunKind.PLAN and request.allow_downgrade


def _is_over(intent: Entry, there: set[str]) -> bool:
    """Whether the version table says that what was begun has been done."""
    return (intent.revision in there) == (intent.direction == "up")


def check_owner(owner: Owner | None, request: RunRequest, version_table: VersionTable) -> None:
    """See that nobody else manages this history.

    Raises:
        RunFailed: TargetOwned.
    """
    if request.kind == RunKind.PLAN and not request.target.uid:
        return  # the command-line tool: it plans for whoever it is, and claims nothing
    if owner is None or owner.uid in (request.target.uid, request.replace_owner):
        return
    elsewhere = "" if owner.cluster == request.target.cluster else f" of the cluster {owner.cluster}"
    raise RunFailed(
        Reason.TARGET_OWNED,
        f"Claiming the history {version_table} for DatabaseSchema "
        f'"{request.target.namespace}/{request.target.name}": DatabaseSchema '
        f'"{owner.namespace}/{owner.name}"{elsewhere} (uid {owner.uid}) already manages it, according to the journal '
        f"in schema {job_env.JOURNAL_SCHEMA}. Nothing was sent. Delete one of the two, or take over with the "
        f"annotation alembic-operator.dev/take-over: {owner.uid}",
    )


def check_intents(intents: list[Entry], version_table: VersionTable) -> None:
    """See that no revision is half applied.

    Raises:
        RunFailed: OutcomeUnknown, with what a person can do about it.
    """
    for entry in sorted(intents, key=lambda entry: entry.id):
        if not entry.resumable:
            raise RunFailed(
                Reason.OUTCOME_UNKNOWN,
                f'Looking for revision "{entry.revision}" in {version_table}: a run that started at {entry.started} '
                "committed part of it (an autocommit block) and did not finish. The operator never retries it "
                "automatically. " + remedy(entry.revision, version_table),
                revision=entry.revision,
            )


def remedy(revision: str, version_table: VersionTable) -> str:
    """What a person can do about a revision of which only a part may be there; other histories may have its id too."""
    conditions = {"revision": revision, "history": version_table.history}
    which = " AND ".join(f"{name} = '" + value.replace("'", "''") + "'" for name, value in conditions.items())
    forget = f"DELETE FROM alembic_operator.revision_journal WHERE state = 'intent' AND {which}"  # noqa: S608
    return (
        "Check the database. If the whole revision is applied: alembic stamp it. To run it again: undo what is "
        f"there (also INVALID indexes), then {forget}. Then set the annotation alembic-operator.dev/retry-at."
    )


def _assess_unknown(
    unknown: list[str], reading: Reading, graph: Graph, targets: Sequence[str], version_table: VersionTable
) -> Assessment:
    journal, known = reading.journal, [row for row in reading.rows if row in graph.files]
    strays = [row for row in unknown if not any(_applied_after(row, target, journal) for target in targets)]
    there = graph.ancestors(known)
    lacks = [one for one in targets if one not in there and not any(_applied_after(r, one, journal) for r in unknown)]
    if not strays and not lacks:
        _check_left_behind(known, graph, targets, version_table)
        return Assessment(Standing.AHEAD, [], [], [], [])
    row = (strays or unknown)[0]
    entry = journal.entries.get(row)
    origin = f" (applied by {entry.image} on {entry.started[:10]})" if entry is not None and entry.image else ""
    raise RunFailed(
        Reason.DIVERGED,
        f'Comparing {version_table} with {_named(targets)}: the database is at "{row}"{origin}, which no migration '
        f"file of this {IMAGE} declares, and there is no evidence that the database contains "
        f'"{(lacks or targets)[0]}". Nothing was sent. Use {AN_IMAGE} that has both revisions.',
        revision=row,
    )


def _applied_after(row: str, target: str, journal: Journal) -> bool:
    """Whether the journal has seen the row's revision come after the target; a target taken back proves nothing."""
    entry, base = journal.entries.get(row), journal.entries.get(target)
    return entry is not None and base is not None and entry.applied and base.applied and entry.id > base.id


def _check_left_behind(rows: Sequence[str], graph: Graph, targets: Sequence[str], version_table: VersionTable) -> None:
    """See that a database which contains the targets is not half-way on a branch that they do not name.

    Raises:
        RunFailed: Diverged.
    """
    behind = graph.left_behind(rows, targets)
    if not behind:
        return
    named = graph.heads_of(graph.ancestors(targets) | graph.ancestors(behind))
    raise RunFailed(
        Reason.DIVERGED,
        f"Comparing {version_table} with {_named(targets)}: the database is at {', '.join(rows[:_LISTED])}. It "
        f"contains the target, but a branch that the target does not name is only partly applied: {_quoted(behind)} "
        f"is not applied. Nothing was sent. To apply both, set {REVISIONS}: {flow(named, _LISTED)}; to keep the "
        f"branch as it is, set {REVISIONS}: {flow(graph.heads_of(graph.ancestors([*rows, *targets])), _LISTED)}.",
        revision=behind[0],
    )


def _check_rows(reading: Reading, graph: Graph, version_table: VersionTable) -> None:
    stale = graph.stale_rows(reading.rows)
    if stale:
        raise RunFailed(
            Reason.VERSION_TABLE_INVALID,
            f'Reading the version table {version_table}: row "{stale[0]}" is stale: another row already contains it. '
            "The table must have one row per head. Delete the stale row by hand.",
            revision=stale[0],
        )
    known = reading.journal.applied | {
        entry.revision for entry in reading.journal.entries.values() if entry.open_intent
    }
    inserted = graph.inserted(reading.rows, known)
    if inserted:
        listed = ", ".join(f'"{revision}" ({graph.files[revision].path})' for revision in inserted[:_LISTED])
        raise RunFailed(
            Reason.INVALID_HISTORY,
            f"Comparing the {IMAGE}'s history with the journal of {version_table}: {listed} precedes applied revisions "
            "but was never applied; Alembic would skip it. Set its down_revision to the newest "
            f"revision{AND_A_NEW_IMAGE}.",
            revision=inserted[0],
        )


def _check_first_contact(reading: Reading, request: RunRequest, version_table: VersionTable) -> None:
    if not reading.tables:
        return
    shown = ", ".join(reading.tables[:3]) + (", …" if len(reading.tables) > 3 else "")
    if reading.journal.applied:
        raise RunFailed(
            Reason.VERSION_TABLE_INVALID,
            f"Reading the version table {version_table}: it has no row, but the journal lists "
            f"{len(reading.journal.applied)} applied revisions and the database has tables ({shown}). Nothing was "
            "sent. Restore the row (alembic stamp), or empty the database and delete this history's journal rows.",
        )
    told = f" The schema's fingerprint is {reading.fingerprint}." if reading.fingerprint else ""
    if request.baseline is None:
        raise RunFailed(
            Reason.BASELINE_REQUIRED,
            f"Looking for the database's revision in {version_table}: it has no row, but the database has tables "
            f"({shown}). Nothing was sent, because migrating a live schema from base would break it. To start from "
            f"base, {BASE_OR_REVISION}" + told,
        )
    if request.baseline:
        raise RunFailed(
            Reason.BASELINE_REQUIRED,
            f"Looking for the database's revision in {version_table}: it has no row, but the database has tables "
            f"({shown}). Nothing was sent. {BASELINE} names {', '.join(request.baseline[:_LISTED])}: adopting the "
            "database requires an approved plan. Wait for the SchemaPlan, and approve it." + told,
        )


def _diverged(rows: list[str], graph: Graph, targets: Sequence[str], version_table: VersionTable) -> RunFailed:
    there, wanted = graph.ancestors(rows), graph.ancestors(targets)
    common = graph.oldest_first(there & wanted)
    shared = f'the branches split after "{common[-1]}"' if common else "they have no revision in common"
    return RunFailed(
        Reason.DIVERGED,
        f"Comparing {version_table} with {_named(targets)}: the database is at {', '.join(rows[:_LISTED])}, on "
        f"another branch; {shared}. Nothing was sent. Name a revision that contains both (a merge revision), one on "
        f"the database's branch, or all heads that the database must have: {REVISIONS}: "
        f"{flow(graph.heads_of(there | wanted), _LISTED)}.",
        revision=targets[0],
    )


def _unnamed(heads: list[str], targets: Sequence[str]) -> list[str]:
    """A warning where the history has branches that nobody asks for, and that the database does not have."""
    if not heads:
        return []
    return [
        f"The history has other heads that are not applied and not named in the spec: {_quoted(heads)}. To apply "
        f"them too, set {REVISIONS}: {flow(sorted([*targets, *heads]), _LISTED)}."
    ]


def _named(targets: Sequence[str]) -> str:
    return f"{'revision' if len(targets) == 1 else 'revisions'} {_quoted(targets)}"


def _quoted(revisions: Sequence[str]) -> str:
    more = f" and {len(revisions) - _LISTED} more" if len(revisions) > _LISTED else ""
    return ", ".join(f'"{one}"' for one in revisions[:_LISTED]) + more
