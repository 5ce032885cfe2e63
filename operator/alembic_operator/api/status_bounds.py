"""A status made to fit: every text as short as the CRD wants it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from alembic_operator.api.status import Status

CONDITION_MESSAGE_LIMIT = 1024  # characters

# Characters, as in the CRD: what a database or a user's code says may be of any length, and an API server that refuses
# the status would leave the resource at its last one for ever.
_LIMITS = {
    "message": CONDITION_MESSAGE_LIMIT,
    "blocked_by": 1024,
    "current": 1024,
    "target_revision": 1024,
    "from_revisions": 1024,
    "to_revisions": 1024,
    "image": 512,
    "approved_by": 512,
    "summary": 256,
    "plan": 253,
    "job": 253,
    "cluster": 253,
    "name": 253,
    "last_handled_reconcile_at": 253,
    "last_handled_retry_at": 253,
    "identity": 128,
    "schema_fingerprint": 128,
    "digest": 128,
    "revision": 255,
    "engine": 64,
    "version": 64,
    "reason": 64,
    "outcome": 64,
    "namespace": 63,
    "uid": 64,
    "direction": 16,
    "sqlstate": 5,
}
REVISION_LIMIT, REVISIONS_LIMIT = 255, 64


def cut(text: str, limit: int) -> str:
    """The text, at most that many characters of it."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def bounded(status: Status) -> Status:
    """The status with every text short enough for the CRD."""
    result: Status = _bounded(status)
    current = result.current_revisions
    return replace(
        result,
        current_revisions=None if current is None else _few(current),
        target_revisions=_few(result.target_revisions),
    )


def _few(revisions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(cut(one, REVISION_LIMIT) for one in revisions[:REVISIONS_LIMIT])


def _bounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_bounded(item) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    said = {f.name: getattr(value, f.name) for f in fields(value)}
    short = {name: cut(item, _LIMITS[name]) for name, item in said.items() if isinstance(item, str) and name in _LIMITS}
    return replace(value, **{name: _bounded(item) for name, item in said.items()} | short)
