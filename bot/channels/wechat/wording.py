"""What one answer holds: texts within WeChat's limit, buttons as numbers, 发1继续."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.channels.text import cut
from bot.domain import Outgoing, plain
from bot.phrases import Phrases
from bot.store import Fitted, Waiting, Window

LIMIT = 2048  # UTF-8 bytes: undocumented, measured (MamaShip/Observer#77)
FOOT = 160  # bytes kept free for the line that leads on
FETCH = "fetch"  # the action behind the number that brings what waits
RULE = "\n————————\n"
FETCHING = frozenset({"查看", "继续", "更多", "看后面"})
PAGE = frozenset({"网页", "网页版", "打开网页"})
AGAIN = frozenset({"重发", "再发一次", "再发一遍"})
COUNTED = {word: number for number, word in enumerate("一二三四五六七八九", start=1)}
NUMBER = re.compile(
    r"(?:回复|选择|选|第|发)?\s*([1-9]\d?|[一二三四五六七八九])\s*(?:个|号|项)?[.。、!！]?"
)

Link = Callable[[str], str]  # the page where a user sees all; "" where there is no page


def size(text: str) -> int:
    return len(text.encode())


class Wording:
    """Fits messages into answers; `link` leads a user to what does not fit into a chat."""

    def __init__(self, say: Phrases, link: Link) -> None:
        self._say = say
        self._link = link

    def fit(self, waiting: Sequence[Waiting], window: Window) -> Fitted:
        """As many of those waiting as one answer holds, after what is left of a cut one."""
        bodies: list[str] = []
        buttons: list[tuple[str, str]] = []
        if window.rest:
            bodies, buttons = [window.rest], list(window.buttons)
        taken = 0
        for one in waiting:
            words = self._words(one)
            if bodies and size(RULE.join([*bodies, words])) > LIMIT - FOOT - self._room(
                buttons, one
            ):
                break
            bodies.append(words)
            buttons += [(button.label, button.action) for button in one.outgoing.buttons]
            taken += 1
        whole = RULE.join(bodies)
        return self._fitted(whole, tuple(buttons), taken, len(waiting) > taken, window)

    def _room(self, buttons: Sequence[tuple[str, str]], one: Waiting) -> int:
        labels = [*(label for label, _ in buttons), *(each.label for each in one.outgoing.buttons)]
        return sum(size(label) + 4 for label in labels) + size(self._say("wechat.choose"))

    def _words(self, one: Waiting) -> str:
        """Of an answer to something he wrote before, which question it answers."""
        words = self.words(one.outgoing, is_whole=False)
        earlier = self._say("wechat.earlier", question=one.asked)
        return f"{earlier}\n{words}" if one.asked else words

    def words(self, outgoing: Outgoing, *, is_whole: bool) -> str:
        """The text; where its pictures are not sent along, the page that shows them."""
        captions = [one.text for one in outgoing.blocks if one.picture]
        pictures = len(outgoing.attachments) + len(captions)
        if not pictures:
            return outgoing.text.strip()
        if is_whole:
            words = plain(tuple(one for one in outgoing.blocks if not one.picture)).strip()
            if captions:
                words += "\n" + self._say("wechat.captions", captions="；".join(captions))
            return words
        link = self._link(outgoing.to.user)
        key = "wechat.pictures" if link else "wechat.no_pictures"
        blanks = {"link": link} if link else {}
        return f"{outgoing.text.strip()}\n{self._say(key, count=pictures, **blanks)}".strip()

    def one(self, waiting: Waiting, window: Window, *, is_whole: bool) -> Fitted:
        """A message by itself; `is_whole`: its pictures are sent along."""
        buttons = tuple((one.label, one.action) for one in waiting.outgoing.buttons)
        words = self.words(waiting.outgoing, is_whole=is_whole)
        return self._fitted(words, buttons, 1, False, window)  # noqa: FBT003

    def _fitted(
        self,
        whole: str,
        buttons: tuple[tuple[str, str], ...],
        taken: int,
        has_more: bool,  # noqa: FBT001
        window: Window,
    ) -> Fitted:
        shown = () if window.is_heard else window.choices
        clear = Window(choices=shown, is_heard=False)
        room = LIMIT - FOOT - sum(size(label) + 4 for label, _ in buttons)
        first, *rest = cut(whole, limit=max(room, LIMIT // 2), size=size) or ("",)
        if rest:
            left = "".join(rest) if len(rest) == 1 else "\n".join(rest)
            choices = (*shown, FETCH)
            foot = self._say("wechat.more", number=len(choices))
            kept = replace(clear, rest=left, buttons=buttons, choices=choices)
            return Fitted(f"{first}\n{foot}", taken, kept)
        text, choices = self._with_choices(first, buttons, shown)
        if has_more:
            choices = (*choices, FETCH)
            text += "\n" + self._say("wechat.waiting", number=len(choices))
        if not (first or has_more):
            return Fitted("", taken, replace(window, rest="", buttons=()))
        return Fitted(text, taken, replace(clear, choices=choices))

    def _with_choices(
        self, text: str, buttons: Sequence[tuple[str, str]], shown: tuple[str, ...]
    ) -> tuple[str, tuple[str, ...]]:
        if not buttons:
            return text, shown
        first = len(shown) + 1
        lines = [f"{number} {label}" for number, (label, _) in enumerate(buttons, start=first)]
        chosen = "\n".join([self._say("wechat.choose"), *lines])
        return f"{text}\n{chosen}", (*shown, *(action for _, action in buttons))

    def page(self, user: str) -> str:
        """The way to the web page; "" where there is none."""
        link = self._link(user)
        return self._say("wechat.page", link=link) if link else ""

    def wait(self, window: Window) -> tuple[str, Window]:
        """The answer to a call that can't wait any longer."""
        shown = () if window.is_heard else window.choices
        choices = (*shown, FETCH)
        text = self._say("wechat.wait", number=len(choices))
        return text, replace(window, choices=choices, is_heard=False)


def meant(text: str, window: Window) -> str | None:
    """The action a user's words stand for: a number he was shown, or a word that fetches."""
    words = unicodedata.normalize("NFKC", text).strip()
    if words in FETCHING and (window.rest or FETCH in window.choices):
        return FETCH
    if words == "查看":
        return FETCH
    if not (found := NUMBER.fullmatch(words)):
        return None
    number = COUNTED.get(found[1]) or int(found[1])
    return window.choices[number - 1] if number <= len(window.choices) else None
