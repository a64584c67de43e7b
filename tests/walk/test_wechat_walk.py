"""The whole walk with farmers on WeChat, on `tianwen serve` as a process: an account that may write
first and one that may not. The platform's seconds are real ones here."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.app.compose import Core
from bot.domain import Address, CaseState
from bot.phrases import Phrases
from bot.store import Store
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.fake_wechat import APP, BROKEN, KEY, SECRET, TOKEN, FakeWeChat, Phone
from tests.channels.telegram_world import photo
from tests.walk.homes import LV, STRANGE, furnish
from tests.walk.processes import Serving
from tests.walk.samples import answerable, known
from tests.walk.village import Person, core_of, text_of, until

ENVIRON = {
    "TIANWEN_WECHAT_TOKEN": TOKEN,
    "TIANWEN_WECHAT_KEY": KEY,
    "TIANWEN_WECHAT_SECRET": SECRET,
}
CHAT = 901
ALICE = "oAlice-0_1"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Hamlet:
    """One serving process, its farmers on WeChat and its commissioner on Telegram."""

    core: Core
    store: Store
    wechat: FakeWeChat
    telegram: FakeTelegram
    serving: Serving

    @property
    def say(self) -> Phrases:
        return self.core.config.phrases

    @property
    def lv(self) -> Person:
        return Person(CHAT, self.telegram, self.say)

    def phone(self, who: str = ALICE) -> Phone:
        return self.wechat.phone(who)

    async def says(self, text: str, who: str = ALICE) -> str:
        return await self.wechat.says(self.serving.url, who, text)

    async def hears(self, *words: str, who: str = ALICE) -> str:
        """The text that has all the words, once it is on the phone; who may be written to only
        when he writes asks for it."""
        phone, start = self.phone(who), len(self.phone(who).seen)

        def found() -> str | None:
            return next((one for one in phone.seen if all(word in one for word in words)), None)

        for _ in range(40):
            if seen := found():
                return seen
            if self.wechat.pushes:
                await asyncio.sleep(0.25)
            else:
                await self.says("查看", who)
        raise AssertionError((words, phone.seen[start:]))

    async def press(self, label: str) -> None:
        """Send the number that stands before a label, as it was shown last."""
        shown = next(one for one in reversed(self.phone().seen) if re.search(rf"\d {label}", one))
        await self.says(re.search(rf"(\d+) {label}", shown)[1])


@asynccontextmanager
async def open_hamlet(folder: Path, *, pushes: bool) -> AsyncIterator[Hamlet]:
    async with (
        FakeTelegram().running() as telegram,
        FakeWeChat(clock, pace=1, pushes=pushes).running() as wechat,
    ):
        database = f"sqlite:///{folder / 'tianwen.db'}"
        home, log = folder / "home", folder / "serve.log"
        serving = Serving(home, database, log=log, environ=ENVIRON)
        furnish(
            home,
            every=5,
            addresses={LV: str(CHAT)},
            web={"public_url": serving.url},
            wechat={"app_id": APP, "pushes": pushes, "base_url": wechat.api},
            telegram={
                "base_url": f"{telegram.url}/bot",
                "base_file_url": f"{telegram.url}/file/bot",
            },
        )
        core = core_of(home, ENVIRON)
        serving.start()
        await serving.is_open()
        store = Store.open(database, commissioners=core.config.commissioners)
        try:
            yield Hamlet(core, store, wechat, telegram, serving)
            assert await serving.stop() == 0
        finally:
            store.close()
            serving.kill()
        assert "ERROR" not in log.read_text(), log.read_text()[-3000:]
        assert ALICE not in log.read_text()


@pytest.mark.parametrize("pushes", [True, False], ids=["pushes", "mute"])
async def test_the_walk_on_wechat(tmp_path, pushes: bool):
    async with open_hamlet(tmp_path, pushes=pushes) as hamlet:
        lv, say = hamlet.lv, hamlet.say
        question, entry = known(hamlet.core)
        assert bool(await hamlet.says(question)) is not pushes
        await hamlet.hears(entry.title, entry.short_answer)

        await hamlet.says(STRANGE)
        offer = await lv.is_offered("case:")
        assert STRANGE in text_of(offer)
        number = int(re.search(r"#(\d+)", text_of(offer))[1])
        opened = await hamlet.hears(say("case.opened", number=number, who="科技特派员吕玉奎"))
        assert (say("case.comes_with_next") in opened) is not pushes

        await lv.presses(f"case:{number}:accept", offer)
        await lv.is_told("desk.accepted", number=number)
        await lv.replies(offer, "先看插头有没有进水。")
        await hamlet.hears("吕玉奎", f"#{number}", "先看插头有没有进水。")

        await hamlet.press("没解决")
        await hamlet.hears(say("case.reopened_thanks", number=number, who="科技特派员吕玉奎"))
        await hamlet.telegram.shows(CHAT, photo("green"), caption=f"#{number} 换这个插头")
        told = await hamlet.hears("换这个插头")
        assert len(hamlet.phone().media) == pushes
        assert ("1张照片" in told) is not pushes
        await on_the_page(hamlet, number)
        await hamlet.says("谢谢")
        assert hamlet.store.cases.get(number).state is CaseState.ANSWERED
        assert BROKEN not in hamlet.phone().seen


async def on_the_page(hamlet: Hamlet, number: int) -> None:
    """By a signed link he goes on in a browser, with all he asked and was told."""
    told = await hamlet.says("网页")
    link = re.search(r"http\S+/from/\S+", told)[0]
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        page = (await browser.get(link)).text
        assert STRANGE in page
        assert "换这个插头" in page
        picture = re.search(r"/media/[\w-]+", page)[0]
        shown = await browser.get(f"{hamlet.serving.url}{picture}")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
        uid = re.search(r'name="uid" value="([^"]+)"', page)[1]
        form = {"csrf": csrf, "uid": uid, "text": "我的问题"}
        await browser.post(f"{hamlet.serving.url}/send", data=form)

        async def listed() -> bool:
            return (
                f"#{number}" in (await browser.get(hamlet.serving.url)).text.split("我的问题")[-1]
            )

        async with asyncio.timeout(20):
            while not await listed():  # noqa: ASYNC110 - a page rings no bell here
                await asyncio.sleep(0.2)
    assert {one.farmer for one in hamlet.store.cases.of_farmer(Address("wechat", ALICE))} == {
        Address("wechat", ALICE)
    }
    async with httpx.AsyncClient(follow_redirects=True) as thief:
        forged = link[:-3] + ("AAA" if link[-3:] != "AAA" else "BBB")
        assert (await thief.get(forged)).status_code == 410


@pytest.mark.parametrize("pushes", [True, False], ids=["pushes", "mute"])
async def test_kills_lose_no_answer_and_double_none(tmp_path, pushes: bool):
    """SIGKILL while farmers ask: whatever was received is answered, once."""
    chance = random.Random(20261124)
    async with open_hamlet(tmp_path, pushes=pushes) as hamlet:
        titles = {}
        for text in answerable(hamlet.core, 24):
            titles[text] = hamlet.core.library.search(text).matches[0].entry.title
        asked = {f"o{number}": text for number, text in enumerate(titles)}
        async with asyncio.TaskGroup() as town:
            for who, text in asked.items():
                town.create_task(asks(hamlet, who, text, chance.uniform(0, 16)))
            for _ in range(4):
                await asyncio.sleep(chance.uniform(1, 3))
                hamlet.serving.kill()
                hamlet.serving.start()
                await hamlet.serving.is_open()
        for who, text in asked.items():
            await reckon(hamlet, who, titles[text])
        broken = sum(BROKEN in hamlet.phone(who).seen for who in asked)
        print(f"\n{len(asked)} farmers, 4 kills, {broken} saw the platform's own trouble text")


async def asks(hamlet: Hamlet, who: str, text: str, after: float) -> None:
    """Somebody whose call comes to nothing three times asks again, as people do."""
    await asyncio.sleep(after)
    while await hamlet.says(text, who) == BROKEN:
        pass


async def reckon(hamlet: Hamlet, who: str, title: str) -> None:
    """He was answered once for each time that his question was received."""
    await hamlet.hears(title, who=who)
    if not hamlet.wechat.pushes:
        await hamlet.says("查看", who)
    address, repeated = Address("wechat", who), hamlet.say("delivery.maybe_repeated")
    await until(lambda: not hamlet.store.inbox.waiting(address))
    seen = [one for one in hamlet.phone(who).seen if title in one]
    taken = [one for one in hamlet.store.inbox.history(address) if one.incoming]
    received = sum(bool(one.incoming and one.incoming.text) for one in taken)
    doubled = sum(repeated in one for one in seen)
    assert len(seen) - doubled <= received, (seen, received)
    assert seen
