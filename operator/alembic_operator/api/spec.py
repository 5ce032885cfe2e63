"""The spec of a DatabaseSchema as frozen dataclasses: parsed, not validated.

The CRD refuses most of what is illegal; the same rules stand here with the same words, for a cluster whose CRD is older
than the operator. Durations are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import duration

Raw = Mapping[str, Any]

REVISION = re.compile(r"^[A-Za-z0-9_]{1,32}$")
IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$")
PINNED = re.compile(r"@sha256:[a-f0-9]{64}$")
TAGGED = re.compile(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
HEAD = "head"

ONE_SOURCE = "give exactly one of migrations.image and migrations.configMap"
IMAGE_ONLY = (
    "path, python, configFile, environment and pullSecrets belong to migrations.image; remove them beside configMap"
)
REVISION_RULE = "revision must be one full Alembic revision id (letters, digits, underscores; at most 32), or head"
UNTAGGED = "an image needs a digest (name@sha256:<64 hex>) or, in development namespaces, a tag"
RUN_ABOVE_ZERO = "timeouts.run must be more than 0s: a run without end would hold its lock for ever"
LOCK_ABOVE_ZERO = "timeouts.lock must be more than 0s: a migration that waits for a lock for ever blocks every reader"


class InvalidSpec(ValueError):
    """A spec that the operator cannot act on.

    Attributes:
        path: the field, as `spec.migrations.image`.
        rule: what is wrong and what to write instead.
    """

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}")
        self.path = path
        self.rule = rule


@dataclass(frozen=True)
class SecretRef:
    """A key of a Secret in the resource's own namespace."""

    name: str
    key: str = "uri"


@dataclass(frozen=True)
class Database:
    """The database, by the Secret that only the Job's pod mounts."""

    secret_ref: SecretRef
    search_path: tuple[str, ...] = ("public",)
    role: str = ""


@dataclass(frozen=True)
class VersionTable:
    """Where Alembic keeps its rows; schema "" means the first of the search path."""

    name: str = "alembic_version"
    schema: str = ""


@dataclass(frozen=True)
class Migrations:
    """Where the migrations come from: an image, or a ConfigMap of version files."""

    image: str = ""
    config_map: str = ""
    path: str = "/app"
    python: str = "python3"
    config_file: str = "alembic.ini"
    environment: str = "Managed"
    version_table: VersionTable = field(default_factory=VersionTable)
    pull_secrets: tuple[str, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether the image names one content for ever."""
        return not self.image or PINNED.search(self.image) is not None


@dataclass(frozen=True)
class Baseline:
    """What an existing database is said to be at; no revisions: start from base beside what is there."""

    revisions: tuple[str, ...] = ()


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
class JobShape:
    """What the user may say about the Job's pod; pieces of a pod spec are kept raw."""

    service_account_name: str = ""
    resources: Raw = field(default_factory=dict)
    node_selector: Raw = field(default_factory=dict)
    tolerations: tuple[Raw, ...] = ()
    priority_class_name: str = ""
    pod_labels: Raw = field(default_factory=dict)
    pod_annotations: Raw = field(default_factory=dict)
    env: tuple[Raw, ...] = ()
    volumes: tuple[Raw, ...] = ()
    volume_mounts: tuple[Raw, ...] = ()
    sidecars: tuple[Raw, ...] = ()
    run_as_user: int = 65532


@dataclass(frozen=True)
class Spec:
    """What a DatabaseSchema asks for."""

    database: Database
    migrations: Migrations
    revision: str
    baseline: Baseline | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: Retry = field(default_factory=Retry)
    suspend: bool = False
    history_limit: int = 5
    job: JobShape = field(default_factory=JobShape)


def parse_spec(raw: Raw) -> Spec:
    """Read the raw `spec` of a DatabaseSchema.

    Raises:
        InvalidSpec: a rule is broken; the error names the field.
    """
    return Spec(
        database=_database(_mapping(raw, "database", "spec")),
        migrations=_migrations(_mapping(raw, "migrations", "spec")),
        revision=_revision(raw),
        baseline=_baseline(raw.get("baseline")),
        timeouts=_timeouts(raw.get("timeouts") or {}),
        retry=_retry(raw.get("retry") or {}),
        suspend=bool(raw.get("suspend", False)),
        history_limit=int(raw.get("historyLimit", 5)),
        job=_job(raw.get("job") or {}),
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
    if not IDENTIFIER.match(name):
        raise InvalidSpec(path, f"{name[:64]!r} is not a plain SQL identifier (letters, digits, underscores)")
    return name


def _database(raw: Raw) -> Database:
    path = "spec.database"
    secret = _mapping(raw, "secretRef", path)
    search_path = tuple(raw.get("searchPath") or ("public",))
    return Database(
        secret_ref=SecretRef(_text(secret, "name", f"{path}.secretRef"), secret.get("key") or "uri"),
        search_path=tuple(_identifier(name, f"{path}.searchPath") for name in search_path),
        role=raw.get("role") or "",
    )


def _migrations(raw: Raw) -> Migrations:
    path = "spec.migrations"
    image = raw.get("image") or ""
    config_map = (raw.get("configMap") or {}).get("name") or ""
    if bool(image) == bool(config_map):
        raise InvalidSpec(path, ONE_SOURCE)
    if config_map and any(raw.get(key) for key in ("path", "python", "configFile", "environment", "pullSecrets")):
        raise InvalidSpec(path, IMAGE_ONLY)
    if image and not (PINNED.search(image) or TAGGED.search(image)):
        raise InvalidSpec(f"{path}.image", UNTAGGED)
    table = raw.get("versionTable") or {}
    name, schema = table.get("name") or "alembic_version", table.get("schema") or ""
    return Migrations(
        image=image,
        config_map=config_map,
        path=raw.get("path") or "/app",
        python=raw.get("python") or "python3",
        config_file=raw.get("configFile") or "alembic.ini",
        environment=raw.get("environment") or "Managed",
        version_table=VersionTable(
            _identifier(name, f"{path}.versionTable.name"),
            schema and _identifier(schema, f"{path}.versionTable.schema"),
        ),
        pull_secrets=tuple(item["name"] for item in raw.get("pullSecrets") or ()),
    )


def _revision(raw: Raw) -> str:
    revision = _text(raw, "revision", "spec")
    if not REVISION.match(revision) or revision in ("heads", "base"):
        raise InvalidSpec("spec.revision", REVISION_RULE)
    return revision


def _baseline(raw: Raw | None) -> Baseline | None:
    if raw is None:
        return None
    return Baseline(tuple(raw.get("revisions") or ()))


def _seconds(raw: Raw, key: str, default: float, path: str) -> float:
    value = raw.get(key)
    if value is None:
        return default
    try:
        return duration.seconds(value)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{path}.{key}", str(error)) from None


def _timeouts(raw: Raw) -> Timeouts:
    path = "spec.timeouts"
    timeouts = Timeouts(
        lock=_seconds(raw, "lock", 3.0, path),
        statement=_seconds(raw, "statement", 0.0, path),
        idle_in_transaction=_seconds(raw, "idleInTransaction", 600.0, path),
        run=_seconds(raw, "run", 3600.0, path),
    )
    if timeouts.run <= 0:
        raise InvalidSpec(f"{path}.run", RUN_ABOVE_ZERO)
    if timeouts.lock <= 0:
        raise InvalidSpec(f"{path}.lock", LOCK_ABOVE_ZERO)
    return timeouts


def _retry(raw: Raw) -> Retry:
    return Retry(limit=int(raw.get("limit", 5)), backoff=_seconds(raw, "backoff", 10.0, "spec.retry"))


def _job(raw: Raw) -> JobShape:
    def items(key: str) -> tuple[Raw, ...]:
        value: Sequence[Raw] = raw.get(key) or ()
        return tuple(value)

    return JobShape(
        service_account_name=raw.get("serviceAccountName") or "",
        resources=raw.get("resources") or {},
        node_selector=raw.get("nodeSelector") or {},
        tolerations=items("tolerations"),
        priority_class_name=raw.get("priorityClassName") or "",
        pod_labels=raw.get("podLabels") or {},
        pod_annotations=raw.get("podAnnotations") or {},
        env=items("env"),
        volumes=items("volumes"),
        volume_mounts=items("volumeMounts"),
        sidecars=items("sidecars"),
        run_as_user=int(raw.get("runAsUser", 65532)),
    )
