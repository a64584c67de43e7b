"""Sending what is due, against a channel that fails as told and a clock that runs on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.base import Bell, FakeChannel
from bot.delivery import LIMITS, TELEGRAM, WECOM, Delivery, Limits, Rate
from bot.domain import Address, Attachment, Block, CaseState
from bot.errors import Moved, OutcomeUnknown, Rejected, TryLater, Unreachable, WindowClosed
from bot.phrases import Phrases
from bot.store import Store
from tests.store.cast import (
    COMMISSIONERS,
    LEASE,
    NOW,
    ZHOU,
    arrival,
    changed,
    letter,
    offered,
    open_case,
)

PHRASES = Phrases(
    {
        "delivery.maybe_repeated": "（这条可能重复）",
        "delivery.not_delivered": "#{number} 未送达",
        "delivery.rejected": "#{number} 平台不收",
    }
)
WANG_CHAT = Address("telegram", "900")
LV_DESK = Address("desk", "lv")
PATIENCE = 60  # seconds; a ring comes at once


class Hourglass(Bell):
    """Time that passes only while somebody waits for it, up to an end where all waiters rest."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.end = NOW
        self.senders = self.resting = 0
        self.over = asyncio.Event()

    def clock(self):
        return self.now

    async def wait(self, key="", *, seconds):
        if key in self._rung:
            self._rung.discard(key)
        elif self.now + timedelta(seconds=seconds) <= self.end:
            self.now += timedelta(seconds=seconds)
            await asyncio.sleep(0)
        elif seconds:
            self.resting += 1
            if self.resting == self.senders:
                self.over.set()
            await super().wait(key, seconds=PATIENCE)
            self.resting -= 1


class Timed(FakeChannel):
    """Remembers when each message went out, and how many were in flight at once."""

    def __init__(self, name, glass) -> None:
        super().__init__(name)
        self.glass = glass
        self.times: list[float] = []
        self.in_flight = self.most_in_flight = self.tries = 0

    async def send(self, outgoing):
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.tries += 1
        await asyncio.sleep(0)
        self.in_flight -= 1
        receipt = await super().send(outgoing)
        self.times.append((self.glass.now - NOW).total_seconds())
        return receipt


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/tianwen.db", commissioners=COMMISSIONERS)
    yield opened
    opened.close()


@pytest.fixture
def glass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def web(glass) -> Timed:
    return Timed("web", glass)


async def play(store, glass, *channels, seconds=0.0, limits=LIMITS):
    """Let delivery run for so long on the glass."""
    glass.end = glass.now + timedelta(seconds=seconds)
    glass.senders, glass.resting = len(channels), 0
    glass.over.clear()
    delivery = Delivery(
        store, channels, phrases=PHRASES, due=glass, clock=glass.clock, limits=limits
    )
    task = asyncio.create_task(delivery.run())
    await glass.over.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


def post(store, *outgoing):
    store.outbox.post(outgoing, NOW)


def texts(channel):
    return [outgoing.text for outgoing in channel.sent]


# the straight way


async def test_what_is_due_is_sent_in_order_and_marked(store, glass, web):
    post(store, letter(text="一"), letter(text="二"), letter(ZHOU, "三"))
    await play(store, glass, web)
    assert texts(web) == ["一", "二", "三"]
    assert store.outbox.tally() == {"sent": 3}
    assert web.most_in_flight == 1


async def test_the_platforms_ids_are_kept_for_replies(store, glass, web):
    open_case(store, replies=(letter(case=1),))
    await play(store, glass, web)
    store.inbox.receive(arrival(reply_to="web-1"), NOW)
    arrivals = store.inbox.claim(NOW, lease=LEASE)
    incoming = await web.read(arrivals)
    assert store.inbox.context(incoming, NOW).about == 1


async def test_a_ring_wakes_the_sender_at_once(store):
    class Clockless(Bell):
        async def wait(self, key="", *, seconds):
            await super().wait(key, seconds=seconds and 60)

    class Heard(FakeChannel):
        async def send(self, outgoing):
            heard.set()
            return await super().send(outgoing)

    heard, web, bell = asyncio.Event(), Heard("web"), Clockless()
    delivery = Delivery(store, [web], phrases=PHRASES, due=bell, clock=lambda: NOW)
    task = asyncio.create_task(delivery.run())
    await asyncio.sleep(0.05)
    post(store, letter())
    bell.ring("web")
    async with asyncio.timeout(5):
        await heard.wait()
    task.cancel()
    await asyncio.wait([task])


async def test_without_a_ring_the_sender_looks_by_itself(store, glass, web):
    await play(store, glass, web)
    post(store, letter())
    await play(store, glass, web, seconds=5)
    assert texts(web) == ["先看巢门"]


async def test_an_unlimited_channel_sends_at_once(store, glass, web):
    post(store, *(letter(text=str(number)) for number in range(40)))
    await play(store, glass, web)
    assert len(web.sent) == 40


async def test_being_cancelled_lets_the_send_in_flight_end(store, glass):
    class Slow(FakeChannel):
        async def send(self, outgoing):
            started.set()
            await asyncio.sleep(0.05)
            return await super().send(outgoing)

    started, slow = asyncio.Event(), Slow("web")
    post(store, letter(text="一"), letter(text="二"))
    delivery = Delivery(store, [slow], phrases=PHRASES, due=glass, clock=glass.clock)
    task = asyncio.create_task(delivery.run())
    await started.wait()
    task.cancel()
    await asyncio.wait([task])
    assert texts(slow) == ["一"]
    assert store.outbox.tally() == {"sent": 1, "pending": 1}


# limits


def most_within(times, seconds):
    return max(sum(start <= time < start + seconds for time in times) for start in times)


async def test_a_chat_gets_a_small_burst_and_then_one_message_a_second(store, glass):
    telegram = Timed("telegram", glass)
    post(store, *(letter(WANG_CHAT, str(number)) for number in range(6)))
    await play(store, glass, telegram, seconds=20)
    assert [round(time, 1) for time in telegram.times] == [0, 0, 0, 1, 2, 3]


async def test_one_busy_chat_keeps_nobody_else_waiting(store, glass):
    telegram = Timed("telegram", glass)
    busy = [letter(WANG_CHAT, str(number)) for number in range(6)]
    post(store, *busy, letter(Address("telegram", "901"), "别人"))
    await play(store, glass, telegram, seconds=20)
    assert telegram.times[texts(telegram).index("别人")] == 0


async def test_a_group_gets_at_most_twenty_messages_in_any_minute(store, glass):
    telegram = Timed("telegram", glass)
    group = Address("telegram", "-100")
    post(store, *(letter(group, str(number)) for number in range(45)))
    await play(store, glass, telegram, seconds=300)
    assert texts(telegram) == [str(number) for number in range(45)]
    assert most_within(telegram.times, 60) <= 20


async def test_the_whole_channel_sends_at_most_thirty_messages_in_any_second(store, glass):
    telegram = Timed("telegram", glass)
    chats = [Address("telegram", str(number)) for number in range(90)]
    post(store, *(letter(chat) for chat in chats))
    await play(store, glass, telegram, seconds=30)
    assert len(telegram.sent) == 90
    assert most_within(telegram.times, 1) <= 30


async def test_a_picture_in_the_text_costs_a_message_too(store, glass):
    """A text with ten pictures: the chat bears three at once and one a second."""
    telegram = Timed("telegram", glass)
    pictures = tuple(Block("picture", "图", f"pepper/rust-{n}.jpg") for n in range(10))
    for user in ("1", "2"):
        first = letter(Address("telegram", user), "一")
        post(store, replace(first, blocks=(*first.blocks, *pictures)), replace(first, blocks=()))
    await play(store, glass, telegram, seconds=30)
    assert [round(at, 1) for at in telegram.times] == [0, 0.3, 9, 9.3]


async def test_an_album_costs_as_many_messages_as_it_has_parts(store, glass):
    telegram = Timed("telegram", glass)
    photos = tuple(Attachment("photo", str(number), "image/jpeg") for number in range(5))
    post(store, letter(WANG_CHAT, attachments=photos), letter(WANG_CHAT, "后"))
    await play(store, glass, telegram, seconds=20)
    assert [round(time) for time in telegram.times] == [0, 3]


def test_only_telegram_and_wecom_are_limited_by_default():
    assert dict(LIMITS) == {"telegram": TELEGRAM, "wecom": WECOM}
    assert Limits().overall is None


# failures


async def test_a_temporary_failure_is_retried_later_and_later(store, glass, web):
    web.failures = [TryLater("502") for _ in range(4)]
    post(store, letter())
    await play(store, glass, web, seconds=60)
    assert [round(time) for time in web.times] == [1 + 2 + 4 + 8]
    assert store.outbox.tally() == {"sent": 1}


async def test_the_pause_between_retries_has_a_cap(store, glass, web):
    web.failures = [TryLater("502") for _ in range(6)]
    post(store, letter())
    limits = {"web": Limits(last_retry=timedelta(seconds=4))}
    await play(store, glass, web, seconds=60, limits=limits)
    assert [round(time) for time in web.times] == [1 + 2 + 4 + 4 + 4 + 4]


async def test_a_platform_that_asks_for_a_pause_gets_it_on_the_whole_channel(store, glass, web):
    web.failures = [TryLater("429", retry_after=7)]
    post(store, letter(text="一"), letter(ZHOU, "二"))
    await play(store, glass, web, seconds=20)
    assert texts(web) == ["一", "二"]
    assert [round(time) for time in web.times] == [7, 7]


async def test_a_pause_of_one_channel_is_not_anothers(store, glass, web):
    desk = Timed("desk", glass)
    web.failures = [TryLater("429", retry_after=7)]
    post(store, letter(), letter(LV_DESK, "派单"))
    await play(store, glass, web, desk)
    assert (texts(web), texts(desk)) == ([], ["派单"])


@pytest.mark.parametrize("error", [Unreachable("blocked"), WindowClosed("48 h")])
async def test_what_cannot_reach_the_user_is_kept_until_he_writes(store, glass, web, error):
    web.failures = [error]
    post(store, letter(text="一"), letter(text="二"))
    await play(store, glass, web, seconds=600)
    assert texts(web) == ["二"]
    store.inbox.receive(arrival(), NOW)
    await play(store, glass, web, seconds=10)
    assert texts(web) == ["二", "一"]


async def test_the_holder_is_told_once_that_his_answer_was_not_delivered(store, glass, web):
    telegram = Timed("telegram", glass)
    open_case(store, replies=(letter(case=1, purpose="relay"),))
    for _ in range(3):
        web.failures = [Unreachable("blocked")]
        await play(store, glass, web, telegram, seconds=5)
        store.inbox.receive(arrival(), NOW)
    await play(store, glass, web, telegram, seconds=5)
    assert texts(telegram) == ["#1 未送达"]
    (notice,) = telegram.sent
    assert (notice.to, notice.case, notice.purpose) == (WANG_CHAT, 1, "notice")
    assert texts(web) == ["先看巢门"]


async def test_a_holder_without_a_chat_is_told_on_his_desk(store, glass, web):
    desk = Timed("desk", glass)
    open_case(store, offered(1, to="lv"), replies=(letter(case=1, purpose="relay"),))
    web.failures = [Rejected("too long")]
    await play(store, glass, web, desk, seconds=5)
    assert [(one.to, one.text) for one in desk.sent] == [(LV_DESK, "#1 平台不收")]
    assert store.outbox.tally() == {"dead": 1, "sent": 1}


@pytest.mark.parametrize(
    "sent",
    [
        letter(case=1),  # a reply of ours
        letter(ZHOU, case=1, purpose="relay"),  # not to the farmer
        letter(purpose="relay"),
        letter(case=2, purpose="relay"),
    ],
)
async def test_nobody_is_told_of_what_was_no_answer_to_the_farmer(store, glass, web, sent):
    open_case(store, replies=(sent,))
    web.failures = [Unreachable("blocked")]
    await play(store, glass, web, seconds=5)
    assert store.outbox.tally() == {"held": 1}


async def test_a_case_that_nobody_holds_has_nobody_to_tell(store, glass, web):
    opened = open_case(store, replies=(letter(case=1, purpose="relay"),))
    changed(store, replace(opened, holder=None, state=CaseState.UNPLACED))
    web.failures = [Rejected("bad")]
    await play(store, glass, web, seconds=5)
    assert store.outbox.tally() == {"dead": 1}


async def test_a_moved_chat_gets_its_message_at_the_new_address(store, glass):
    telegram = Timed("telegram", glass)
    telegram.failures = [Moved("-100")]
    post(store, letter(WANG_CHAT, "一"), letter(WANG_CHAT, "二"))
    await play(store, glass, telegram, seconds=30)
    new = Address("telegram", "-100")
    assert [(one.to, one.text) for one in telegram.sent] == [(new, "一"), (new, "二")]
    assert telegram.times[0] == 0


async def test_a_chat_that_keeps_moving_is_put_off(store, glass):
    telegram = Timed("telegram", glass)
    telegram.failures = [Moved("1"), Moved("2"), Moved("3")]
    post(store, letter(WANG_CHAT))
    await play(store, glass, telegram, seconds=30)
    assert [(one.to.user, one.text) for one in telegram.sent] == [("3", "先看巢门")]
    assert telegram.times[0] >= 4


async def test_a_message_of_unknown_outcome_is_repeated_once_and_says_so(store, glass, web):
    web.failures = [OutcomeUnknown("timeout")]
    post(store, letter(text="一"), letter(text="二"))
    await play(store, glass, web, seconds=29)
    assert web.sent == []  # and nothing overtakes it
    await play(store, glass, web, seconds=10)
    assert texts(web) == ["（这条可能重复）\n\n一", "二"]


async def test_a_repeat_of_unknown_outcome_waits_for_the_user(store, glass, web):
    web.failures = [OutcomeUnknown("timeout"), OutcomeUnknown("timeout")]
    post(store, letter())
    await play(store, glass, web, seconds=600)
    assert (web.tries, store.outbox.tally()) == (2, {"held": 1})
    store.inbox.receive(arrival(), NOW)
    await play(store, glass, web, seconds=5)
    assert texts(web) == ["（这条可能重复）\n\n先看巢门"]


async def test_what_a_killed_process_was_sending_is_repeated_and_says_so(store, glass, web):
    post(store, letter())
    assert store.outbox.due("web", NOW, lease=LEASE)
    store.inbox.recover()
    await play(store, glass, web)
    assert texts(web) == ["（这条可能重复）\n\n先看巢门"]


async def test_a_send_that_hangs_is_cut_off_before_its_lease_ends(store, glass):
    class Hanging(Timed):
        async def send(self, outgoing):
            self.tries += 1
            await asyncio.Event().wait()

    web = Hanging("web", glass)
    post(store, letter())
    limits = {"web": Limits(lease=timedelta(seconds=0.1))}
    await play(store, glass, web, limits=limits)
    assert (web.tries, store.outbox.tally()) == (1, {"doubtful": 1})


async def test_an_error_that_nobody_foresaw_is_retried_and_others_go_on(store, glass, web, caplog):
    web.failures = [KeyError("蜂子不进巢"), ValueError("x")]
    post(store, letter(text="一"), letter(ZHOU, "二"))
    await play(store, glass, web, seconds=60)
    assert sorted(texts(web)) == ["（这条可能重复）\n\n一", "（这条可能重复）\n\n二"]
    assert "message 1 of web: KeyError at" in caplog.text
    assert "蜂子" not in caplog.text


async def test_a_message_that_always_breaks_is_kept_aside_in_the_end(store, glass, web):
    web.failures = [KeyError("x") for _ in range(10)]
    post(store, letter(text="一"), letter(text="二"))
    await play(store, glass, web, seconds=3600)
    assert (texts(web), store.outbox.tally()) == (["二"], {"held": 1, "sent": 1})


class Shaky:
    """The outbox of a database that goes away: the first calls of one method fail."""

    def __init__(self, outbox, method, times) -> None:
        self._outbox, self._method, self._times = outbox, method, times

    def __getattr__(self, name):
        if name == self._method and self._times:
            self._times -= 1
            raise ConnectionError("no database")
        return getattr(self._outbox, name)


@pytest.mark.parametrize("method", ["due", "sent"])
async def test_a_database_that_goes_away_stops_nothing_and_repeats_nothing(
    store, glass, web, method, caplog
):
    post(store, letter(text="一"), letter(text="二"))
    shaky = replace(store, outbox=Shaky(store.outbox, method, times=3))
    await play(shaky, glass, web, seconds=60)
    assert texts(web) == ["一", "二"]
    assert store.outbox.tally() == {"sent": 2}
    assert "no database" in caplog.text


def test_a_rate_is_counted_in_messages_a_second():
    assert Rate(15, timedelta(minutes=1), burst=5).a_second == 0.25
