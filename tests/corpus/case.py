"""One migration of the corpus: where it comes from, what was there before, and what a careful person says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .shop import SHOP

# Every case has tables of its own in one database: each name that is made gets the case's number behind it.
_NAMES = re.compile(
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:UNLOGGED\s+|UNIQUE\s+|TEMP(?:ORARY)?\s+|MATERIALIZED\s+)*"
    r"(?:TABLE|VIEW|INDEX|TYPE|DOMAIN|FUNCTION|PROCEDURE|SEQUENCE|SCHEMA|TRIGGER|STATISTICS|ROLE|POLICY)\s+"
    r"(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?!ON\b)(\w+)|\bCONSTRAINT\s+(?:IF\s+EXISTS\s+)?(\w+)|"
    r"\bRENAME\s+TO\s+(\w+)|op\.(?:create_\w+|rename_table|drop_\w+)\(\s*\"(\w+)\"|op\.rename_table\(\"\w+\",\s*\"(\w+)\""
)

_PYTHON = re.compile(r"\bop\.\w+\(|\bimport ")


@dataclass(frozen=True)
class Case:
    """A migration.

    Attributes:
        name: what it does, in a few words; unique.
        source: where such a migration is told of: a document, a linter's rule, an incident.
        unsafe: whether it has to be stopped on a busy table with rows.
        revisions: in order. The body of `upgrade()`; or SQL, `;` between statements, `!` before what runs in an
            autocommit block.
        setup: SQL for what was there before, beside the base.
        since: the oldest PostgreSQL that knows the syntax.
        base: SQL for the tables that the cases of a corpus share.
    """

    name: str
    source: str
    unsafe: bool
    revisions: tuple[str, ...]
    setup: str = ""
    since: int = 15
    base: str = SHOP

    def own(self, number: int) -> tuple[str, list[str]]:
        """Setup and bodies of upgrade(), with names of their own."""
        everything = "\n".join((self.base, self.setup, *self.revisions))
        names = {name for found in _NAMES.findall(everything) for name in found if name}
        pattern = re.compile(rf"\b({'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\b")

        def named(text: str) -> str:
            return pattern.sub(rf"\1_{number}", text)

        return named(self.base + self.setup), [body(named(one)) for one in self.revisions]


def body(revision: str) -> str:
    """The body of upgrade() for a revision that may be SQL."""
    if _PYTHON.search(revision):
        return revision
    lines = []
    for statement in split(revision):
        call = f"op.execute({statement.removeprefix('!')!r})"
        if statement.startswith("!"):
            lines += ["with op.get_context().autocommit_block():", f"    {call}"]
        else:
            lines.append(call)
    return "\n".join(lines)


def split(text: str) -> list[str]:
    """Statements at their semicolons, those in dollar quotes left alone."""
    parts = re.split(r"(\$\w*\$.*?\$\w*\$)", text, flags=re.DOTALL)
    marked = "".join(part if at % 2 else part.replace(";", "\0") for at, part in enumerate(parts))
    return [one.strip() for one in marked.split("\0") if one.strip()]
