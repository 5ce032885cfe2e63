"""What `pg_dump` writes of two databases, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.component.runner.databases import Database
from tests.component.runner.environment.compare import dump

# Rows that a revision makes have the time, and keys that are made up.
_MADE_UP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def differences(plain: Database, ours: Database) -> list[str]:
    """Lines that only one of them has; where a line is in both, but elsewhere, it is no difference."""
    theirs, others = ([_MADE_UP.sub("…", line) for line in dump(one)] for one in (plain, ours))
    if sorted(theirs) == sorted(others):
        return []
    return [*_only("-", theirs, others), *_only("+", others, theirs)] or ["the same lines, some more than once"]


def _only(sign: str, these: list[str], others: list[str]) -> Iterator[str]:
    known = set(others)
    yield from (f"{sign} {line}" for line in these if line not in known)
