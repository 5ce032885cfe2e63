"""Stand-in until the digests land."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from typing import Any

_CONTROL = re.compile(r"(?:^|;)\s*(?:COMMIT|ROLLBACK(?!\s+TO)|BEGIN|END|START\s+TRANSACTION|ABORT)\b", re.I)
_DML = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|VALUES|TABLE|SHOW|SET)\b", re.I)


def text_fingerprint(sql: str) -> tuple[str, bool]:
    """Stand-in."""
    return hashlib.sha256(" ".join(sql.split()).encode()).hexdigest()[:32], not _DML.match(sql)


def controls(sql: str) -> bool:
    """Stand-in."""
    return _CONTROL.search(sql) is not None


def mask(sql: str, secrets: Collection[str]) -> str:
    """Stand-in."""
    for secret in secrets:
        sql = sql.replace(secret, "***")
    return sql


def digest_of(value: Any) -> str:
    """Stand-in."""
    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
