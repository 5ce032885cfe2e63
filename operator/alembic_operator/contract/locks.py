"""The keys of the advisory locks that keep runs apart, and the name under which a history's rows are kept."""

from __future__ import annotations

import hashlib


def history_key(schema: str, table: str) -> str:
    """Which history of a database is meant: the schema and name of its version table, as in the journal's rows."""
    return f"{schema}.{table}"


def lock_key(history: str) -> int:
    """The second int of the advisory lock of a history: signed, 32 bits, the same in every version."""
    return int.from_bytes(hashlib.sha256(history.encode("utf-8")).digest()[:4], "big", signed=True)
