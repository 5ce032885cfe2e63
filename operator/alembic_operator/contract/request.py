"""The run request: what the operator asks of the runner, as JSON in one environment variable.

It names its target, and holds no secret. Durations are seconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from .verification import Verification, VerifiedReason

VERSION = 1


class RunKind(str, Enum):
    """What a run does. `Check` and `Plan` only read the target."""

    PLAN = "Plan"
    APPLY = "Apply"
    CHECK = "Check"


class ProtocolError(ValueError):
    """A request or result that this version cannot read."""


@dataclass(frozen=True)
class Owner:
    """Who manages a database: one DatabaseSchema of one cluster."""

    cluster: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class Timeouts:
    """Seconds; 0 means none (statement and idle_in_transaction only)."""

    lock: float = 3.0
    statement: float = 0.0
    idle_in_transaction: float = 600.0
    run: float = 3600.0


@dataclass(frozen=True)
class ConnectionVariable:
    """An environment variable that env.py's settings need, and what of the Secret's connection it holds.

    Attributes:
        name: of the variable.
        part: uri, host, port, name, user or password.
        scheme: of the URI: `postgresql+asyncpg` for instance.
    """

    name: str
    part: str
    scheme: str = "postgresql"


@dataclass(frozen=True)
class Approved:
    """The plan that an apply run may run, and nothing else.

    Attributes:
        name, uid: of the SchemaPlan, for the journal; "" where nothing is to be sent, only the database claimed.
        digest, inputs_digest: as in the plan; the runner computes the inputs again under the lock.
        direction: as in contract.plan.
        from_revisions, to_revisions: version rows before and after.
        journal_id: the newest id of the journal when it was planned; 0 for none.
        guard_sha256: hex, over the parts of the guard in places.PLAN_DIRECTORY one after the other; "" for none.
        approved_by: for the journal.
    """

    name: str
    uid: str
    digest: str
    inputs_digest: str
    direction: str
    from_revisions: list[str]
    to_revisions: list[str]
    journal_id: int
    guard_sha256: str = ""
    approved_by: str = ""


@dataclass(frozen=True)
class RunRequest:
    """One run against one target.

    Attributes:
        kind: what the run does.
        target: the DatabaseSchema this run is for; also the owner it claims the database for.
        generation: of the DatabaseSchema.
        job: name of the Job.
        revision: the full id that the database must have, `head` or `heads`; "" where `revisions` has several.
        revisions: full ids, sorted; empty where `revision` has the one.
        secret_name: the Secret's name, for messages; its keys are files in places.SECRET_DIRECTORY.
        secret_key: the key that holds the connection URI.
        search_path: of spec.database.searchPath, for every session; [] where the session's own counts.
        review_credentials: the Secret is spec.database.reviewSecretRef, whose role may have another search path.
        migrating_search_path: what the migrating role's own was when it was last read; [] where it never was. It
            counts for a run with review credentials, and for no other.
        role: SET ROLE after connecting; "" for none.
        path: directory of the ini file in the image.
        config_file: the ini file, relative to path; "" for a bare directory of version files (migrations.configMap).
        version_table, version_table_schema: where Alembic keeps its rows, as the spec has it; "" where it says nothing.
        image: as in the spec, for the journal ("" where the migrations come from a ConfigMap).
        baseline: None, or the revisions an existing database is said to be at; []: from base, beside what is there.
        baseline_fingerprint: of the schema that is to be adopted, as Git has it; "" for none.
        allow_downgrade: a database that is ahead is planned back.
        evidence: Shadow or Static; where a plan gets the SQL from.
        network: Closed or Open; whether a plan run may reach more than the target and the shadow.
        shadow_image: of the shadow, for messages.
        python, env_names: as in the spec, part of a plan's inputs (names of job.env, never values).
        environment: Project or Managed; "" for Project wherever there is an env.py, and Managed elsewhere.
        section: of the ini file.
        x: arguments `key=value` for env.py, as Alembic's option -x.
        connection_env: variables that are set inside the runner's process.
        approved: the plan that an apply run runs; None: whatever is pending, without a review.
        verification: what a plan run found out about a schema that others migrated; an apply run journals it.
        replace_owner: uid of an owner that this target may take the database over from; "" for none.
    """

    kind: RunKind
    target: Owner
    generation: int
    job: str
    revision: str
    secret_name: str
    secret_key: str = "uri"
    search_path: list[str] = field(default_factory=list)
    review_credentials: bool = False
    migrating_search_path: list[str] = field(default_factory=list)
    role: str = ""
    path: str = "/app"
    config_file: str = "alembic.ini"
    version_table: str = ""
    version_table_schema: str = ""
    image: str = ""
    baseline: list[str] | None = None
    baseline_fingerprint: str = ""
    allow_downgrade: bool = False
    evidence: str = "Static"
    network: str = "Closed"
    shadow_image: str = ""
    python: str = "python3"
    environment: str = ""
    section: str = "alembic"
    x: list[str] = field(default_factory=list)
    connection_env: list[ConnectionVariable] = field(default_factory=list)
    env_names: list[str] = field(default_factory=list)
    approved: Approved | None = None
    verification: Verification | None = None
    replace_owner: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)
    revisions: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> list[str]:
        """What the spec names as the target, before `head` and `heads` are resolved."""
        return list(self.revisions) or [self.revision]

    @property
    def pinned_search_path(self) -> list[str]:
        """The search path that each session is given; [] where it keeps its own."""
        return self.search_path or (self.migrating_search_path if self.review_credentials else [])

    @property
    def of_env_py(self) -> dict[str, Any]:
        """What steers env.py, where it is given: part of a plan's inputs."""
        variables = {one.name: one.part if one.part != "uri" else one.scheme for one in self.connection_env}
        section = self.section if self.section != "alembic" else ""
        given = {"section": section, "x": list(self.x), "connectionEnv": variables}
        return {name: value for name, value in given.items() if value}

    def to_json(self) -> str:
        """The text of the environment variable."""
        body: dict[str, Any] = {"version": VERSION}
        body.update(asdict(self))
        body["kind"] = self.kind.value
        return json.dumps(body, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> RunRequest:
        """Read a request.

        Raises:
            ProtocolError: not JSON, another version, or fields that are missing or unknown.
        """
        try:
            body = json.loads(text)
            version = body.pop("version")
            if version != VERSION:
                raise ProtocolError(f"the run request has version {version}, this runner reads version {VERSION}")
            body["kind"] = RunKind(body["kind"])
            body["target"] = Owner(**body["target"])
            body["timeouts"] = Timeouts(**body["timeouts"])
            body["connection_env"] = [ConnectionVariable(**one) for one in body.get("connection_env", [])]
            if body.get("approved") is not None:
                body["approved"] = Approved(**body["approved"])
            if body.get("verification") is not None:
                found = dict(body["verification"])
                body["verification"] = Verification(**{**found, "reason": VerifiedReason(found["reason"])})
            return cls(**body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, ProtocolError):
                raise
            raise ProtocolError(f"the run request cannot be read: {type(error).__name__}") from None
