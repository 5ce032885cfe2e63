"""SIGINT and SIGTERM end the tool by an exception, once, so that the scratch database is dropped in any case."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The tool was asked to end."""


def _raise(number: int, _frame: FrameType | None) -> None:
    hold()
    raise Interrupted(signal.Signals(number).name)


@contextmanager
def ending_by_exception() -> Iterator[None]:
    """Inside, the first signal raises Interrupted, and no further one counts."""
    before = [signal.signal(number, _raise) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


def hold() -> None:
    """From here on no signal ends the tool: what it made is being removed."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
