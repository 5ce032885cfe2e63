"""Schemas held against each other while a plan is made."""

from __future__ import annotations

from ..driver import RawConnection
from ..schema import Snapshot, snapshot
from .task import Task

_LISTED = 8


def schema_of(connection: RawConnection, task: Task) -> Snapshot:
    """The schema behind a connection."""
    return snapshot(connection, task.search_path.schemas, task.place)


def listed(sentences: list[str], most: int = _LISTED) -> str:
    """The first of them, for a message."""
    more = f"; and {len(sentences) - most} more" if len(sentences) > most else ""
    return "; ".join(sentence.rstrip(".") for sentence in sentences[:most]) + more
