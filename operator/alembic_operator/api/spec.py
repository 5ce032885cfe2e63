"""The spec of a DatabaseSchema as frozen dataclasses: parsed, not validated.

The CRD refuses most of what is illegal; the same rules stand here with the same words, for a cluster whose CRD is older
than the operator. Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic_operator.api import rules
from alembic_operator.api.codec import REQUIRED, Raw, Unreadable, decode
from alembic_operator.api.job import JobShape, check_job
from alembic_operator.api.review import Review, ShadowImage, check_review
from alembic_operator.api.rules import InvalidSpec, require
from alembic_operator.api.values import (
    HEAD,
    HEADS,
    Argument,
    BaselineId,
    Digest,
    Identifier,
    Image,
    LocalName,
    Seconds,
    Target,
    TargetId,
    Text,
)

__all__ = [
    "Baseline",
    "Database",
    "InvalidSpec",
    "JobShape",
    "Migrations",
    "Retry",
    "Review",
    "SecretRef",
    "ShadowImage",
    "Spec",
    "Timeouts",
    "VersionTable",
    "parse_spec",
]

LONGEST_BACKOFF = 600.0  # seconds


@dataclass(frozen=True)
class SecretRef:
    """A key of a Secret in the resource's own namespace."""

    name: Text
    key: str = "uri"


@dataclass(frozen=True)
class Database:
    """The database, by the Secrets that only the Jobs' pods mount: one for all runs, or another for those that read."""

    secret_ref: SecretRef
    review_secret_ref: SecretRef | None = None
    search_path: tuple[Identifier, ...] = ()
    role: str = ""


@dataclass(frozen=True)
class VersionTable:
    """Where Alembic keeps its rows; "" where the spec says nothing."""

    name: Identifier = ""
    schema: Identifier = ""


@dataclass(frozen=True)
class ConnectionVariable:
    """An environment variable of env.py's settings, and what of the Secret's connection it holds."""

    name: Text
    part: Text
    scheme: str = "postgresql"


@dataclass(frozen=True)
class Migrations:
    """Where the migrations come from: an image, or a ConfigMap of version files."""

    image: Image = ""
    config_map: LocalName = ""
    path: str = "/app"
    python: str = "python3"
    config_file: str = "alembic.ini"
    environment: str = ""  # Project wherever there is an env.py, and Managed elsewhere
    section: str = "alembic"
    x: tuple[Argument, ...] = ()
    connection_env: tuple[ConnectionVariable, ...] = ()
    version_table: VersionTable = field(default_factory=VersionTable)
    pull_secrets: tuple[LocalName, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether the image names one content for ever."""
        return not self.image or rules.PINNED.search(self.image) is not None


@dataclass(frozen=True)
class Baseline:
    """What an existing database is said to be at; no revisions: start from base beside what is there.

    `fingerprint` is of the schema at the revisions, as Git has it; "" for none.
    """

    revisions: tuple[BaselineId, ...] = ()
    fingerprint: Digest = ""


@dataclass(frozen=True)
class Timeouts:
    """Seconds; 0 means none, for statement and idle_in_transaction only."""

    lock: Seconds = 3.0
    statement: Seconds = 0.0
    idle_in_transaction: Seconds = 600.0
    run: Seconds = 3600.0


@dataclass(frozen=True)
class Retry:
    """How often a run that failed for a passing reason is tried again, and the first pause in seconds."""

    limit: int = 5
    backoff: Seconds = 10.0


@dataclass(frozen=True)
class Spec:
    """What a DatabaseSchema asks for: one `revision`, or several `revisions`; the other one is empty."""

    database: Database
    migrations: Migrations
    revision: Target = ""
    revisions: tuple[TargetId, ...] = ()
    baseline: Baseline | None = None
    review: Review = field(default_factory=Review)
    allow_downgrade: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: Retry = field(default_factory=Retry)
    suspend: bool = False
    history_limit: int = 5
    job: JobShape = field(default_factory=JobShape)

    @property
    def follows_heads(self) -> bool:
        """Whether the image says what the target is, and not the spec."""
        return self.revision in (HEAD, HEADS)

    @property
    def targets(self) -> tuple[str, ...]:
        """The ids of the target, sorted; none where the image says what they are."""
        return () if self.follows_heads else tuple(sorted(self.revisions)) or (self.revision,)


def parse_spec(raw: Raw) -> Spec:
    """Read the raw `spec` of a DatabaseSchema.

    Raises:
        InvalidSpec: a rule is broken; the error names the field.
    """
    try:
        spec = decode(Spec, raw, "spec")
    except Unreadable as error:
        raise InvalidSpec(error.path, error.rule) from None
    _check_migrations(spec.migrations, raw["migrations"])
    _check_target(spec, raw)
    fingerprint, adopted = (spec.baseline.fingerprint, spec.baseline.revisions) if spec.baseline else ("", ())
    require(not fingerprint or bool(adopted), "spec.baseline", rules.BASELINE_FINGERPRINT)
    require(spec.timeouts.run > 0, "spec.timeouts.run", rules.RUN_ABOVE_ZERO)
    require(spec.timeouts.lock > 0, "spec.timeouts.lock", rules.LOCK_ABOVE_ZERO)
    require(0 < spec.retry.backoff <= LONGEST_BACKOFF, "spec.retry.backoff", rules.BACKOFF_RULE)
    check_review(spec.review)
    check_job(spec.job)
    return spec


_IMAGE_ONLY = ("path", "python", "configFile", "environment", "section", "x", "connectionEnv", "pullSecrets")


def _check_migrations(migrations: Migrations, raw: Raw) -> None:
    path = "spec.migrations"
    require(bool(migrations.image) != bool(migrations.config_map), path, rules.ONE_SOURCE)
    image_only = any(raw.get(key) for key in _IMAGE_ONLY)
    require(not (migrations.config_map and image_only), path, rules.IMAGE_ONLY)
    folder, python, config = migrations.path, migrations.python, migrations.config_file
    require(folder.startswith("/") and ".." not in folder, f"{path}.path", rules.PATH_RULE)
    plain = rules.INTERPRETER.fullmatch(python) is not None and (python.startswith("/") or "/" not in python)
    require(plain, f"{path}.python", rules.PYTHON_RULE)
    require(not config.startswith("/") and ".." not in config, f"{path}.configFile", rules.CONFIG_FILE_RULE)
    for at, one in enumerate(raw.get("connectionEnv") or ()):
        reserved = rules.RESERVED_OF_CONNECTION.match(one["name"])
        require(not reserved, f"{path}.connectionEnv", rules.CONNECTION_RESERVED)
        require(not one.get("scheme") or one["part"] == "uri", f"{path}.connectionEnv[{at}]", rules.SCHEME_RULE)


def _check_target(spec: Spec, raw: Raw) -> None:
    one, several = raw.get("revision") is not None, raw.get("revisions") is not None
    require(one != several, "spec", rules.ONE_TARGET)
    require(bool(spec.revision) or several, "spec.revision", REQUIRED)
    require(bool(spec.revisions) or one, "spec.revisions", rules.REVISIONS_RULE)
    for at, revision in enumerate(spec.revisions):
        require(revision not in spec.revisions[:at], f"spec.revisions[{at}]", rules.REVISIONS_RULE)
