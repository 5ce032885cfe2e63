"""What rules look at: each statement with its tree and evidence, and what the plan has made until then."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..contract.plan import PlanDocument, Relation, Statement, Step, Table
from ..core.model.findings import Finding, Severity
from .ast import Tree, inner, literal, names, trees, walk, word

# A lookup table: a rewrite or scan of it ends before anybody has to wait.
SMALL_ROWS, SMALL_BYTES = 100, 128 * 1024
HELPERS = "alembic_operator_helpers"
_BLOCKING = frozenset({"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"})
DEFERRED = frozenset({"rule_stmt", "create_function_stmt"})  # what is written in these runs later, for a row or a call
_MADE_BY = {"create_stmt": "relation", "view_stmt": "view", "create_seq_stmt": "sequence"}


@dataclass(frozen=True)
class Part:
    """One SQL statement of what a step sent at once.

    Attributes:
        tree: the statement.
        step: its revision.
        number: of what was sent, from 1.
        sent: the whole, with its evidence.
        probed: the evidence tells what it did: it ran in the shadow.
        helper: the helpers sent it; their call is reviewed instead.
        transaction: which of the step's transactions; statements outside of one have each their own.
    """

    tree: Tree
    step: Step
    number: int
    sent: Statement
    probed: bool
    helper: bool
    transaction: int

    @property
    def kind(self) -> str:
        """The kind of the tree's node."""
        return self.tree.kind

    @property
    def node(self) -> Any:
        """The tree's node."""
        return self.tree.node

    @property
    def blocked(self) -> set[str]:
        """Relations that it keeps writers away from until the transaction ends."""
        return {lock.relation for lock in self.sent.locks if lock.mode in _BLOCKING}

    def finding(self, rule: str, severity: Severity, object: str, message: str, fix: str) -> Finding:
        """Something to say about it."""
        return Finding(rule, severity, self.step.revision, object, message, fix, self.number)


@dataclass
class PlanState:
    """The database as the plan has left it before a statement.

    Attributes:
        made: relations, types and schemas that the plan made.
        columns: those that the plan added: (table, column).
        unproven: constraints added NOT VALID: (table, name) and the revision and transaction.
        not_null: (table, column) for which a CHECK (column IS NOT NULL) was validated.
        policies: tables for which the plan made a policy of row level security.
        selects: the last SELECTs in transactions.
        waiting_in: the revision that has switched lock_timeout off; "" for none.
        parts: of the step under way.
    """

    document: PlanDocument
    made: set[str] = field(default_factory=set)
    columns: set[tuple[str, str]] = field(default_factory=set)
    unproven: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    not_null: set[tuple[str, str]] = field(default_factory=set)
    policies: set[str] = field(default_factory=set)
    selects: deque[Part] = field(default_factory=lambda: deque(maxlen=20))
    waiting_in: str = ""
    parts: list[Part] = field(default_factory=list)
    relations: dict[str, Relation] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    _checks: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.relations = {one.name: one for one in self.document.relations}
        self.tables = {one.name: one for one in self.document.tables}
        self.not_null = {(one.name, column) for one in self.document.tables for column in one.not_null_checks}

    def name(self, relation: Any) -> str:
        """`public.orders` for a RangeVar."""
        return self.qualified([relation.schemaname, relation.relname] if relation.schemaname else [relation.relname])

    def qualified(self, parts: list[str]) -> str:
        """`public.orders` for the parts of a name, by what is known and the search path."""
        if len(parts) != 1:  # none: a cast, which has types instead of a name
            return ".".join(parts[-2:])
        path = self.document.search_path or ["public"]
        known = self.made | self.relations.keys() | self.tables.keys()
        return next(
            (f"{schema}.{parts[-1]}" for schema in path if f"{schema}.{parts[-1]}" in known), f"{path[0]}.{parts[-1]}"
        )

    def existing(self, name: str) -> bool:
        """Whether it was there before the plan, and may hold rows."""
        return name not in self.made and name.partition(".")[0] not in self.made

    def small(self, name: str) -> bool:
        """Whether the target says that it is a lookup table; a table that was never analysed may be of any size."""
        found = self.relations.get(name)
        return found is not None and 0 <= found.rows <= SMALL_ROWS and found.bytes <= SMALL_BYTES

    def size(self, name: str) -> str:
        """A part of a sentence about its size."""
        found = self.relations.get(name)
        if found is None or found.kind not in ("table", "partitioned table", "materialized view"):
            return "size unknown"
        rows = f"about {found.rows} rows" if found.rows >= 0 else "never analysed, number of rows unknown"
        return f"{found.bytes // 1024} kB, {rows}"

    def weight(self, name: str) -> Severity:
        """How much a rewrite or scan of this relation counts."""
        return Severity.WARNING if self.small(name) else Severity.ERROR

    def later(self, part: Part) -> Iterator[Part]:
        """What the step does after this."""
        found = False
        for one in self.parts:
            if found:
                yield one
            found = found or one is part

    def learn(self, part: Part) -> None:
        """The statement is done."""
        self.made.update(part.sent.objects)
        if part.node is None:
            return
        self._learn_session(part)
        if part.kind in (
            "create_stmt",
            "view_stmt",
            "create_seq_stmt",
            "create_table_as_stmt",
            "create_foreign_table_stmt",
        ):
            self._learn_relation(part)
        elif part.kind == "create_schema_stmt" and not (part.probed and part.node.if_not_exists):
            self.made.add(part.node.schemaname)
        elif part.kind in ("create_enum_stmt", "create_range_stmt"):
            self.made.add(self.qualified(names(part.node.type_name)))
        elif part.kind == "create_domain_stmt":
            self.made.add(self.qualified(names(part.node.domainname)))
        elif part.kind == "composite_type_stmt":
            self.made.add(self.name(part.node.typevar))
        elif part.kind == "index_stmt" and part.node.idxname:
            table = self.name(part.node.relation)
            if not part.node.if_not_exists or not self.existing(table):
                self.made.add(f"{table.partition('.')[0]}.{part.node.idxname}")
        elif part.kind == "create_policy_stmt":
            self.policies.add(self.name(part.node.table))
        elif part.kind == "alter_table_stmt":
            self._learn_table(part)
        elif part.kind == "rename_stmt":
            self._learn_rename(part.node)

    def _learn_relation(self, part: Part) -> None:
        node = part.node
        if part.kind == "create_table_as_stmt":
            relation, guarded = node.into.rel, node.if_not_exists
        elif part.kind == "create_foreign_table_stmt":
            relation, guarded = node.base_stmt.relation, node.base_stmt.if_not_exists
        elif part.kind == "create_stmt":
            relation, guarded = node.relation, node.if_not_exists
        else:
            relation = node.view if part.kind == "view_stmt" else node.sequence
            guarded = node.replace if part.kind == "view_stmt" else node.if_not_exists
        if relation.relpersistence == "t":
            self.made.add(self.name(relation))
            self.made.add(f"pg_temp.{relation.relname}")
        elif not guarded and not (part.probed and self.name(relation) not in part.sent.objects):
            self.made.add(self.name(relation))

    def _learn_table(self, part: Part) -> None:
        table = self.name(part.node.relation)
        for kind, command in commands(part):
            if kind == "AT_AddColumn":
                added = inner(command.def_ if hasattr(command, "def_") else getattr(command, "def"))[1]
                if not command.missing_ok:
                    self.columns.add((table, added.colname))
            elif kind == "AT_AddConstraint":
                constraint = definition(command)
                if constraint.skip_validation:
                    self.unproven[(table, constraint.conname)] = (part.step.revision, part.transaction)
                column = _not_null_column(constraint)
                if column and constraint.skip_validation:
                    self._checks[(table, constraint.conname)] = column
                elif column:
                    self.not_null.add((table, column))
            elif kind == "AT_ValidateConstraint" and (table, command.name) in self._checks:
                self.not_null.add((table, self._checks[(table, command.name)]))

    def _learn_session(self, part: Part) -> None:
        for name, value in _set(part):
            if name == "lock_timeout":
                self.waiting_in = "" if value is None or str(value).strip("0 minsh") else part.step.revision
        if part.kind == "select_stmt" and not part.sent.autocommit:
            self.selects.append(part)

    def _learn_rename(self, node: Any) -> None:
        kind = word(node, "rename_type")
        if kind == "OBJECT_COLUMN" and (self.name(node.relation), node.subname) in self.columns:
            self.columns.add((self.name(node.relation), node.newname))
        elif kind in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_MATVIEW"):
            old = self.name(node.relation)
            if old in self.made:
                self.made.discard(old)
                self.made.add(f"{old.partition('.')[0]}.{node.newname}")


def _set(part: Part) -> list[tuple[str | int | None, str | int | None]]:
    """Settings and their values, by SET or set_config(); None for what is not written there."""
    if part.kind == "variable_set_stmt":
        return [(part.node.name, literal(item)) for item in part.node.args] or [(part.node.name, None)]
    if part.kind != "select_stmt":
        return []
    calls = [node for kind, node in walk(part.node) if kind == "func_call" and len(node.args) > 1]
    return [(literal(one.args[0]), literal(one.args[1])) for one in calls if names(one.funcname)[-1] == "set_config"]


def commands(part: Part) -> Iterator[tuple[str, Any]]:
    """The commands of an ALTER TABLE: `AT_AddColumn` and the node."""
    for item in part.node.cmds:
        command = inner(item)[1]
        yield word(command, "subtype"), command


def definition(command: Any) -> Any:
    """What a command of ALTER TABLE adds or changes: a ColumnDef or a Constraint; None without one."""
    return inner(getattr(command, "def"))[1]


def _not_null_column(constraint: Any) -> str:
    """The column of CHECK (column IS NOT NULL); "" for another."""
    if word(constraint, "contype") == "CONSTR_NOTNULL" and len(constraint.keys):
        return names(constraint.keys)[0]
    kind, test = inner(constraint.raw_expr)
    if kind == "null_test" and word(test, "nulltesttype") == "IS_NOT_NULL":
        column = inner(test.arg)
        if column[0] == "column_ref":
            found = names(column[1].fields)
            return found[-1] if found else ""
    return ""


def parts_of(step: Step, evidence: str) -> list[Part]:
    """The statements of a step, with their trees."""
    found: list[Part] = []
    transaction, last = 0, False
    for number, sent in enumerate(step.statements, 1):
        if sent.autocommit or last != sent.autocommit:
            transaction += 1
        last = sent.autocommit
        if sent.channel == "copy":
            continue
        probed = evidence == "Shadow" and not _failed(sent)
        helper = sent.channel in ("helper", "runner")
        for tree in _trees(sent):
            called = tree.kind == "call_stmt" and HELPERS in tree.text[:80]
            found.append(Part(tree, step, number, sent, probed, helper or called, transaction))
    return found


def _failed(sent: Statement) -> bool:
    """It was refused in the shadow, and what it does was not seen."""
    return any(notice.refused for notice in sent.notices)


def _trees(sent: Statement) -> Iterable[Tree]:
    return trees(sent.sql, bound=bool(sent.parameters))
