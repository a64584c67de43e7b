"""The bell that wakes those who wait for work."""

from __future__ import annotations

import asyncio

from bot.channels.base import Bell

LONG = 60.0  # seconds that nobody waits in vain


async def asleep(bell: Bell, how_many: int) -> list[asyncio.Task[None]]:
    sleepers = [asyncio.create_task(bell.wait(seconds=LONG)) for _ in range(how_many)]
    await asyncio.sleep(0)
    return sleepers


async def test_a_ring_wakes_one_and_a_second_ring_another():
    bell = Bell()
    sleepers = await asleep(bell, 3)
    bell.ring()
    await asyncio.wait(sleepers, return_when=asyncio.FIRST_COMPLETED)
    assert [one.done() for one in sleepers] == [True, False, False]
    bell.ring()
    bell.ring()
    await asyncio.gather(*sleepers)


async def test_a_ring_nobody_waits_for_is_remembered_once():
    bell = Bell()
    bell.ring("web")
    bell.ring("web")
    await bell.wait("web", seconds=LONG)
    asking = asyncio.create_task(bell.wait("web", seconds=LONG))
    await asyncio.sleep(0)
    assert not asking.done()
    bell.ring("web")
    await asking


async def test_who_was_not_rung_wakes_by_himself_and_the_next_ring_is_for_another():
    bell = Bell()
    await bell.wait(seconds=0.001)
    (sleeper,) = await asleep(bell, 1)
    bell.ring()
    await sleeper


async def test_a_sleeper_who_is_sent_away_takes_no_ring_with_him():
    bell = Bell()
    gone, left = await asleep(bell, 2)
    gone.cancel()
    await asyncio.wait({gone})
    bell.ring()
    await left
