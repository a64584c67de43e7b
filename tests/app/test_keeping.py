"""A press of 收进知识库, from the real conversation over a real database into a real folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.app.worker import Worker
from bot.channels.base import Bell, FakeChannel, write_own
from bot.domain import Arrival, Deed, Domain, Entered, Receipt
from bot.errors import EditError
from bot.knowledge import load, shelve
from bot.knowledge.load import read
from bot.store import Store
from tests.cast import (
    ADDRESSES,
    LI,
    LV_CHAT,
    NOW,
    PEOPLE,
    UNKNOWN_PEPPER,
    conversation,
    phrases,
    said,
)
from tests.knowledge.builders import write_base
from tests.knowledge.excel import snapshot

LEASE = timedelta(minutes=2)
PEPPER = Domain("sichuan-pepper", "花椒", "sichuan-pepper", ("花椒",), {"leaf": "叶片病害"})
WORDS = "花前喷一次硼肥，按标签。"


class Killed(BaseException):
    """Nothing after it is done."""


class Press:
    """Everybody's chats on one channel; the clock goes on by itself when a lease must end."""

    def __init__(self, store: Store, base) -> None:
        self.store, self.base, self.now = store, base, NOW
        self.uid = 0
        self.worker = self.working()

    def working(self, keep=None) -> Worker:
        more = {"arrived": Bell(), "due": Bell(), "lease": LEASE, "clock": lambda: self.now}
        channels = {"telegram": FakeChannel("telegram")}
        keep = keep or partial(shelve, self.base, domain=PEPPER)
        talk = conversation(first_number=12)
        return Worker(self.store, channels, talk, phrases(), keep=keep, **more)

    def receive(self, who, text="", **more):
        self.uid += 1
        raw = write_own(text=text, **more)
        self.store.inbox.receive(Arrival("telegram", str(self.uid), who.user, raw), self.now)

    async def says(self, who, text="", **more):
        self.receive(who, text, **more)
        assert await self.worker.step()

    def deliver(self):
        sent = []
        while due := self.store.outbox.due("telegram", self.now, lease=LEASE):
            self.store.outbox.sent(due.id, Receipt(), self.now)
            sent.append((due.outgoing.to, due.outgoing.text))
        return sent


@pytest.fixture
async def press(url, tmp_path):
    people = [replace(one, addresses=ADDRESSES[one.id]) for one in PEOPLE]
    store = Store.open(url, commissioners=people)
    press = Press(store, write_base(tmp_path))
    await press.says(LI, UNKNOWN_PEPPER)
    await press.says(LV_CHAT, f"#12 {WORDS}")
    yield press
    store.close()


def authors(base):
    return [file.entry.author for file in read(base).entries if file.entry.author]


async def test_what_was_delivered_is_a_draft_and_what_is_on_its_way_is_not_yet(press):
    await press.says(LV_CHAT, press="case:12:keep")
    assert (LV_CHAT, said("keep.not_yet", number=12)) in press.deliver()
    assert authors(press.base) == []
    await press.says(LV_CHAT, "#12 收进知识库")
    assert (LV_CHAT, said("keep.done", number=12, name="吕玉奎")) in press.deliver()
    [draft] = [file.entry for file in read(press.base).entries if file.entry.author]
    assert (draft.id, draft.questions[0], draft.short_answer) == (
        "case-12",
        UNKNOWN_PEPPER,
        WORDS,
    )
    assert press.store.cases.get(12).is_kept
    assert press.store.ledger.served(NOW - LEASE) == {"lv-yukui": 1}
    assert "case-12" not in load(press.base).entries


async def test_a_crash_between_the_file_and_the_save_costs_neither_and_doubles_nothing(press):
    press.deliver()
    press.receive(LV_CHAT, press="case:12:keep")
    shelved = []

    def die(kept):
        shelved.append(shelve(press.base, kept, PEPPER))
        raise Killed

    with pytest.raises(Killed):
        await press.working(die).step()
    files = snapshot(press.base)
    assert (len(shelved), press.store.cases.get(12).is_kept) == (1, False)
    press.now += 2 * LEASE
    assert await press.worker.step()
    assert snapshot(press.base) == files
    assert press.store.cases.get(12).is_kept
    assert [text for to, text in press.deliver() if to == LV_CHAT] == [
        said("keep.done", number=12, name="吕玉奎")
    ]


async def test_a_folder_that_cannot_be_written_is_told_and_the_next_press_keeps_it(press, caplog):
    press.deliver()

    def refuse(kept):
        raise EditError("写不进去（Read-only file system）；什么也没有写。")

    working, press.worker = press.worker, press.working(refuse)
    await press.says(LV_CHAT, press="case:12:keep")
    assert press.deliver() == [(LV_CHAT, said("keep.failed", number=12))]
    assert not press.store.cases.get(12).is_kept
    assert "case 12 was not made an entry" in caplog.text
    assert WORDS not in caplog.text
    press.worker = working
    await press.says(LV_CHAT, press="case:12:keep")
    assert len(authors(press.base)) == 1


async def test_a_reply_that_was_struck_from_the_ledger_is_not_kept(press):
    press.deliver()
    [line] = press.store.ledger.of("lv-yukui", NOW - LEASE)
    struck = Entered(Deed.STRUCK, "lv-yukui", "dispatcher", 12, line.number, {"reason": "太短"})
    press.store.ledger.add(struck, NOW)
    await press.says(LV_CHAT, "＃12 收进知识库")
    assert press.deliver() == [(LV_CHAT, said("keep.not_yet", number=12))]
    assert authors(press.base) == []


async def test_a_press_that_comes_twice_at_once_makes_one_draft(press):
    press.deliver()
    for _ in range(2):
        press.receive(LV_CHAT, press="case:12:keep")
    while await press.worker.step():
        pass
    assert len(authors(press.base)) == 1
    assert [text for _, text in press.deliver()].count(said("keep.before", number=12)) == 1
