"""The plan document: what a plan run found out, as its log carries it to the operator.

One JSON text, which planpack packs into records of the log. It holds no parameter, row value or secret: parameters are
types, passwords in SQL are masked before they get here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from .plan_types import well_typed
from .request import ProtocolError

VERSION = 1
ENVIRONMENT = "env.py"  # the step of what env.py sends itself; no revision can have this id


class Direction(str, Enum):
    """Where a plan takes the database."""

    UPGRADE = "Upgrade"
    DOWNGRADE = "Downgrade"
    BASELINE = "Baseline"  # the version rows are written for a schema that is there already; no statement of a revision
    REPAIR = "Repair"  # a revision of which a part was committed is settled


class StepKind(str, Enum):
    """What is known of a step beforehand."""

    SQL = "SQL"
    OPAQUE = "Opaque"  # Python that could not be rendered faithfully: shown as source, not guarded


@dataclass(frozen=True)
class Lock:
    """A lock on a relation that existed before the plan: `public.orders`, `AccessExclusiveLock`."""

    relation: str
    mode: str


@dataclass(frozen=True)
class Dropped:
    """An object that a statement dropped, as PostgreSQL's event trigger names it."""

    type: str
    identity: str


@dataclass(frozen=True)
class Notice:
    """A notice of the server's own.

    Attributes:
        refused: it is the error by which the statement itself was refused, so that nothing is known of what it does.
    """

    sqlstate: str
    message: str
    refused: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement as it was sent in the shadow, with what it did there.

    Attributes:
        sql: as sent, placeholders left in, passwords masked.
        parameters: types of the bound parameters (`int`, `str`); of executemany those of the first row.
        fingerprint: contract.fingerprints.
        ddl: whether the fingerprint is over the whole text and the order counts.
        autocommit: sent outside of a transaction (an autocommit block).
        channel: cursor, copy, or runner (what the runner itself sends in a Baseline or Repair).
        executions: how often in a row.
        locks: the strongest of each relation that existed before the plan.
        rewrites, scans: relations that existed before the plan, rewritten or read whole.
        drops: what it dropped of that.
        violation: SQLSTATE with which the seeded rows were refused, before the statement was tried again without them.
        objects: relations (`public.orders`) that it made.
        seconds: in the shadow.
    """

    sql: str
    parameters: list[str] = field(default_factory=list)
    fingerprint: str = ""
    ddl: bool = False
    autocommit: bool = False
    channel: str = "cursor"
    executions: int = 1
    locks: list[Lock] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    violation: str = ""
    notices: list[Notice] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Step:
    """One revision of a plan, or one deed of the runner's own.

    Attributes:
        revision: its id.
        down: the ids it follows.
        message: first line of its docstring.
        file, file_sha256: of the revision.
        transactional: no autocommit block, no commit of its own.
        escapes: how it left its transaction otherwise: sentences; never waivable.
        source: of the file, for Opaque.
        why_opaque: a sentence.
        downgrade: proven, missing, empty, unproven (not tried), or failed; "" for the step ENVIRONMENT.
        downgrade_differences: what the schema lacked or had after up, down; sentences.
        seconds: in the shadow.
        otherwise: what it sends where the tables are empty, if that is something else; the shadow has a row in each.
        rows: what is to be said of made-up rows; a sentence.
    """

    revision: str
    kind: StepKind
    down: list[str] = field(default_factory=list)
    message: str = ""
    file: str = ""
    file_sha256: str = ""
    transactional: bool = True
    escapes: list[str] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    source: str = ""
    why_opaque: str = ""
    downgrade: str = "unproven"
    downgrade_differences: list[str] = field(default_factory=list)
    seconds: float = 0.0
    otherwise: list[Statement] = field(default_factory=list)
    rows: str = ""


@dataclass(frozen=True)
class Relation:
    """A relation of the target before the plan. `rows` is the planner's estimate, -1 when unknown: treat as large."""

    name: str
    kind: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Column:
    """A column after the plan; `default` is PostgreSQL's expression, "" for none."""

    name: str
    type: str
    nullable: bool = True
    default: str = ""
    identity: bool = False
    generated: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key after the plan; `indexed` when an index begins with its columns."""

    name: str
    columns: list[str]
    references: str
    indexed: bool
    validated: bool = True


@dataclass(frozen=True)
class Table:
    """A table that the plan made or changed, as the shadow's catalog has it afterwards.

    Attributes:
        name: `public.orders`.
        revision: the last step that touched it.
        new: made by the plan.
        columns: all; `new_columns` names those that the plan added.
        foreign_keys: all; `new_foreign_keys` names those that the plan added.
        not_null_checks: columns that a validated CHECK (c IS NOT NULL) covered before the plan.
        unique: sets of columns that a unique index covered before the plan.
    """

    name: str
    revision: str
    new: bool
    columns: list[Column] = field(default_factory=list)
    new_columns: list[str] = field(default_factory=list)
    primary_key: list[str] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    new_foreign_keys: list[str] = field(default_factory=list)
    not_null_checks: list[str] = field(default_factory=list)
    unique: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class HistoryFault:
    """What is wrong with the history, or with the database at first contact.

    Attributes:
        rule: multiple-heads, inserted-revision, edited-revision or first-contact.
        revision: "" for the whole plan.
        message: a sentence.
        severity: error or warning.
        object: `table public.audit`, where one object is meant.
    """

    rule: str
    revision: str
    message: str
    severity: str = "error"
    object: str = ""


@dataclass(frozen=True)
class ShadowFacts:
    """The shadow: seconds from the runner's start until it was restored and seeded, bytes, tables, server version."""

    seconds: float
    bytes: int
    tables: int
    version: str


@dataclass(frozen=True)
class PlanDocument:
    """A whole plan.

    Attributes:
        inputs: what `inputs_digest` is over (docs/digests.md).
        statements_digest, digest, bundle_digest: as there.
        journal_id: the journal's newest id; 0 for none.
        identity: of the database.
        relations: of the target that the steps touch (if Static: that their SQL may name), with their sizes; others are
            left out.
        waivers: text of each `<revision>.review.yaml`, by path in the bundle.
        fingerprint: of the target's schema before the plan; "" if Static.
        expected_fingerprint: of the shadow's schema after it; "" if Static.
        shadow: None for Static evidence.
    """

    direction: Direction
    evidence: str
    from_revisions: list[str]
    to_revisions: list[str]
    inputs: dict[str, Any]
    inputs_digest: str
    statements_digest: str
    digest: str
    bundle_digest: str
    journal_id: int
    identity: str
    server_major: int
    search_path: list[str]
    steps: list[Step] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    faults: list[HistoryFault] = field(default_factory=list)
    waivers: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    expected_fingerprint: str = ""
    shadow: ShadowFacts | None = None

    def to_json(self) -> str:
        """The document's text, without line ends."""
        return json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PlanDocument:
        """Read a document.

        Raises:
            ProtocolError: another version, or parts that are missing, unknown or of another type.
        """
        try:
            body = json.loads(text)
            version = body.pop("version")
            if version != VERSION:
                raise ProtocolError(f"the plan has version {version}, and version {VERSION} can be read")
            body["direction"] = Direction(body["direction"])
            body["steps"] = [_step(item) for item in body["steps"]]
            body["relations"] = [Relation(**item) for item in body["relations"]]
            body["tables"] = [_table(item) for item in body["tables"]]
            body["faults"] = [HistoryFault(**item) for item in body["faults"]]
            body["shadow"] = ShadowFacts(**body["shadow"]) if body["shadow"] is not None else None
            document = cls(**body)
            if not well_typed(document):
                raise ProtocolError("the plan has a value of another type")
            return document
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            if isinstance(error, ProtocolError):
                raise
            raise ProtocolError(f"the plan cannot be read: {type(error).__name__}") from None


def _statement(body: dict[str, Any]) -> Statement:
    body["locks"] = [Lock(**item) for item in body["locks"]]
    body["drops"] = [Dropped(**item) for item in body["drops"]]
    body["notices"] = [Notice(**item) for item in body["notices"]]
    return Statement(**body)


def _step(body: dict[str, Any]) -> Step:
    body["kind"] = StepKind(body["kind"])
    for way in ("statements", "otherwise"):
        body[way] = [_statement(item) for item in body.get(way, ())]
    return Step(**body)


def _table(body: dict[str, Any]) -> Table:
    body["columns"] = [Column(**item) for item in body["columns"]]
    body["foreign_keys"] = [ForeignKey(**item) for item in body["foreign_keys"]]
    return Table(**body)
