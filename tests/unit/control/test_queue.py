"""The queue: one worker a key, nothing lost, nothing twice, due times and growing pauses."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from alembic_operator.control.queue import FIRST_PAUSE, LONGEST_PAUSE, Key, KeyQueue

A, B, C = (Key("shop", name) for name in "abc")


class Clock:
    """Seconds that only a test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> KeyQueue:
    return KeyQueue(clock)


async def taken(queue: KeyQueue) -> list[Key]:
    """Every key that can be had now, in order."""
    found: list[Key] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(0):  # over at the first take that waits
            while key := await queue.take():
                found.append(key)
    return found


async def asleep(queue: KeyQueue, count: int) -> list[asyncio.Task[Key | None]]:
    """Workers that wait for a key."""
    begun = asyncio.Semaphore(0)

    async def worker() -> Key | None:
        begun.release()  # who awaits it runs only once this waits too
        return await queue.take()

    workers = [asyncio.create_task(worker()) for _ in range(count)]
    for _ in workers:
        await begun.acquire()
    return workers


async def test_keys_come_in_order_when_they_were_added(queue: KeyQueue) -> None:
    for key in (B, A, C):
        queue.add(key)
    assert await taken(queue) == [B, A, C]


async def test_key_comes_once_when_it_was_added_twice(queue: KeyQueue) -> None:
    queue.add(A)
    queue.add(A)
    assert await taken(queue) == [A]


async def test_key_comes_to_one_worker_at_a_time_when_it_is_added_meanwhile(queue: KeyQueue) -> None:
    queue.add(A)
    assert await taken(queue) == [A]
    queue.add(A)
    queue.add(A)
    assert await taken(queue) == []
    queue.done(A)
    assert await taken(queue) == [A]
    queue.done(A)
    assert await taken(queue) == []


async def test_key_comes_when_it_is_due_and_not_before(queue: KeyQueue, clock: Clock) -> None:
    queue.add(A, after=10)
    clock.now += 9.9
    assert await taken(queue) == []
    assert queue.depth() == 0
    clock.now += 0.1
    assert queue.depth() == 1
    assert await taken(queue) == [A]


async def test_earlier_wish_stands_when_there_are_two(queue: KeyQueue, clock: Clock) -> None:
    queue.add(A, after=100)
    queue.add(A, after=5)
    queue.add(A, after=50)
    clock.now += 5
    assert await taken(queue) == [A]
    queue.done(A)
    clock.now += 1000
    assert await taken(queue) == []


async def test_both_wishes_count_when_a_key_is_added_while_it_is_handled(queue: KeyQueue, clock: Clock) -> None:
    queue.add(A)
    await taken(queue)
    queue.add(A, after=3)
    queue.done(A, again_after=600)
    clock.now += 3
    assert await taken(queue) == [A]
    queue.done(A)
    clock.now += 600
    assert await taken(queue) == []


async def test_pauses_grow_when_a_key_keeps_failing(queue: KeyQueue, clock: Clock) -> None:
    queue.add(A)
    for count in range(14):
        assert await taken(queue) == [A]
        pause = queue.failed(A)
        meant = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**count)
        assert 0.75 * meant <= pause <= 1.25 * meant
        assert await taken(queue) == []
        clock.now += pause


async def test_pauses_begin_anew_when_a_key_succeeded_in_between(queue: KeyQueue, clock: Clock) -> None:
    queue.add(A)
    for _ in range(6):
        await taken(queue)
        clock.now += queue.failed(A)
    await taken(queue)
    queue.done(A)
    queue.add(A)
    await taken(queue)
    assert queue.failed(A) <= 1.25 * FIRST_PAUSE


async def test_pause_is_as_long_as_the_server_asks_when_that_is_longer(queue: KeyQueue) -> None:
    queue.add(A)
    await taken(queue)
    assert queue.failed(A, at_least=30) == 30


async def test_key_comes_at_once_when_it_is_added_after_a_failure(queue: KeyQueue) -> None:
    queue.add(A)
    await taken(queue)
    queue.failed(A, at_least=300)
    queue.add(A)
    assert await taken(queue) == [A]


async def test_sleeping_worker_wakes_when_a_key_is_added() -> None:
    queue = KeyQueue()
    (worker,) = await asleep(queue, 1)
    queue.add(A)
    assert await asyncio.wait_for(worker, 5) == A


async def test_sleeping_worker_wakes_when_an_earlier_key_is_added() -> None:
    queue = KeyQueue()
    queue.add(A, after=3600)
    (worker,) = await asleep(queue, 1)
    queue.add(B, after=0.01)
    assert await asyncio.wait_for(worker, 5) == B


async def test_workers_share_the_keys_when_there_are_several() -> None:
    queue = KeyQueue()
    workers = await asleep(queue, 3)
    for key in (A, B, C):
        queue.add(key, after=0.01)
    assert {await asyncio.wait_for(worker, 5) for worker in workers} == {A, B, C}


async def test_every_worker_ends_when_the_queue_is_closed() -> None:
    queue = KeyQueue()
    queue.add(A, after=3600)
    workers = await asleep(queue, 3)
    queue.close()
    queue.add(B)
    assert [await asyncio.wait_for(worker, 5) for worker in workers] == [None, None, None]
    assert await queue.take() is None


async def test_depth_and_age_tell_of_what_waits_and_what_is_in_hand(queue: KeyQueue, clock: Clock) -> None:
    assert (queue.depth(), queue.oldest()) == (0, 0.0)
    queue.add(A)
    queue.add(B, after=100)
    clock.now += 7
    assert (queue.depth(), queue.oldest()) == (1, 7.0)
    await taken(queue)
    clock.now += 5
    assert (queue.depth(), queue.oldest()) == (1, 5.0)
    queue.done(A)
    assert (queue.depth(), queue.oldest()) == (0, 0.0)
    clock.now += 100
    assert (queue.depth(), queue.oldest()) == (1, 12.0)


async def test_nothing_stays_in_memory_when_keys_were_handled(queue: KeyQueue, clock: Clock) -> None:
    for number in range(1000):
        key = Key("shop", str(number))
        queue.add(key, after=5)
        queue.add(key)
    for key in await taken(queue):
        queue.failed(key)
    clock.now += 10
    for key in await taken(queue):
        queue.done(key)
    assert not (queue._due or queue._heap or queue._handled or queue._again or queue._failures)


def test_pause_is_bounded_when_the_api_server_is_away() -> None:
    clock = Clock()
    queue = KeyQueue(clock)
    pauses = []
    for _ in range(12):
        queue.add(A)
        asyncio.run(queue.take())
        pauses.append(queue.failed(A, at_most=20))
        clock.now += pauses[-1]
    assert max(pauses) <= 25
