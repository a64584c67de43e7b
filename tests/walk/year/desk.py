"""Those who work at the desk: pages read and forms posted as a browser does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.walk.year.commissioners import Commissioner
from tests.walk.year.doors import Form, Pages, forms, words_of

SHELF = re.compile(r'<section class="shelf (\w+)">(.*?)</section>', re.DOTALL)
CARD = re.compile(r'href="/desk/case/(\d+)"')
CONSULTED = re.compile(r"请您给 #(\d+) 出个主意")
BANNER = re.compile(r'<aside class="banner good" role="status">(.*?)</aside>', re.DOTALL)
# What stands for an order where it needs one of several things to pick.
PICKS = {"find": "entry:", "canned": "canned:"}


@dataclass(kw_only=True)
class Seat:
    """A place at the desk; whoever was away too long is given a new link."""

    pages: Pages
    invite: Callable[[], str]

    async def open(self, path: str) -> str:
        if page := await self.pages.open(path):
            return page
        await self.pages.enter(self.invite())
        return await self.pages.open(path)

    async def post(self, form: Form, press: str, words: str = "") -> str:
        """The page that it leads to."""
        response = await self.pages.post(form.url, uid=form.uid, press=press, text=words)
        assert response.status_code == 303, (press, response.status_code, words_of(response.text))
        return await self.open(response.headers["location"])


def told(page: str) -> str:
    """What stands above the page in answer to what was posted."""
    return "\n".join(words_of(found) for found in BANNER.findall(page))


@dataclass(kw_only=True)
class AtDesk(Commissioner):
    """Has no chat: looks in once a working day."""

    seat: Seat
    opined: set[int] = field(default_factory=set)

    async def looks(self) -> None:
        if self.is_away:
            return
        page = await self.seat.open("/desk")
        shelves = {name: set(map(int, CARD.findall(body))) for name, body in SHELF.findall(page)}
        chance = self.around.chance
        for number in sorted(shelves.get("offered", ())):
            await self.offered(number)
        for number in sorted(shelves.get("mine", ())):
            if chance.random() < 0.6:
                await self.answers(number)
        asked = set(map(int, CONSULTED.findall(words_of(page)))) - self.opined
        for number in sorted(asked):
            self.opined.add(number)
            await self.tells(number, "opine", "我看是线头松了")

    async def tells(self, number: int, verb: str, words: str = "") -> None:
        """Where the page has no such form he leaves it."""
        page = await self.seat.open(f"/desk/case/{number}")
        begins = PICKS.get(verb, verb)
        found = [
            (form, press)
            for form in forms(page)
            for press in form.presses
            if press.startswith(begins)
        ]
        if not found:
            return
        form, press = found[0]
        after = await self.seat.post(form, press, words)
        self.around.did[press.partition(":")[0]] += 1
        for form in forms(after):
            if form.presses == ("sure",):
                await self.seat.post(form, "sure")
                self.around.did["sure"] += 1

    async def visited(self, number: int) -> None:
        await self._enters("visit:came", self.visit())

    async def suggests(self) -> None:
        await self._enters("suggest", self.around.speech.suggestion().removeprefix("建议："))

    async def _enters(self, press: str, words: str) -> None:
        """A line of his own in the ledger, seen once more where it is asked for."""
        page = await self.seat.open("/desk/ledger")
        form = next(one for one in forms(page) if press in one.presses)
        after = await self.seat.post(form, press, words)
        for form in forms(after):
            if form.presses == ("visit:save",):
                after = await self.seat.post(form, "visit:save")
        self.around.wire.told_at_desk(self.name, self.around.now, told(after))

    async def appeals(self) -> None:
        """Against whatever was struck of his answers."""
        for form, row in rows(await self.seat.open("/desk/ledger")):
            press = form.presses[0]
            if press.endswith(":appeal") and "农户说没有" not in row:
                await self.seat.post(form, press, "当天就去看了，农户可以作证")
                self.around.did["申诉"] += 1


def rows(page: str) -> list[tuple[Form, str]]:
    """The forms below the lines of a ledger, each with the words of its line."""
    found = re.findall(
        r"<li(?: class=\"void\")?>\s*(<p class=\"meta\"><b>第.*?)</li>", page, re.DOTALL
    )
    return [(form, words_of(row)) for row in found for form in forms(row)]
