"""Keys of resources that want a look, each handled by one worker at a time.

As in client-go: a key added while it is being handled is handled once more afterwards; a key added twice is handled
once; a key that failed comes back after a growing pause. Nothing but wake-ups lives here: to lose it loses nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Key:
    """A DatabaseSchema."""

    namespace: str
    name: str


FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 300.0


class KeyQueue:
    """A delaying, deduplicating queue for one event loop. `clock` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._handled: dict[Key, float] = {}
        self._again: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._changed = asyncio.Event()
        self._closed = False

    def add(self, key: Key, after: float = 0.0) -> None:
        """Want a look at the key, at the earliest after so many seconds; an earlier wish stands."""
        due = self._clock() + after
        wishes = self._again if key in self._handled else self._due
        if key in wishes and wishes[key] <= due:
            return
        wishes[key] = due
        if wishes is self._due:
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._changed.set()

    async def take(self) -> Key | None:
        """The next key that is due; it is the caller's until `done`. None once the queue is closed."""
        while not self._closed:
            wait = self._until_next()
            if wait is not None and wait <= 0:
                return self._pop()
            self._changed.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue
        self._changed.set()
        return None

    def done(self, key: Key, again_after: float | None = None) -> None:
        """The key was handled; look at it again after so many seconds, or when it is added."""
        del self._handled[key]
        self._failures.pop(key, None)
        self._requeue(key, again_after)

    def failed(self, key: Key, at_least: float = 0.0, at_most: float = LONGEST_PAUSE) -> float:
        """Handling failed: look again after a pause that doubles each time, spread by half; the pause in seconds."""
        del self._handled[key]
        count = self._failures[key] = self._failures.get(key, 0) + 1
        pause = min(at_most, FIRST_PAUSE * 2.0 ** min(count - 1, 20)) * random.uniform(0.75, 1.25)  # noqa: S311
        pause = max(pause, at_least)
        self._requeue(key, pause)
        return pause

    def close(self) -> None:
        """Hand out nothing more."""
        self._closed = True
        self._changed.set()

    def depth(self) -> int:
        """Keys that are due or being handled now."""
        now = self._clock()
        return len(self._handled) + sum(due <= now for due in self._due.values())

    def oldest(self) -> float:
        """Seconds that the longest-waiting due key, or the longest-handled one, has been so; 0 when there is none."""
        now = self._clock()
        return max(
            (now - since for since in (*self._handled.values(), *self._due.values()) if since <= now), default=0.0
        )

    def _requeue(self, key: Key, after: float | None) -> None:
        wished = self._again.pop(key, None)
        if wished is not None:
            self.add(key, max(0.0, wished - self._clock()))
        if after is not None:
            self.add(key, after)

    def _until_next(self) -> float | None:
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) == due:
                return due - self._clock()
            heapq.heappop(self._heap)  # an earlier wish took its place
        return None

    def _pop(self) -> Key:
        _, _, key = heapq.heappop(self._heap)
        del self._due[key]
        self._handled[key] = self._clock()
        if self._due:
            self._changed.set()  # another worker may have slept through this key's time
        return key
