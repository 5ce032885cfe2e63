"""Steps as a whole: their transactions, their way back, and the history that they belong to."""

from __future__ import annotations

from collections.abc import Iterator

from ...contract.plan import Direction, Step
from ...core.model.findings import HISTORY_RULES, Finding, Severity
from ..ast import word
from ..plan_state import Part, PlanState

ESCAPE, MIXED, IRREVERSIBLE = "transaction-escape", "mixed-autocommit", "irreversible"
CONTACT = "first-contact"
_FIX_ESCAPE = (
    "Send everything on op.get_bind(), the session that holds the lock. Do not prepare transactions, start programs, "
    "or open other connections. If the plan needs the network, set spec.review.network: Open."
)
_FIX_COMMIT = (
    "Use op.get_context().autocommit_block() instead, in a revision of its own. If the revision is already released, "
    "say in a waiver why a failure half-way does no harm."
)
_ENDS = frozenset({"TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"})
_ROWS = frozenset(
    {
        "select_stmt",
        "insert_stmt",
        "update_stmt",
        "delete_stmt",
        "merge_stmt",
        "variable_set_stmt",
        "variable_show_stmt",
    }
    | {"transaction_stmt", "explain_stmt", "lock_stmt", "copy_stmt", "call_stmt", "notify_stmt", "vacuum_stmt"}
)


def escapes(step: Step, parts: list[Part], state: PlanState) -> Iterator[Finding]:
    """A step that uses another connection, reaches for the network, or leaves a prepared transaction behind."""
    for sentence in step.escapes:
        yield Finding(ESCAPE, Severity.ERROR, step.revision, "", sentence, _FIX_ESCAPE)
    if step.escapes:
        return
    for part in parts:
        if part.kind == "transaction_stmt" and word(part.node, "kind") == "TRANS_STMT_PREPARE" and not part.helper:
            message = f"Statement {part.number} prepares a transaction."
            yield part.finding(ESCAPE, Severity.ERROR, "", message, _FIX_ESCAPE)


def mixed(step: Step, parts: list[Part], state: PlanState) -> Iterator[Finding]:
    """A step that ends its transaction itself, or has DDL in it beside an autocommit block."""
    ends = [part for part in parts if part.kind == "transaction_stmt" and word(part.node, "kind") in _ENDS]
    if ends and not ends[0].helper:
        yield ends[0].finding(
            MIXED,
            Severity.ERROR,
            "",
            f"Statement {ends[0].number} begins or ends a transaction itself: if a later statement fails, what was "
            "committed stays, and the revision cannot be run again.",
            _FIX_COMMIT,
        )
        return
    outside = [part for part in parts if part.sent.autocommit]
    inside = [part for part in parts if not part.sent.autocommit and part.kind not in _ROWS and not part.helper]
    if outside and inside:
        yield inside[0].finding(
            MIXED,
            Severity.ERROR,
            "",
            f"Statement {inside[0].number} runs in a transaction, and statement {outside[0].number} in an autocommit "
            "block of the same revision: if one fails, the other stays, and the revision cannot be run again.",
            "Put the autocommit block into a revision of its own.",
        )


def irreversible(step: Step, parts: list[Part], state: PlanState) -> Iterator[Finding]:
    """A way back that is missing, does nothing or did not lead back in the shadow."""
    if state.document.direction is Direction.DOWNGRADE:
        yield from _way_back(step, state)
    if state.document.direction is not Direction.UPGRADE or not step.file:
        return
    found = {
        "missing": "It has no downgrade().",
        "empty": "Its downgrade() does nothing: the version changes back, and the schema does not.",
        "failed": "Its downgrade() failed in the shadow, or did not restore the schema.",
    }.get(step.downgrade)
    if found is None and step.downgrade == "unproven" and step.statements and state.document.evidence == "Shadow":
        found = "Its downgrade() was not proven in the shadow."
    if found is not None:
        message = " ".join([found, *step.downgrade_differences[:5]])
        fix = "Write a downgrade() that restores the schema, or say in a waiver how this change can be reverted."
        yield Finding(IRREVERSIBLE, Severity.WARNING, step.revision, "", message, fix)


def _way_back(step: Step, state: PlanState) -> Iterator[Finding]:
    """A step down that leaves the schema as it is, or from which the way up does not lead to where it was."""
    stays, static = step.downgrade_differences, state.document.evidence == "Static"
    if step.downgrade == "empty" and (stays or static):
        does = "is not empty" if static else "changes it"
        message = (
            f"Its downgrade() does not change the schema, but its upgrade() {does}: the version would change back, "
            "and the schema would stay."
        )
        fix = "Write a downgrade() that reverts the change, or fix forward with a new revision."
        yield Finding(
            IRREVERSIBLE, Severity.ERROR, step.revision, "", " ".join([message, *(f"{one}." for one in stays[:5])]), fix
        )
    elif step.downgrade == "failed":
        message = "After the downgrade, the upgrade failed in the shadow, or did not restore the current schema."
        fix = "Compare its downgrade() with its upgrade(): one must revert what the other does."
        yield Finding(
            IRREVERSIBLE,
            Severity.WARNING,
            step.revision,
            "",
            " ".join([message, *(f"{one}." for one in stays[:5])]),
            fix,
        )


def history(state: PlanState) -> Iterator[Finding]:
    """What is wrong with the history, or with a database that others migrated."""
    for fault in state.document.faults:
        known = fault.rule in HISTORY_RULES or fault.rule == CONTACT
        rule = fault.rule if known else "edited-revision"
        severity = Severity.WARNING if rule == CONTACT and fault.severity == "warning" else Severity.ERROR
        fix = {
            "multiple-heads": "Merge the heads: alembic merge heads.",
            "inserted-revision": "Set its down_revision to the newest applied revision.",
            "edited-revision": "Restore the file as it was applied, and write the change as a new revision.",
            CONTACT: "Leave it if it belongs to something else. Otherwise drop it, or add a revision that creates it."
            if severity is Severity.WARNING
            else "Compare the schema with the history by hand; or accept it by its fingerprint in spec.baseline.",
        }[rule]
        yield Finding(rule, severity, fault.revision, fault.object, fault.message, fix)


STEP_RULES = (escapes, mixed, irreversible)
PLAN_RULES = (history,)
