"""Live pages: every line comes once, in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, aclosing
from datetime import timedelta

import httpx
import pytest
from starlette.exceptions import HTTPException

from bot.channels.web.stream import CROWD, Listeners
from tests.channels.web_world import World, say


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


class Source:
    """What a browser's EventSource does, one event at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, seconds=5) -> tuple[str, dict]:
        event: dict[str, str] = {}
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                if not line and "data" in event:
                    return event["id"], json.loads(event["data"])
                name, _, value = line.partition(": ")
                event[name] = value
        raise EOFError


def listening(http: httpx.AsyncClient, path="/events?after=0", **headers):
    return http.stream("GET", path, headers=headers)


@pytest.fixture
async def live(world):
    """A farmer's browser on a real server."""
    async with world.served() as url:
        farmer = await world.farmer(url)
        async with aclosing(farmer.http):
            yield farmer


async def test_an_answer_comes_by_itself(world, live):
    async with listening(live.http) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        source = Source(response)
        await live.ask("蜂子不进巢")
        await world.work(say("先看巢门"))
        first, second = await source.next(), await source.next()
    assert [first[0], first[1]["side"], first[1]["message"]] == ["1", "mine", 1]
    assert (second[0], second[1]["side"]) == ("2", "bot")
    assert "先看巢门" in second[1]["html"]


async def test_after_a_break_nothing_is_missed_and_nothing_comes_twice(world, live):
    async with listening(live.http) as response:
        source = Source(response)
        await live.ask("一")
        await world.work(say("答一"))
        last = [await source.next() for _ in range(2)][-1][0]
    await live.ask("二")
    await world.work(say("答二"))
    headers = {"last-event-id": last}
    async with listening(live.http, "/events?after=0", **headers) as response:
        source = Source(response)
        await live.ask("三")
        await world.work(say("答三"))
        seen = [await source.next() for _ in range(4)]
        with pytest.raises(TimeoutError):
            await source.next(seconds=0.5)
    assert [one[0] for one in seen] == ["3", "4", "5", "6"]


async def test_more_lines_than_one_look_brings_all_come(world, live):
    for number in range(60):
        world.now = world.clock().replace(minute=number)
        await live.ask(f"第 {number}")
        await world.work(say("好"))
    async with listening(live.http, "/events?after=1") as response:
        source = Source(response)
        seen = [(await source.next())[0] for _ in range(119)]
    assert seen == [str(place) for place in range(2, 121)]


async def test_a_press_comes_without_a_bubble(world, live):
    async with listening(live.http) as response:
        source = Source(response)
        await live.ask(press="useful:1")
        await world.work(say("不客气"))
        _, line = await source.next()
    assert (line["press"], line["html"]) == ("useful:1", "")


async def test_it_looks_by_itself_where_another_process_delivers(world, live):
    async with listening(live.http) as response:
        source = Source(response)
        await live.ask("一")
        arrivals = world.store.inbox.claim(world.now, lease=world.settings.slow_after)
        incoming = await world.chat.read(arrivals)
        world.store.inbox.save(say("好")(incoming), incoming, arrivals, world.now)
        assert (await source.next())[1]["side"] == "mine"


async def test_an_answer_is_not_missed_though_the_ring_comes_before_it_is_marked_sent(tmp_path):
    world = World(tmp_path, poll=timedelta(seconds=60))
    async with world.served() as url:
        farmer = await world.farmer(url)
        async with aclosing(farmer.http), listening(farmer.http) as response:
            source = Source(response)
            await farmer.ask("一")
            arrivals = world.store.inbox.claim(world.now, lease=world.settings.slow_after)
            incoming = await world.chat.read(arrivals)
            await asyncio.sleep(0.05)
            world.store.inbox.save(say("好")(incoming), incoming, arrivals, world.now)
            due = world.store.outbox.due("web", world.now, lease=world.settings.slow_after)
            receipt = await world.chat.send(due.outgoing)
            assert (await source.next())[1]["side"] == "mine"
            world.store.outbox.sent(due.id, receipt, world.now)
            assert (await source.next(seconds=2))[1]["side"] == "bot"
    world.close()


async def test_a_stranger_hears_nothing(world):
    assert (await world.browser().open("/events?after=0")).status_code == 403


async def test_one_farmer_may_not_hold_too_many_streams(tmp_path):
    world = World(tmp_path, streams=1)
    async with world.served() as url:
        http = (await world.farmer(url)).http
        async with aclosing(http), listening(http) as first:
            greeting = first.aiter_lines()
            await anext(greeting)
            async with listening(http) as second:
                assert second.status_code == 429
    world.close()


async def test_when_the_app_stops_the_streams_end(world, live):
    task = asyncio.create_task(world.chat.listen())
    async with listening(live.http) as response:
        await asyncio.sleep(0.05)
        task.cancel()
        async with asyncio.timeout(2):
            text = "".join([one async for one in response.aiter_text()])
    assert text.startswith("retry: 2000")


async def test_the_desk_is_told_when_a_case_changes(world):
    world.open_case()
    async with world.served() as url:
        desk = await world.at_desk("wang", url)
        page = (await desk.open("/desk")).text
        seen = page.split('data-seen="')[1].split('"')[0]
        stream = listening(desk.http, f"/desk/events?seen={seen}")
        async with aclosing(desk.http), stream as response:
            source = Source(response)
            world.change_case(1, township="盘龙镇")
            fresh, data = await source.next()
            assert (data, fresh != seen) == ({"fresh": True}, True)
            assert f'data-seen="{fresh}"' in (await desk.open("/desk")).text


def test_a_listener_that_leaves_is_forgotten():
    listeners = Listeners(most=2, poll=timedelta(seconds=1))
    with listeners.listening("li"), listeners.listening("li"):
        pass
    listeners.ring("li")
    assert not listeners._ears


def test_a_crowd_is_asked_to_come_back_later():
    listeners = Listeners(most=6, poll=timedelta(seconds=5))

    async def look():
        return ()

    with ExitStack() as open_streams:
        for number in range(CROWD):
            open_streams.enter_context(listeners.listening(str(number)))
        with pytest.raises(HTTPException) as refusal:
            listeners.stream("zhou", look)
        assert refusal.value.status_code == 503
    assert listeners.stream("zhou", look).status_code == 200
