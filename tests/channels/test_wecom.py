"""The WeCom channel on our own WeCom: what members send, what they see, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from bot.channels.base import Bell
from bot.channels.wecom.channel import WeComChannel
from bot.channels.wecom.settings import WeComSettings
from bot.domain import (
    Address,
    Attachment,
    Button,
    Flaw,
    Incoming,
    Media,
    Other,
    Outgoing,
    paragraphs,
)
from bot.errors import ConfigError, OutcomeUnknown, Rejected, TryLater, Unreachable
from bot.store import Store
from tests import cast

from .fake_wecom import BOT_ID, SECRET, FakeWeCom
from .shots import blurred, jpeg, shot
from .telegram_world import LEASE, NOON, SETTLED, clock, eventually, photo

WANG = "WangRuiSheng"
ME = Address("wecom", WANG)


def settings(wecom: FakeWeCom, **changes: Any) -> WeComSettings:
    known = {"bot_id": BOT_ID, "secret": SECRET, "url": wecom.url, "backoff": 0.02}
    return WeComSettings(**{**known, "desk": "https://tianwen.test/desk", **changes})


@dataclass
class World:
    wecom: FakeWeCom
    store: Store
    channel: WeComChannel
    listening: asyncio.Task[None]

    async def take(self) -> Incoming | None:
        """The next message as the worker reads it; it is done afterwards."""
        claim = self.store.inbox.claim
        arrivals = await eventually(lambda: claim(NOON + SETTLED, lease=LEASE))
        try:
            return await self.channel.read(arrivals)
        finally:
            self.store.inbox.drop(arrivals, NOON)

    def seen(self) -> list[str]:
        return self.wecom.texts(WANG)


@pytest.fixture
async def world(tmp_path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(FakeWeCom().running())
        url = f"sqlite:///{tmp_path / 'tianwen.db'}"
        store = Store.open(url, commissioners=())
        stack.callback(store.close)
        channel = WeComChannel(settings(wecom), store, Bell(), clock, say=cast.phrases())
        stack.push_async_callback(channel.close)
        task = asyncio.create_task(channel.listen())
        await wecom.connected()
        await eventually(lambda: channel._socket._client)
        yield World(wecom, store, channel, task)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_words_are_kept_once_and_read(world: World):
    for _ in range(3):
        await world.wecom.says(WANG, "#12 换王", msgid="m1")
    await world.wecom.says(WANG, "第二句")
    assert (await world.take()).text == "#12 换王"
    assert (await world.take()).text == "第二句"


async def test_words_in_a_group_are_left_unread(world: World):
    await world.wecom.says(WANG, "大家好", chattype="group")
    await world.wecom.says(WANG, "在吗")
    assert (await world.take()).text == "在吗"


async def test_a_reply_brings_the_first_line_of_what_it_replies_to(world: World):
    quote = {"msgtype": "text", "text": {"content": "【新问题 #12】\n蜂子死了"}}
    await world.wecom.says(WANG, "换王", quote=quote)
    assert (await world.take()).quoted == "【新问题 #12】"


async def test_a_press_is_read_and_its_card_says_so(world: World):
    buttons = (Button("接单", "case:12:accept"), Button("不接", "case:12:decline"))
    await world.channel.send(Outgoing(ME, paragraphs("【新问题 #12】"), buttons))
    await world.wecom.presses(WANG, "case:12:accept")
    assert (await world.take()).press == "case:12:accept"
    await eventually(lambda: world.wecom.updated)
    card = world.wecom.sent[-1]["body"]["template_card"]
    assert world.wecom.updated[0]["template_card"]["task_id"] == card["task_id"]


async def test_photos_and_files_are_fetched_and_deciphered(world: World):
    await world.wecom.shows(WANG, jpeg(blurred(shot("china"))), photo("red"), text="#12 看图")
    message = await world.take()
    assert message.text == "#12 看图"
    assert next(one.flaws[:1] for one in message.attachments) == (Flaw.BLURRED,)
    await world.wecom.shows(WANG, photo())
    assert [one.kind for one in (await world.take()).attachments] == ["photo"]
    file = world.wecom.keep(b"%PDF-1.4")
    await world.wecom._callback(WANG, msgtype="file", file=file)
    (kept,) = (await world.take()).attachments
    assert (kept.kind, world.store.media.get(kept.media).content) == ("file", b"%PDF-1.4")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"msgtype": "voice", "voice": {"content": "换王"}}, Incoming(0, ME, text="换王")),
        ({"msgtype": "video", "video": {}}, Incoming(0, ME, other=Other.VIDEO)),
        ({"msgtype": "vote"}, Incoming(0, ME, other=Other.UNKNOWN)),
        ({"msgtype": "event", "event": {"eventtype": "feedback_event"}}, None),
        ({"msgtype": "event", "event": {"eventtype": "enter_chat"}},
         Incoming(0, ME, other=Other.JOINED)),
    ],
)  # fmt: skip
async def test_other_kinds_are_understood(world: World, body, expected):
    cmd = "aibot_event_callback" if body["msgtype"] == "event" else "aibot_msg_callback"
    await world.wecom._callback(WANG, cmd=cmd, **body)
    got = await world.take()
    assert (got and (got.text, got.other)) == (expected and (expected.text, expected.other))


async def test_a_farmers_words_bend_no_message(world: World):
    evil = "# 大字 <@all> [点我](http://x.example) **粗** `码` <font color=warning>红</font>"
    await world.channel.send(Outgoing(ME, paragraphs(evil)))
    (seen,) = world.seen()
    assert not set("<>[]`*@") & set(seen)
    assert "点我" in seen


async def test_many_buttons_are_several_cards(world: World):
    buttons = tuple(Button(f"第{number}个", f"pick:{number}") for number in range(8))
    await world.channel.send(Outgoing(ME, paragraphs("请选"), buttons))
    cards = [
        one["body"]["template_card"] for one in world.wecom.sent if "template_card" in one["body"]
    ]
    assert [len(card["button_list"]) for card in cards] == [6, 2]
    assert len({card["task_id"] for card in cards}) == 2


async def test_photos_are_seen_at_the_desk(world: World):
    kept = world.store.media.keep(Media("image/jpeg", b"\xff\xd8x"), NOON)
    one = Attachment("photo", kept, "image/jpeg")
    await world.channel.send(Outgoing(ME, paragraphs("看图"), attachments=(one,), case=12))
    assert "https://tianwen.test/desk/case/12" in world.seen()[0]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(45009, TryLater), (846607, TryLater), (60111, Unreachable), (40058, Rejected),
     ("drop", OutcomeUnknown)],
)  # fmt: skip
async def test_a_failure_says_what_to_do(world: World, error, kind):
    world.wecom.errors.append(error)
    with pytest.raises(kind):
        await world.channel.send(Outgoing(ME, paragraphs("好")))


async def test_a_message_of_several_parts_goes_on_where_it_broke_off(world: World):
    long = Outgoing(ME, paragraphs("。".join(f"第{number}句" for number in range(300))))
    world.wecom.errors.extend((0, 45009))
    with pytest.raises(TryLater):
        await world.channel.send(long)
    await world.channel.send(long)
    whole = "".join(world.seen())
    assert [whole.count(f"第{number}句") for number in range(300)] == [1] * 300


async def test_after_a_cut_it_connects_again_and_goes_on(world: World):
    for number in range(3):
        await world.wecom.drop()
        await eventually(lambda number=number: world.wecom.connections == number + 2)
        await world.wecom.says(WANG, f"第{number}句")
        assert (await world.take()).text == f"第{number}句"
        await eventually(lambda: world.channel._socket._client)
        await world.channel.send(Outgoing(ME, paragraphs(f"答{number}")))
    assert world.seen()[-1] == "答2"


async def test_while_it_is_cut_off_messages_wait(world: World):
    await world.wecom.drop()
    await eventually(lambda: world.channel._socket._client is None)
    with pytest.raises(TryLater):
        await world.channel.send(Outgoing(ME, paragraphs("好")))


async def test_a_refused_robot_is_told_to_staff(world: World):
    wrong = settings(world.wecom, secret="wrong")
    channel = WeComChannel(wrong, world.store, Bell(), clock, say=cast.phrases())
    with pytest.raises(ConfigError, match="机器人"):
        await channel.listen()


async def test_a_second_connection_stands_back(world: World, caplog):
    await world.wecom.event(WANG, {"eventtype": "disconnected_event"})
    await eventually(lambda: world.channel._socket._client is None)
    assert "别处也连着" in caplog.text


async def test_no_log_holds_what_people_write(world: World, caplog):
    caplog.set_level(0)
    await world.wecom.says(WANG, "王家屋头的蜂子死了")
    await world.take()
    await world.channel.send(Outgoing(ME, paragraphs("李家屋头的花椒")))
    assert "蜂子死了" not in caplog.text.replace("\\u", "")
    assert "花椒" not in "".join(
        one.getMessage() for one in caplog.records if one.name != "websockets.server"
    )
    assert SECRET not in "".join(
        one.getMessage() for one in caplog.records if "server" not in one.name
    )


@pytest.mark.parametrize(
    "wrong", [{"secret": ""}, {"url": "ws://openws.work.weixin.qq.com"}, {"url": "http://x"}]
)
def test_wrong_settings_are_told_to_staff(wrong):
    with pytest.raises(ConfigError):
        WeComSettings(**{"bot_id": BOT_ID, "secret": SECRET, **wrong})
