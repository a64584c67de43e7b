"""An account that may write first: within 48 hours and five messages, and what comes of errors."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.channels.envelope import reply_xml, signed
from bot.domain import (
    Address,
    Attachment,
    Block,
    Button,
    Flaw,
    Media,
    Other,
    Outgoing,
    Picture,
    paragraphs,
)
from bot.errors import OutcomeUnknown, Rejected, TryLater, Unreachable, WindowClosed

from .fake_wechat import ACCOUNT, TOKEN
from .shots import blurred, jpeg, shot
from .telegram_world import eventually, photo
from .wechat_world import ALICE, World, clock, open_world

RUST = Picture(Media("image/jpeg", b"\xff\xd8rust"), 1600, 1200, "0f1e2d")
ME = Address("wechat", ALICE)


@pytest.fixture
async def world(tmp_path) -> AsyncIterator[World]:
    url = f"sqlite:///{tmp_path / 'tianwen.db'}"
    async with open_world(url, pushes=True, pictures={"rust.jpg": RUST}.get) as world:
        yield world


async def seen(world: World, count: int) -> list[str]:
    await eventually(lambda: len(world.seen()) >= count)
    return world.seen()


def to_me(text: str, **fields: Any) -> Outgoing:
    return Outgoing(ME, paragraphs(text), **fields)


async def test_the_call_is_answered_at_once_and_the_answer_is_pushed(world: World):
    world.slow["蜂子死了"] = 17
    assert await world.says("蜂子死了") == ""
    assert await seen(world, 1) == ["答：蜂子死了"]
    calls = [one for one in world.wechat.journal if one.what == "call"]
    assert [(one.attempt, one.status) for one in calls] == [(1, 200)]
    assert [one.said for one in world.wechat.journal if one.what == "typing"] == ["Typing"]


async def test_one_of_five_messages_is_kept_for_a_person(world: World):
    await world.says("在吗")
    await seen(world, 1)
    for number in range(3):
        await world.channel.send(to_me(f"第{number}条"))
    with pytest.raises(WindowClosed):
        await world.channel.send(to_me("第四条"))
    await world.channel.send(to_me("专员的话", purpose="relay"))
    with pytest.raises(WindowClosed):
        await world.channel.send(to_me("专员又一句", purpose="relay"))
    assert world.seen() == ["答：在吗", "第0条", "第1条", "第2条", "专员的话"]


async def test_what_found_the_window_closed_goes_after_the_next_message(world: World):
    world.writes("特派员王瑞生：换王。")
    await eventually(lambda: world.store.outbox.tally().get("held"))
    await world.says("在吗")
    assert sorted(await seen(world, 2)) == ["特派员王瑞生：换王。", "答：在吗"]
    assert world.seen()[0] == "特派员王瑞生：换王。"


@pytest.mark.parametrize("code", [45015, 45047, 48001])
async def test_the_platform_knows_better_when_the_window_is_closed(world: World, code: int):
    await world.says("在吗")
    await seen(world, 1)
    world.wechat.fail("send", code)
    with pytest.raises(WindowClosed):
        await world.channel.send(to_me("好"))
    assert world.store.windows.left(ME, clock()) == 0


FAILURES: list[tuple[int, type[Exception]]] = [
    (-1, TryLater),
    (45009, TryLater),
    (40164, TryLater),
    (43004, Unreachable),
    (43019, Unreachable),
    (40003, Rejected),
    (45002, Rejected),
]


@pytest.mark.parametrize(("code", "kind"), FAILURES)
async def test_an_error_code_says_what_to_do(world: World, code: int, kind: type[Exception]):
    await world.says("在吗")
    await seen(world, 1)
    world.wechat.fail("send", code, "ip 203.0.113.7 not in whitelist")
    with pytest.raises(kind):
        await world.channel.send(to_me("好"))


async def test_an_address_that_is_not_on_the_white_list_is_named(world: World, caplog):
    await world.says("在吗")
    await seen(world, 1)
    world.wechat.fail("send", 40164, "invalid ip 203.0.113.7, not in whitelist")
    with caplog.at_level(logging.ERROR), pytest.raises(TryLater):
        await world.channel.send(to_me("好"))
    assert "白名单" in caplog.text
    assert "203.0.113.7" in caplog.text


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_is_over_is_renewed_once(world: World, code: int):
    await world.says("在吗")
    await seen(world, 1)
    known = len(world.wechat.tokens)
    world.wechat.fail("send", code)
    await world.channel.send(to_me("好"))
    assert world.seen()[-1] == "好"
    assert len(world.wechat.tokens) == known + 1
    world.wechat.fail("send", code)
    world.wechat.fail("send", code)
    with pytest.raises(TryLater):
        await world.channel.send(to_me("好"))


async def test_a_lost_connection_before_or_after_is_an_unknown_outcome(world: World):
    await world.says("在吗")
    await seen(world, 1)
    for when in ("before", "after"):
        world.wechat.drop("send", when)
        with pytest.raises(OutcomeUnknown):
            await world.channel.send(to_me(when))
    assert world.seen() == ["答：在吗", "after"]


async def test_photos_go_both_ways(world: World):
    world.wechat.keep("leaf", "image/jpeg", jpeg(blurred(shot("china"))))
    picked = {"MsgType": "image", "MediaId": "leaf"}
    read = await arriving(world, **picked, PicUrl="http://evil.example/x.jpg")
    assert [one.flaws for one in read.attachments] == [(Flaw.BLURRED,)]

    kept = world.store.media.keep(Media("image/jpeg", photo()), clock())
    one = Attachment("photo", kept, "image/jpeg")
    await world.channel.send(to_me("看图", attachments=(one,), purpose="relay"))
    assert world.wechat.phone(ALICE).media == ["media-1"]
    assert world.seen()[-1] == "看图"


async def arriving(world: World, **fields: str) -> Any:
    """What the conversation reads of a push; nobody else answers meanwhile."""
    found: list[Any] = []
    read = world.channel.read

    async def listening_in(arrivals: Any) -> Any:
        found.append(await read(arrivals))
        return found[-1]

    world.channel.read = listening_in
    await world.wechat.call(world.url, ALICE, **fields)
    await eventually(lambda: found)
    world.channel.read = read
    return found[-1]


async def test_a_picture_of_an_answer_goes_along_while_messages_are_left(world: World):
    await world.says("在吗")
    await seen(world, 1)
    blocks = (*paragraphs("先看叶背"), Block("picture", "叶背的黄粉", "rust.jpg"))
    await world.channel.send(Outgoing(ME, blocks))
    assert world.wechat.phone(ALICE).media == ["media-0"]
    assert "接着看" not in world.seen()[-1]
    await world.channel.send(to_me("好"))
    with pytest.raises(WindowClosed):
        await world.channel.send(Outgoing(ME, blocks))


async def test_pictures_that_are_too_many_are_seen_on_the_page(world: World):
    await world.says("在吗")
    await seen(world, 1)
    media = [
        world.store.media.keep(Media("image/jpeg", b"\xff\xd8%d" % n), clock()) for n in range(4)
    ]
    photos = tuple(Attachment("photo", one, "image/jpeg") for one in media)
    await world.channel.send(to_me("看图", attachments=photos, purpose="relay"))
    assert world.wechat.phone(ALICE).media == []
    assert "4张照片" in world.seen()[-1]
    assert "https://tianwen.test/from/" in world.seen()[-1]


async def test_a_send_that_broke_off_goes_on_after_the_pictures_that_went(world: World):
    await world.says("在吗")
    await seen(world, 1)
    kept = world.store.media.keep(Media("image/jpeg", photo()), clock())
    relay = to_me("看图", attachments=(Attachment("photo", kept, "image/jpeg"),), purpose="relay")
    real = world.channel._sender._send_text

    async def breaks(*args: Any, **named: Any) -> None:
        world.channel._sender._send_text = real
        raise TryLater("busy")

    world.channel._sender._send_text = breaks
    with pytest.raises(TryLater):
        await world.channel.send(relay)
    await world.channel.send(relay)
    assert world.wechat.phone(ALICE).media == ["media-0"]
    assert world.seen()[-1] == "看图"


async def test_a_long_answer_goes_on_by_a_number_within_the_call(world: World):
    await world.says("在吗")
    await seen(world, 1)
    sentences = [f"第{number}句🌶。" for number in range(300)]
    await world.channel.send(to_me("".join(sentences), buttons=(Button("有用", "useful:1"),)))
    assert "回1接着看" in world.seen()[-1]
    while "接着看" in world.seen()[-1]:
        assert await world.says("1")
    assert all(one in "".join(world.seen()) for one in sentences)
    assert world.seen()[-1].endswith("1 有用")
    await world.says("1")
    assert await eventually(lambda: "按了useful:1" in world.taken)


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"MsgType": "voice", "MediaId": "v", "Format": "amr", "Recognition": "蜂子死了"},
         lambda one: one.text == "蜂子死了" and one.attachments[0].mime == "audio/amr"),
        ({"MsgType": "location", "Location_X": "29.4", "Location_Y": "105.6"},
         lambda one: one.location == (29.4, 105.6) and one.other is Other.LOCATION),
        ({"MsgType": "shortvideo", "MediaId": "x"}, lambda one: one.other is Other.VIDEO),
        ({"MsgType": "link", "Title": "蜂价", "Description": "涨了", "Url": "http://x"},
         lambda one: one.text == "蜂价\n涨了"),
        ({"MsgType": "event", "Event": "subscribe"}, lambda one: one.other is Other.JOINED),
        ({"MsgType": "event", "Event": "unsubscribe"}, lambda one: one is None),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "我的问题"},
         lambda one: one.text == "我的问题"),
        ({"MsgType": "image", "MediaId": "nothing"}, lambda one: one.other is Other.UNKNOWN),
        ({"MsgType": "wxcard"}, lambda one: one.other is Other.UNKNOWN),
    ],
    ids=lambda one: "-".join(list(one.values())[:2]) if isinstance(one, dict) else "",
)  # fmt: skip
async def test_what_a_follower_sends_is_understood(
    world: World, fields: dict[str, str], fits: Callable[[Any], bool]
):
    world.wechat.keep("v", "audio/amr", b"#!AMR")
    assert fits(await arriving(world, **fields))


async def test_an_account_without_rights_hears_a_voice_only_as_words(tmp_path):
    async with open_world(f"sqlite:///{tmp_path / 'tianwen.db'}", pushes=False) as mute:
        heard = await arriving(mute, MsgType="voice", MediaId="v", Recognition="蜂子死了")
        assert (heard.text, heard.attachments) == ("蜂子死了", ())
        assert (await arriving(mute, MsgType="voice", MediaId="v")).other is Other.VOICE
        mute.wechat.keep("leaf", "image/jpeg", photo())
        got = await arriving(mute, MsgType="image", PicUrl=mute.wechat.picture_url("leaf"))
        assert [one.kind for one in got.attachments] == ["photo"]


async def test_an_event_that_comes_again_is_one(world: World):
    for _ in range(3):
        fields = {"MsgType": "event", "Event": "subscribe", "CreateTime": "1780000000"}
        await world.wechat.call(world.url, ALICE, **fields)
    assert world.store.inbox.tally().get("done", 0) + world.store.inbox.tally().get("new", 0) == 1


async def test_a_call_that_nobody_signed_is_turned_away(world: World):
    query, body = world.wechat.signed("<xml/>")
    tries = [
        ({}, body, 403),
        ({**query, "msg_signature": "0" * 40}, body, 403),
        (query, body.replace(b"<Encrypt>", b"<Encrypt>A"), 403),
        (query, b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", 403),
        (query, b"x" * 70_000, 413),
        (query, body, 403),  # signed, but it holds no message
    ]
    async with httpx.AsyncClient() as stranger:
        for asked, sent, status in tries:
            answer = await stranger.post(f"{world.url}/wechat", params=asked, content=sent)
            assert answer.status_code == status
        plain = {"timestamp": query["timestamp"], "nonce": "n", "signature": "x"}
        assert (await stranger.get(f"{world.url}/wechat", params=plain)).status_code == 403
    assert world.store.inbox.tally() == {}


async def test_the_platforms_check_of_the_address_is_answered(world: World):
    stamp = str(int(clock().timestamp()))
    query = {"timestamp": stamp, "nonce": "n", "echostr": "42"}
    query["signature"] = signed(TOKEN, stamp, "n")
    async with httpx.AsyncClient() as platform:
        answer = await platform.get(f"{world.url}/wechat", params=query)
    assert (answer.status_code, answer.text) == (200, "42")


async def test_plain_messages_are_taken_only_in_development(tmp_path):
    xml = reply_xml(
        ToUserName=ACCOUNT, FromUserName=ALICE, MsgType="text", Content="在吗", MsgId="1"
    )
    stamp = str(int(clock().timestamp()))
    query = {"timestamp": stamp, "nonce": "n", "signature": signed(TOKEN, stamp, "n")}
    for is_plain, status in ((False, 403), (True, 200)):
        url = f"sqlite:///{tmp_path / f'{is_plain}.db'}"
        async with open_world(url, pushes=True) as world, httpx.AsyncClient() as platform:
            receiver = world.channel._receiver
            receiver._settings = replace(receiver._settings, is_plain=is_plain)
            answer = await platform.post(f"{world.url}/wechat", params=query, content=xml.encode())
            assert answer.status_code == status
            if is_plain:
                await eventually(lambda world=world: world.taken == ["在吗"])
