"""Sends what is due to members: markdown that nobody can bend, buttons as cards."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from bot.channels.text import cut
from bot.channels.wecom.settings import WeComSettings
from bot.channels.wecom.socket import Frame, Socket
from bot.domain import Button, Outgoing, Receipt
from bot.errors import OutcomeUnknown, TryLater
from bot.phrases import Phrases

LIMIT = 2048  # UTF-8 bytes of a markdown message
BUTTONS = 6  # of one card
TITLE = 26  # characters of a card's title
REMEMBERED = 256  # members
# What WeCom's markdown would read: links, code, colours, bold, quotes, members; and headings.
BENDING = str.maketrans("<>[]`*@", "＜＞［］｀＊＠")

Step = Callable[[], Coroutine[Any, Any, None]]


class Sender:
    """Sends each part once: after a failure in the middle the next try goes on from there."""

    def __init__(self, settings: WeComSettings, socket: Socket, say: Phrases) -> None:
        self._settings = settings
        self._socket = socket
        self._say = say
        self._broken: dict[str, tuple[Outgoing, int]] = {}

    async def send(self, outgoing: Outgoing) -> Receipt:
        user = outgoing.to.user
        known, done = self._broken.pop(user, (outgoing, 0))
        start = done if known == outgoing else 0
        for place, step in enumerate(self._steps(outgoing)):
            if place < start:
                continue
            try:
                await step()
            except (TryLater, OutcomeUnknown):
                self._remember(user, outgoing, place)
                raise
        return Receipt()

    def _remember(self, user: str, outgoing: Outgoing, done: int) -> None:
        if done:
            self._broken[user] = (outgoing, done)
        while len(self._broken) > REMEMBERED:
            del self._broken[next(iter(self._broken))]

    def _steps(self, outgoing: Outgoing) -> Sequence[Step]:
        user, text = outgoing.to.user, self._worded(outgoing)
        pieces = cut(text, limit=LIMIT, size=lambda words: len(words.encode()))
        words = [_markdown(piece) for piece in pieces]
        title = text.partition("\n")[0][:TITLE] or self._say("wecom.choose")
        rows = range(0, len(outgoing.buttons), BUTTONS)
        cards = [_card(title, outgoing.buttons[at : at + BUTTONS]) for at in rows]
        return [partial(self._socket.push, user, body) for body in (*words, *cards)]

    def _worded(self, outgoing: Outgoing) -> str:
        """The socket takes no uploads: photos are seen at the desk."""
        text = outgoing.text.strip().translate(BENDING).replace("# ", "＃ ")
        if not outgoing.attachments:
            return text
        case = f"/case/{outgoing.case}" if outgoing.case else ""
        blanks = {"count": len(outgoing.attachments), "link": f"{self._settings.desk}{case}"}
        return f"{text}\n{self._say('wecom.pictures', **blanks)}"


def _markdown(text: str) -> Frame:
    return {"msgtype": "markdown", "markdown": {"content": text}}


def _card(title: str, buttons: Sequence[Button]) -> Frame:
    shown = [
        {"text": button.label, "key": button.action, "style": 1 if place == 0 else 2}
        for place, button in enumerate(buttons)
    ]
    return {
        "msgtype": "template_card",
        "template_card": {
            "card_type": "button_interaction",
            "main_title": {"title": title},
            "button_list": shown,
            "task_id": f"t{uuid4().hex}",
        },
    }


def pressed_card(title: str, said: str, task_id: str) -> Frame:
    """In place of a card whose button was pressed."""
    return {
        "card_type": "text_notice",
        "main_title": {"title": title, "desc": said},
        "card_action": {"type": 0},
        "task_id": task_id,
    }
