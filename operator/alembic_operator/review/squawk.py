"""A second opinion: squawk reads the statements of which no rule here had anything to say.

It has a parser of its own, and knows nothing of the database. What the shadow has seen overrules it, and its rules go
by the names of those here, so that severities, waivers and the documentation stay one list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..contract.sql_tokens import Unreadable, tokens
from ..core.model.findings import Finding, Severity
from .ast import word
from .plan_state import Part, PlanState, commands
from .squawk_program import Said, ask
from .statement_target import StatementTarget, subject

LONGEST = 16 * 1024  # characters of a statement: parentheses in parentheses take it a second, and twice as many four
_DESTRUCTIVE, _TYPE, _REWRITE, _NOT_NULL = "destructive", "type-change", "rewrite", "not-null-without-backfill"
_INDEX, _UNIQUE, _VALIDATION = "index-not-concurrent", "unique-on-existing", "constraint-validation"
_UNSEEN = {  # of which the shadow's evidence tells nothing
    "ban-alter-extension": _DESTRUCTIVE,
    "ban-alter-function-options": _DESTRUCTIVE,
    "ban-alter-identity": _DESTRUCTIVE,
    "ban-alter-policy-condition": _DESTRUCTIVE,
    "ban-alter-policy-roles": _DESTRUCTIVE,
    "ban-alter-role-options": _DESTRUCTIVE,
    "ban-alter-row-level-security": _DESTRUCTIVE,
    "ban-alter-view-options": _DESTRUCTIVE,
    "ban-concurrent-index-creation-in-transaction": _INDEX,
    "ban-detach-inheritance": _DESTRUCTIVE,
    "ban-disable-trigger": _DESTRUCTIVE,
    "ban-drop-constraint": _DESTRUCTIVE,
    "ban-drop-database": _DESTRUCTIVE,
    "ban-drop-generated-expression": _DESTRUCTIVE,
    "ban-drop-type": _DESTRUCTIVE,
    "ban-replica-identity": _DESTRUCTIVE,
    "ban-revoke": _DESTRUCTIVE,
    "ban-set-schema": _DESTRUCTIVE,
    "ban-truncate-cascade": _DESTRUCTIVE,
    "renaming-column": _DESTRUCTIVE,
    "renaming-object": _DESTRUCTIVE,
    "renaming-table": _DESTRUCTIVE,
    "require-concurrent-partition-detach": _DESTRUCTIVE,
    "require-concurrent-reindex": _INDEX,
}
_SEEN = {
    "adding-field-with-default": _REWRITE,
    "adding-foreign-key-constraint": _VALIDATION,
    "adding-not-nullable-field": _NOT_NULL,
    "adding-required-field": _NOT_NULL,
    "adding-serial-primary-key-field": _UNIQUE,
    "ban-alter-domain-with-add-constraint": _VALIDATION,
    "ban-drop-column": _DESTRUCTIVE,
    "ban-drop-domain": _DESTRUCTIVE,
    "ban-drop-extension": _DESTRUCTIVE,
    "ban-drop-schema": _DESTRUCTIVE,
    "ban-drop-sequence": _DESTRUCTIVE,
    "ban-drop-table": _DESTRUCTIVE,
    "ban-drop-view": _DESTRUCTIVE,
    "changing-column-type": _TYPE,
    "constraint-missing-not-valid": _VALIDATION,
    "disallowed-unique-constraint": _UNIQUE,
    "require-concurrent-index-creation": _INDEX,
    "require-concurrent-index-deletion": _INDEX,
}
RULES = {**_UNSEEN, **_SEEN}
_VERBS = frozenset({"ALTER", "DROP", "REASSIGN", "REVOKE"})
_VERBS_UNREAD = _VERBS | {"CLUSTER", "CREATE", "REINDEX", "TRUNCATE"}
# Commands of ALTER TABLE that no rule here looks at; where one looks and says nothing, that is an answer.
_OPEN_COMMANDS = frozenset(
    {"AT_ReplicaIdentity", "AT_ForceRowSecurity", "AT_NoForceRowSecurity", "AT_AddIdentity", "AT_SetIdentity"}
    | {"AT_DropIdentity", "AT_DropExpression", "AT_AlterConstraint", "AT_ChangeOwner"}
)
_OPEN_DROPS = frozenset({"OBJECT_CAST", "OBJECT_OPERATOR", "OBJECT_OPCLASS", "OBJECT_OPFAMILY", "OBJECT_PUBLICATION"})
# No program says the name of an index or a constraint, but in an error message.
_OPEN_RENAMES = frozenset(
    {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE", "OBJECT_SEQUENCE", "OBJECT_ROLE"}
)
_FIX = (
    "Check whether running applications depend on it. If none does, write a waiver that says so. Otherwise, first "
    "release applications that do not."
)


@dataclass
class SecondOpinion:
    """Gathers, while the rules go over a plan, the statements that squawk is asked about; then asks."""

    state: PlanState
    _asked: list[tuple[Said, Part, StatementTarget]] = field(default_factory=list)
    _made: set[str] = field(default_factory=set)

    def hear(self, part: Part, spoken: bool) -> None:
        """A statement that the rules have seen, before the scene learns it.

        Args:
            part: the statement.
            spoken: whether a rule had something to say.
        """
        text = part.tree.text
        verb = text.partition(" ")[0].upper()
        if part.helper or len(text) > LONGEST or verb not in _VERBS_UNREAD:
            return
        try:
            words = tokens(text)
        except Unreadable:
            return  # a comment could be in it, and squawk obeys those
        about = subject(words, self.state)
        if (verb in _VERBS or part.node is None) and _open(part, spoken) and self._existing(about):
            block = "" if part.sent.autocommit else f"{part.step.revision} {part.transaction}"
            self._asked.append((Said(" ".join(words), block), part, about))
        if verb == "CREATE" and about.name and not {"REPLACE", "EXISTS"} & {one.upper() for one in words[1:6]}:
            self._made.add(about.name)

    def findings(self) -> Iterator[Finding]:
        """What squawk says of them; it is not started where there is none.

        Raises:
            SquawkFailed: no answer.
        """
        answers = ask([said for said, _, _ in self._asked], RULES.keys(), self.state.document.server_major)
        for at, rule, message in answers:
            _, part, about = self._asked[at]
            if part.probed and rule in _SEEN:
                continue
            severity = Severity.ERROR if part.node is None else Severity.WARNING
            what = f"It changes {about.name}" if about.name else f"Statement {part.number}"
            yield part.finding(RULES[rule], severity, about.name, f"{what}; squawk says ({rule}): {message}", _FIX)

    def _existing(self, about: StatementTarget) -> bool:
        new = about.name in self._made or about.column in self.state.columns
        return not new and self.state.existing(about.table or about.name)


def _open(part: Part, spoken: bool) -> bool:
    """Whether no rule here has answered for it."""
    if part.node is None:
        return True  # all that was said is that it cannot be read
    if spoken:
        return False
    if part.kind == "alter_table_stmt" and word(part.node, "objtype") == "OBJECT_TABLE":
        return any(kind in _OPEN_COMMANDS for kind, _ in commands(part))
    if part.kind == "drop_stmt":
        return word(part.node, "remove_type") in _OPEN_DROPS
    if part.kind == "rename_stmt":
        return word(part.node, "rename_type") in _OPEN_RENAMES
    return part.kind != "grant_stmt" or word(part.node, "targtype") != "ACL_TARGET_OBJECT"
