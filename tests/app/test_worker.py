"""The worker: whatever happens to a message, it is answered, put off or set aside; never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.app.worker import MOST_TRIES, Worker
from bot.channels.base import Bell, FakeChannel, write_own
from bot.domain import Arrival, Outgoing, Receipt, Turn, paragraphs
from bot.errors import Conflict, TryLater, Unreadable
from bot.phrases import Phrases
from bot.store import State, Store
from tests.conftest import NOW

LEASE = timedelta(minutes=2)
PHRASES = Phrases({"trouble": "对不住"})


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Echo:
    """A conversation that says everything back; `errors` are raised first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken = []

    def take(self, incoming, context):
        self.taken.append(incoming.text)
        if self.errors:
            raise self.errors.pop(0)
        return Turn((Outgoing(incoming.sender, paragraphs(incoming.text)),), context.memory)

    def needs_ledger(self, incoming):
        return False


class Listener(Echo):
    """Says back what ends in a full stop, and waits for the rest of anything else."""

    def take(self, incoming, context):
        if context.may_wait and not incoming.text.endswith("。"):
            return Turn(memory=context.memory, waits=True)
        return super().take(incoming, context)

    def may_join(self, incoming, before):
        return incoming.press is None


class StubbornChannel(FakeChannel):
    """`read` fails as told."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    async def read(self, arrivals):
        if self.errors:
            raise self.errors.pop(0)
        return await super().read(arrivals)


class SilentChannel(FakeChannel):
    async def read(self, arrivals):
        return None


@pytest.fixture
def store(tmp_path):
    opened = Store.open(f"sqlite:///{tmp_path}/t.db", commissioners=())
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return Clock()


def build(store, clock, conversation, channel=None, **more):
    channel = channel or FakeChannel()
    more |= {"arrived": Bell(), "due": Bell(), "lease": LEASE, "clock": clock}
    return Worker(store, {channel.name: channel}, conversation, PHRASES, **more)


def receive(store, text, uid="1", now=NOW):
    store.inbox.receive(Arrival("fake", uid, "li", write_own(text=text)), now)


def replies(store):
    said = []
    while due := store.outbox.due("fake", NOW + timedelta(days=1), lease=timedelta(minutes=1)):
        said.append(due.outgoing.text)
        store.outbox.sent(due.id, Receipt(), NOW)
    return said


async def test_a_message_becomes_a_saved_reply(store, clock):
    receive(store, "花椒")
    worker = build(store, clock, Echo())
    assert await worker.step()
    assert not await worker.step()
    assert replies(store) == ["花椒"]


async def test_messages_of_one_conversation_are_taken_in_order(store, clock):
    echo = Echo()
    for number in range(3):
        receive(store, str(number), uid=str(number))
    worker = build(store, clock, echo)
    while await worker.step():
        pass
    assert echo.taken == ["0", "1", "2"]


async def test_what_holds_nothing_for_the_conversation_is_dropped(store, clock):
    receive(store, "x")
    await build(store, clock, Echo(), SilentChannel()).step()
    assert store.inbox.tally() == {State.DROPPED: 1}


async def test_a_platform_that_asks_for_patience_gets_it(store, clock):
    receive(store, "x")
    worker = build(store, clock, Echo(), StubbornChannel(TryLater("busy", retry_after=30)))
    await worker.step()
    assert not await worker.step()
    clock.now += timedelta(seconds=31)
    await worker.step()
    assert replies(store) == ["x"]


async def test_a_platform_that_is_away_for_half_a_minute_costs_no_message(store, clock):
    receive(store, "x")
    away = [TryLater("no network", retry_after=1)] * (MOST_TRIES - 1)
    worker = build(store, clock, Echo(), StubbornChannel(*away))
    for _ in range(29):
        await worker.step()
        clock.now += timedelta(seconds=1)
    assert store.inbox.tally() == {State.NEW: 1}
    clock.now += timedelta(seconds=2)
    await worker.step()
    assert replies(store) == ["x"]


async def test_the_log_tells_where_a_message_failed_and_none_of_its_words(store, clock, caplog):
    receive(store, "蜂子不进巢")
    await build(store, clock, Echo(KeyError("蜂子不进巢"))).step()
    assert "message 1 put off: KeyError at" in caplog.text
    assert "蜂子" not in caplog.text


async def test_a_message_of_a_channel_that_is_off_waits_until_it_is_on(store, clock):
    receive(store, "x")
    off = build(store, clock, Echo(), FakeChannel("other"))
    for _ in range(2 * MOST_TRIES):
        assert await off.step()
        clock.now += timedelta(minutes=1)
    await build(store, clock, Echo()).step()
    assert replies(store) == ["x"]


async def test_an_unreadable_message_is_set_aside_and_the_sender_is_told(store, clock):
    receive(store, "x")
    await build(store, clock, Echo(), StubbornChannel(Unreadable("rubbish"))).step()
    assert store.inbox.tally() == {State.FAILED: 1}
    assert replies(store) == ["对不住"]


async def test_a_passing_fault_of_ours_is_tried_again(store, clock):
    receive(store, "x")
    worker = build(store, clock, Echo(RuntimeError("oops")))
    await worker.step()
    clock.now += timedelta(minutes=1)
    await worker.step()
    assert replies(store) == ["x"]


async def test_a_lasting_fault_of_ours_ends_with_an_apology_and_the_message_kept(store, clock):
    receive(store, "x")
    worker = build(store, clock, Echo(*[RuntimeError("oops")] * MOST_TRIES))
    for _ in range(MOST_TRIES):
        assert await worker.step()
        clock.now += timedelta(minutes=10)
    assert not await worker.step()
    assert store.inbox.tally() == {State.FAILED: 1}
    assert replies(store) == ["对不住"]


async def test_a_conflict_is_decided_again_from_the_start(store, clock):
    receive(store, "x")
    echo = Echo()
    worker = build(store, clock, echo)
    save, failures = store.inbox.save, [Conflict("meanwhile")]

    class Inbox:
        def __getattr__(self, name):
            return getattr(store.inbox, name)

        def save(self, *arguments, **more):
            if failures:
                raise failures.pop()
            save(*arguments, **more)

    class Wrapped:
        inbox = Inbox()

    worker = Worker(
        Wrapped(),
        {"fake": FakeChannel()},
        echo,
        PHRASES,
        arrived=Bell(),
        due=Bell(),
        lease=LEASE,
        clock=clock,
    )
    await worker.step()
    assert echo.taken == ["x", "x"]
    assert replies(store) == ["x"]


PAUSE = timedelta(seconds=4)


async def test_a_sentence_in_pieces_is_taken_as_one(store, clock):
    worker = build(store, clock, Listener(), pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    receive(store, "在门口打架。", uid="2")
    await worker.step()
    assert replies(store) == ["蜂子\n在门口打架。"]
    assert store.inbox.tally() == {State.DONE: 2}


async def test_words_are_taken_as_they_are_when_nothing_follows(store, clock):
    worker = build(store, clock, Listener(), pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    assert not await worker.step()
    clock.now += PAUSE
    await worker.step()
    assert replies(store) == ["蜂子"]


async def test_a_button_ends_the_sentence_before_it(store, clock):
    worker = build(store, clock, Listener(), pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    store.inbox.receive(Arrival("fake", "2", "li", write_own(press="show:a:1")), NOW)
    await worker.step()
    assert replies(store) == ["蜂子"]
    assert store.inbox.tally() == {State.DONE: 1, State.NEW: 1}


async def test_without_a_pause_nobody_waits(store, clock):
    receive(store, "蜂子")
    await build(store, clock, Listener()).step()
    assert replies(store) == ["蜂子"]


async def test_words_held_back_outlive_the_process(store, clock):
    receive(store, "蜂子")
    await build(store, clock, Listener(), pause=PAUSE).step()
    store.inbox.recover()
    clock.now += PAUSE
    await build(store, clock, Listener(), pause=PAUSE).step()
    assert replies(store) == ["蜂子"]


async def test_however_he_goes_on_he_waits_no_longer_than_two_pauses(store, clock):
    worker = build(store, clock, Listener(), pause=PAUSE)
    for number in range(9):
        receive(store, "嗯", uid=str(number), now=clock.now)
        await worker.step()
        clock.now += PAUSE / 2
    assert len(replies(store)[0].splitlines()) == 5  # at 0, 2, 4, 6 and 8 seconds


async def test_a_later_piece_that_cannot_be_read_costs_only_itself(store, clock):
    worker = build(store, clock, Listener(), pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    store.inbox.receive(Arrival("fake", "2", "li", "rubbish"), NOW)
    while await worker.step():
        pass
    assert replies(store) == ["蜂子", "对不住"]
    assert store.inbox.tally() == {State.DONE: 1, State.FAILED: 1}


async def test_a_first_piece_that_cannot_be_read_costs_only_itself(store, clock):
    channel = StubbornChannel()
    worker = build(store, clock, Listener(), channel, pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    receive(store, "打架。", uid="2")
    channel.errors = [Unreadable("gone")]
    while await worker.step():
        pass
    assert replies(store) == ["对不住", "打架。"]


async def test_what_was_put_off_is_not_woken_by_more_words(store, clock):
    channel = StubbornChannel()
    worker = build(store, clock, Listener(), channel, pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    clock.now += PAUSE
    channel.errors = [TryLater("busy", retry_after=30)]
    await worker.step()
    receive(store, "打架。", uid="2", now=clock.now)
    assert not await worker.step()
    clock.now += timedelta(seconds=31)
    await worker.step()
    assert replies(store) == ["蜂子\n打架。"]


async def test_photos_that_follow_end_the_wait_at_once(store, clock):
    """Even where they come while the words are being weighed: nothing goes round in circles."""
    worker = build(store, clock, Listener(), pause=PAUSE)
    receive(store, "蜂子")
    await worker.step()
    album = Arrival("fake", "2", "li", write_own(text="图"), group="a")
    store.inbox.receive(album, clock.now, settle=timedelta(seconds=1))
    assert await worker.step()
    assert replies(store) == ["蜂子"]
    assert not await worker.step()
    clock.now += timedelta(seconds=1)
    assert await worker.step()
