"""`tianwen doctor` of one platform, against our own platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.app import checkups
from bot.app.doctor import examine_platform
from bot.channels.envelope import Envelope
from tests.channels.fake_telegram import TOKEN as BOT_TOKEN
from tests.channels.fake_telegram import FakeTelegram, serving
from tests.channels.fake_wechat import APP, KEY, SECRET, TOKEN, FakeWeChat
from tests.channels.fake_wecom import BOT_ID, FakeWeCom
from tests.channels.fake_wecom import SECRET as BOT_SECRET
from tests.walk.homes import furnish

KEYS = {"TIANWEN_WECHAT_TOKEN": TOKEN, "TIANWEN_WECHAT_KEY": KEY, "TIANWEN_WECHAT_SECRET": SECRET}
ROBOT = {"TIANWEN_WECOM_BOT_ID": BOT_ID, "TIANWEN_WECOM_BOT_SECRET": BOT_SECRET}


async def said(folder: Path, name: str, environ: Mapping[str, str], **settings: Any) -> str:
    home = furnish(folder / "home", every=40, **settings)
    found = await asyncio.to_thread(lambda: list(examine_platform(home, environ, name)))
    return "\n".join(map(str, found))


@asynccontextmanager
async def wechat(**named: Any) -> AsyncIterator[FakeWeChat]:
    async with FakeWeChat(lambda: datetime.now(UTC), **named).running() as fake:
        yield fake


@pytest.mark.parametrize(
    ("name", "words"),
    [("wechat", "app_id"), ("wecom", "TIANWEN_WECOM_BOT_ID"), ("telegram", "BotFather")],
)
async def test_a_platform_that_is_off_says_how_it_is_turned_on(tmp_path, name, words):
    report = await said(tmp_path, name, {})
    assert report.startswith("要看")
    assert words in report


@pytest.mark.parametrize(
    ("is_verified", "pushes", "words"),
    [
        (True, True, "好　公众号的权限"),
        (False, False, "好　公众号的权限"),
        (True, False, "写 pushes: true"),
        (False, True, "写 pushes: false"),
    ],
)
async def test_the_rights_of_an_account_are_compared_with_the_settings(
    tmp_path, is_verified, pushes, words
):
    async with wechat(pushes=is_verified) as fake:
        at = {"app_id": APP, "base_url": fake.api, "pushes": pushes}
        report = await said(tmp_path, "wechat", KEYS, wechat=at)
    assert "好　公众号的 AppSecret" in report
    assert words in report


async def test_an_address_outside_the_white_list_is_named(tmp_path):
    async with wechat() as fake:
        fake.trouble["token"].append((40164, "invalid ip 203.0.113.7, not in whitelist"))
        at = {"app_id": APP, "base_url": fake.api}
        report = await said(tmp_path, "wechat", KEYS, wechat=at)
    assert "白名单" in report
    assert "203.0.113.7" in report


async def test_a_wrong_secret_or_key_says_where_to_find_the_right_one(tmp_path):
    async with wechat() as fake:
        at = {"app_id": APP, "base_url": fake.api}
        wrong = {**KEYS, "TIANWEN_WECHAT_SECRET": "x"}
        assert "AppSecret 不对" in await said(tmp_path / "a", "wechat", wrong, wechat=at)
        short = {**KEYS, "TIANWEN_WECHAT_KEY": "x"}
        assert "EncodingAESKey 不对" in await said(tmp_path / "b", "wechat", short, wechat=at)


async def test_our_address_is_asked_as_the_platform_asks(tmp_path, monkeypatch):
    envelope = Envelope(TOKEN, (KEY,), APP)

    async def ours(request: Any) -> PlainTextResponse:
        return PlainTextResponse(envelope.echo(request.query_params, datetime.now(UTC)))

    async def stranger(request: Any) -> PlainTextResponse:
        return PlainTextResponse("nginx")

    async def report(name: str, answer: Any) -> str:
        app = Starlette(routes=[Route("/wechat", answer)])
        async with wechat() as fake, serving(app) as url:
            at = {"app_id": APP, "base_url": fake.api}
            web = {"public_url": url}
            return await said(tmp_path / name, "wechat", KEYS, wechat=at, web=web)

    assert "80 和 443" in await report("a", ours)
    monkeypatch.setattr(checkups, "PORTS", _Any())
    assert "好　公众号的网址" in await report("b", ours)
    assert "答的不是田问" in await report("c", stranger)


class _Any:
    def __contains__(self, port: object) -> bool:
        return True


async def test_the_robot_is_connected_to(tmp_path):
    async with FakeWeCom().running() as fake:
        at = {"url": fake.url}
        web = {"port": 1}
        report = await said(tmp_path / "a", "wecom", ROBOT, wecom=at, web=web)
        assert report.startswith("好　企业微信：机器人连上了")
        wrong = {**ROBOT, "TIANWEN_WECOM_BOT_SECRET": "x"}
        report = await said(tmp_path / "b", "wecom", wrong, wecom=at, web=web)
        assert "核对" in report


async def test_telegram_names_its_robot_or_refuses_the_token(tmp_path):
    async with FakeTelegram().running() as fake:
        at = {"base_url": f"{fake.url}/bot"}
        good = {"TIANWEN_TELEGRAM_TOKEN": BOT_TOKEN}
        report = await said(tmp_path / "a", "telegram", good, telegram=at)
        assert "好　Telegram 令牌：机器人是 @" in report
        wrong = {"TIANWEN_TELEGRAM_TOKEN": "1:wrong"}
        assert "不认" in await said(tmp_path / "b", "telegram", wrong, telegram=at)
    report = await said(
        tmp_path / "c", "telegram", good, telegram={"base_url": "http://127.0.0.1:1/bot"}
    )
    assert "连不上" in report
