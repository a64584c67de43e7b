"""The library's Bot, built from the settings."""

from __future__ import annotations

import logging
import os

from telegram import Bot
from telegram.request import HTTPXRequest

from bot.channels.telegram.settings import TelegramSettings


def open_bot(settings: TelegramSettings) -> Bot:
    """A Bot that has not talked to anybody yet; polling has a connection of its own."""
    _keep_secrets_out_of_logs()
    # The library's own switch: RetryAfter.retry_after is a timedelta, as it will be for all.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    return Bot(
        settings.token,
        base_url=settings.base_url,
        base_file_url=settings.base_file_url,
        request=_requests(settings, connections=32),
        get_updates_request=_requests(settings, connections=1),
    )


def _requests(settings: TelegramSettings, *, connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        proxy=settings.proxy,
        connect_timeout=10.0,
        read_timeout=settings.timeout,
        write_timeout=settings.timeout,
        media_write_timeout=60.0,  # photos over a village uplink
        pool_timeout=10.0,
    )


async def close_bot(bot: Bot) -> None:
    for request in (bot.request, bot._request[0]):  # noqa: SLF001 - shutdown() needs initialize()
        await request.shutdown()


def _keep_secrets_out_of_logs() -> None:
    # At INFO httpx prints the URL with the token; at DEBUG the other two print message bodies.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
