"""Schemas held against each other while a plan is made."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from ..driver import RawConnection
from .task import Task

_PACKAGE = "alembic_operator.runner.schema"
_LISTED = 8


def schema_of(connection: RawConnection, task: Task) -> Any:
    """A snapshot of the schema behind a connection (runner.schema.Snapshot); None in a build without that package."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return None
    return _schema().snapshot(connection, task.request.search_path, task.place)


def differences(wanted: Any, found: Any) -> list[str]:
    """One sentence for each object that differs."""
    if wanted is None or found is None:
        return ["the schemas cannot be compared by this build of the runner"]
    sentences: list[str] = _schema().differences(wanted, found)
    return sentences


def fingerprint_of(schema: Any) -> str:
    """Its fingerprint; "" for none."""
    return str(schema.fingerprint) if schema is not None else ""


def listed(sentences: list[str], most: int = _LISTED) -> str:
    """The first of them, for a message."""
    more = f"; and {len(sentences) - most} more" if len(sentences) > most else ""
    return "; ".join(sentence.rstrip(".") for sentence in sentences[:most]) + more


def _schema() -> Any:
    return importlib.import_module(_PACKAGE)
