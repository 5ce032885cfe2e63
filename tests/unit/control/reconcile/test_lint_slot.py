"""The slot for checking plans: one at a time, a few who wait, and nobody for long."""

from __future__ import annotations

import asyncio

import pytest

from alembic_operator.control.reconcile.lint_slot import MOST_WAITING, LintSlot, SlotBusy


async def hold(
    lint_slot: LintSlot, until: asyncio.Event, log: list[int], number: int, asked: asyncio.Semaphore | None = None
) -> None:
    async with lint_slot.acquire() as begin:
        if asked:
            asked.release()  # who awaits it runs only once this has the slot, or waits for it
        await begin()
        log.append(number)
        await until.wait()


async def begun(lint_slot: LintSlot, until: asyncio.Event, log: list[int], count: int) -> list[asyncio.Task[None]]:
    asked = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(hold(lint_slot, until, log, number, asked)) for number in range(count)]
    for _ in tasks:
        await asked.acquire()
    return tasks


async def test_turns_come_one_after_the_other_in_order() -> None:
    lint_slot, until, log = LintSlot(), asyncio.Event(), list[int]()
    tasks = await begun(lint_slot, until, log, 1 + MOST_WAITING)
    assert log == [0]
    until.set()
    await asyncio.gather(*tasks)
    assert log == [0, 1, 2]


async def test_nobody_waits_when_others_do_already() -> None:
    lint_slot, until, log = LintSlot(), asyncio.Event(), list[int]()
    tasks = await begun(lint_slot, until, log, 1 + MOST_WAITING)
    with pytest.raises(SlotBusy):
        await hold(lint_slot, until, log, 99)
    until.set()
    await asyncio.gather(*tasks)
    await hold(lint_slot, until, log, 100)
    assert log == [0, 1, 2, 100]


async def test_nobody_waits_for_long_when_a_turn_does_not_end() -> None:
    lint_slot, until, log = LintSlot(patience=0.01), asyncio.Event(), list[int]()
    (task,) = await begun(lint_slot, until, log, 1)
    for _ in range(MOST_WAITING + 1):
        with pytest.raises(SlotBusy):
            await hold(lint_slot, until, log, 99)
    until.set()
    await task


async def test_turn_is_given_back_when_its_holder_breaks_or_is_cancelled() -> None:
    lint_slot, until, log = LintSlot(), asyncio.Event(), list[int]()
    with pytest.raises(ZeroDivisionError):
        async with lint_slot.acquire() as begin:
            await begin()
            _ = 1 / 0
    tasks = await begun(lint_slot, until, log, 2)
    for task in reversed(tasks):
        task.cancel()
    await asyncio.wait(tasks)
    async with lint_slot.acquire() as begin:
        await begin()
        await begin()  # it is one's own already
        assert log == [0]


async def test_turn_is_left_to_others_when_it_is_not_begun() -> None:
    lint_slot, begun = LintSlot(patience=0.0), False
    async with lint_slot.acquire(), lint_slot.acquire() as begin:
        await begin()  # raises SlotBusy, were it taken
        begun = True
    assert begun
