"""Listeners of SQLAlchemy's events that env.py adds: they end with its run.

env.py is run more than once in a process. One that listens to a class (`@event.listens_for(Engine, "connect")`), or to
metadata that it imports, would be told twice the second time: what it sends would be in the plan twice, and not in the
plan at all where a run tries again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy.event.registry import _EventKey
from sqlalchemy.exc import InvalidRequestError

_IMPORTING = "<frozen importlib._bootstrap>"


@contextmanager
def listening_until_its_end(env: Path) -> Iterator[None]:
    """While this lasts, env.py runs; what it adds goes afterwards, but for what a module adds that is imported once."""
    added: list[Any] = []
    original = _EventKey.listen

    def listen(key: Any, *arguments: Any, **options: Any) -> None:
        original(key, *arguments, **options)
        if not _imported(os.path.realpath(env)):
            added.append(key)

    _EventKey.listen = listen  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        _EventKey.listen = original  # type: ignore[method-assign]
        for key in reversed(added):
            with suppress(InvalidRequestError):  # what it listened to is gone
                key.remove()


def _imported(env: str) -> bool:
    """Whether a module other than env.py is being imported in this thread."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file == _IMPORTING:
            return True
        if os.path.realpath(file) == env:
            return False
        frame = frame.f_back
    return False
