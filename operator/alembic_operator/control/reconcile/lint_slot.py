"""A semaphore of one with bounded waiters, for checking plans by the rules; overflow is requeued.

A plan made to do harm can keep the rules busy for two minutes. If every worker waited for that, no other resource would
be reconciled meanwhile, and after app.STUCK the liveness probe would fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PATIENCE = 10.0  # seconds that a worker waits for the slot
MOST_WAITING = 2  # so that the next one starts at once, and the other workers go on
COME_BACK = 2.0  # seconds until a requeued resource is reconciled again


class SlotBusy(Exception):
    """The slot is taken and enough workers wait for it already: requeue after COME_BACK."""


@dataclass
class LintSlot:
    """The semaphore; `patience` in seconds."""

    patience: float = PATIENCE
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _waiting: int = field(default=0, repr=False)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Yield what takes the slot when it is first called, and raises SlotBusy; the block's end releases it."""
        began = False

        async def begin() -> None:
            nonlocal began
            if not began:
                await self._wait()
                began = True

        try:
            yield begin
        finally:
            if began:
                self._lock.release()

    async def _wait(self) -> None:
        if self._lock.locked() and self._waiting >= MOST_WAITING:
            raise SlotBusy
        self._waiting += 1
        try:
            async with asyncio.timeout(self.patience):
                await self._lock.acquire()
        except TimeoutError:
            raise SlotBusy from None
        finally:
            self._waiting -= 1
