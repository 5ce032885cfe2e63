"""What a run that failed leaves behind, and the failure that is published for it."""

from __future__ import annotations

from ...contract import job_env
from ...contract.reasons import Reason
from ...contract.request import RunKind, RunRequest
from ...contract.result import Failure
from ..assessment.assess import remedy
from ..context import Invocation
from ..database.journal import Entry, read_journal, withdraw
from ..database.session import VersionTable
from ..database.sessions import Sessions
from ..database.sql_errors import ADVICE, find_sql_error
from ..database.version_table import read_version_rows
from ..errors import RunFailed
from ..migrate.verify import invalid_indexes
from ..outcome import RunFacts
from ..terms import LOG, ROLE, SECRETS_USER

_DOING = {RunKind.CHECK: "Reading", RunKind.PLAN: "Planning", RunKind.APPLY: "Migrating"}
_GRANT = (
    f"Grant USAGE on their schemas, and SELECT, INSERT, UPDATE and DELETE on their tables, to {SECRETS_USER}, or to "
    f"{ROLE}."
)


def open_intent(facts: RunFacts, sessions: Sessions, failure: Failure) -> Entry | None:
    """The journal's entry of a failed revision of which a part was committed; None where nothing was.

    Raises:
        RunFailed: where the database cannot be reached.
    """
    connection = sessions.open()
    try:
        facts.current = read_version_rows(connection, facts.version_table)
        entry = read_journal(sessions.driver, connection, facts.version_table).entries.get(failure.revision)
        if entry is None or not entry.open_intent:
            return None
        told = failure.reason != Reason.CONNECTION_LOST
        left_nothing = told and facts.running is not None and facts.running.left_nothing
        if not entry.resumable and left_nothing and invalid_indexes(connection) <= facts.invalid_before:
            withdraw(connection, entry.id)
            return None
        return entry
    finally:
        connection.close()


def after_failure(run: Invocation, sessions: Sessions | None, failed: RunFailed) -> RunFailed:
    """Read on a new connection what the database holds now, and whether a revision is half applied.

    Returns:
        The failure to report: OutcomeUnknown where an autocommit block of the revision was committed.
    """
    facts, failure = run.facts, failed.failure
    if sessions is None or facts.running is None or failure.reason == Reason.OUTCOME_UNKNOWN:
        return run.network.blamed(failed)
    if facts.pending is not None:
        facts.pending = max(0, facts.pending - len(facts.running.applied))
    try:
        intent = open_intent(facts, sessions, failure)
    except (RunFailed, sessions.driver.error):
        return failed  # the next run reads it
    if intent is None or intent.resumable:
        return failed
    return RunFailed(
        Reason.OUTCOME_UNKNOWN,
        f"{failed.found}. The revision had already committed part of its work ({facts.running.committed_by})",
        remedy(failure.revision, facts.version_table),
        revision=failure.revision,
        statement=failure.statement,
        sqlstate=failure.sqlstate,
        blocked_by=failure.blocked_by,
    )


def as_run_failed(error: Exception, version_table: VersionTable) -> RunFailed:
    """An error outside of user code: a statement of the runner's own, or the runner itself."""
    if isinstance(error, RunFailed):
        return error
    sql = find_sql_error(error)
    if sql is not None:
        reason = sql.reason if sql.reason != Reason.MIGRATION_FAILED else Reason.RUNNER_PROTOCOL_ERROR
        todo = _GRANT if reason == Reason.PERMISSION_DENIED else ADVICE.get(reason, "The next run tries again.")
        return RunFailed(
            reason,
            f"Reading or writing the version table {version_table} or the journal in schema {job_env.JOURNAL_SCHEMA}: "
            f"{sql.words()}",
            todo,
            sqlstate=sql.sqlstate,
        )
    return RunFailed(
        Reason.RUNNER_PROTOCOL_ERROR,
        f"Running: unexpected {type(error).__name__} in the runner. The traceback is in the {LOG}. "
        "Report it as a bug of alembic-operator.",
    )


def ended(facts: RunFacts, request: RunRequest, reason: Reason) -> RunFailed:
    """SIGTERM, or the time limit."""
    revision = facts.running.revision if facts.running is not None else ""
    statement = facts.running.statements if facts.running is not None and revision else 0
    if revision:
        what = f'Applying revision "{revision}", statement {statement}'
        found, left = "the statement was cancelled", "The revision was rolled back. "
    else:
        what = f"{_DOING[request.kind]} {facts.version_table}"
        found, left = "no revision was in progress", ""
    if facts.rehearsing:
        what, found = f'Trying revision "{facts.rehearsing}" in the shadow', "it was in progress"
    if request.kind == RunKind.PLAN:
        left = "Nothing was sent to the target. "
    if reason == Reason.DEADLINE_EXCEEDED:
        why = f"spec.timeouts.run ({request.timeouts.run:g} s) expired"
        todo = "Raise it if the work takes longer"
        todo += "." if request.kind == RunKind.PLAN else "; revisions applied before stay applied."
    else:
        why = "the pod was terminated"
        todo = "The next run continues from there."
    return RunFailed(reason, f"{what}: {why}; {found}", left + todo, revision=revision, statement=statement)
