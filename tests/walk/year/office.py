"""The dispatchers: one on Telegram who places what nobody took, one at the desk who keeps an eye on
the ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.walk.year.commissioners import ACCEPT, TOLD_OF, ByChat
from tests.walk.year.desk import AtDesk, rows, told
from tests.walk.year.doors import Form, Heard, words_of
from tests.walk.year.wire import relay_in

STANDING = re.compile(
    r'<tr><th><a href="/desk/ledger/[^"]+">([^<]+)</a></th><td>(\d+)</td><td>[^<]*</td>'
    r"<td>(\d+)</td><td>[^<]*</td><td>([^<]*)</td>"
)
REASON = "看不出做了什么"


@dataclass(kw_only=True)
class Dispatcher(ByChat):
    """Hands on what has no owner, or answers it himself."""

    def hears(self, heard: Heard) -> None:
        self.around.wire.commissioner_heard(self.name, heard)
        named = TOLD_OF.search(heard.text)
        if named and any(map(ACCEPT.fullmatch, heard.actions)):
            hours = 0.1 if "【紧急】" in heard.text else 3
            self.around.later(hours, lambda: self.places(int(named[1])), by_day=hours > 1)
        elif named and "case:" in "".join(heard.actions) and ":sure" in "".join(heard.actions):
            self.around.later(1, lambda: self.chat.presses(heard.actions[0]), by_day=True)

    async def places(self, number: int) -> None:
        will = self.around.chance.random()
        if will < 0.5:
            self.around.did["分诊转给"] += 1
            await self.tells(number, f"hand:{self.around.colleague(self).id}", "请您看看")
        elif will < 0.75:
            self.around.did["分诊自答"] += 1
            await self.tells(number, "answer", self.around.speech.answer(number))


@dataclass(kw_only=True)
class Clerk(AtDesk):
    """Reads ledgers week by week: passes lines, strikes some, restores what is appealed."""

    async def looks(self) -> None:
        page = await self.seat.open("/desk/ledger")
        assert "逐笔核对过印记，没有动过" in words_of(page)
        for one in self.around.chance.sample(self.around.register, 3):
            await self._reads(await self.seat.open(f"/desk/ledger/{one.id}"))

    async def _reads(self, page: str) -> None:
        """One ruling of each sort a sheet."""
        done: set[str] = set()
        for form, row in rows(page):
            verb = form.presses[0].split(":")[2]
            if verb not in done and self._is_due(verb, row):
                done.add(verb)
                await self._rules(form.presses[0], form, row, verb)

    def _is_due(self, verb: str, row: str) -> bool:
        chance = self.around.chance
        match verb:
            case "strike":
                return "回话" in row and "恢复" not in row and chance.random() < 0.05
            case "restore":
                return "申诉" in row and "农户说没有" not in row
            case "review":
                return chance.random() < 0.2
            case "reply":
                return "答复建议" not in row and chance.random() < 0.5
            case _:
                return False

    async def _rules(self, press: str, form: Form, row: str, verb: str) -> None:
        number, wire = int(press.split(":")[1]), self.around.wire
        after = await self.seat.post(form, press, "" if verb == "review" else REASON)
        if "记下了" not in told(after):
            return
        self.around.did[verb] += 1
        if verb == "strike":
            wire.struck[number] = relay_in(row)
        elif verb == "restore":
            wire.struck.pop(number, None)

    async def totals(self, year: int) -> dict[str, tuple[int, int, int]]:
        """Services, suggestions and what was struck, by name, as the page shows them."""
        page = await self.seat.open(f"/desk/ledger?year={year}")
        return {
            name: (int(services), int(suggestions), int(struck) if struck != "·" else 0)
            for name, services, suggestions, struck in STANDING.findall(page)
        }
