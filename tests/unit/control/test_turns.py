"""Turns at the rules: one at a time, a few who wait, and nobody for long."""

from __future__ import annotations

import asyncio

import pytest

from alembic_operator.control.reconcile.lint_slot import MOST_WAITING, Busy, Turns


async def hold(turns: Turns, until: asyncio.Event, log: list[int], number: int) -> None:
    async with turns.mine() as begin:
        await begin()
        log.append(number)
        await until.wait()


async def begun(turns: Turns, until: asyncio.Event, log: list[int], count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(hold(turns, until, log, number)) for number in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_turns_come_one_after_the_other_in_order() -> None:
    turns, until, log = Turns(), asyncio.Event(), list[int]()
    tasks = await begun(turns, until, log, 1 + MOST_WAITING)
    assert log == [0]
    until.set()
    await asyncio.gather(*tasks)
    assert log == [0, 1, 2]


async def test_nobody_waits_when_others_do_already() -> None:
    turns, until, log = Turns(), asyncio.Event(), list[int]()
    tasks = await begun(turns, until, log, 1 + MOST_WAITING)
    with pytest.raises(Busy):
        await hold(turns, until, log, 99)
    until.set()
    await asyncio.gather(*tasks)
    await hold(turns, until, log, 100)
    assert log == [0, 1, 2, 100]


async def test_nobody_waits_for_long_when_a_turn_does_not_end() -> None:
    turns, until, log = Turns(patience=0.01), asyncio.Event(), list[int]()
    (task,) = await begun(turns, until, log, 1)
    for _ in range(MOST_WAITING + 1):
        with pytest.raises(Busy):
            await hold(turns, until, log, 99)
    until.set()
    await task


async def test_turn_is_given_back_when_its_holder_breaks_or_is_cancelled() -> None:
    turns, until, log = Turns(), asyncio.Event(), list[int]()
    with pytest.raises(ZeroDivisionError):
        async with turns.mine() as begin:
            await begin()
            _ = 1 / 0
    tasks = await begun(turns, until, log, 2)
    for task in reversed(tasks):
        task.cancel()
    await asyncio.wait(tasks)
    async with turns.mine() as begin:
        await begin()
        await begin()  # it is one's own already
        assert log == [0]


async def test_turn_is_left_to_others_when_it_is_not_begun() -> None:
    turns, begun = Turns(patience=0.0), False
    async with turns.mine(), turns.mine() as begin:
        await begin()  # Busy, were it taken
        begun = True
    assert begun
