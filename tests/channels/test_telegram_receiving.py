"""Updates come in: by polling and by webhook, stored before they are acknowledged."""

import asyncio
import json
import logging
import signal
import sys
from functools import partial

import httpx
import pytest
from starlette.applications import Starlette

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.settings import TelegramSettings
from bot.domain import Address, Incoming
from bot.errors import ConfigError, Unreadable

from .fake_telegram import serving
from .telegram_world import (
    ALICE,
    BOB,
    LEASE,
    NOON,
    SETTLED,
    World,
    clock,
    eventually,
    listening,
    open_store,
    open_world,
    settings,
)

SECRET = "a-secret-of-24-letters_"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
async def world(tmp_path):
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def hooked(tmp_path):
    """A world whose channel is called by webhook, its route served on a port."""
    hook = "http://127.0.0.1/hooks/telegram"
    async with (
        open_world(tmp_path, mode="webhook", webhook_url=hook, secret=SECRET) as world,
        serving(Starlette(routes=world.channel.routes())) as url,
    ):
        world.url = f"{url}/hooks/telegram"
        yield world


def texts_of(messages: list[Incoming | None]) -> list[str]:
    return [message.text if message else "" for message in messages]


async def test_an_update_is_stored_before_telegram_is_told(world: World):
    await world.telegram.says(ALICE, "花椒叶子黄了")
    async with world.listening():
        await world.confirmed()
    assert (await world.take()).text == "花椒叶子黄了"


async def test_an_update_that_cannot_be_stored_is_not_acknowledged(world: World):
    await world.telegram.says(ALICE, "花椒叶子黄了")
    with world.store.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE messages RENAME TO gone")
    async with world.listening():
        await eventually(lambda: len(world.telegram.calls("getUpdates")) > 2)
        assert world.telegram.updates
        with world.store.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO messages")
        await world.confirmed()
    assert (await world.take()).text == "花椒叶子黄了"


async def test_the_same_update_three_times_is_one_message(world: World):
    await world.telegram.says(ALICE, "蜂子爬起走")
    again = dict(world.telegram.updates[0])
    for _ in range(3):
        async with world.listening():
            await world.confirmed()
        world.telegram.updates.append(again)
    assert (await world.take()).text == "蜂子爬起走"
    assert world.is_idle()


LISTENER = """
import asyncio, sys
from pathlib import Path
from bot.channels.base import Bell
from bot.channels.telegram.channel import TelegramChannel
from tests.channels.telegram_world import clock, open_store, settings

store = open_store(Path(sys.argv[2]))
asyncio.run(TelegramChannel(settings(sys.argv[1]), store, Bell(), clock).listen())
"""


async def test_a_process_killed_while_receiving_loses_nothing_and_doubles_nothing(tmp_path):
    async with open_world(tmp_path) as world:
        for number in range(40):
            await world.telegram.says(ALICE, str(number))
        waiting = partial(world.store.inbox.waiting, Address("telegram", str(ALICE)))
        for stored in (1, 12, 25):  # killed in the middle of a batch that is not confirmed
            listener = await _start(LISTENER, world.telegram.url, tmp_path)
            await eventually(lambda stored=stored: len(waiting()) >= stored)
            listener.kill()
            assert await listener.wait() == -signal.SIGKILL
        assert await world.claim()  # a worker died with a message in its hands
        world.store.inbox.recover()
        async with world.listening():
            await world.confirmed()
        taken = [await world.take() for _ in range(40)]
        assert texts_of(taken) == [str(number) for number in range(40)]
        assert world.is_idle()


async def _start(script, *arguments) -> asyncio.subprocess.Process:
    words = [str(one) for one in arguments]
    return await asyncio.create_subprocess_exec(sys.executable, "-c", script, *words)


async def test_a_press_of_the_bell_follows_every_stored_update(world: World):
    async with world.listening():
        await world.telegram.says(ALICE, "在吗")
        await asyncio.wait_for(world.bell.wait(seconds=60), timeout=5)
    assert not world.is_idle()


async def test_only_the_kinds_that_are_understood_are_asked_for(world: World):
    async with world.listening():
        await eventually(lambda: world.telegram.calls("getUpdates"))
    asked = world.telegram.calls("getUpdates")[0].fields["allowed_updates"]
    assert asked == ["message", "edited_message", "callback_query", "my_chat_member"]


async def test_one_unreadable_update_blocks_nobody(world: World):
    await world.telegram.arrive("message", {"chat": {"id": ALICE, "type": "private"}})
    await world.telegram.arrive("message", {"nonsense": []})
    await world.telegram.arrive("callback_query", {"from": "nobody"})
    await world.telegram.says(BOB, "柑子卖不脱")
    async with world.listening():
        await world.confirmed()
    for _ in range(3):
        with pytest.raises(Unreadable):
            await world.take()
    assert (await world.take()).text == "柑子卖不脱"


async def test_an_update_without_a_number_is_left_out(world: World):
    world.telegram.updates.append({"update_id": 1, "message": {}})
    await world.channel._receiver._keep_and_advance({"message": {}})
    await world.channel._receiver._keep_and_advance("nonsense")
    assert world.is_idle()


async def test_polling_survives_every_failure_of_the_network(world: World):
    fake = world.telegram
    fake.fail("getUpdates", 502, "Bad Gateway")
    fake.fail("getUpdates", 429, "Too Many Requests: retry after 1", retry_after=1)
    fake.drop("getUpdates", "before")
    fake.drop("getUpdates", "after")
    await fake.says(ALICE, "还在吗")
    async with world.listening():
        await world.confirmed()
    assert (await world.take()).text == "还在吗"
    assert world.is_idle()


async def test_polling_takes_a_forgotten_webhook_down(world: World):
    await world.telegram._setWebhook({"url": "http://127.0.0.1:9/old"}, {})
    await world.telegram.says(ALICE, "你好")
    async with world.listening():
        await world.confirmed()
    assert world.telegram.webhook is None


async def test_two_pollers_send_each_other_away_and_still_lose_nothing(world: World):
    other = TelegramChannel(settings(world.telegram.url), world.store, world.bell, clock)
    async with world.listening(), listening(other):
        for number in range(5):
            await world.telegram.says(ALICE, str(number))
        await world.confirmed()
    await other.close()
    taken = [await world.take() for _ in range(5)]
    assert texts_of(taken) == ["0", "1", "2", "3", "4"]
    assert world.is_idle()


async def test_a_refused_token_is_told_to_staff(tmp_path):
    async with open_world(tmp_path, token="7000:wrong") as world:
        with pytest.raises(ConfigError, match="BotFather"):
            await world.channel.listen()


async def test_a_token_refused_later_does_not_end_the_service(world: World, caplog):
    async with world.listening():
        await eventually(lambda: world.telegram.calls("getUpdates"))
        world.telegram.token = "7000:revoked"
        await world.telegram.says(ALICE, "你好")
        await eventually(lambda: "BotFather" in caplog.text)


async def test_nobody_polls_without_holding_the_role(world: World):
    world.channel._receiver._store = Unheld()
    await world.telegram.says(ALICE, "你好")
    async with world.listening():
        await asyncio.sleep(0.2)
    assert world.telegram.calls("getUpdates") == []


class Unheld:
    """A store whose database gave the role to another process."""

    def hold(self, name: str) -> bool:
        assert name == "telegram-poll"
        return False


async def test_the_token_never_reaches_the_log(world: World, caplog):
    caplog.set_level(logging.DEBUG)
    world.telegram.fail("getUpdates", 502, "Bad Gateway")
    await world.telegram.says(ALICE, "悄悄话")
    async with world.listening():
        await world.confirmed()
    await world.take()
    assert "fake-token" not in caplog.text
    assert "悄悄话" not in caplog.text


# --- webhook ---------------------------------------------------------------------------------


async def test_the_webhook_is_announced_with_its_secret(hooked: World):
    async with hooked.listening():
        hooked.telegram.fail("setWebhook", 502, "Bad Gateway")
        hook = await eventually(lambda: hooked.telegram.webhook)
        await asyncio.sleep(0.2)
        assert len(hooked.telegram.calls("setWebhook")) == 2
    assert (hook.url, hook.secret) == ("http://127.0.0.1/hooks/telegram", SECRET)


async def test_a_called_webhook_stores_then_answers_200(hooked: World):
    await hooked.telegram._setWebhook({"url": hooked.url, "secret_token": SECRET}, {})
    await hooked.telegram.says(ALICE, "蜂箱门口死蜂")
    assert await hooked.telegram.deliver() == [200]
    assert (await hooked.take()).text == "蜂箱门口死蜂"


async def test_a_repeated_call_is_one_message(hooked: World):
    await hooked.telegram._setWebhook({"url": hooked.url, "secret_token": SECRET}, {})
    await hooked.telegram.says(ALICE, "蜂箱门口死蜂")
    hooked.telegram.updates *= 3
    assert await hooked.telegram.deliver() == [200, 200, 200]
    await hooked.take()
    assert hooked.is_idle()


@pytest.mark.parametrize("secret", [None, "", "wrong", "钥匙", SECRET + "x"])
async def test_a_call_without_the_secret_is_refused(hooked: World, secret):
    headers = {} if secret is None else {HEADER.encode(): secret.encode()}
    update = {"update_id": 1, "message": {"text": "forged"}}
    async with httpx.AsyncClient() as client:
        answer = await client.post(hooked.url, json=update, headers=headers)
    assert answer.status_code == 403
    assert hooked.is_idle()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"message": {}}', 400),
        (b"[" * 200_000, 400),
        (b"\xff\xfe", 400),
        (b"x" * (256 * 1024 + 1), 413),
    ],
)
async def test_a_body_that_is_no_update_is_refused(hooked: World, body, status):
    async with httpx.AsyncClient() as client:
        answer = await client.post(hooked.url, content=body, headers={HEADER: SECRET})
    assert answer.status_code == status


async def test_an_update_that_cannot_be_stored_is_asked_for_again(hooked: World):
    with hooked.store.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE messages RENAME TO gone")
    await hooked.telegram._setWebhook({"url": hooked.url, "secret_token": SECRET}, {})
    await hooked.telegram.says(ALICE, "在吗")
    assert await hooked.telegram.deliver(attempts=2) == [503, 503]
    with hooked.store.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO messages")
    assert (await hooked.telegram.deliver())[-1] == 200
    assert (await hooked.take()).text == "在吗"


@pytest.mark.parametrize("fault", [None, "refused", "cut"])
async def test_the_menu_shows_the_commands_and_failing_to_does_no_harm(tmp_path, fault):
    async with open_world(tmp_path, menu=(("my", "我的问题"),)) as world:
        if fault == "refused":
            world.telegram.fail("setMyCommands", 400, "Bad Request")
        if fault == "cut":
            world.telegram.drop("setMyCommands", "before")
        async with world.listening():
            await world.telegram.says(ALICE, "在吗")
            assert (await world.take()).text == "在吗"
        (call,) = world.telegram.calls("setMyCommands")
        assert call.fields["commands"] == [{"command": "my", "description": "我的问题"}]


async def test_polling_opens_no_route(world: World):
    assert world.channel.routes() == ()


# --- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "nonsense"},
        {"mode": "webhook", "webhook_url": "http://example.org/hook", "secret": SECRET},
        {"mode": "webhook", "webhook_url": "https://example.org", "secret": SECRET},
        {"mode": "webhook", "webhook_url": "https://example.org/hook", "secret": "short"},
        {"mode": "webhook", "webhook_url": "https://example.org/hook", "secret": "钥" * 20},
    ],
)
def test_settings_that_cannot_work_are_told_to_staff(changes):
    with pytest.raises(ConfigError, match="Telegram"):
        TelegramSettings(**{"token": "1:x", **changes})


def test_settings_show_no_secret():
    hook = {"mode": "webhook", "webhook_url": "https://example.org/hook"}
    shown = repr(TelegramSettings(token="1:hidden-token", secret=SECRET, **hook))
    assert "hidden-token" not in shown
    assert SECRET not in shown


async def test_odd_characters_are_stored_and_read_back_legible(world: World):
    body = world.telegram.message(ALICE, text="ok")
    raw = json.dumps(body).replace('"ok"', r'"\ud83d \u0000 花椒 \ud83c\udf3f"')
    update = {"update_id": 900, "message": json.loads(raw)}
    await world.channel._receiver.keep(update)
    assert (await world.take()).text == "\ufffd  花椒 🌿"


async def test_an_album_is_one_message_only_when_its_last_part_has_settled(tmp_path):
    store = open_store(tmp_path)
    async with open_world(tmp_path) as world:
        await world.telegram.shows(ALICE, b"1", b"2", b"3")
        async with world.listening():
            await world.confirmed()
        assert store.inbox.claim(NOON, lease=LEASE) == ()
        assert len(store.inbox.claim(NOON + SETTLED, lease=LEASE)) == 3
    store.close()
