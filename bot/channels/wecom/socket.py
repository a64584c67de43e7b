"""The robot's one connection, over the platform's own SDK.

A client of the SDK lives for one connection: its own way of connecting again cancels the very task
that does so, and gives up after ten tries. Its log prints what people write, so it has none.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aibot.ws
from aibot import WSClient, WSClientOptions

from bot.channels.wecom.settings import WeComSettings
from bot.errors import (
    ChannelError,
    ConfigError,
    OutcomeUnknown,
    Rejected,
    TryLater,
    Unreachable,
)

logger = logging.getLogger(__name__)

Frame = dict[str, Any]

HOLD = "wecom-robot"  # a second connection of the same robot would displace the first
LONGEST_PAUSE = 60.0  # seconds
REFUSED_PAUSE = 300.0  # seconds: staff have to mend it first
REFUSED = "企业微信不认这个机器人：请核对 TIANWEN_WECOM_BOT_ID 和 Secret，机器人要用“长连接”方式。"
BUSY = frozenset({45009, 45033, 846607})  # too many messages
GONE = frozenset({40003, 60111, 60011, 81013})  # no such member, or not within the robot's range


class Silent:
    """A log for the SDK that keeps nothing: its lines hold what people write."""

    def debug(self, message: str, *args: Any) -> None: ...

    def info(self, message: str, *args: Any) -> None: ...

    def warn(self, message: str, *args: Any) -> None: ...

    def error(self, message: str, *args: Any) -> None: ...


class Socket:
    """Connects, and connects again. Frames are kept in order, one after the other."""

    def __init__(
        self,
        settings: WeComSettings,
        *,
        may_hold: Callable[[], bool],
        keep: Callable[[Frame], Any],
        returned: Callable[[], Any],
        connected: Callable[[], Any] = lambda: None,
    ) -> None:
        self._settings = settings
        self._may_hold = may_hold
        self._keep = keep
        self._returned = returned  # after a connection that was lost
        self._on_connected = connected
        self._client: WSClient | None = None
        self._was_connected = False
        if settings.url.startswith("ws:"):
            aibot.ws._SSL_CONTEXT = None  # noqa: SLF001 - it is passed to plain sockets as well

    async def run(self) -> None:
        """Until cancelled; raises ConfigError where the robot is refused at the start."""
        failures = 0
        while True:
            if not await asyncio.to_thread(self._may_hold):
                await asyncio.sleep(self._settings.backoff * 5)
                continue
            ended = await self._connection()
            failures = 0 if ended == "lost" else failures + 1
            await asyncio.sleep(self._pause(ended, failures))

    def _pause(self, ended: str, failures: int) -> float:
        if ended == "refused":
            if not self._was_connected:
                raise ConfigError(REFUSED)
            logger.error(REFUSED)
            return REFUSED_PAUSE
        if ended == "displaced":
            logger.error("企业微信：这个机器人在别处也连着，只能连一处。")
            return LONGEST_PAUSE
        return float(min(LONGEST_PAUSE, self._settings.backoff * 2 ** min(failures, 16)))

    async def _connection(self) -> str:
        """How one connection ended: lost, failed, refused or displaced."""
        frames: asyncio.Queue[Frame | str] = asyncio.Queue()
        client = self._open(frames)
        connecting = asyncio.create_task(client.connect())
        try:
            while True:
                frame = await self._next(frames, client)
                if isinstance(frame, str):
                    if frame != "authenticated":
                        return frame
                    await self._connected(client)
                elif _event_of(frame) == "disconnected_event":
                    return "displaced"
                else:
                    await self._keep(frame)
        finally:
            self._client = None
            connecting.cancel()
            client.disconnect()

    async def _next(self, frames: asyncio.Queue[Frame | str], client: WSClient) -> Frame | str:
        """The SDK says nothing where the platform closes the connection properly."""
        while True:
            try:
                async with asyncio.timeout(self._settings.backoff):
                    return await frames.get()
            except TimeoutError:
                if self._client and not client.is_connected:
                    return "lost"

    def _open(self, frames: asyncio.Queue[Frame | str]) -> WSClient:
        options = WSClientOptions(
            bot_id=self._settings.bot_id,
            secret=self._settings.secret,
            ws_url=self._settings.url,
            max_reconnect_attempts=0,
            logger=Silent(),
        )
        client = WSClient(options)
        client.on("message", frames.put_nowait)
        client.on("event", frames.put_nowait)
        client.on("authenticated", lambda: frames.put_nowait("authenticated"))
        client.on("disconnected", lambda _: frames.put_nowait("lost"))
        client.on("error", lambda error: frames.put_nowait(_ending(error)))
        return client

    async def _connected(self, client: WSClient) -> None:
        self._client = client
        self._on_connected()
        if self._was_connected:
            await self._returned()
        self._was_connected = True

    async def close(self) -> None:
        if self._client:
            self._client.disconnect()

    async def push(self, user: str, body: Frame) -> None:
        """Raises a ChannelError."""
        client = self._client
        if client is None or not client.is_connected:
            raise TryLater("the socket is closed", retry_after=self._settings.backoff)
        try:
            await client.send_message(user, body)
        except TimeoutError as error:
            raise OutcomeUnknown("no receipt") from error
        except RuntimeError as error:
            raise _as_channel_error(error) from error

    async def update_card(self, frame: Frame, card: Frame) -> None:
        """Possible in the five seconds after a press, by its own frame; too late does no harm."""
        if self._client:
            with suppress(TimeoutError, RuntimeError):
                await self._client.update_template_card(frame, card)

    async def download(self, url: str, key: str) -> tuple[bytes, str]:
        """Content and name of what a member sent; its address is good for five minutes."""
        client = self._client or self._open(asyncio.Queue())
        content, name = await client.download_file(url, key)
        return content, name or ""


def _event_of(frame: Frame) -> str:
    event = frame.get("body", {}).get("event", {})
    return str(event.get("eventtype", "")) if isinstance(event, dict) else ""


def _ending(error: Exception) -> str:
    return "refused" if "Authentication failed" in str(error) else "failed"


def _as_channel_error(error: RuntimeError) -> ChannelError:
    found = re.search(r"errcode=(\d+)", str(error))
    if found is None:
        is_unsent = "not connected" in str(error)
        return TryLater("not connected") if is_unsent else OutcomeUnknown("the socket was lost")
    code = int(found[1])
    if code in BUSY:
        return TryLater(str(code), retry_after=LONGEST_PAUSE)
    return Unreachable(str(code)) if code in GONE else Rejected(str(code))
