"""The one enum of reasons, each with the class that says what the operator does about it.

A reason is what a person reads in `kubectl get`; its cause and remedy stand in docs/reasons.md, held together with this
enum by a test.
"""

from __future__ import annotations

from enum import Enum


class ReasonClass(str, Enum):
    """What follows from a reason."""

    OK = "ok"  # the database is where the resource wants it
    RUNNING = "running"  # a run for this generation is under way
    HELD = "held"  # nothing may start now
    RETRY = "retry"  # tried again after a back-off, counted against spec.retry.limit
    WAIT = "wait"  # tried again for ever, at most every ten minutes, counted against nothing
    REPLAN = "plan again"  # what was planned is not what would run now: another plan is made
    STOP = "stop"  # Stalled: a person or a change of the spec is needed


class Reason(str, Enum):
    """Why a DatabaseSchema is as it is: the `reason` of its conditions."""

    UP_TO_DATE = "UpToDate"
    SCHEMA_AHEAD = "SchemaAhead"

    PLANNING = "Planning"
    MIGRATING = "Migrating"
    CHECKING = "Checking"

    AWAITING_APPROVAL = "AwaitingApproval"
    SUSPENDED = "Suspended"

    LOCK_TIMEOUT = "LockTimeout"
    DEADLOCK = "Deadlock"
    SERIALIZATION_FAILURE = "SerializationFailure"
    CONNECTION_LOST = "ConnectionLost"
    TOO_MANY_CONNECTIONS = "TooManyConnections"
    INTERRUPTED = "Interrupted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    OUT_OF_MEMORY = "OutOfMemory"
    SHADOW_FAILED = "ShadowFailed"
    RUNNER_PROTOCOL_ERROR = "RunnerProtocolError"
    LINT_FAILED = "LintFailed"

    DATABASE_UNREACHABLE = "DatabaseUnreachable"
    DATABASE_NOT_FOUND = "DatabaseNotFound"
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    SECRET_NOT_FOUND = "SecretNotFound"
    INVALID_CONNECTION_SECRET = "InvalidConnectionSecret"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    POD_NOT_STARTING = "PodNotStarting"
    JOB_REFUSED = "JobRefused"
    UNSCHEDULABLE = "Unschedulable"
    TARGET_READ_ONLY = "TargetReadOnly"
    TARGET_OWNED = "TargetOwned"

    PLAN_CHANGED = "PlanChanged"

    MIGRATION_FAILED = "MigrationFailed"
    RETRIES_EXCEEDED = "RetriesExceeded"
    REVISION_NOT_FOUND = "RevisionNotFound"
    MULTIPLE_HEADS = "MultipleHeads"
    DIVERGED = "Diverged"
    INVALID_HISTORY = "InvalidHistory"
    ENVIRONMENT_FAILED = "EnvironmentFailed"
    IMAGE_NOT_PINNED = "ImageNotPinned"
    INVALID_SPEC = "InvalidSpec"
    DRIVER_MISSING = "DriverMissing"
    ALEMBIC_MISSING = "AlembicMissing"
    ALEMBIC_TOO_OLD = "AlembicTooOld"
    POOLER_UNSUPPORTED = "PoolerUnsupported"
    PERMISSION_DENIED = "PermissionDenied"
    DATABASE_FULL = "DatabaseFull"
    VERSION_TABLE_INVALID = "VersionTableInvalid"
    VERSION_TABLE_ELSEWHERE = "VersionTableElsewhere"
    BASELINE_REQUIRED = "BaselineRequired"
    BASELINE_MISMATCH = "BaselineMismatch"
    SCHEMA_MISMATCH = "SchemaMismatch"
    DOWNGRADE_REFUSED = "DowngradeRefused"
    PLAN_REJECTED = "PlanRejected"
    WAIVER_INVALID = "WaiverInvalid"
    STATEMENT_MISMATCH = "StatementMismatch"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    JOB_NAME_CONFLICT = "JobNameConflict"

    @property
    def reason_class(self) -> ReasonClass:
        """The class that decides what the operator does."""
        return _CLASS[self]


_MEMBERS = {
    ReasonClass.OK: (Reason.UP_TO_DATE, Reason.SCHEMA_AHEAD),
    ReasonClass.RUNNING: (Reason.PLANNING, Reason.MIGRATING, Reason.CHECKING),
    ReasonClass.HELD: (Reason.AWAITING_APPROVAL, Reason.SUSPENDED),
    ReasonClass.RETRY: (
        Reason.LOCK_TIMEOUT,
        Reason.DEADLOCK,
        Reason.SERIALIZATION_FAILURE,
        Reason.CONNECTION_LOST,
        Reason.TOO_MANY_CONNECTIONS,
        Reason.INTERRUPTED,
        Reason.DEADLINE_EXCEEDED,
        Reason.OUT_OF_MEMORY,
        Reason.SHADOW_FAILED,
        Reason.RUNNER_PROTOCOL_ERROR,
        Reason.LINT_FAILED,
    ),
    ReasonClass.WAIT: (
        Reason.DATABASE_UNREACHABLE,
        Reason.DATABASE_NOT_FOUND,
        Reason.AUTHENTICATION_FAILED,
        Reason.SECRET_NOT_FOUND,
        Reason.INVALID_CONNECTION_SECRET,
        Reason.CONFIG_MAP_NOT_FOUND,
        Reason.IMAGE_PULL_FAILED,
        Reason.POD_NOT_STARTING,
        Reason.JOB_REFUSED,
        Reason.UNSCHEDULABLE,
        Reason.TARGET_READ_ONLY,
        Reason.TARGET_OWNED,
    ),
    ReasonClass.REPLAN: (Reason.PLAN_CHANGED,),
}
_CLASS = {reason: cls for cls, reasons in _MEMBERS.items() for reason in reasons}
_CLASS.update({reason: ReasonClass.STOP for reason in Reason if reason not in _CLASS})
