"""PostgreSQL's lock modes on relations, as `pg_locks` names them."""

from __future__ import annotations

import re

# From the weakest to the strongest.
STRENGTH = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)


def in_words(mode: str) -> str:
    """As the documentation of PostgreSQL writes it: `SHARE UPDATE EXCLUSIVE`."""
    return " ".join(re.findall("[A-Z][a-z]+", mode)[:-1]).upper()
