"""Settling a database without running a revision: adopting it as it is, or ending one of which a part was committed.

The plan shows these statements (channel `runner`), and the apply run makes the same ones from the same facts: they are
part of the plan's inputs, so the plan is out of date as soon as the schema is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...contract.fingerprints import text_fingerprint
from ...contract.plan import Direction, Statement, Step, StepKind
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ...contract.verification import Verification
from ..database.driver import RawConnection, rows
from ..database.journal import Entry, adopt, plan_columns
from ..database.session import VersionTable
from ..errors import RunFailed
from ..history.graph import Graph
from .version_table_width import fresh_width

_SETTLED = """
UPDATE alembic_operator.revision_journal
   SET finished = pg_catalog.now(), plan = %s, plan_uid = %s, digest = %s, approved_by = %s WHERE id = %s
"""


@dataclass(frozen=True)
class Settlement:
    """What is to be settled, and how.

    Attributes:
        direction: Baseline or Repair.
        fingerprint: of the schema as it is now, INVALID indexes included.
        before, after: version rows.
        intent: of the revision that is repaired; None for a Baseline.
        drops: full names of the INVALID indexes that go before the revision is forgotten, quoted where they need it.
    """

    direction: Direction
    fingerprint: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    intent: Entry | None = None
    drops: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """Its part of the plan's inputs."""
        return {
            "fingerprint": self.fingerprint,
            "revision": self.intent.revision if self.intent else "",
            "drops": list(self.drops),
        }

    @property
    def finishes(self) -> bool:
        """Whether the revision counts as done from then on, and not as never begun."""
        return set(self.before) != set(self.after)

    def outside(self) -> list[str]:
        """Statements that no transaction may hold, in order."""
        return [f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in self.drops]

    def inside(self, version_table: VersionTable) -> list[str]:
        """Statements of one transaction, in order."""
        table = ".".join(_name(part) for part in (version_table.schema, version_table.table))
        sent = []
        if self.direction is Direction.BASELINE:
            key = _name(f"{version_table.table}_pkc")
            column = (
                f"version_num VARCHAR({fresh_width(self.after)}) NOT NULL, CONSTRAINT {key} PRIMARY KEY (version_num)"
            )
            sent.append(f"CREATE TABLE IF NOT EXISTS {table} ({column})")
        gone, new = sorted(set(self.before) - set(self.after)), sorted(set(self.after) - set(self.before))
        sent += [f"DELETE FROM {table} WHERE version_num = {_literal(one)}" for one in gone]  # noqa: S608
        sent += [f"INSERT INTO {table} (version_num) VALUES ({_literal(one)})" for one in new]  # noqa: S608
        if self.intent is not None:
            which = f"WHERE id = {self.intent.id} AND state = 'intent'"
            journal = "alembic_operator.revision_journal"
            sent.append(
                f"UPDATE {journal} SET state = 'done' {which}" if self.finishes else f"DELETE FROM {journal} {which}"  # noqa: S608
            )
        return sent


def step_of(settlement: Settlement, version_table: VersionTable, message: str) -> Step:
    """The step that a plan shows for it: the statements of the runner's own, in order."""
    sent = [(sql, True) for sql in settlement.outside()] + [(sql, False) for sql in settlement.inside(version_table)]
    statements = []
    for sql, autocommit in sent:
        value, ddl = text_fingerprint(sql)
        statements.append(Statement(sql, fingerprint=value, ddl=ddl, autocommit=autocommit, channel="runner"))
    return Step(
        revision=settlement.intent.revision if settlement.intent else ", ".join(settlement.after),
        kind=StepKind.SQL,
        message=message,
        transactional=not settlement.drops,
        statements=statements,
    )


def repair_of(
    entries: Sequence[Entry], before: Sequence[str], after: Sequence[str], fingerprint: str, invalid: Sequence[str]
) -> Settlement | None:
    """The repair that takes the version rows from `before` to `after`; None where no revision is half applied.

    Args:
        entries: of the journal.
        before: version rows now.
        after: version rows then: those before where the revision is forgotten.
        fingerprint: of the schema now.
        invalid: full names of the INVALID indexes now.
    """
    intent = next(
        (one for one in sorted(entries, key=lambda one: one.id) if one.open_intent and not one.resumable), None
    )
    if intent is None:
        return None
    drops = () if set(before) != set(after) else tuple(invalid)
    return Settlement(Direction.REPAIR, fingerprint, tuple(before), tuple(after), intent, drops)


def settle(
    connection: RawConnection,
    version_table: VersionTable,
    request: RunRequest,
    graph: Graph,
    settlement: Settlement,
    *,
    verification: Verification,
) -> None:
    """Send it: what stands outside of a transaction first, then the rest in one. A Baseline journals the verification.

    Raises:
        RunFailed: PlanChanged, where a row was not as the run had read it.
    """
    for statement in settlement.outside():
        rows(connection, statement)
    rows(connection, "BEGIN")
    try:
        for statement in settlement.inside(version_table):
            _send_one(connection, statement, version_table)
        if settlement.direction is Direction.BASELINE:
            ids = graph.oldest_first(graph.ancestors(settlement.after))
            adopt(connection, version_table, request, [(one, graph.files[one].sha256) for one in ids], verification)
        elif settlement.intent is not None and settlement.finishes:
            rows(connection, _SETTLED, *plan_columns(request), settlement.intent.id)
        rows(connection, "COMMIT")
    except BaseException:
        rows(connection, "ROLLBACK")
        raise


def _send_one(connection: RawConnection, statement: str, version_table: VersionTable) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)  # without parameters a per cent sign means itself
        if not statement.startswith("CREATE TABLE") and cursor.rowcount != 1:
            raise RunFailed(
                Reason.PLAN_CHANGED,
                f"Settling {version_table}: a statement affected {cursor.rowcount} rows instead of one; everything "
                "was rolled back",
                "The next plan reads the database again.",
            )
    finally:
        cursor.close()


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return ("E'" if "\\" in text else "'") + text.replace("\\", "\\\\").replace("'", "''") + "'"
