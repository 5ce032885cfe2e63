"""Which replica leads: a coordination.k8s.io Lease, over GET and PUT.

An optimisation that saves double work; names, uids and the database's lock carry correctness. Times are measured on
this process's monotonic clock only, so clocks that differ, or jump, do no harm: a standby counts from when it *saw*
the Lease change, never from what is written in it.

Timing. A leader that cannot renew stops by itself after `give_up`, before a standby may take over after `duration`.
After a kill -9 a standby leads within duration + 2 x retry: it saw the last renewal at most one look late, and looks
again at most one look after it ran out: 12 + 2 x 2 = 16 s, plus one request; 20 s is promised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from alembic_operator.cluster.errors import AlreadyExists, ClusterError, Conflict, NotFound
from alembic_operator.cluster.port import Cluster, Kind, Raw
from alembic_operator.control.serve import log

_log = log.get(__name__)


class LeaseLost(Exception):
    """This process no longer leads and has to end."""


@dataclass(frozen=True)
class Timing:
    """Seconds. `renew` while leading, `retry` after a failure and while standing by; `answer` is waited for one.

    A leader that gets errors tries 4, 6 and 8 s after its last renewal, each try repeated inside the adapter; one that
    gets no answer tries twice, so that a new connection has a chance.
    """

    duration: float = 12
    renew: float = 4
    retry: float = 2
    answer: float = 3
    give_up: float = 10


class Lease:
    """One replica's view of the Lease: `acquire`, then `keep` until it raises or is cancelled, then `release`."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        holder: str,
        *,
        timing: Timing = Timing(),
        on_change: Callable[[bool], None] = lambda leads: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._holder = holder
        self._timing = timing
        self._on_change = on_change
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._lease: Raw | None = None  # as we wrote it last, while we lead
        self._renewed = 0.0
        self._seen: tuple[str, float] = ("", 0.0)  # the version of another's Lease, and when it was seen first
        self._answered = clock()

    @property
    def held(self) -> bool:
        """Whether this replica leads."""
        return self._lease is not None

    def trouble(self) -> str | None:
        """A health check: what is wrong when the Lease could not be read or renewed for long, else None."""
        silent = self._clock() - self._answered
        limit = 5 * self._timing.duration
        return f"the Lease {self._path} was not answered for {silent:.0f} s" if silent > limit else None

    async def acquire(self) -> None:
        """Return once this replica leads, however long that takes."""
        while not await self._tried():
            await self._sleep(self._timing.retry)
        self._on_change(True)
        _log.info("leading", lease=self._path, holder=self._holder)

    async def keep(self) -> NoReturn:
        """Renew the Lease for ever. Raises LeaseLost when another has it, or nobody answered for `give_up` seconds."""
        pause = self._timing.renew
        while True:
            await self._sleep(pause)
            pause = self._timing.renew if await self._renew() else self._timing.retry

    async def release(self) -> None:
        """Give the Lease up, so that another replica leads at its next look. A failure is logged: time will do it."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        self._on_change(False)
        try:
            async with asyncio.timeout(self._timing.answer):
                await self._cluster.replace(Kind.LEASE, self._namespace, self._name, self._body(lease, holder=""))
        except (ClusterError, TimeoutError) as error:
            _log.warning("could not release the Lease", lease=self._path, error=str(error))

    @property
    def _path(self) -> str:
        return f"{self._namespace}/{self._name}"

    async def _tried(self) -> bool:
        """Take the Lease if it is free; whether this replica leads."""
        started = self._clock()
        try:
            async with asyncio.timeout(2 * self._timing.answer):
                self._lease = await self._take()
        except (AlreadyExists, Conflict):
            return False  # another one was faster
        except (ClusterError, TimeoutError) as error:
            _log.warning("could not take the Lease", lease=self._path, error=str(error))
            return False
        self._renewed = started  # the server may have counted from then
        return self._lease is not None

    async def _take(self) -> Raw | None:
        try:
            lease = await self._cluster.get(Kind.LEASE, self._namespace, self._name)
        except NotFound:
            self._answered = self._clock()
            return await self._cluster.create(Kind.LEASE, self._namespace, self._body({}, self._holder))
        self._answered = self._clock()
        holder = (lease.get("spec") or {}).get("holderIdentity")
        version = str(lease["metadata"]["resourceVersion"])
        if version != self._seen[0]:
            self._seen = (version, self._clock())
        ours = holder == self._holder  # from an earlier life of this pod, or an answer that got lost
        if holder and not ours and self._clock() - self._seen[1] < self._timing.duration:
            return None
        return await self._cluster.replace(Kind.LEASE, self._namespace, self._name, self._body(lease, self._holder))

    async def _renew(self) -> bool:
        """Whether the Lease was renewed. Raises LeaseLost."""
        assert self._lease is not None
        started = self._clock()
        trouble = "no answer in time"
        try:
            # However late it is: a write at the version that we wrote last shows that nobody else led since.
            async with asyncio.timeout(self._timing.answer):
                self._lease = await self._cluster.replace(
                    Kind.LEASE, self._namespace, self._name, self._body(self._lease, self._holder)
                )
        except (Conflict, NotFound) as error:
            return await self._look_again(error)
        except (ClusterError, TimeoutError) as error:
            trouble = str(error) or trouble
        else:
            self._renewed = self._answered = started
            return True
        if self._clock() + self._timing.retry - self._renewed >= self._timing.give_up:
            raise self._lost(f"it was not renewed for {self._clock() - self._renewed:.0f} s: {trouble}")
        _log.warning("could not renew the Lease", lease=self._path, error=trouble)
        return False

    async def _look_again(self, refusal: ClusterError) -> bool:
        """Another version than ours is there: either our last write whose answer got lost, or somebody else's."""
        try:
            async with asyncio.timeout(self._timing.answer):
                lease = await self._cluster.get(Kind.LEASE, self._namespace, self._name)
        except (ClusterError, TimeoutError) as error:
            raise self._lost(f"{refusal}; then {error}") from error
        holder = (lease.get("spec") or {}).get("holderIdentity")
        if holder != self._holder:
            raise self._lost(f"{holder or 'nobody'} holds it")
        self._lease = lease
        return False  # renew it at the next try

    def _lost(self, why: str) -> LeaseLost:
        self._lease = None
        self._on_change(False)
        return LeaseLost(f"lost the Lease {self._path}: {why}")

    def _body(self, lease: Raw, holder: str) -> dict[str, Any]:
        """The Lease to write, at the version that was read. Its times are for people."""
        spec = dict(lease.get("spec") or {})
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if spec.get("holderIdentity") != holder:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + (1 if holder and lease else 0)
        spec |= {"holderIdentity": holder, "renewTime": now, "leaseDurationSeconds": int(self._timing.duration)}
        head = {"name": self._name, "namespace": self._namespace}
        if lease:
            head["resourceVersion"] = lease["metadata"]["resourceVersion"]
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": head, "spec": spec}
