"""Turns at what only one may use at a time, and never for long: whoever finds others waiting comes back later.

A plan that means harm can take the rules two minutes. Were all the workers to wait for that, nothing else would be
looked at meanwhile, and after app.STUCK the operator would be taken for dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PATIENCE = 10.0  # seconds that a worker waits for its turn
MOST_WAITING = 2  # so that the next begins at once, and the other workers go on
COME_BACK = 2.0  # seconds


class Busy(Exception):
    """Others come first: look again after COME_BACK."""


@dataclass
class Turns:
    """One at a time; `patience` in seconds."""

    patience: float = PATIENCE
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _waiting: int = field(default=0, repr=False)

    @asynccontextmanager
    async def mine(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """One's own turn: it begins when what is given is first called, which raises Busy, and ends with the block."""
        began = False

        async def begin() -> None:
            nonlocal began
            if not began:
                await self._come()
                began = True

        try:
            yield begin
        finally:
            if began:
                self._turn.release()

    async def _come(self) -> None:
        if self._turn.locked() and self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with asyncio.timeout(self.patience):
                await self._turn.acquire()
        except TimeoutError:
            raise Busy from None
        finally:
            self._waiting -= 1
