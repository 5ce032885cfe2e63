"""What cannot be read as it stands: DO blocks, and text that the parser refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.model.findings import Finding, Severity
from ...plan_state import Part, PlanState
from .object_kinds import RULE

_DYNAMIC = (
    (re.compile(r"\bTRUNCATE\b", re.I), "truncates a table"),
    (re.compile(r"\bRENAME\s+(?:TO|COLUMN|VALUE)\b", re.I), "renames something"),
    (re.compile(r"\bDISABLE\s+(?:TRIGGER|RULE|ROW)\b", re.I), "switches off triggers or row level security"),
)
_DYNAMIC_DROP = re.compile(
    r"\bDROP\s+(?:TABLE|COLUMN|SCHEMA|TYPE|DOMAIN|VIEW|MATERIALIZED\s+VIEW|EXTENSION|SEQUENCE|OWNED)\b", re.I
)
_DYNAMIC_DELETE = re.compile(r"\bDELETE\s+FROM\s+[\w.\"%]+\s*(?:;|'|$|\$)", re.I)


def in_code(part: Part, state: PlanState) -> Iterator[Finding]:
    """What a DO block may do; drops are seen where it ran."""
    if part.kind != "do_stmt":
        return
    text = part.tree.text
    found = [what for pattern, what in _DYNAMIC if pattern.search(text)]
    if _DYNAMIC_DELETE.search(text):
        found.append("deletes every row of a table")
    if not part.probed and _DYNAMIC_DROP.search(text):
        found.append("drops something")
    for what in found:
        message = f"Its DO block {what}."
        yield part.finding(
            RULE, Severity.ERROR, "", message, "Write the statement without DO, so that it can be reviewed."
        )


def unreadable(part: Part, state: PlanState) -> Iterator[Finding]:
    """What the parser cannot read may do anything."""
    if part.kind or not part.tree.text.strip():
        return
    found = "is too long to be parsed" if part.tree.large else "cannot be parsed"
    severity = Severity.WARNING if part.probed else Severity.ERROR
    seen = "only its effects in the shadow were reviewed" if part.probed else "it may do anything"
    message = f"Statement {part.number} {found}: {seen}."
    yield part.finding(RULE, severity, "", message, "Write it as plain SQL of PostgreSQL, in shorter statements.")


RULES = (in_code, unreadable)
