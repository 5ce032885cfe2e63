"""The spec of a DatabaseSchema as frozen dataclasses: parsed, not validated.

The CRD refuses most of what is illegal; the same rules stand here with the same words, for a cluster whose CRD is older
than the operator. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alembic_operator.api import duration, rules
from alembic_operator.api.job import JobShape, parse_job
from alembic_operator.api.review import Review, ShadowImage, check_digest, parse_review
from alembic_operator.api.rules import InvalidSpec, Raw, require

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

HEAD, HEADS = "head", "heads"
WEEK = 7 * 24 * 3600.0
LONGEST_BACKOFF = 600.0  # seconds


@dataclass(frozen=True)
class SecretRef:
    """A key of a Secret in the resource's own namespace."""

    name: str
    key: str = "uri"


@dataclass(frozen=True)
class Database:
    """The database, by the Secrets that only the Jobs' pods mount: one for all runs, or another for those that read."""

    secret_ref: SecretRef
    review_secret_ref: SecretRef | None = None
    search_path: tuple[str, ...] = ()
    role: str = ""


@dataclass(frozen=True)
class VersionTable:
    """Where Alembic keeps its rows; "" where the spec says nothing."""

    name: str = ""
    schema: str = ""


@dataclass(frozen=True)
class ConnectionVariable:
    """An environment variable of env.py's settings, and what of the Secret's connection it holds."""

    name: str
    part: str
    scheme: str = "postgresql"


@dataclass(frozen=True)
class Migrations:
    """Where the migrations come from: an image, or a ConfigMap of version files."""

    image: str = ""
    config_map: str = ""
    path: str = "/app"
    python: str = "python3"
    config_file: str = "alembic.ini"
    environment: str = ""  # Project wherever there is an env.py, and Managed elsewhere
    section: str = "alembic"
    x: tuple[str, ...] = ()
    connection_env: tuple[ConnectionVariable, ...] = ()
    version_table: VersionTable = field(default_factory=VersionTable)
    pull_secrets: tuple[str, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether the image names one content for ever."""
        return not self.image or rules.PINNED.search(self.image) is not None


@dataclass(frozen=True)
class Baseline:
    """What an existing database is said to be at; no revisions: start from base beside what is there.

    `fingerprint` is of the schema at the revisions, as Git has it; "" for none.
    """

    revisions: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True)
class Timeouts:
    """Seconds; 0 means none, for statement and idle_in_transaction only."""

    lock: float = 3.0
    statement: float = 0.0
    idle_in_transaction: float = 600.0
    run: float = 3600.0


@dataclass(frozen=True)
class Retry:
    """How often a run that failed for a passing reason is tried again, and the first pause in seconds."""

    limit: int = 5
    backoff: float = 10.0


@dataclass(frozen=True)
class Spec:
    """What a DatabaseSchema asks for: one `revision`, or several `revisions`; the other one is empty."""

    database: Database
    migrations: Migrations
    revision: str
    revisions: tuple[str, ...] = ()
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
    return Spec(
        database=_database(_mapping(raw, "database", "spec")),
        migrations=_migrations(_mapping(raw, "migrations", "spec")),
        revision=_revision(raw),
        revisions=_revisions(raw),
        baseline=_baseline(raw.get("baseline")),
        review=parse_review(raw.get("review") or {}),
        allow_downgrade=bool(raw.get("allowDowngrade", False)),
        timeouts=_timeouts(raw.get("timeouts") or {}),
        retry=_retry(raw.get("retry") or {}),
        suspend=bool(raw.get("suspend", False)),
        history_limit=int(raw.get("historyLimit", 5)),
        job=parse_job(raw.get("job") or {}),
    )


def _mapping(raw: Raw, key: str, path: str) -> Raw:
    value = raw.get(key)
    if not isinstance(value, Mapping):
        raise InvalidSpec(f"{path}.{key}", "is required")
    return value


def _text(raw: Raw, key: str, path: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidSpec(f"{path}.{key}", "is required")
    return value


def _identifier(name: str, path: str) -> str:
    require(rules.IDENTIFIER.fullmatch(name) is not None, path, rules.IDENTIFIER_RULE)
    return name


def _database(raw: Raw) -> Database:
    path = "spec.database"
    search_path = tuple(raw.get("searchPath") or ())
    review = raw.get("reviewSecretRef") is not None
    return Database(
        secret_ref=_secret(raw, "secretRef", path),
        review_secret_ref=_secret(raw, "reviewSecretRef", path) if review else None,
        search_path=tuple(_identifier(name, f"{path}.searchPath[{at}]") for at, name in enumerate(search_path)),
        role=raw.get("role") or "",
    )


def _secret(raw: Raw, key: str, path: str) -> SecretRef:
    secret = _mapping(raw, key, path)
    return SecretRef(_text(secret, "name", f"{path}.{key}"), secret.get("key") or "uri")


_IMAGE_ONLY = ("path", "python", "configFile", "environment", "section", "x", "connectionEnv", "pullSecrets")


def _migrations(raw: Raw) -> Migrations:
    path = "spec.migrations"
    image = raw.get("image") or ""
    config_map = (raw.get("configMap") or {}).get("name") or ""
    require(bool(image) != bool(config_map), path, rules.ONE_SOURCE)
    image_only = any(raw.get(key) for key in _IMAGE_ONLY)
    require(not (config_map and image_only), path, rules.IMAGE_ONLY)
    if image:
        rules.check_image(image, f"{path}.image")
    _check_places(raw, path)
    for number, argument in enumerate(raw.get("x") or ()):
        require(rules.ARGUMENT.fullmatch(argument) is not None, f"{path}.x[{number}]", rules.ARGUMENT_RULE)
    table = raw.get("versionTable") or {}
    name, schema = table.get("name") or "", table.get("schema") or ""
    return Migrations(
        image=image,
        config_map=config_map,
        path=raw.get("path") or "/app",
        python=raw.get("python") or "python3",
        config_file=raw.get("configFile") or "alembic.ini",
        environment=raw.get("environment") or "",
        section=raw.get("section") or "alembic",
        x=tuple(raw.get("x") or ()),
        connection_env=_connection_variables(raw, f"{path}.connectionEnv"),
        version_table=VersionTable(
            name and _identifier(name, f"{path}.versionTable.name"),
            schema and _identifier(schema, f"{path}.versionTable.schema"),
        ),
        pull_secrets=tuple(item["name"] for item in raw.get("pullSecrets") or ()),
    )


def _connection_variables(raw: Raw, path: str) -> tuple[ConnectionVariable, ...]:
    for at, one in enumerate(found := raw.get("connectionEnv") or ()):
        require(not rules.RESERVED_OF_CONNECTION.match(_text(one, "name", path)), path, rules.CONNECTION_RESERVED)
        require(not one.get("scheme") or one.get("part") == "uri", f"{path}[{at}]", rules.SCHEME_RULE)
    return tuple(
        ConnectionVariable(one["name"], _text(one, "part", path), one.get("scheme") or "postgresql") for one in found
    )


def _check_places(raw: Raw, path: str) -> None:
    folder, python, config = raw.get("path") or "/app", raw.get("python") or "python3", raw.get("configFile") or ""
    require(folder.startswith("/") and ".." not in folder, f"{path}.path", rules.PATH_RULE)
    plain = rules.INTERPRETER.fullmatch(python) is not None and (python.startswith("/") or "/" not in python)
    require(plain, f"{path}.python", rules.PYTHON_RULE)
    require(not config.startswith("/") and ".." not in config, f"{path}.configFile", rules.CONFIG_FILE_RULE)


def _revision(raw: Raw) -> str:
    require((raw.get("revision") is None) != (raw.get("revisions") is None), "spec", rules.ONE_TARGET)
    if raw.get("revision") is None:
        return ""
    revision = _text(raw, "revision", "spec")
    require(rules.REVISION.fullmatch(revision) is not None and revision != "base", "spec.revision", rules.REVISION_RULE)
    return revision


def _revisions(raw: Raw) -> tuple[str, ...]:
    if raw.get("revisions") is None:
        return ()
    revisions = tuple(raw["revisions"])
    require(len(revisions) > 0, "spec.revisions", rules.REVISIONS_RULE)
    for at, revision in enumerate(revisions):
        legal = rules.REVISION.fullmatch(revision) is not None and revision not in (HEAD, HEADS, "base")
        require(legal and revision not in revisions[:at], f"spec.revisions[{at}]", rules.REVISIONS_RULE)
    return revisions


def _baseline(raw: Raw | None) -> Baseline | None:
    if raw is None:
        return None
    revisions, fingerprint = tuple(raw.get("revisions") or ()), raw.get("fingerprint") or ""
    for at, revision in enumerate(revisions):
        legal = rules.REVISION.fullmatch(revision) is not None and revision not in (HEAD, HEADS, "base")
        require(legal, f"spec.baseline.revisions[{at}]", rules.BASELINE_REVISION)
    check_digest(fingerprint, "spec.baseline.fingerprint")
    require(bool(revisions) or not fingerprint, "spec.baseline", rules.BASELINE_FINGERPRINT)
    return Baseline(revisions, fingerprint)


def _seconds(raw: Raw, key: str, default: float, path: str) -> float:
    value = raw.get(key)
    if value is None:
        return default
    try:
        seconds = duration.seconds(value)
    except (TypeError, ValueError):
        raise InvalidSpec(f"{path}.{key}", rules.DURATION_RULE) from None
    require(seconds <= WEEK, f"{path}.{key}", rules.AT_MOST_A_WEEK)
    return seconds


def _timeouts(raw: Raw) -> Timeouts:
    path = "spec.timeouts"
    timeouts = Timeouts(
        lock=_seconds(raw, "lock", 3.0, path),
        statement=_seconds(raw, "statement", 0.0, path),
        idle_in_transaction=_seconds(raw, "idleInTransaction", 600.0, path),
        run=_seconds(raw, "run", 3600.0, path),
    )
    require(timeouts.run > 0, f"{path}.run", rules.RUN_ABOVE_ZERO)
    require(timeouts.lock > 0, f"{path}.lock", rules.LOCK_ABOVE_ZERO)
    return timeouts


def _retry(raw: Raw) -> Retry:
    backoff = _seconds(raw, "backoff", 10.0, "spec.retry")
    require(0 < backoff <= LONGEST_BACKOFF, "spec.retry.backoff", rules.BACKOFF_RULE)
    return Retry(limit=int(raw.get("limit", 5)), backoff=backoff)
