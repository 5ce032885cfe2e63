"""A record of a run's log: a line of its own with a prefix, and one JSON text behind it."""

from __future__ import annotations

import json
from typing import Any

from .job_env import RECORD_PREFIX

LAST_LINE = "alembic-operator: "  # begins the line for people with which a run ends


def record_in(line: str) -> dict[str, Any]:
    """The record in a line of a log; empty for none. User code prints to the same log: anything may stand there."""
    if not line.startswith(RECORD_PREFIX):
        return {}
    try:
        record = json.loads(line[len(RECORD_PREFIX) :])
    except (RecursionError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
