"""The journal: which revisions were applied here, when, by which run; and who manages the history.

Every row is keyed by the history. A revision's `done` row is committed in the same transaction as Alembic's version
row.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ...contract import job_env
from ...contract.reasons import Reason
from ...contract.request import Owner, RunRequest
from ...contract.verification import Verification
from ..errors import RunFailed
from ..report import Report
from ..sql_files import sql_file
from ..terms import SECRET
from .driver import Driver, RawConnection, rows
from .lock import bootstrap_lock
from .session import VersionTable

MAJOR, MINOR = 1, 2

_VERSION = "SELECT pg_catalog.to_regclass('alembic_operator.meta') IS NOT NULL"
_MINOR = "SELECT minor FROM alembic_operator.meta"
_CHANGES = "-- Version 1.1:"  # in journal.sql: what a journal of version 1.0 lacks begins there
_OWNER = "SELECT cluster, namespace, name, uid, since::text FROM alembic_operator.owner WHERE history = %s"
# An older journal lacks columns; a session that only reads cannot add them.
_ROWS = """
SELECT DISTINCT ON (revision) id, revision, direction, state, resumable, file_sha256, image, started::text,
       COALESCE(pg_catalog.to_jsonb(j) ->> 'verified', ''), COALESCE(pg_catalog.to_jsonb(j) ->> 'fingerprint', ''),
       COALESCE(pg_catalog.to_jsonb(j) ->> 'remark', '')
  FROM alembic_operator.revision_journal j WHERE history = %s ORDER BY revision, id DESC
"""
_SINCE = """
SELECT id, revision, direction, state, COALESCE(pg_catalog.to_jsonb(j) ->> 'plan_uid', '')
  FROM alembic_operator.revision_journal j WHERE history = %s AND id > %s ORDER BY id
"""
_ADOPT = """
INSERT INTO alembic_operator.revision_journal
       (history, revision, state, file_sha256, verified, fingerprint, remark, image, job, job_uid, plan, plan_uid,
        digest, approved_by, started, finished)
SELECT %s::text, a.revision, 'adopted', a.sha256, %s::text, %s::text, %s::text, %s::text, %s::text, %s::text, %s::text,
       %s::text, %s::text, %s::text, now(), now()
  FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS a (revision, sha256, nr) ORDER BY a.nr
"""
_RESOLVE = """
UPDATE alembic_operator.revision_journal
   SET state = 'adopted', finished = now(), verified = %s, fingerprint = %s, remark = %s WHERE id = ANY(%s::bigint[])
"""
# Of a revision that is running; DONE and INTENT_DONE are sent with the statement `moved` of its version row.
_WHO = "file_sha256, image, job, job_uid, plan, plan_uid, digest, approved_by"
INTENT = f"""
INSERT INTO alembic_operator.revision_journal (history, revision, direction, state, resumable, {_WHO}, started)
VALUES (%s, %s, %s, 'intent', %s, %s, %s, %s, %s, %s, %s, %s, %s,
        pg_catalog.clock_timestamp() - %s * interval '1 second') RETURNING id
"""  # noqa: S608
HELD = "SELECT resumable FROM alembic_operator.revision_journal WHERE id = %s AND state = 'intent'"
NOT_RESUMABLE = "UPDATE alembic_operator.revision_journal SET resumable = false WHERE id = %s"
DONE = f"""
INSERT INTO alembic_operator.revision_journal
       (history, revision, direction, state, {_WHO}, started, finished, statements)
SELECT %s, %s, %s, 'done', %s, %s, %s, %s, %s, %s, %s, %s,
       pg_catalog.clock_timestamp() - %s * interval '1 second', pg_catalog.clock_timestamp(), %s
  FROM moved
"""  # noqa: S608
# A new row, newer than every plan that knew the intent: an approval is used up by rows that came after its plan.
INTENT_DONE = f"""
, begun AS (DELETE FROM alembic_operator.revision_journal WHERE id = %s
            RETURNING history, revision, direction, resumable, started)
INSERT INTO alembic_operator.revision_journal
       (history, revision, direction, state, resumable, {_WHO}, started, finished, statements)
SELECT begun.history, begun.revision, begun.direction, 'done', begun.resumable, %s, %s, %s, %s, %s, %s, %s, %s,
       begun.started, pg_catalog.clock_timestamp(), %s
  FROM moved, begun
"""  # noqa: S608
_OF_THIS_RUN = """
SELECT revision FROM alembic_operator.revision_journal
 WHERE history = %s AND state = 'done' AND job_uid = %s AND revision = ANY(%s::text[])
"""
_CLAIM = """
INSERT INTO alembic_operator.owner (history, cluster, namespace, name, uid) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (history) DO UPDATE
   SET cluster = excluded.cluster, namespace = excluded.namespace, name = excluded.name, uid = excluded.uid,
       since = now()
"""


@dataclass(frozen=True)
class Entry:
    """The newest row of one revision; `verified`, `fingerprint` and `remark` of one that was adopted, else ""."""

    id: int
    revision: str
    direction: str
    state: str
    resumable: bool
    file_sha256: str
    image: str
    started: str
    verified: str = ""
    fingerprint: str = ""
    remark: str = ""

    @property
    def applied(self) -> bool:
        """Whether the revision is in the database, as far as the journal knows."""
        return self.direction == "up" and self.state in ("done", "adopted")

    @property
    def open_intent(self) -> bool:
        """Whether something of the revision was committed and its end is not known."""
        return self.state == "intent"


@dataclass(frozen=True)
class Row:
    """A row of the journal; `plan_uid` is "" where no plan was reviewed."""

    id: int
    revision: str
    direction: str
    state: str
    plan_uid: str


@dataclass(frozen=True)
class Journal:
    """What the journal says about one history.

    Attributes:
        exists: False where no runner has been in this database yet.
        owner: None where nobody claimed the history.
        entries: by revision.
    """

    exists: bool
    owner: Owner | None
    entries: dict[str, Entry]

    @property
    def applied(self) -> set[str]:
        """The revisions that are in the database, as far as the journal knows."""
        return {entry.revision for entry in self.entries.values() if entry.applied}

    @property
    def newest(self) -> int:
        """The newest row's id; 0 for none."""
        return max((entry.id for entry in self.entries.values()), default=0)


def read_journal(driver: Driver, connection: RawConnection, version_table: VersionTable) -> Journal:
    """Read owner and rows of a history.

    Raises:
        RunFailed: PermissionDenied, or InvalidSpec where a newer runner's journal is found.
    """
    if not rows(connection, _VERSION)[0][0]:
        return Journal(exists=False, owner=None, entries={})
    try:
        major = rows(connection, "SELECT major FROM alembic_operator.meta")
        owners = rows(connection, _OWNER, version_table.history)
        entries = [Entry(*row) for row in rows(connection, _ROWS, version_table.history)]
    except driver.error as error:
        if _sqlstate(error) != "42501":
            raise
        raise _denied("Reading the journal", "USAGE on the schema and SELECT on its tables") from None
    if not major or major[0][0] != MAJOR:
        raise RunFailed(
            Reason.INVALID_SPEC,
            f"Reading the journal in schema {job_env.JOURNAL_SCHEMA}: it was created by a newer version of "
            "alembic-operator, and this version cannot read it. Update the operator that runs this DatabaseSchema.",
        )
    return Journal(
        exists=True,
        owner=Owner(*owners[0][:4]) if owners else None,
        entries={entry.revision: entry for entry in entries},
    )


def ensure_journal(driver: Driver, connection: RawConnection, report: Report) -> None:
    """Make the journal's schema and tables where they are missing, or add what is, in one transaction.

    Raises:
        RunFailed: PermissionDenied.
    """
    if _is_current(connection):
        return
    ddl = sql_file(__package__, "journal.sql")
    attempt, missing = "Making the journal", "CREATE on the database, or USAGE and CREATE on that schema"
    with bootstrap_lock(connection, report):
        if _is_current(connection):
            return
        if rows(connection, _VERSION)[0][0]:
            ddl = ddl[ddl.index(_CHANGES) :]
            attempt, missing = f"Bringing the journal to version {MAJOR}.{MINOR}", "the ownership of its tables"
        elif rows(connection, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'alembic_operator'"):
            ddl = ddl.replace("CREATE SCHEMA IF NOT EXISTS alembic_operator;", "")  # needs CREATE even where it exists
        try:
            rows(connection, f"BEGIN; {ddl}; COMMIT")
        except driver.error as error:
            rows(connection, "ROLLBACK")
            if _sqlstate(error) != "42501":
                raise
            raise _denied(attempt, missing) from None


def _is_current(connection: RawConnection) -> bool:
    return bool(rows(connection, _VERSION)[0][0]) and any(minor >= MINOR for (minor,) in rows(connection, _MINOR))


def claim(connection: RawConnection, version_table: VersionTable, target: Owner) -> None:
    """Write who manages the history; the caller has compared the present owner under the lock."""
    rows(connection, _CLAIM, version_table.history, target.cluster, target.namespace, target.name, target.uid)


def adopt(
    connection: RawConnection,
    version_table: VersionTable,
    request: RunRequest,
    revisions: Sequence[tuple[str, str]],
    verification: Verification,
) -> None:
    """Journal revisions that were applied by somebody else: (revision, sha256 of its file today), oldest first."""
    ids, hashes = [revision for revision, _ in revisions], [sha256 for _, sha256 in revisions]
    who = (request.image, request.job, job_uid(), *plan_columns(request))
    rows(connection, _ADOPT, version_table.history, *_columns(verification), *who, ids, hashes)


def _columns(verification: Verification) -> tuple[str, str, str]:
    return verification.reason.value, verification.fingerprint, verification.message


def plan_columns(request: RunRequest) -> tuple[str | None, str | None, str | None, str | None]:
    """Values of the columns plan, plan_uid, digest and approved_by; NULL where no plan was reviewed."""
    plan = request.approved
    if plan is None or not plan.uid:
        return None, None, None, None
    return plan.name, plan.uid, plan.digest, plan.approved_by


def rows_since(connection: RawConnection, version_table: VersionTable, id_: int) -> list[Row]:
    """The rows of a history that are newer than one, oldest first; the journal must be there."""
    return [Row(*row) for row in rows(connection, _SINCE, version_table.history, id_)]


def resolve(connection: RawConnection, ids: list[int], verification: Verification) -> None:
    """Close intents of revisions that the version table says are applied: a person has seen to them."""
    rows(connection, _RESOLVE, *_columns(verification), ids)


def withdraw(connection: RawConnection, id_: int) -> None:
    """Take back an intent, where it is certain that nothing of its revision was committed."""
    rows(connection, "DELETE FROM alembic_operator.revision_journal WHERE id = %s AND state = 'intent'", id_)


def done_by_this_run(connection: RawConnection, version_table: VersionTable, revisions: list[str]) -> set[str]:
    """Those of the revisions whose `done` row this Job wrote."""
    return {revision for (revision,) in rows(connection, _OF_THIS_RUN, version_table.history, job_uid(), revisions)}


def job_uid() -> str:
    """The uid of this run's Job."""
    return os.environ.get(job_env.JOB_UID_VARIABLE, "")


def _sqlstate(error: Exception) -> str:
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""


def _denied(attempt: str, missing: str) -> RunFailed:
    return RunFailed(
        Reason.PERMISSION_DENIED,
        f"{attempt} in schema {job_env.JOURNAL_SCHEMA} of the database: the user of {SECRET} lacks {missing}. "
        "Grant it, or have the schema created by someone else "
        "(operator/alembic_operator/runner/database/journal.sql) and grant it there.",
        sqlstate="42501",
    )
