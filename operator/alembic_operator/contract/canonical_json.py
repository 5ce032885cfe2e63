"""Canonical JSON: the one way in which a value becomes text that is hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """Sorted keys, no white space, ASCII: the same value gives the same text everywhere."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: Any) -> str:
    """`sha256:<64 hex>` over the canonical JSON of a value."""
    return "sha256:" + hashlib.sha256(canonical(value).encode("ascii")).hexdigest()
