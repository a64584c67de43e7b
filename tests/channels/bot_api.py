"""The Bot API as Telegram serves it, as far as we use it; unknown fields are refused."""

# ruff: noqa: N802 - the methods are named as Telegram's are

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "7000:fake-token"
BOT = {"id": 7000, "is_bot": True, "first_name": "田问", "username": "tianwen_bot"}

_SEND = {"disable_notification", "chat_id", "reply_markup"}
_MEDIA = _SEND | {"caption"}
FIELDS: dict[str, set[str]] = {
    "getMe": set(),
    "getUpdates": {"offset", "limit", "timeout", "allowed_updates"},
    "setWebhook": {"url", "secret_token", "allowed_updates", "max_connections"},
    "deleteWebhook": {"drop_pending_updates"},
    "getWebhookInfo": set(),
    "setMyCommands": {"commands"},
    "sendMessage": _SEND | {"text"},
    "sendPhoto": _MEDIA | {"photo"},
    "sendVoice": _MEDIA | {"voice"},
    "sendDocument": _MEDIA | {"document"},
    "sendMediaGroup": {"chat_id", "media", "disable_notification"},
    "sendChatAction": {"chat_id", "action"},
    "copyMessage": {"chat_id", "from_chat_id", "message_id"},
    "answerCallbackQuery": {"callback_query_id", "text", "show_alert"},
    "editMessageReplyMarkup": {"chat_id", "message_id", "reply_markup"},
    "getFile": {"file_id"},
}
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}


class ApiError(Exception):
    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters

    def body(self) -> dict[str, Any]:
        extra = {"parameters": self.parameters} if self.parameters else {}
        return {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
            **extra,
        }


@dataclass
class Fault:
    """What happens to the next call of a method: an error, silence, or a late answer."""

    error: ApiError | None = None
    drop: Literal["before", "after", ""] = ""
    delay: float = 0.0


@dataclass
class Call:
    method: str
    fields: dict[str, Any]
    files: dict[str, bytes]
    status: int = 0


@dataclass
class Webhook:
    url: str
    secret: str
    statuses: list[int] = field(default_factory=list)


class BotApi:
    """The server's side. Its state is open to tests: see FakeTelegram."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.journal: list[Call] = []
        self.sent: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.lost_files: set[str] = set()
        self.blocked: set[int] = set()
        self.unknown: set[int] = set()
        self.migrated: dict[int, int] = {}
        self.answered: list[str] = []
        self.webhook: Webhook | None = None
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._queries: set[str] = set()
        self._allowed: set[str] | None = None
        self._changed = asyncio.Condition()
        self._pollers = 0
        self._last_update = 100
        self._last_message = 0

    def routes(self) -> list[Route]:
        return [
            Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._download),
        ]

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        fields, files = await _read(request)
        call = Call(method, fields, files)
        self.journal.append(call)
        fault = self._faults[method].popleft() if self._faults[method] else Fault()
        if fault.drop == "before":
            return _cut(request)
        answer = await self._answer(request.path_params["token"], call, fault.error)
        await asyncio.sleep(fault.delay)
        return _cut(request) if fault.drop else answer

    async def _answer(self, token: str, call: Call, error: ApiError | None) -> Response:
        try:
            if error:
                raise error
            if token != self.token:
                raise ApiError(401, "Unauthorized")
            self._check(call)
            result = await getattr(self, f"_{call.method}")(call.fields, call.files)
            call.status, body = 200, {"ok": True, "result": result}
        except ApiError as refusal:
            call.status, body = refusal.status, refusal.body()
        return JSONResponse(body, status_code=call.status)

    def _check(self, call: Call) -> None:
        if call.method not in FIELDS:
            raise ApiError(404, "Not Found: method not found")
        uploads = {name for name in call.files if f"attach://{name}" in str(call.fields)}
        if odd := {*call.fields, *call.files} - FIELDS[call.method] - uploads:
            raise ApiError(400, f"Bad Request: unknown fields {sorted(odd)}")
        if "chat_id" in FIELDS[call.method]:
            self._check_chat(int(call.fields["chat_id"]))

    def _check_chat(self, chat: int) -> None:
        if chat in self.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat in self.unknown:
            raise ApiError(400, "Bad Request: chat not found")
        if new := self.migrated.get(chat):
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, description, migrate_to_chat_id=new)

    async def _download(self, request: Request) -> Response:
        content = self.files.get(request.path_params["path"].removeprefix("files/"))
        return Response(content or b"", status_code=200 if content is not None else 404)

    # --- methods of the Bot API -------------------------------------------------------------

    async def _getMe(self, fields: Any, files: Any) -> dict[str, Any]:
        return BOT

    async def _getUpdates(self, fields: Mapping[str, Any], files: Any) -> list[Any]:
        if self.webhook:
            raise ApiError(409, "Conflict: can't use getUpdates method while webhook is active")
        if "allowed_updates" in fields:
            self._allowed = set(fields["allowed_updates"])
        async with self._changed:
            self._pollers += 1  # a second poller sends the first one away
            mine = self._pollers
            self._changed.notify_all()
            first = int(fields.get("offset", 0))
            self.updates = [one for one in self.updates if one["update_id"] >= first]
            await self._wait(mine, seconds=float(fields.get("timeout", 0)))
            return self.updates[: int(fields.get("limit", 100))]

    async def _wait(self, mine: int, *, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait_for(lambda: self.updates or self._pollers != mine)
        except TimeoutError:
            return
        if self._pollers != mine:
            raise ApiError(409, "Conflict: terminated by other getUpdates request")

    async def _setWebhook(self, fields: Mapping[str, Any], files: Any) -> bool:
        self._allowed = set(fields.get("allowed_updates", [])) or self._allowed
        self.webhook = Webhook(fields["url"], fields.get("secret_token", ""))
        return True

    async def _deleteWebhook(self, fields: Any, files: Any) -> bool:
        self.webhook = None
        return True

    async def _getWebhookInfo(self, fields: Any, files: Any) -> dict[str, Any]:
        url = self.webhook.url if self.webhook else ""
        waiting = len(self.updates)
        return {"url": url, "has_custom_certificate": False, "pending_update_count": waiting}

    async def _setMyCommands(self, fields: Any, files: Any) -> bool:
        return True

    async def _sendChatAction(self, fields: Any, files: Any) -> bool:
        return True

    async def _sendMessage(self, fields: Mapping[str, Any], files: Any) -> dict[str, Any]:
        _check_length(fields["text"], 4096, "message is too long")
        if not fields["text"].strip():
            raise ApiError(400, "Bad Request: message text is empty")
        return self._post(fields, text=fields["text"])

    async def _sendPhoto(self, fields: Any, files: Mapping[str, bytes]) -> dict[str, Any]:
        return self._post_media("photo", fields, files)

    async def _sendVoice(self, fields: Any, files: Mapping[str, bytes]) -> dict[str, Any]:
        return self._post_media("voice", fields, files)

    async def _sendDocument(self, fields: Any, files: Mapping[str, bytes]) -> dict[str, Any]:
        return self._post_media("document", fields, files)

    async def _sendMediaGroup(self, fields: Any, files: Mapping[str, bytes]) -> list[Any]:
        media: Sequence[dict[str, str]] = fields["media"]
        if not 2 <= len(media) <= 10:
            raise ApiError(400, "Bad Request: media must include 2 to 10 items")
        group = f"sent-{self._last_message}"
        return [
            {
                **self._post_media(one["type"], {**fields, **_item(one)}, files),
                "media_group_id": group,
            }
            for one in media
        ]

    async def _copyMessage(self, fields: Mapping[str, Any], files: Any) -> dict[str, Any]:
        number = int(fields["message_id"])
        source = next((one for one in self.sent if one["message_id"] == number), None)
        if source is None:
            raise ApiError(400, "Bad Request: message to copy not found")
        content = {key: source[key] for key in ("text", "photo", "caption") if key in source}
        return {"message_id": self._post(fields, **content)["message_id"]}

    async def _answerCallbackQuery(self, fields: Mapping[str, Any], files: Any) -> bool:
        query = fields["callback_query_id"]
        if query not in self._queries:
            raise ApiError(400, "Bad Request: query is too old or query ID is invalid")
        self.answered.append(query)
        return True

    async def _editMessageReplyMarkup(self, fields: Mapping[str, Any], files: Any) -> Any:
        number = int(fields["message_id"])
        message = next((one for one in self.sent if one["message_id"] == number), None)
        if message is None:
            raise ApiError(400, "Bad Request: message to edit not found")
        message["reply_markup"] = fields.get("reply_markup", {"inline_keyboard": []})
        return message

    async def _getFile(self, fields: Mapping[str, Any], files: Any) -> dict[str, Any]:
        file_id = fields["file_id"]
        if file_id not in self.files or file_id in self.lost_files:
            raise ApiError(400, "Bad Request: wrong file_id or the file is unavailable")
        if len(self.files[file_id]) > 20_000_000:
            raise ApiError(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": file_id, "file_path": f"files/{file_id}"}

    def _post(self, fields: Mapping[str, Any], **content: Any) -> dict[str, Any]:
        for row in fields.get("reply_markup", {}).get("inline_keyboard", []):
            if any(not 1 <= len(button["callback_data"].encode()) <= 64 for button in row):
                raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
        markup = {key: fields[key] for key in ("reply_markup",) if key in fields}
        message = self.message(int(fields["chat_id"]), **content, **markup)
        self.sent.append({**message, "from": BOT})
        return self.sent[-1]

    def _post_media(
        self, kind: str, fields: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> dict[str, Any]:
        source = str(fields.get(kind, kind))
        upload = files.get(source.removeprefix("attach://"))
        if upload is None and source not in self.files:
            raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
        content = upload if upload is not None else self.files[source]
        if kind == "photo" and content.startswith(b"long"):
            raise ApiError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        caption = {"caption": fields["caption"]} if fields.get("caption") else {}
        _check_length(fields.get("caption", ""), 1024, "message caption is too long")
        file_id = self.keep_file(content)
        one = {"file_id": file_id, "file_unique_id": file_id}
        shapes: dict[str, Any] = {
            "photo": self.photo_sizes(content) if kind == "photo" else [],
            "voice": {**one, "duration": 1},
            "document": one,
        }
        return self._post(fields, **{kind: shapes[kind]}, **caption)

    def message(self, user: int, **fields: Any) -> dict[str, Any]:
        self._last_message += 1
        head = {"message_id": self._last_message, "date": 1_790_000_000}
        return {**head, "chat": private(user), "from": person(user), **fields}

    def keep_file(self, content: bytes) -> str:
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = content
        return file_id

    def photo_sizes(self, content: bytes) -> list[dict[str, Any]]:
        small, large = self.keep_file(b"thumbnail"), self.keep_file(content)
        return [
            {"file_id": small, "file_unique_id": small, "width": 90, "height": 60},
            {"file_id": large, "file_unique_id": large, "width": 900, "height": 600},
        ]


def _item(one: Mapping[str, str]) -> dict[str, str]:
    """A part of an album as if it was sent alone."""
    return {one["type"]: one["media"], "caption": one.get("caption", "")}


def person(user: int) -> dict[str, Any]:
    return {"id": user, "is_bot": False, "first_name": f"u{user}"}


def private(user: int) -> dict[str, Any]:
    return {"id": user, "type": "private", "first_name": f"u{user}"}


def _check_length(text: str, limit: int, complaint: str) -> None:
    if len(text.encode("utf-16-le")) // 2 > limit:
        raise ApiError(400, f"Bad Request: {complaint}")


async def _read(request: Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    if request.headers.get("content-type", "").startswith("application/json"):
        return await request.json(), {}
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await value.read()
            else:
                fields[name] = _plain(name, value)
    return fields, files


def _plain(name: str, value: str) -> Any:
    is_json = name in ("reply_markup", "allowed_updates", "media", "commands")
    return json.loads(value) if is_json else value


def _cut(request: Request) -> Response:
    request.scope["cut"]()
    return Response()
