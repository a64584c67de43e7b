"""Our own WeCom on loopback: the robot's socket, members who write, and what goes wrong there."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any
from uuid import uuid4

import websockets
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .fake_telegram import serving

BOT_ID, SECRET = "aib-robot", "robot-secret"
KEY = bytes(range(32))
LONG_ENOUGH = 10.0  # seconds


class FakeWeCom:
    """`sent` is every message that reached a member, `updated` every card changed; `errors` is
    what the next sends are answered with: an errcode, "mute" (no receipt) or "drop"."""

    url = ""
    files = ""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.updated: list[dict[str, Any]] = []
        self.errors: deque[int | str] = deque()
        self.connections = 0
        self.stored: dict[str, bytes] = {}
        self._robot: Any = None
        self._subscribed = asyncio.Event()
        self._open_events: set[str] = set()
        self._ids = count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeWeCom]:
        routes = [Route("/file/{name}", self._file)]
        app, robots = Starlette(routes=routes), websockets.serve(self._talk, "127.0.0.1", 0)
        async with serving(app) as self.files, robots as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    # --- members -------------------------------------------------------------------------------

    async def says(self, user: str, text: str, **more: Any) -> str:
        return await self._callback(user, msgtype="text", text={"content": text}, **more)

    async def shows(self, user: str, *photos: bytes, text: str = "") -> str:
        images = [{"msgtype": "image", "image": self.keep(photo)} for photo in photos]
        if len(images) == 1 and not text:
            return await self._callback(user, **images[0])
        words = [{"msgtype": "text", "text": {"content": text}}] if text else []
        return await self._callback(user, msgtype="mixed", mixed={"msg_item": [*words, *images]})

    async def presses(self, user: str, action: str, *, msgid: str = "") -> str:
        card = {
            "card_type": "button_interaction",
            "event_key": action,
            "task_id": self._task(action),
        }
        event = {"eventtype": "template_card_event", "template_card_event": card}
        return await self.event(user, event, msgid=msgid)

    async def event(self, user: str, event: dict[str, Any], *, msgid: str = "") -> str:
        body = {"msgtype": "event", "event": event}
        return await self._callback(user, cmd="aibot_event_callback", msgid=msgid, **body)

    def _task(self, action: str) -> str:
        for one in reversed(self.sent):
            card = one["body"].get("template_card", {})
            if any(button["key"] == action for button in card.get("button_list", ())):
                return str(card["task_id"])
        return "unknown"

    def keep(self, content: bytes) -> dict[str, str]:
        """As it lies on the platform's disk: enciphered, PKCS7 to 32 bytes."""
        spare = 32 - len(content) % 32
        cipher = Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16])).encryptor()
        name = f"file-{len(self.stored)}"
        self.stored[name] = cipher.update(content + bytes([spare]) * spare) + cipher.finalize()
        return {"url": f"{self.files}/file/{name}", "aeskey": base64.b64encode(KEY).decode()}

    async def _callback(
        self, user: str, *, cmd: str = "aibot_msg_callback", msgid: str = "", **body: Any
    ) -> str:
        msgid = msgid or f"msg-{next(self._ids)}"
        frame_id = uuid4().hex
        about = {"msgid": msgid, "aibotid": BOT_ID, "chattype": "single", "from": {"userid": user}}
        frame = {"cmd": cmd, "headers": {"req_id": frame_id}, "body": {**about, **body}}
        async with asyncio.timeout(LONG_ENOUGH):
            await self._subscribed.wait()
        self._open_events.add(frame_id)
        await self._robot.send(json.dumps(frame))
        return msgid

    async def drop(self) -> None:
        """The connection is cut."""
        self._subscribed.clear()
        await self._robot.close()

    async def connected(self) -> None:
        async with asyncio.timeout(LONG_ENOUGH):
            await self._subscribed.wait()

    # --- the socket ----------------------------------------------------------------------------

    async def _talk(self, robot: Any) -> None:
        with suppress(websockets.ConnectionClosed):
            async for raw in robot:
                frame = json.loads(raw)
                await self._hear(robot, frame["cmd"], frame["headers"]["req_id"], frame)

    async def _hear(self, robot: Any, cmd: str, req_id: str, frame: dict[str, Any]) -> None:
        body = frame.get("body", {})
        if cmd == "aibot_subscribe":
            await self._subscribe(robot, req_id, body)
        elif cmd == "ping":
            await _receipt(robot, req_id)
        elif cmd == "aibot_send_msg":
            await self._send(robot, req_id, body)
        elif cmd == "aibot_respond_update_msg":
            assert req_id in self._open_events
            self.updated.append(body)
            await _receipt(robot, req_id)
        else:
            raise AssertionError(cmd)

    async def _subscribe(self, robot: Any, req_id: str, body: dict[str, Any]) -> None:
        if body != {"bot_id": BOT_ID, "secret": SECRET}:
            await _receipt(robot, req_id, 40001)
            return
        await _receipt(robot, req_id)
        self._robot = robot
        self.connections += 1
        self._subscribed.set()

    async def _send(self, robot: Any, req_id: str, body: dict[str, Any]) -> None:
        error = self.errors.popleft() if self.errors else 0
        if isinstance(error, int) and error:
            await _receipt(robot, req_id, error)
            return
        check(body)
        self.sent.append({"user": body["chatid"], "body": body})
        if error == "drop":
            await robot.close()
        elif error != "mute":
            await _receipt(robot, req_id)

    async def _file(self, request: Request) -> Response:
        return Response(self.stored[request.path_params["name"]])

    def texts(self, user: str) -> list[str]:
        """What a member reads: markdown and cards with their buttons."""
        return [_read(one["body"]) for one in self.sent if one["user"] == user]


def check(body: dict[str, Any]) -> None:
    """What the documentation asks of a message."""
    if body["msgtype"] == "markdown":
        content = body["markdown"]["content"]
        assert 0 < len(content.encode()) <= 2048
        assert not set("<>[]`*@") & set(content)
        return
    card = body["template_card"]
    assert card["card_type"] == "button_interaction"
    assert 0 < len(card["main_title"]["title"]) <= 26
    assert 1 <= len(card["button_list"]) <= 6
    assert len(card["task_id"].encode()) <= 128
    assert all(one["text"] and len(one["key"].encode()) <= 1024 for one in card["button_list"])


def _read(body: dict[str, Any]) -> str:
    if body["msgtype"] == "markdown":
        return str(body["markdown"]["content"])
    card = body["template_card"]
    return "\n".join([card["main_title"]["title"], *(one["text"] for one in card["button_list"])])


async def _receipt(robot: Any, req_id: str, errcode: int = 0) -> None:
    words = {"errcode": errcode, "errmsg": "ok" if not errcode else "failed"}
    await robot.send(json.dumps({"headers": {"req_id": req_id}, **words}))
