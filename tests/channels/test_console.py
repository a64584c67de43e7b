"""A farmer at the keyboard."""

import asyncio
import io
import os
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from bot.channels.base import Bell
from bot.channels.console import ConsoleChannel
from bot.domain import Address, Attachment, Block, Button, Outgoing, Receipt
from bot.store import Store

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
FARMER = Address("console", "farmer")
CHOICE = Outgoing(
    FARMER,
    (Block("paragraph", "是哪一样？"),),
    buttons=(Button("花椒锈病", "show:pepper-rust:1"), Button("都不是", "none:1")),
)


@pytest.fixture
def store(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'tianwen.db'}", commissioners=())
    yield store
    store.close()


def console(store: Store, typed: str = "") -> ConsoleChannel:
    return ConsoleChannel(store, Bell(), lambda: NOON, lines=io.StringIO(typed), out=io.StringIO())


async def taken(channel: ConsoleChannel, store: Store) -> list[tuple[str, str | None]]:
    await channel.listen()
    messages = [await channel.read([one]) for one in store.inbox.waiting(FARMER)]
    return [(message.text, message.press) for message in messages]


async def test_every_line_is_a_message(store):
    channel = console(store, "花椒叶子黄了\n\n  \n咋个办\n")
    assert await taken(channel, store) == [("花椒叶子黄了", None), ("咋个办", None)]


async def test_the_number_of_a_button_presses_it(store):
    channel = console(store, "1\n2\n3\n")
    await channel.send(CHOICE)
    presses = [("", "show:pepper-rust:1"), ("", "none:1"), ("3", None)]
    assert await taken(channel, store) == presses


async def test_a_number_is_text_before_any_button_was_shown(store):
    assert await taken(console(store, "1\n"), store) == [("1", None)]


async def test_a_message_is_printed_with_its_numbered_buttons(store):
    channel = console(store)
    attachment = Attachment("photo", "abc", "image/jpeg")
    first = await channel.send(CHOICE)
    second = await channel.send(Outgoing(FARMER, (), attachments=(attachment,)))
    shown = "是哪一样？\n  [1] 花椒锈病\n  [2] 都不是\n\n〔图片 abc〕\n\n"
    assert channel._out.getvalue() == shown
    assert (first, second) == (Receipt(("console-1",)), Receipt(("console-2",)))


async def test_leaving_does_not_wait_for_another_line(store):
    reader, writer = os.pipe()
    with os.fdopen(reader) as lines:
        channel = ConsoleChannel(store, Bell(), lambda: NOON, lines=lines, out=io.StringIO())
        task = asyncio.create_task(channel.listen())
        await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, timeout=2)
        os.close(writer)


def test_the_console_has_no_pages(store):
    assert console(store).routes() == ()
