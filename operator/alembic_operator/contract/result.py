"""The result: one JSON text of at most 4 KiB in the container's termination message.

It says what the runner read and did, never more than it knows. It holds no connection string, parameter or row value.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any, Callable

from .job_env import TERMINATION_LOG_LIMIT
from .reasons import Reason
from .request import Owner, ProtocolError, RunKind
from .verification import Verification, VerifiedReason

VERSION = 1


class Outcome(str, Enum):
    """How a run ended. Only a fresh read of the version table makes the first three."""

    APPLIED = "Applied"  # something was applied, and verified
    UP_TO_DATE = "UpToDate"  # nothing to do, verified
    AHEAD = "SchemaAhead"  # the database contains the target and more
    BEHIND = "Behind"  # a check run found revisions to apply
    PLANNED = "Planned"  # a plan run made a plan: see plan; nothing was written
    FAILED = "Failed"  # see reason


@dataclass(frozen=True)
class AppliedRevision:
    """A revision that this run applied."""

    revision: str
    statements: int
    seconds: float


@dataclass(frozen=True)
class Failure:
    """Where a run stopped. `statement` counts from 1 within the revision; 0 when none was sent."""

    reason: Reason
    message: str
    revision: str = ""
    statement: int = 0
    sqlstate: str = ""
    blocked_by: str = ""


@dataclass(frozen=True)
class DatabaseFacts:
    """Which database it was.

    Attributes:
        identity: as in docs: sha256 over engine, system identifier, name, version table.
        search_path: of the migrating session, "$user" replaced, with schemas that do not exist; [] where the run had
            review credentials and did not know it.
    """

    engine: str
    version: str
    identity: str
    search_path: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PlanReceipt:
    """Which plan lies in the log's records: its digest, and sha256 (hex) and length of the packed document."""

    digest: str
    sha256: str
    size: int
    parts: int


@dataclass(frozen=True)
class RunResult:
    """One run's outcome.

    Attributes:
        target_uid, generation, job: what it was for, copied from the request.
        before, current: version rows before the run and as read last (None: never read).
        target_revisions: the targets, `head` resolved, sorted; empty when not known.
        pending: revisions still to apply; None when not known.
        applied: oldest first; `applied_count` counts all of them, the list may be cut.
        owner: of the database, when it is not this target.
        plan: what a plan run made.
        verification: how it is known that the schema is the history's; None where this run has not found that out.
        warnings: one sentence each.
        records, records_sha256: number and hash of the log records that this run wrote.
    """

    kind: RunKind
    outcome: Outcome
    target_uid: str
    generation: int
    job: str
    database: DatabaseFacts | None = None
    before: list[str] | None = None
    current: list[str] | None = None
    target_revisions: list[str] = field(default_factory=list)
    pending: int | None = None
    applied: list[AppliedRevision] = field(default_factory=list)
    applied_count: int = 0
    failure: Failure | None = None
    owner: Owner | None = None
    plan: PlanReceipt | None = None
    verification: Verification | None = None
    warnings: list[str] = field(default_factory=list)
    started_at: str = ""
    finished_at: str = ""
    records: int = 0
    records_sha256: str = ""

    def to_json(self) -> str:
        """The termination message, cut by stated rules until it fits.

        First the list of applied revisions keeps its last ten, then warnings go, then the message is shortened.
        """
        candidate, text = self, _dump(self)
        for cut in _CUTS:
            if len(text.encode("utf-8")) <= TERMINATION_LOG_LIMIT:
                break
            candidate = cut(candidate)
            text = _dump(candidate)
        return text

    @classmethod
    def from_json(cls, text: str) -> RunResult:
        """Read a termination message.

        Raises:
            ProtocolError: anything but a complete result of this version.
        """
        try:
            body = json.loads(text)
            if not isinstance(body, dict) or body.pop("version", None) != VERSION:
                raise ProtocolError("not a result of this version")
            return _load(body)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            if isinstance(error, ProtocolError):
                raise
            raise ProtocolError(f"the result cannot be read: {type(error).__name__}") from None


def _shorten_verification(result: RunResult) -> RunResult:
    if result.verification is None:
        return result
    return replace(result, verification=replace(result.verification, message=result.verification.message[:300]))


def _shorten_failure(result: RunResult) -> RunResult:
    if result.failure is None:
        return result
    return replace(result, failure=replace(result.failure, message=result.failure.message[:300]))


_CUTS: list[Callable[[RunResult], RunResult]] = [
    lambda r: replace(r, applied=r.applied[-10:]),
    lambda r: replace(r, warnings=r.warnings[:3]),
    lambda r: replace(r, warnings=[]),
    lambda r: replace(r, applied=r.applied[-3:]),
    _shorten_verification,
    _shorten_failure,
    lambda r: replace(r, current=(r.current or [])[:20], before=(r.before or [])[:20]),
    lambda r: replace(r, target_revisions=r.target_revisions[:4], before=(r.before or [])[:4]),
]


def _dump(result: RunResult) -> str:
    body: dict[str, Any] = {"version": VERSION}
    body.update({key: value for key, value in asdict(result).items() if value is not None})
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _load(body: dict[str, Any]) -> RunResult:
    unknown = set(body) - {f.name for f in fields(RunResult)}
    if unknown:
        raise ProtocolError("the result has fields that this version does not know")
    body["kind"] = RunKind(body["kind"])
    body["outcome"] = Outcome(body["outcome"])
    if body.get("database") is not None:
        body["database"] = DatabaseFacts(**body["database"])
    if body.get("owner") is not None:
        body["owner"] = Owner(**body["owner"])
    if body.get("plan") is not None:
        body["plan"] = PlanReceipt(**body["plan"])
    if body.get("verification") is not None:
        found = dict(body["verification"])
        body["verification"] = Verification(**{**found, "reason": VerifiedReason(found["reason"])})
    if body.get("failure") is not None:
        failure = dict(body["failure"])
        failure["reason"] = Reason(failure["reason"])
        body["failure"] = Failure(**failure)
    body["applied"] = [AppliedRevision(**item) for item in body.get("applied", [])]
    result = RunResult(**body)
    if not all(_well_typed(part) for part in _parts(result)):
        raise ProtocolError("a field of the result has a value of another type")
    if (result.outcome == Outcome.FAILED) != (result.failure is not None):
        raise ProtocolError("outcome and failure contradict each other")
    if (result.outcome == Outcome.PLANNED) != (result.plan is not None):
        raise ProtocolError("outcome and plan contradict each other")
    return result


def _parts(result: RunResult) -> list[Any]:
    return [result, result.database, result.owner, result.plan, result.verification, result.failure, *result.applied]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


# By the annotation's text; what is not named here has been made from its own class by then.
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "str": _is_text,
    "int": _is_count,
    "float": lambda value: isinstance(value, (int, float)),
    "int | None": lambda value: value is None or _is_count(value),
    "list[str]": _is_texts,
    "list[str] | None": lambda value: value is None or _is_texts(value),
}


def _well_typed(part: Any) -> bool:
    """Whether each field holds what it says: user code may write a termination message too."""
    if part is None:
        return True
    # The generation is compared with the Job's in any case, and is -1 where the bootstrap could not read it.
    checked = ((_CHECKS.get(str(f.type)), getattr(part, f.name)) for f in fields(part) if f.name != "generation")
    return all(check is None or check(value) for check, value in checked)
