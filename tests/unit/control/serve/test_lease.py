"""Who leads, on a clock of our own and the in-memory cluster."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.component.memory_cluster import MemoryCluster

from alembic_operator.cluster.errors import Conflict, Unavailable
from alembic_operator.control.serve.lease import Lease, LeaseLost

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


class World:
    """Time that passes only when everybody sleeps, one cluster, and replicas on both."""

    def __init__(self) -> None:
        self.time = 100.0
        self.cluster = MemoryCluster()
        self.cluster.add_namespace("operator")
        self.changes: list[tuple[float, str, bool]] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def replica(self, name: str) -> Lease:
        return Lease(
            self.cluster,
            "operator",
            "leader",
            name,
            on_change=lambda leads: self.changes.append((self.time, name, leads)),
            clock=lambda: self.time,
            now=lambda: START + timedelta(seconds=self.time),
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._count), future))
        await future

    async def settle(self) -> None:
        """Until nobody has anything to do now."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def run_until(self, done: Callable[[], bool], limit: float = 60) -> float:
        """Let time pass until `done`; how many seconds that took."""
        started = self.time
        await self.settle()
        while not done():
            assert self._sleepers, "everybody waits for ever"
            wake, _, future = heapq.heappop(self._sleepers)
            self.time = max(self.time, wake)
            assert self.time - started <= limit, f"not done within {limit} s"
            if not future.done():
                future.set_result(None)
            await self.settle()
        return self.time - started

    async def pass_time(self, seconds: float) -> None:
        """Let that much time pass."""
        end = self.time + seconds
        await self.run_until(lambda: not self._sleepers or self._sleepers[0][0] > end, seconds)
        self.time = end

    def lease(self) -> tuple[str, int]:
        """Who holds it, and how often it changed hands."""
        item = self.cluster.read("leases", "operator", "leader")
        return item["spec"]["holderIdentity"], item["spec"]["leaseTransitions"]


@pytest.fixture
def world() -> World:
    return World()


async def leading(world: World, name: str) -> tuple[Lease, asyncio.Task[None]]:
    """A replica that leads, and the task in which it keeps the Lease."""
    lease = world.replica(name)
    await lease.acquire()
    return lease, asyncio.create_task(lease.keep())


async def kill(task: asyncio.Task[None]) -> None:
    """As kill -9 does: nothing is released."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_first_replica_leads_at_once_when_there_is_no_lease(world: World) -> None:
    lease = world.replica("a")
    await lease.acquire()
    assert lease.held
    assert world.changes == [(100.0, "a", True)]
    assert world.lease() == ("a", 0)


async def test_leader_stays_when_it_renews_and_a_standby_waits(world: World) -> None:
    _, keeping = await leading(world, "a")
    standby = world.replica("b")
    waiting = asyncio.create_task(standby.acquire())
    await world.pass_time(600)
    assert not keeping.done()
    assert not waiting.done()
    assert world.lease() == ("a", 0)
    await kill(keeping)
    await kill(waiting)


async def test_leading_costs_one_write_in_four_seconds_when_nothing_happens(world: World) -> None:
    _, keeping = await leading(world, "a")
    world.cluster.requests.clear()
    await world.pass_time(400)
    assert [(request.verb, request.resource) for request in world.cluster.requests] == [("update", "leases")] * 100
    await kill(keeping)


@pytest.mark.parametrize("dead_at", [0.0, 1.9, 2.1, 3.9])
async def test_standby_leads_within_20_s_when_the_leader_is_killed(world: World, dead_at: float) -> None:
    _, keeping = await leading(world, "a")
    standby = world.replica("b")
    waiting = asyncio.create_task(standby.acquire())
    await world.pass_time(60 + dead_at)
    await kill(keeping)
    took = await world.run_until(waiting.done)
    assert took <= 16.0
    assert took >= 12.0 - 4.0
    assert world.lease() == ("b", 1)


async def test_standby_leads_at_its_next_look_when_the_leader_releases(world: World) -> None:
    lease, keeping = await leading(world, "a")
    waiting = asyncio.create_task(world.replica("b").acquire())
    await world.pass_time(31)
    await kill(keeping)
    await lease.release()
    assert not lease.held
    assert world.lease()[0] == ""
    assert await world.run_until(waiting.done) <= 2.0
    assert world.changes[1:] == [(131.0, "a", False), (132.0, "b", True)]


async def test_same_replica_leads_at_once_when_its_container_was_restarted(world: World) -> None:
    _, keeping = await leading(world, "a")
    await kill(keeping)
    again = world.replica("a")
    acquiring = asyncio.create_task(again.acquire())
    assert await world.run_until(acquiring.done) == 0.0
    assert world.lease() == ("a", 0)


async def test_one_of_them_leads_when_two_find_the_lease_free_at_the_same_time(world: World) -> None:
    both = [asyncio.create_task(world.replica(name).acquire()) for name in ("a", "b")]
    await world.settle()
    assert [task.done() for task in both].count(True) == 1
    await asyncio.gather(*(kill(task) for task in both if not task.done()))


async def test_clock_of_the_other_does_not_matter_when_it_is_an_hour_behind(world: World) -> None:
    _, keeping = await leading(world, "a")
    standby = Lease(
        world.cluster,
        "operator",
        "leader",
        "b",
        clock=lambda: world.time,
        now=lambda: START + timedelta(hours=1, seconds=world.time),
        sleep=world.sleep,
    )
    waiting = asyncio.create_task(standby.acquire())
    await world.pass_time(60)
    assert not waiting.done()
    await kill(keeping)
    await kill(waiting)


async def test_leader_goes_on_when_the_api_server_is_away_for_some_seconds(world: World) -> None:
    lease, keeping = await leading(world, "a")
    await world.pass_time(100)
    world.cluster.fail("update", "leases", Unavailable, times=2)
    await world.pass_time(30)
    assert not keeping.done()
    assert lease.held
    await kill(keeping)


async def test_lost_before_another_may_lead_when_the_api_server_stays_away(world: World) -> None:
    lease, keeping = await leading(world, "a")
    world.cluster.fail("update", "leases", Unavailable, times=100)
    took = await world.run_until(keeping.done)
    assert took <= 10.0
    with pytest.raises(LeaseLost, match=r"lost the Lease operator/leader: it was not renewed for 8 s: .*injected"):
        keeping.result()
    assert not lease.held
    assert world.changes[-1][1:] == ("a", False)


async def test_lost_when_another_holds_it(world: World) -> None:
    _, keeping = await leading(world, "a")
    item = world.cluster.read("leases", "operator", "leader")
    item["spec"]["holderIdentity"] = "b"
    world.cluster.change("leases", item)
    await world.run_until(keeping.done)
    with pytest.raises(LeaseLost, match="b holds it"):
        keeping.result()


async def test_lost_when_the_process_was_frozen_and_another_leads(world: World) -> None:
    _, keeping = await leading(world, "a")
    await world.settle()
    other = world.replica("b")
    waiting = asyncio.create_task(other.acquire())
    frozen = world._sleepers.pop(0)  # a SIGSTOP: it does not run while time goes on
    await world.run_until(waiting.done)
    frozen[2].set_result(None)
    await world.settle()
    with pytest.raises(LeaseLost, match="b holds it"):
        keeping.result()


async def test_leader_goes_on_when_the_process_was_frozen_and_nobody_else_wanted_to_lead(world: World) -> None:
    lease, keeping = await leading(world, "a")
    await world.settle()
    world.time += 30
    await world.pass_time(10)
    assert lease.held
    assert world.lease() == ("a", 0)
    await kill(keeping)


async def test_leader_goes_on_when_the_answer_to_a_renewal_was_lost(world: World) -> None:
    lease, keeping = await leading(world, "a")
    world.cluster.fail("update", "leases", Unavailable, after=True)
    await world.pass_time(30)
    assert not keeping.done()
    assert lease.held
    await kill(keeping)


async def test_leader_goes_on_when_somebody_edits_a_label_of_the_lease(world: World) -> None:
    lease, keeping = await leading(world, "a")
    item = world.cluster.read("leases", "operator", "leader")
    item["metadata"]["labels"] = {"seen": "yes"}
    world.cluster.change("leases", item)
    await world.pass_time(30)
    assert lease.held
    await kill(keeping)


async def test_leader_goes_on_when_somebody_deletes_the_lease(world: World) -> None:
    lease, keeping = await leading(world, "a")
    world.cluster.drop("leases", "operator", "leader")
    await world.pass_time(30)
    assert lease.held
    assert world.lease()[0] == "a"
    await kill(keeping)


async def test_standby_waits_on_when_the_lease_cannot_be_read(world: World) -> None:
    _, keeping = await leading(world, "a")
    await kill(keeping)
    world.cluster.fail("get", "leases", Unavailable, times=50)
    lease = world.replica("b")
    waiting = asyncio.create_task(lease.acquire())
    await world.pass_time(50)
    assert lease.trouble() is None
    await world.pass_time(20)
    assert lease.trouble() == "the Lease operator/leader was not answered for 70 s"
    await world.run_until(waiting.done)
    assert lease.trouble() is None


async def test_nothing_is_written_when_a_standby_is_asked_to_release(world: World) -> None:
    _, keeping = await leading(world, "a")
    writes = len(world.cluster.requests)
    await world.replica("b").release()
    assert len(world.cluster.requests) == writes
    await kill(keeping)


@pytest.mark.parametrize("error", [Unavailable, Conflict])
async def test_stop_goes_on_when_the_release_fails(world: World, error: type[Unavailable] | type[Conflict]) -> None:
    lease, keeping = await leading(world, "a")
    await kill(keeping)
    world.cluster.fail("update", "leases", error)
    await lease.release()
    assert not lease.held
    assert world.lease()[0] == "a"
