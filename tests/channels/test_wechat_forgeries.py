"""10,000 forged calls at the account's own door: none is an error of ours, none gets in."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from bot.channels.base import Bell
from bot.channels.wechat.channel import WeChatChannel
from bot.channels.wechat.settings import WeChatSettings
from bot.store import Store
from tests import cast

from .test_envelope import APP, KEYS, NOW, TOKEN, forgery, messages


async def test_of_ten_thousand_forged_calls_none_gets_in_and_none_breaks_us(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'tianwen.db'}", commissioners=())
    settings = WeChatSettings(app_id=APP, token=TOKEN, keys=(KEYS[0],), pushes=False)
    channel = WeChatChannel(
        settings, store, Bell(), lambda: NOW, say=cast.phrases(), link=lambda user: ""
    )
    app, answers = Starlette(routes=channel.routes()), Counter[int]()
    for text in messages(10_000):
        query, body = forgery(text)
        answers[await asked(app, query, body)] += 1
    assert answers.keys() == {403}
    assert store.inbox.tally() == {}
    await channel.close()
    store.close()


async def asked(app: Starlette, query: dict[str, str], body: bytes) -> int:
    """The status of one POST, without a network in between."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/wechat",
        "query_string": urlencode(query).encode(),
        "headers": [(b"host", b"tianwen.test")],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"])
