"""The same against a Bot API that nobody here wrote: PyPI lo-bot-api-emulator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from bot.channels.base import Bell
from bot.channels.telegram.channel import TelegramChannel
from bot.domain import Attachment, Button, Incoming, Media
from bot.errors import Rejected
from bot.store import Store

from .fake_telegram import TOKEN, person, private, serving
from .telegram_world import (
    ALICE,
    LEASE,
    NOON,
    SETTLED,
    clock,
    eventually,
    listening,
    open_store,
    photo,
    settings,
    to,
)

lo = pytest.importorskip("lo_bot_api_emulator")
web = pytest.importorskip("aiohttp.web")

SECRET = "a-secret-of-24-letters_"


@dataclass
class Peer:
    """The emulator, our channel on it, and its journal of what was asked of it."""

    emulator: Any
    url: str
    journal: Path
    store: Store
    bell: Bell
    channel: TelegramChannel
    sent: int = 0

    async def says(self, **content: Any) -> int:
        self.sent += 1
        head = {"message_id": 1000 + self.sent, "date": 1_790_000_000}
        message = {**head, "chat": private(ALICE), "from": person(ALICE), **content}
        return await self.emulator.enqueue_update({"message": message}, token=TOKEN)

    async def presses(self, message_id: int, data: str) -> None:
        under = {"message_id": message_id, "date": 1_790_000_000, "chat": private(ALICE)}
        query = {"id": "query-1", "from": person(ALICE), "chat_instance": "1"}
        press = {**query, "data": data, "message": {**under, "text": "…"}}
        await self.emulator.enqueue_update({"callback_query": press}, token=TOKEN)

    def waiting(self) -> list[Any]:
        return self.emulator._update_queues._state(TOKEN).updates

    async def confirmed(self) -> None:
        await eventually(lambda: not self.waiting())

    async def take(self) -> Incoming | None:
        claim = self.store.inbox.claim
        arrivals = await eventually(lambda: claim(NOON + SETTLED, lease=LEASE))
        message = await self.channel.read(arrivals)
        self.store.inbox.drop(arrivals, NOON)
        return message

    def is_idle(self) -> bool:
        return not self.store.inbox.claim(NOON + SETTLED, lease=LEASE)

    def asked(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def refusals(self) -> list[dict[str, Any]]:
        """409 apart: a cancelled poll may still hang on the emulator when the next one comes."""
        return [one for one in self.asked() if one.get("status", 200) not in (200, 409)]


@asynccontextmanager
async def open_peer(folder: Path, **changes: Any) -> AsyncIterator[Peer]:
    journal = folder / "journal.jsonl"
    journal.touch()
    emulator = lo.LoBotApiEmulator(journal=journal, allow_insecure_loopback_webhooks=True)
    runner = web.AppRunner(emulator.app(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    store, bell = open_store(folder), Bell()
    channel = TelegramChannel(settings(url, **changes), store, bell, clock)
    try:
        yield Peer(emulator, url, journal, store, bell, channel)
    finally:
        await channel.close()
        store.close()
        await runner.cleanup()


@pytest.fixture
async def peer(tmp_path):
    async with open_peer(tmp_path) as peer:
        yield peer


async def test_updates_are_confirmed_only_after_they_are_stored(peer: Peer):
    await peer.says(text="花椒叶子黄了")
    await peer.says(text="还在掉")
    with peer.store.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE messages RENAME TO gone")
    async with listening(peer.channel):
        await eventually(lambda: len(peer.asked()) > 3)
        assert len(peer.waiting()) == 2
        with peer.store.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO messages")
        await peer.confirmed()
    assert [(await peer.take()).text for _ in range(2)] == ["花椒叶子黄了", "还在掉"]
    assert peer.is_idle()
    assert peer.refusals() == []


async def test_a_restart_before_confirmation_brings_no_second_message(peer: Peer):
    await peer.says(text="蜂子爬起走")
    listener = asyncio.create_task(peer.channel.listen())
    await eventually(lambda: peer.asked()[-1].get("update_ids"))
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    second = TelegramChannel(settings(peer.url), peer.store, peer.bell, clock)
    async with listening(second):
        await peer.confirmed()
    await second.close()
    assert (await peer.take()).text == "蜂子爬起走"
    assert peer.is_idle()


async def test_the_webhook_has_its_secret_and_is_repeated_until_it_is_stored(tmp_path):
    hooked = Starlette()
    async with serving(hooked) as url:
        hook = f"{url}/hooks/telegram"
        changes = {"mode": "webhook", "webhook_url": hook, "secret": SECRET}
        async with open_peer(tmp_path, **changes) as peer:
            hooked.router.routes.extend(peer.channel.routes())
            async with listening(peer.channel):
                await eventually(lambda: [one for one in peer.asked() if "method" in one])
            with peer.store.database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE messages RENAME TO gone")
            await peer.says(text="在吗")
            assert len(peer.waiting()) == 1
            with peer.store.database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE gone RENAME TO messages")
            assert await peer.emulator.deliver_updates(token=TOKEN) == 1
            assert (await peer.take()).text == "在吗"
            statuses = [one["status"] for one in peer.asked() if one.get("event") == "webhook"]
    assert statuses == [503, 200]


async def test_a_webhook_with_another_secret_is_refused(tmp_path):
    hooked = Starlette()
    async with serving(hooked) as url:
        hook = f"{url}/hooks/telegram"
        changes = {"mode": "webhook", "webhook_url": hook, "secret": SECRET}
        async with open_peer(tmp_path, **changes) as peer:
            hooked.router.routes.extend(peer.channel.routes())
            forged = {"url": hook, "secret_token": "somebody-else"}
            await peer.emulator._update_queues.set_webhook(TOKEN, forged)
            await peer.says(text="forged")
            assert peer.asked()[-1]["status"] == 403
            assert peer.is_idle()


async def test_buttons_are_accepted_and_a_press_is_confirmed(peer: Peer):
    buttons = (Button("花椒锈病", "show:pepper-rust:7"), Button("都不是", "none:7"))
    receipt = await peer.channel.send(to(ALICE, "是哪一样？", buttons=buttons))
    await peer.presses(int(receipt.ids[0]), "show:pepper-rust:7")
    async with listening(peer.channel):
        message = await peer.take()
        await eventually(
            lambda: any(one.get("method") == "answerCallbackQuery" for one in peer.asked())
        )
    assert message.press == "show:pepper-rust:7"
    assert peer.refusals() == []


async def test_photos_go_both_ways(peer: Peer):
    content = photo("red")
    peer.emulator.assets["upload-1"] = {"data": content, "size": len(content)}
    size = {"file_id": "upload-1", "file_unique_id": "u", "width": 40, "height": 30}
    await peer.says(photo=[size], caption="这是啥子病")
    async with listening(peer.channel):
        message = await peer.take()
    (attachment,) = message.attachments
    kept = peer.store.media.get(attachment.media).content
    relay = to(ALICE, "农户发来照片", attachments=message.attachments)
    assert len((await peer.channel.send(relay)).ids) == 1
    uploaded = [one["data"] for key, one in peer.emulator.assets.items() if key != "upload-1"]
    assert uploaded == [kept]
    assert peer.refusals() == []


async def test_albums_voices_files_and_long_texts_are_accepted(peer: Peer):
    def keep(kind: str, mime: str, content: bytes) -> Attachment:
        return Attachment(kind, peer.store.media.keep(Media(mime, content), NOON), mime)

    album = tuple(keep("photo", "image/jpeg", b"jpeg %d" % number) for number in range(11))
    others = (keep("voice", "audio/ogg", b"OggS"), keep("file", "application/pdf", b"%PDF"))
    outgoing = to(ALICE, "花椒🌶" * 2000, attachments=album + others)
    receipt = await peer.channel.send(outgoing)
    methods = [one["method"] for one in peer.asked()]
    expected = ["sendVoice", "sendDocument", "sendMediaGroup", "sendPhoto"]
    assert methods == [*expected, "sendMessage", "sendMessage"]
    assert len(receipt.ids) == 15
    assert peer.refusals() == []


async def test_what_the_peer_refuses_is_rejected(peer: Peer):
    with pytest.raises(Rejected):
        await peer.channel.send(to(ALICE, "好", buttons=(Button("", "x"),)))
