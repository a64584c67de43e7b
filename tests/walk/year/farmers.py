"""A farmer: asks, reads, presses a button or does not, blocks the bot and comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.channels.telegram_world import photo
from tests.walk.year.around import Around
from tests.walk.year.doors import Chat, ChatPage, Heard
from tests.walk.year.words import MORE, REPLIES, TOWNS

OPENED = re.compile(r"编号 #(\d+)")
CASE = re.compile(r"#(\d+)")
LOOKS = (0.2, 6, 24, 48, 96, 120, 168)  # hours after he last did something, while anything is open
# What he does with a button whose action ends or begins so: how likely, and after how many hours.
HABITS = (
    (re.compile(r"case:\d+:solved"), 0.45, 20),
    (re.compile(r"case:\d+:unsolved"), 0.10, 30),
    (re.compile(r"case:\d+:rate3"), 0.45, 1),
    (re.compile(r"case:\d+:rate2"), 0.30, 1),
    (re.compile(r"case:\d+:rate1"), 0.40, 1),
    (re.compile(r"case:\d+:why\d"), 0.25, 1),
    (re.compile(r"case:\d+:better"), 0.35, 10),
    (re.compile(r"case:\d+:same"), 0.15, 10),
    (re.compile(r"case:\d+:worse"), 0.15, 10),
    (re.compile(r"visit:\d+:yes"), 0.60, 5),
    (re.compile(r"visit:\d+:no"), 0.40, 5),
    (re.compile(r"show:.*"), 0.30, 0.2),
    (re.compile(r"none:.*"), 0.30, 0.2),
    (re.compile(r"add:.*"), 0.30, 0.2),
    (re.compile(r"person:.*"), 0.70, 0.2),
    (re.compile(r"unsolved:.*"), 0.08, 0.5),
    (re.compile(r"useful:.*"), 0.15, 0.5),
)


@dataclass
class Farmer:
    """On Telegram or in a browser."""

    name: str
    around: Around
    chat: Chat | ChatPage
    waits: bool = False  # has said something and was told nothing yet
    open: set[int] = field(default_factory=set)
    _looks: int = 0

    @property
    def is_blocked(self) -> bool:
        return isinstance(self.chat, Chat) and self.chat.user in self.chat.telegram.blocked

    # of his own accord

    async def asks(self) -> None:
        chance, speech = self.around.chance, self.around.speech
        words = speech.question()
        self._returns()
        will = chance.random()
        if will < 0.03:
            await self.chat.shows(photo(), words)
        elif will < 0.04 and isinstance(self.chat, Chat):
            await self.chat.speaks(b"OggS voice")
        else:
            await self.chat.says(words)
        self.around.wire.asked += 1
        self._told_something()
        if chance.random() < 0.04:
            self.around.later(2, self.blocks)

    async def blocks(self) -> None:
        """And comes back some day."""
        if isinstance(self.chat, Chat) and not self.is_blocked:
            self.chat.telegram.blocked.add(self.chat.user)
            self.around.did["屏蔽"] += 1
            self.around.later(24 * 8, self.comes_back)

    async def comes_back(self) -> None:
        if self.is_blocked and isinstance(self.chat, Chat):
            self._returns()
            await self.chat.telegram.becomes(self.chat.user, "member")

    async def says(self, text: str) -> None:
        self._returns()
        await self.chat.says(text)
        self._told_something()

    async def presses(self, action: str) -> None:
        self._returns()
        await self.chat.presses(action)
        self.around.wire.farmer_pressed(self.name, action)
        verb, *_, last = action.split(":")
        self.around.did[last.rstrip("0123456789") or verb] += 1
        self._told_something()

    def _returns(self) -> None:
        """Whoever writes can be reached again."""
        if self.is_blocked and isinstance(self.chat, Chat):
            self.chat.telegram.blocked.discard(self.chat.user)

    def _told_something(self) -> None:
        self.waits = True
        self.look_again()

    # what he reads

    def look_again(self) -> None:
        """A browser brings nothing by itself: he looks at his page now and then."""
        if isinstance(self.chat, ChatPage):
            self._looks += 1
            mine = self._looks
            self.around.later(LOOKS[0], lambda: self._look(mine, 1), spread=False)

    async def _look(self, mine: int, turn: int) -> None:
        if mine != self._looks or not isinstance(self.chat, ChatPage):
            return
        for heard in await self.chat.news():
            self.hears(heard)
        self.around.did["网页没回话"] += self.waits
        if self.open and mine == self._looks:
            hours = LOOKS[min(turn, len(LOOKS) - 1)]
            self.around.later(hours, lambda: self._look(mine, turn + 1), spread=False)

    def hears(self, heard: Heard) -> None:
        self.waits = False
        self.around.wire.farmer_heard(self.name, heard)
        for number in map(int, OPENED.findall(heard.text)):
            self._is_opened(number)
        if "先当办好了" in heard.text or "就算办好了" in heard.text or "已取消" in heard.text:
            self.open -= set(map(int, CASE.findall(heard.text)))
        self._is_asked(heard.text)
        self._may_press(heard.actions)

    def _is_opened(self, number: int) -> None:
        if number in self.open:
            return
        chance, later = self.around.chance, self.around.later
        self.open.add(number)
        if chance.random() < 0.03:
            later(5, lambda: self.presses(f"case:{number}:cancel"))
        elif chance.random() < 0.05:
            later(8, lambda: self.says(f"#{number} 补充：{self.around.speech.pick(MORE)}"))

    def _is_asked(self, text: str) -> None:
        chance, later, pick = self.around.chance, self.around.later, self.around.speech.pick
        if "想问您（#" in text and chance.random() < 0.85:
            later(5, lambda: self.says(pick(REPLIES)))
        elif "您在哪个镇街" in text and chance.random() < 0.3:
            later(0.3, lambda: self.says(pick(TOWNS)))

    def _may_press(self, actions: tuple[str, ...]) -> None:
        """One button of a message at most."""
        for action in actions:
            for habit, likely, hours in HABITS:
                if habit.fullmatch(action) and self.around.chance.random() < likely:
                    self.around.later(hours, lambda action=action: self.presses(action))
                    return
