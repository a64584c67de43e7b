"""What every channel keeps to, whoever stands behind it."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from bot.channels.base import Bell, Channel, FakeChannel, write_own
from bot.channels.console import ConsoleChannel
from bot.channels.photos import clean_photo
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.web import DeskChannel, Library, WebChannel, WebSettings
from bot.channels.wechat.channel import WeChatChannel
from bot.channels.wecom.channel import WeComChannel
from bot.domain import (
    Address,
    Arrival,
    Attachment,
    Block,
    Button,
    Commissioner,
    Flaw,
    Incoming,
    Kind,
    Media,
    Outgoing,
    Picture,
    Receipt,
    Turn,
    paragraphs,
)
from bot.errors import (
    Moved,
    OutcomeUnknown,
    Rejected,
    TryLater,
    Unreachable,
    Unreadable,
    WindowClosed,
)
from bot.escalation.ledger import Targets
from bot.store import Store, Window
from tests import cast

from .fake_telegram import FakeTelegram, serving
from .fake_wechat import FakeWeChat
from .fake_wecom import FakeWeCom
from .shots import blurred, jpeg, lit, shot
from .telegram_world import (
    ALICE,
    LEASE,
    NOON,
    SETTLED,
    clock,
    eventually,
    listening,
    photo,
    settings,
)
from .test_wecom import settings as wecom_settings
from .wechat_world import settings as wechat_settings

WANG = Commissioner("wang", "王瑞生", Kind.TECHNICAL, ("beekeeping",))
RUST = Picture(Media("image/jpeg", b"\xff\xd8rust"), 1600, 1200, "0f1e2d")
PICTURES = {"sichuan-pepper/rust.jpg": RUST}
FAILURES = (
    TryLater("busy", retry_after=7),
    Unreachable("blocked"),
    Rejected("too odd"),
    OutcomeUnknown("cut"),
    Moved("-1007"),
)


@dataclass
class Harness:
    """A channel, a person on it and a store. Subclasses know how the person sends and sees."""

    store: Store
    bell: Bell = field(default_factory=Bell)
    channel: Channel = field(init=False)
    me: Address = field(init=False)

    async def start(self, stack: AsyncExitStack) -> None:
        raise NotImplementedError

    async def say(self, text: str = "", *, photos: Sequence[bytes] = (), times: int = 1) -> None:
        """Send one message; the platform hands it over so many `times`."""
        attachments = [self._kept(one) for one in photos]
        raw = write_own(text=text, attachments=attachments)
        self._receive(Arrival(self.me.channel, uuid4().hex, self.me.user, raw), times)

    async def press(self, action: str) -> None:
        raw = write_own(press=action)
        self._receive(Arrival(self.me.channel, uuid4().hex, self.me.user, raw), 1)

    async def screen(self) -> str:
        """What the person sees: texts, button labels, one mark `photo:` a photo."""
        raise NotImplementedError

    def _receive(self, arrival: Arrival, times: int) -> None:
        for _ in range(times):
            self.store.inbox.receive(arrival, NOON)

    def _kept(self, content: bytes) -> Attachment:
        media = clean_photo(content)
        kept = self.store.media.keep(media, NOON)
        return Attachment("photo", kept, media.mime, flaws=media.flaws)

    async def take(self) -> Incoming | None:
        """The next message as the worker reads it."""
        arrivals = self.store.inbox.claim(NOON + SETTLED, lease=LEASE)
        assert arrivals, "nothing came in"
        message = await self.channel.read(arrivals)
        self.store.inbox.drop(arrivals, NOON)
        return message

    def is_idle(self) -> bool:
        return not self.store.inbox.claim(NOON + SETTLED, lease=LEASE)

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Through the outbox, as delivery does it."""
        self.store.inbox.save_follow_up(Turn(replies=(outgoing,)), NOON)
        due = self.store.outbox.due(self.me.channel, NOON, lease=LEASE)
        receipt = await self.channel.send(due.outgoing)
        self.store.outbox.sent(due.id, receipt, NOON)
        return receipt


class OnFake(Harness):
    async def start(self, stack: AsyncExitStack) -> None:
        self.channel, self.me = FakeChannel(), Address("fake", "alice")

    async def screen(self) -> str:
        lines = []
        for sent in self.channel.sent:
            lines += [sent.text, *(button.label for button in sent.buttons)]
            lines += ["photo:" for one in sent.attachments if one.kind == "photo"]
        return "\n".join(lines)

    def break_next(self, failure: Exception) -> None:
        self.channel.failures.append(failure)


class OnConsole(Harness):
    async def start(self, stack: AsyncExitStack) -> None:
        self.out = io.StringIO()
        lines = io.StringIO()
        self.channel = ConsoleChannel(self.store, self.bell, clock, lines=lines, out=self.out)
        self.me = Address("console", "farmer")

    async def screen(self) -> str:
        return self.out.getvalue().replace("〔图片", "photo:")


class OnTelegram(Harness):
    async def start(self, stack: AsyncExitStack) -> None:
        self.telegram = await stack.enter_async_context(FakeTelegram().running())
        at = settings(self.telegram.url)
        self.channel = TelegramChannel(at, self.store, self.bell, clock, pictures=PICTURES.get)
        stack.push_async_callback(self.channel.close)
        self.me = Address("telegram", str(ALICE))

    async def say(self, text: str = "", *, photos: Sequence[bytes] = (), times: int = 1) -> None:
        if photos:
            await self.telegram.shows(ALICE, *photos, caption=text)
        else:
            await self.telegram.says(ALICE, text)
        await self._hand_over(times)

    async def press(self, action: str) -> None:
        await self.telegram.presses(ALICE, action)
        await self._hand_over(1)

    async def _hand_over(self, times: int) -> None:
        again = list(self.telegram.updates)
        for _ in range(times):
            self.telegram.updates = list(again)
            async with listening(self.channel):
                while self.telegram.updates:
                    await self.bell.wait(seconds=0.01)

    async def screen(self) -> str:
        lines = []
        for sent in self.telegram.sent:
            rows = sent.get("reply_markup", {}).get("inline_keyboard", [])
            lines += [sent.get("text", ""), sent.get("caption", "")]
            lines += [button["text"] for row in rows for button in row]
            lines += ["photo:"] if "photo" in sent else []
        return "\n".join(lines)

    def break_next(self, failure: Exception) -> None:
        match failure:
            case TryLater():
                wait = {"retry_after": round(failure.retry_after)}
                self.telegram.fail("sendMessage", 429, "Too Many Requests", **wait)
            case Unreachable():
                self.telegram.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
            case Rejected():
                self.telegram.fail("sendMessage", 400, "Bad Request: can't parse entities")
            case OutcomeUnknown():
                self.telegram.drop("sendMessage", "after")
            case Moved():
                new = {"migrate_to_chat_id": int(failure.user)}
                self.telegram.fail("sendMessage", 400, "Bad Request: upgraded", **new)


class OnWeb(Harness):
    async def start(self, stack: AsyncExitStack) -> None:
        at = WebSettings()
        self.channel = WebChannel(self.store, self.bell, clock, at, pictures=PICTURES.get)
        self.browser = await stack.enter_async_context(_browser(self.channel))
        page = await self._page()
        self.csrf = re.search(r'name="csrf" value="([^"]+)"', page).group(1)
        await self.say("在吗")
        self.me = (await self.take()).sender

    async def say(self, text: str = "", *, photos: Sequence[bytes] = (), times: int = 1) -> None:
        await self._post({"text": text}, photos, times)

    async def press(self, action: str) -> None:
        await self._post({"press": action}, (), 1)

    async def _post(self, fields: dict[str, str], photos: Sequence[bytes], times: int) -> None:
        form = {"csrf": self.csrf, "uid": str(uuid4()), **fields}
        files = [("photos", ("a.png", one, "image/png")) for one in photos]
        for _ in range(times):
            answer = await self.browser.post("/send", data=form, files=files or None)
            assert answer.status_code in (200, 303), answer.text

    async def _page(self) -> str:
        return (await self.browser.get("/")).text

    async def screen(self) -> str:
        return re.sub(r"<img ", "photo:", await self._page())


class OnDesk(Harness):
    async def start(self, stack: AsyncExitStack) -> None:
        library = Library(lambda entry: None, lambda domain: "养蜂", lambda text: ())
        self.channel = DeskChannel(
            self.store,
            self.bell,
            clock,
            WebSettings(),
            people=[WANG],
            targets=Targets(),
            library=library,
            pictures=PICTURES.get,
        )
        self.me = Address("desk", WANG.id)
        self.browser = await stack.enter_async_context(_browser(self.channel))
        token, _ = self.store.accounts.open_session("desk", WANG.id, NOON)
        self.browser.cookies.set("tianwen_desk", token)

    async def screen(self) -> str:
        return re.sub(r"<img src", "photo:", (await self.browser.get("/desk")).text)


class OnWeChat(Harness):
    """An account that may write first. Photos come one a message there."""

    pushes = True

    async def start(self, stack: AsyncExitStack) -> None:
        self.wechat = FakeWeChat(clock, pushes=self.pushes)
        await stack.enter_async_context(self.wechat.running())
        self.channel = WeChatChannel(
            wechat_settings(self.wechat),
            self.store,
            self.bell,
            clock,
            say=cast.phrases(),
            link=lambda user: f"https://tianwen.test/from/{user}",
            pictures=PICTURES.get,
        )
        stack.push_async_callback(self.channel.close)
        watching = asyncio.create_task(self.channel.listen())
        stack.callback(watching.cancel)
        app = Starlette(routes=self.channel.routes())
        self.url = await stack.enter_async_context(serving(app))
        self.me = Address("wechat", "oAlice")
        self.uids = count()

    async def say(self, text: str = "", *, photos: Sequence[bytes] = (), times: int = 1) -> None:
        uid, window = f"uid-{next(self.uids)}", self.wechat.phone(self.me.user)
        for _ in range(times):
            fields = {"MsgType": "text", "Content": text}
            call = self.wechat.call(self.url, self.me.user, uid=uid, **fields)
            task = asyncio.create_task(call)
            await self._is_kept(uid)
            if self.pushes:
                await task
            task.cancel()
        assert window.wrote_at

    async def _is_kept(self, uid: str) -> None:
        while not any(uid in one.uid for one in self.store.inbox.waiting(self.me)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def press(self, action: str) -> None:
        self.store.windows.show(self.me, Window(choices=(action,)))
        await self.say("1")

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        await self._write_first()
        receipt = await super().deliver(outgoing)
        await self._read_on()
        return receipt

    async def _write_first(self) -> None:
        await self.say("在吗")
        await self.take()

    async def _read_on(self) -> None:
        while "接着看" in self.wechat.phone(self.me.user).seen[-1]:
            await self._call("1")

    async def _call(self, text: str) -> None:
        """Write, and have it taken while the call is open."""
        call = asyncio.create_task(self.wechat.says(self.url, self.me.user, text))
        while not (arrivals := self.store.inbox.claim(NOON + SETTLED, lease=LEASE)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.store.inbox.drop(arrivals, NOON)
        await call

    async def screen(self) -> str:
        phone = self.wechat.phone(self.me.user)
        return "\n".join([*phone.seen, *("photo:" for _ in phone.media)])


class OnMuteWeChat(OnWeChat):
    """An account that may not: what waits comes along with the next message."""

    pushes = False

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        self.store.inbox.save_follow_up(Turn(replies=(outgoing,)), NOON)
        with pytest.raises(WindowClosed):
            await self.channel.send(outgoing)
        await self._call("查看")
        await self._read_on()
        return Receipt()


class OnWeCom(Harness):
    async def start(self, stack: AsyncExitStack) -> None:
        self.wecom = await stack.enter_async_context(FakeWeCom().running())
        at = wecom_settings(self.wecom)
        self.channel = WeComChannel(at, self.store, self.bell, clock, say=cast.phrases())
        stack.push_async_callback(self.channel.close)
        self.me = Address("wecom", "WangRuiSheng")
        task = asyncio.create_task(self.channel.listen())
        stack.callback(task.cancel)
        await self.wecom.connected()
        self.uids = count()

    async def say(self, text: str = "", *, photos: Sequence[bytes] = (), times: int = 1) -> None:
        uid, before = f"uid-{next(self.uids)}", len(self.store.inbox.waiting(self.me))
        for _ in range(times):
            if photos:
                await self.wecom.shows(self.me.user, *photos, text=text)
            else:
                await self.wecom.says(self.me.user, text, msgid=uid)
        await eventually(lambda: len(self.store.inbox.waiting(self.me)) > before)

    async def press(self, action: str) -> None:
        await self.wecom.presses(self.me.user, action)
        await eventually(lambda: self.store.inbox.waiting(self.me))

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        await eventually(lambda: self.channel._socket._client)
        return await super().deliver(outgoing)

    async def screen(self) -> str:
        return "\n".join(self.wecom.texts(self.me.user))


def _browser(channel: Channel) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=channel.routes()))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


EVERY = {
    "fake": OnFake,
    "console": OnConsole,
    "telegram": OnTelegram,
    "wechat": OnWeChat,
    "wechat-mute": OnMuteWeChat,
    "wecom": OnWeCom,
    "web": OnWeb,
    "desk": OnDesk,
}
ALBUMS = tuple(name for name in EVERY if "wechat" not in name)


@pytest.fixture(params=EVERY)
async def on(request, tmp_path) -> AsyncIterator[Any]:
    store = Store.open(f"sqlite:///{tmp_path / 'tianwen.db'}", commissioners=(WANG,))
    harness = EVERY[request.param](store)
    async with AsyncExitStack() as stack:
        await harness.start(stack)
        yield harness
    store.close()


def only(*channels: str) -> Any:
    return pytest.mark.parametrize("on", channels, indirect=True)


async def test_a_channel_is_named_as_its_addresses_are(on: Harness):
    assert on.channel.name == on.me.channel


async def test_an_arrival_repeated_three_times_is_one_message(on: Harness):
    await on.say("蜂子爬起走，飞不起来", times=3)
    assert (await on.take()).text == "蜂子爬起走，飞不起来"
    assert on.is_idle()


async def test_text_is_read_as_it_was_written(on: Harness):
    await on.say("叶子<b>黄</b>了 & 有🐛\n咋个办")
    message = await on.take()
    assert message == Incoming(message.id, on.me, text="叶子<b>黄</b>了 & 有🐛\n咋个办")


async def test_messages_keep_their_order(on: Harness):
    for text in ("一", "二", "三"):
        await on.say(text)
    assert [(await on.take()).text for _ in range(3)] == ["一", "二", "三"]


async def test_a_press_is_read_as_its_action(on: Harness):
    await on.press("show:pepper-rust:7")
    message = await on.take()
    assert message == Incoming(message.id, on.me, press="show:pepper-rust:7")


@only(*ALBUMS)
async def test_photos_are_read_as_clean_jpeg_in_one_message(on: Harness):
    await on.say("这是啥子病", photos=[photo("red"), photo("blue")])
    message = await on.take()
    kept = [on.store.media.get(one.media) for one in message.attachments]
    assert message.text == "这是啥子病"
    assert [one.mime for one in kept] == ["image/jpeg"] * 2
    assert kept[0].content != kept[1].content
    assert on.is_idle()


@only(*ALBUMS)
async def test_what_is_wrong_with_a_photo_comes_along(on: Harness):
    good, small = shot("china"), shot("flower").resize((300, 200))
    await on.say("这是啥子病", photos=[jpeg(blurred(good)), jpeg(good), jpeg(lit(small, 0.1))])
    found = [one.flaws for one in (await on.take()).attachments]
    assert found == [(Flaw.BLURRED,), (), (Flaw.DARK, Flaw.SMALL)]


@only("fake", "console", "web", "desk")
async def test_an_arrival_of_before_photos_were_looked_at_is_read(on: Harness):
    fields = {"text": "看", "press": None, "case": None, "reply_to": None, "other": None}
    raw = json.dumps({**fields, "attachments": [["photo", "m1", "image/jpeg", ""]]})
    message = await on.channel.read([Arrival(on.me.channel, "x", on.me.user, raw)])
    assert message.attachments == (Attachment("photo", "m1", "image/jpeg"),)


@only("fake", "console", "web", "desk")
async def test_an_arrival_that_is_damaged_is_unreadable(on: Harness):
    for raw in ("{", "[]", "{}", '{"text": 1}'):
        with pytest.raises(Unreadable):
            await on.channel.read([Arrival(on.me.channel, "x", on.me.user, raw)])


async def test_what_is_sent_reaches_the_person(on: Harness):
    receipt = await on.deliver(Outgoing(on.me, paragraphs("先剪病枝，再打药")))
    assert "先剪病枝，再打药" in await on.screen()
    assert isinstance(receipt, Receipt)
    assert all(isinstance(one, str) for one in receipt.ids)


@only("fake", "console", "telegram", "wechat", "web")
async def test_buttons_and_photos_reach_the_person(on: Harness):
    media = [on.store.media.keep(Media("image/jpeg", b"\xff\xd8%d" % n), NOON) for n in range(2)]
    photos = tuple(Attachment("photo", one, "image/jpeg") for one in media)
    buttons = (Button("有用", "useful:1"), Button("没解决，转特派员", "unsolved:1"))
    words = paragraphs("专员发来两张图")
    await on.deliver(Outgoing(on.me, words, buttons=buttons, attachments=photos))
    seen = await on.screen()
    assert [seen.count(one) for one in ("有用", "没解决，转特派员", "photo:")] == [1, 1, 2]


async def test_a_long_text_reaches_the_person_whole(on: Harness):
    sentences = [f"第{number}句🌶👍🏽。" for number in range(900)]
    await on.deliver(Outgoing(on.me, paragraphs("".join(sentences))))
    seen = await on.screen()
    assert all(sentence in seen for sentence in sentences)


async def test_a_picture_in_an_answer_reaches_the_person_or_its_caption_does(on: Harness):
    blocks = (*paragraphs("先看叶背"), Block("picture", "叶背的黄粉", "sichuan-pepper/rust.jpg"))
    await on.deliver(Outgoing(on.me, blocks, buttons=(Button("有用", "useful:1"),)))
    seen, shows = await on.screen(), not isinstance(on, OnFake | OnConsole | OnMuteWeChat | OnWeCom)
    assert "先看叶背" in seen
    assert seen.count("photo:") == shows
    assert ("【图：叶背的黄粉】" in seen) is not shows
    assert "叶背的黄粉" in seen


async def test_of_a_picture_that_is_gone_the_caption_stays(on: Harness):
    gone = Block("picture", "叶背的黄粉", "sichuan-pepper/gone.jpg")
    await on.deliver(Outgoing(on.me, (*paragraphs("先看叶背"), gone)))
    seen = await on.screen()
    assert "【图：叶背的黄粉】" in seen
    assert "photo:" not in seen


@only("fake", "telegram")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: type(one).__name__)
async def test_a_failure_says_what_to_do(on: Harness, failure):
    on.break_next(failure)
    with pytest.raises(type(failure)) as caught:
        await on.channel.send(Outgoing(on.me, paragraphs("好")))
    assert getattr(caught.value, "retry_after", 7) == 7
    assert getattr(caught.value, "user", "-1007") == "-1007"


async def test_a_channel_says_its_routes_and_stops_listening_when_told(on: Harness):
    assert all(route.path.startswith("/") for route in on.channel.routes())
    async with listening(on.channel):
        await asyncio.sleep(0)
