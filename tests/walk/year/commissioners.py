"""A commissioner: takes cases or leaves them, answers in every way there is, or is silent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.channels.telegram_world import photo
from tests.walk.year.around import Around, Colleague
from tests.walk.year.doors import Chat, Heard
from tests.walk.year.words import TOWNS

ACCEPT = re.compile(r"case:(\d+):accept")
TOLD_OF = re.compile(r"#(\d+)")
# Sentences that have him look at a case again; most cases come to their answer by the offer.
PRESSING = ("农户还在等答复", "农户说没解决", "农户说更重了", "农户补充")
ADVICE = ("（会诊意见）", "（分歧待定）")
PICKED = re.compile(r"case:\d+:(?:entry|canned|sure|as)(?::.*)?|visit:save")


@dataclass(kw_only=True)
class Commissioner(Colleague):
    """What he does with a case, whichever door he uses: `tells` and `presses` are the door's."""

    around: Around
    answered: list[int] = field(default_factory=list)  # by words of his own
    asked_about: set[int] = field(default_factory=set)  # cases that he waits for advice on
    visits: int = 0

    @property
    def is_away(self) -> bool:
        return self.around.is_away(self)

    async def tells(self, number: int, verb: str, words: str = "") -> None:
        raise NotImplementedError

    async def answers(self, number: int) -> None:
        """In one of the ways there are; most often in plain words."""
        if self.is_away:
            return
        did, chance = self.around.did, self.around.chance
        colleague = self.around.colleague(self)
        will = chance.random()
        if will < 0.07 and self.answered:
            did["同"] += 1
            await self.tells(number, f"as:{chance.choice(self.answered)}")
        elif will < 0.13:
            await self.tells(number, "find")
        elif will < 0.16:
            await self.tells(number, "canned")
        elif will < 0.22:
            await self.tells(number, "ask", "有好久了，几处是这样")
        elif will < 0.27:
            did["备注"] += 1
            await self.tells(number, "note", "去年也有一家这样")
            await self.answers(number)
        elif will < 0.33:
            did["会诊"] += 1
            self.asked_about.add(number)
            await self.tells(number, f"consult:{colleague.id}", "你怎么看")
        elif will < 0.36:
            await self.says_his_own(number, "，再喷一道甲胺磷")
        else:
            await self.says_his_own(number)

    async def says_his_own(self, number: int, more: str = "") -> None:
        self.answered = [*self.answered[-8:], number]
        await self.tells(number, "answer", self.around.speech.answer(number) + more)
        if self.around.chance.random() < 0.06:
            self.around.later(30, lambda: self.visited(number))

    async def visited(self, number: int) -> None:
        raise NotImplementedError

    def visit(self) -> str:
        """Told in one go."""
        self.visits += 1
        town = self.around.speech.pick(TOWNS)
        minutes = self.around.chance.randint(20, 90)
        return f"今天 {town} 农户：张{self.visits} {minutes}分钟 看了线路，教他自己换保险"

    async def suggests(self) -> None:
        raise NotImplementedError

    async def offered(self, number: int) -> None:
        """Taken, left, handed on, or nothing."""
        if self.is_away:
            return
        did, will = self.around.did, self.around.chance.random()
        if will < 0.62:
            await self.tells(number, "accept")
            if self.around.chance.random() < 0.85:
                self.around.later(9, lambda: self.answers(number), by_day=True)
        elif will < 0.72:
            await self.says_his_own(number)
        elif will < 0.80:
            did["退回"] += 1
            await self.tells(number, "decline", "这几天在外地")
        elif will < 0.85:
            did["转给"] += 1
            await self.tells(number, f"hand:{self.around.colleague(self).id}", "您更熟")
        else:
            did["不出声"] += 1


@dataclass(kw_only=True)
class ByChat(Commissioner):
    """On Telegram."""

    chat: Chat
    offers: dict[int, Heard] = field(default_factory=dict)

    async def tells(self, number: int, verb: str, words: str = "") -> None:
        verb, _, what = verb.partition(":")
        match verb:
            case "accept" | "decline":
                await self.chat.presses(f"case:{number}:{verb}")
            case "as":
                await self.chat.says(f"#{number} 同 #{what}")
            case "hand" | "consult":
                order = {"hand": "转给", "consult": "会诊"}[verb]
                await self.chat.says(f"#{number} {order} {self.around.name(what)}，{words}")
            case "find":
                await self.chat.says(f"#{number} 找条目 蜂群管理")
            case "canned":
                await self.chat.says(f"#{number} 常用语")
            case _:
                await self._writes(number, verb, words)

    async def _writes(self, number: int, verb: str, words: str) -> None:
        head = {"note": "备注 ", "ask": "问：", "oppose": "不同意 "}.get(verb, "")
        offer, will = self.offers.get(number), self.around.chance.random()
        if verb == "answer" and will < 0.03:
            self.around.did["照片答"] += 1
            await self.chat.shows(photo(), f"#{number} {words}")
        elif offer and will < 0.4:
            await self.chat.says(f"{head}{words}", below=offer.shown)
        else:
            await self.chat.says(f"#{number} {head}{words}")

    async def visited(self, number: int) -> None:
        words = self.visit().replace("农户：", "对方 ")
        await self.chat.says(f"#{number} 记走访 {words}")

    async def told_of_a_visit(self) -> None:
        """To somebody who never wrote to the bot."""
        await self.chat.says(f"记走访 {self.visit()}")

    async def suggests(self) -> None:
        await self.chat.says(self.around.speech.suggestion())

    async def looks_at_his_ledger(self) -> None:
        self.around.did["我的台账"] += 1
        await self.chat.says("我的台账")

    def hears(self, heard: Heard) -> None:
        self.around.wire.commissioner_heard(self.name, heard)
        later, chance = self.around.later, self.around.chance
        named = TOLD_OF.search(heard.text)
        number = int(named[1]) if named else 0
        if any(map(ACCEPT.fullmatch, heard.actions)):
            self.offers[number] = heard
            is_urgent = "【紧急】" in heard.text
            later(0.1 if is_urgent else 2, lambda: self.offered(number), by_day=not is_urgent)
        elif "请您给 #" in heard.text:
            verb = "oppose" if chance.random() < 0.25 else "opine"
            later(4, lambda: self.gives_his_opinion(number, verb), by_day=True)
        elif picks := [one for one in heard.actions if PICKED.fullmatch(one)]:
            if "已接单" not in heard.text or chance.random() < 0.1:
                later(1, lambda: self._picks(chance.choice(picks)), by_day=True)
        elif self._must_answer(number, heard.text):
            later(6, lambda: self.answers(number), by_day=True)

    def _must_answer(self, number: int, text: str) -> bool:
        if number in self.asked_about and any(word in text for word in ADVICE):
            self.asked_about.discard(number)
            return True
        is_pressing = any(word in text for word in PRESSING)
        return is_pressing and self.around.chance.random() < 0.8

    async def gives_his_opinion(self, number: int, verb: str) -> None:
        if self.is_away:
            return
        self.around.did["不同意" if verb == "oppose" else "意见"] += 1
        await self.tells(number, verb, "我看是线头松了")

    async def _picks(self, action: str) -> None:
        self.around.did[action.split(":")[2 if action.startswith("case") else 1]] += 1
        await self.chat.presses(action)
