"""The sentences of the Ready condition and of events that are not the runner's own."""

from __future__ import annotations

from alembic_operator.api.spec import Spec
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import RunResult
from alembic_operator.contract.verification import VerifiedReason


def target(spec: Spec) -> str:
    """The revisions of the spec."""
    named = spec.revisions or (spec.revision,)
    return f"revision {named[0]}" if len(named) == 1 else f"revisions {', '.join(named)}"


def started(kind: RunKind, job: str, wanted: str) -> str:
    """A run was started."""
    if kind is RunKind.CHECK:
        return f"Job {job} is checking the database's current revision."
    if kind is RunKind.PLAN:
        return f"Job {job} is planning the migration to {wanted}."
    return f"Job {job} is migrating the database to {wanted}."


def _at(result: RunResult) -> str:
    current = ", ".join(result.current or []) or "<base>"
    return f"revision {current}" if len(result.current or []) < 2 else f"revisions {current}"


def _target_of(result: RunResult) -> str:
    field = "spec.revision" if len(result.target_revisions) < 2 else "spec.revisions"
    return f"{field} {', '.join(result.target_revisions)}"


def up_to_date(result: RunResult) -> str:
    """The database is at the target."""
    if result.applied_count:
        return succeeded(result)
    return _with_warnings(f"The database is at {_at(result)}, read by Job {result.job}.", result)


def behind(result: RunResult) -> str:
    """A check run found pending revisions."""
    return f"Job {result.job} found the database at {_at(result)} with pending revisions; starting an apply Job."


def looked(result: RunResult) -> str:
    """A check run read the server's version, before the first plan."""
    server = f"{result.database.engine} {result.database.version}" if result.database else "the server"
    return f"Job {result.job} found {server}; starting a plan run with a shadow of that version."


def ahead(result: RunResult) -> str:
    """The database is ahead of the target."""
    return _with_warnings(
        f"The database is at {_at(result)}, which is newer than {_target_of(result)}, so no migration runs. Set "
        "spec.revision to the database's revision, or leave it to keep the older release declared.",
        result,
    )


def succeeded(result: RunResult) -> str:
    """A migration succeeded."""
    names = ", ".join(item.revision for item in result.applied)
    count = result.applied_count
    if not count:
        return f"The database is at {_at(result)}, read by Job {result.job}."
    shown = names if len(result.applied) == count else f"… {names}"
    seconds = sum(item.seconds for item in result.applied)
    plural = "revision" if count == 1 else "revisions"
    took = f" in {seconds:.1f} s" if len(result.applied) == count else ""
    did = "reverted" if _went_back(result) else "applied"
    return _with_warnings(
        f"Job {result.job} {did} {count} {plural}{took}: {shown}. The database is at {_at(result)}.", result
    )


def _went_back(result: RunResult) -> bool:
    """Whether it was a downgrade: the last revision of an upgrade is a row of the version table."""
    return bool(result.applied) and result.applied[-1].revision not in (result.current or ())


def _with_warnings(message: str, result: RunResult) -> str:
    found = result.verification
    unseen = found is not None and found.reason is VerifiedReason.NOT_COMPARED
    note = "Its schema was not compared with the history: see the condition Verified." if unseen else ""
    return joined(message, note, *(f"Warning: {warning}" for warning in result.warnings))


def found_late(result: RunResult) -> str:
    """The result of a successful run was read long after its end."""
    return f"Job {result.job} finished at {result.finished_at}. Checking the database's current revision."


def joined(*parts: str) -> str:
    """Several sentences in one message."""
    ended = (part if part[-1:] in ".!?…" else f"{part}." for part in (part.strip() for part in parts) if part)
    return " ".join(ended)


def doubted(message: str) -> str:
    """An apply run left no result."""
    return joined(message, "Checking the database to see what was applied.")


def retry_note(reason: Reason, at: str, failures: int, limit: int) -> str:
    """When the operator retries."""
    if reason.reason_class is ReasonClass.RETRY:
        return f"Next attempt at {at} (retry {failures} of {limit})."
    return f"Next attempt at {at}."


def blocked(message: str, blocker: str) -> str:
    """Another session blocks a run."""
    return joined(message, f"It is blocked by {blocker}") if blocker else message


def given_up(message: str, failures: int, limit: int) -> str:
    """The retries are used up."""
    runs = "run" if failures == 1 else "runs"
    return f"Gave up after {failures} failed {runs} (spec.retry.limit {limit}). Last failure: {message}"


def stalled(message: str) -> str:
    """The resource is Stalled. A message that already names retry-at is left as it is."""
    return message if "retry-at" in message else joined(message, STALLED)


REPAIR_BY_PLAN = (
    "Or change nothing and only set the annotation: a plan run then compares the database in a shadow, and makes a "
    "repair plan that waits for approval."
)
STALLED = "No Job starts until the spec changes or the annotation alembic-operator.dev/retry-at gets a new value."
SUSPENDED = "spec.suspend is true, so no Job starts. Set it to false to resume."
NO_RUNNER_IMAGE = (
    "spec.migrations.configMap needs a runner image, and this installation has none. Set runnerImage in the chart's "
    "values, or build the migrations into an image and name it in spec.migrations.image."
)
HEAD_OUTSIDE_DEVELOPMENT = (
    "spec.revision: head and heads are accepted only in a namespace labelled "
    "alembic-operator.dev/environment=development. Name the revision, or all of them in spec.revisions."
)


def not_pinned(image: str) -> str:
    """The image is a tag, outside a development namespace."""
    return (
        f"spec.migrations.image: {image} is not pinned by a digest. Outside a namespace labelled "
        "alembic-operator.dev/environment=development, write it as name@sha256:<64 hex>, so that what was reviewed is "
        "what runs."
    )


def name_conflict(what: str) -> str:
    """An object that belongs to something else has the name."""
    return (
        f"Cannot create {what}: an object with that name exists and is not owned by this resource. It was left "
        "unchanged. "
        "Delete or rename it, then set the annotation alembic-operator.dev/retry-at to a new value."
    )
