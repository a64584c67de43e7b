"""The walk with commissioners on WeCom, `tianwen serve` being a process of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import CaseState
from bot.store import Store
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.fake_wecom import BOT_ID, SECRET, FakeWeCom
from tests.channels.telegram_world import photo
from tests.walk.homes import LV, STRANGE, ZHAO, furnish
from tests.walk.processes import Serving
from tests.walk.village import Person, core_of, is_busy, until

ENVIRON = {"TIANWEN_WECOM_BOT_ID": BOT_ID, "TIANWEN_WECOM_BOT_SECRET": SECRET}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Office:
    """A member of the office on WeCom."""

    user: str
    wecom: FakeWeCom

    async def says(self, text: str) -> None:
        await self.wecom.says(self.user, text)

    async def presses(self, action: str) -> None:
        await self.wecom.presses(self.user, action)

    async def hears(self, *words: str) -> str:
        def found() -> str | None:
            texts = self.wecom.texts(self.user)
            return next((one for one in texts if all(word in one for word in words)), None)

        return await until(found, lambda: (words, self.wecom.texts(self.user)))

    def is_told(self, words: str) -> int:
        return sum(words in text for text in self.wecom.texts(self.user))


@dataclass
class Town:
    serving: Serving
    store: Store
    wecom: FakeWeCom
    telegram: FakeTelegram
    say: object

    async def bound(self, person: str, user: str) -> Office:
        code = self.store.accounts.invite(person, datetime.now(UTC), valid=timedelta(hours=1))
        office = Office(user, self.wecom)
        await office.says(f"绑定 {code}")
        await office.hears("绑定")
        return office

    def farmer(self, user: int) -> Person:
        return Person(user, self.telegram, self.say)


@pytest.fixture
async def town(tmp_path) -> AsyncIterator[Town]:
    async with FakeTelegram().running() as telegram, FakeWeCom().running() as wecom:
        database, home, log = f"sqlite:///{tmp_path / 't.db'}", tmp_path / "home", tmp_path / "log"
        serving = Serving(home, database, log=log, environ=ENVIRON)
        furnish(
            home,
            every=5,
            web={"public_url": serving.url},
            wecom={"url": wecom.url},
            telegram={
                "base_url": f"{telegram.url}/bot",
                "base_file_url": f"{telegram.url}/file/bot",
            },
        )
        core = core_of(home)
        serving.start()
        await serving.is_open()
        store = Store.open(database, commissioners=core.config.commissioners)
        try:
            yield Town(serving, store, wecom, telegram, core.config.phrases)
            assert await serving.stop() == 0
        finally:
            store.close()
            serving.kill()
        assert "ERROR" not in log.read_text(), log.read_text()[-3000:]


async def test_a_case_lives_on_wecom(town: Town):
    lv, farmer = await town.bound(LV, "LvYuKui"), town.farmer(501)
    await farmer.says(STRANGE)
    offer = await lv.hears(STRANGE)
    number = int(re.search(r"#(\d+)", offer)[1])
    await lv.hears("接单")
    await lv.presses(f"case:{number}:accept")
    await lv.hears(town.say("desk.accepted", number=number))
    await farmer.is_told("case.accepted", number=number, who="科技特派员吕玉奎")
    await until(lambda: town.wecom.updated)

    await town.wecom.shows(lv.user, photo("green"), text=f"#{number} 换这个插头")
    await lv.hears(town.say("desk.answered", number=number))
    answer = await farmer.hears("换这个插头")
    assert "photo" in answer
    await until(lambda: not is_busy(town.store))
    await lv.says("我的台账")
    await lv.hears("服务 1 次（要 24 次）")
    assert town.store.cases.get(number).state is CaseState.ANSWERED


async def test_what_is_open_is_shown_again_after_a_cut_and_a_kill(town: Town):
    lv, farmer = await town.bound(LV, "LvYuKui"), town.farmer(501)
    await town.bound(ZHAO, "ZhaoMin")
    await farmer.says(STRANGE)
    offer = await lv.hears(STRANGE)
    number = int(re.search(r"#(\d+)", offer)[1])
    await town.wecom.drop()
    await lv.hears("刚才断线了", f"#{number}")
    await town.wecom.drop()
    await town.wecom.connected()
    town.serving.kill()
    town.wecom._subscribed.clear()
    town.serving.start()
    await town.wecom.connected()
    await lv.says(f"#{number} 先看插头")
    await farmer.hears("先看插头")
    assert lv.is_told("刚才断线了") == 1
    assert lv.is_told(STRANGE) == 1
