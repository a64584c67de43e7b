"""The report at the desk: who sees what, of which time, as a page and as a file."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from bot import web
from bot.app.calendar import now, today
from bot.app.report_making import at_desk
from bot.channels.base import Bell
from bot.channels.web import DeskChannel, ReportRoom, WebSettings
from bot.config import load
from bot.domain import Address, CaseChange, Deed, Entered, Event, Turn
from bot.store import Store
from tests.cast import a_case
from tests.channels.test_web_browser import CHROMIUM, chromium
from tests.channels.web_world import LIBRARY, World
from tests.walk.homes import LV, WANG, ZHAO, furnish

MINE, HIS = "蜂子不进箱咋个办", "花椒树子开花不结籽"


class Office(World):
    """The desk and the report beside it, over the shipped knowledge."""

    def __init__(self, home) -> None:
        config = load(home, {})
        self.settings = WebSettings()
        self.now, self.arrived = now(), Bell()
        people = config.commissioners
        self.store = Store.open(config.database, commissioners=people)
        common = self.store, self.arrived, self.clock, self.settings
        self.desk = self.chat = DeskChannel(
            *common, people=people, library=LIBRARY, targets=config.targets
        )
        room = ReportRoom(
            self.store,
            self.clock,
            self.settings,
            people=people,
            reports=at_desk(config, self.store, self.clock),
        )
        routes = [*self.desk.routes(), *room.routes()]
        self.app = web.build(routes, self.store, self.settings, self.clock)
        for number, (who, words) in enumerate(((WANG, MINE), (LV, HIS)), 1):
            self.serve(number, who, words)

    def serve(self, number, who, words) -> None:
        farmer = Address("web", f"farmer-{number}")
        opened = a_case(number, farmer=farmer, question=words, holder=who, township="盘龙镇")
        change = CaseChange(opened, Event.OPENED, "农户")
        self.store.inbox.save_follow_up(Turn(changes=(change,)), self.now)
        proof = {"farmer": str(farmer), "question": words, "answer": "先看看"}
        self.store.ledger.add(Entered(Deed.SERVICE, who, who, number, proof=proof), self.now)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return furnish(tmp_path_factory.mktemp("home"))


@pytest.fixture
def office(home):
    (home / "data" / "tianwen.db").unlink(missing_ok=True)
    made = Office(home)
    yield made
    made.close()


async def opened(office, who, path="/desk/report"):
    browser = await office.at_desk(who)
    return browser, await browser.open(path)


async def test_a_dispatcher_sees_the_whole_office(office):
    browser, page = await opened(office, ZHAO)
    assert page.status_code == 200
    assert f"田问 · {today().year} 年报告" in page.text
    for words in ("王瑞生", "吕玉奎", MINE, HIS, "空缺", "请人看一眼", "每周提问"):
        assert words in page.text
    assert 'href="/desk/report"' in (await browser.open("/desk")).text


async def test_a_commissioner_sees_his_own_and_nothing_of_anybody_else(office):
    _, page = await opened(office, WANG)
    assert f"王瑞生 · {today().year} 年报告" in page.text
    assert MINE in page.text
    for words in ("吕玉奎", HIS, "空缺", "请人看一眼", "每周提问"):
        assert words not in page.text


async def test_outside_nobody_sees_anything(office):
    for path in ("/desk/report", "/desk/report.xlsx"):
        assert (await office.browser().open(path)).status_code == 401


async def test_a_month_is_chosen_by_the_address_and_nonsense_is_this_year(office):
    year = today().year
    browser, page = await opened(office, ZHAO, f"/desk/report?year={year}&month=1")
    assert f"{year} 年 1 月报告" in page.text
    assert f"/desk/report.xlsx?year={year}&amp;month=1" in page.text
    for path in ("/desk/report?year=1999&month=13", "/desk/report?year=x&month=%3Cb%3E"):
        assert f"田问 · {year} 年报告" in (await browser.open(path)).text


async def test_the_workbook_holds_what_the_page_does(office):
    _, file = await opened(office, WANG, "/desk/report.xlsx")
    book = load_workbook(io.BytesIO(file.content))
    assert "空缺" not in book.sheetnames
    names = [row[0] for row in book["特派员"].iter_rows(min_row=4, values_only=True)]
    assert "王瑞生" in names
    assert "吕玉奎" not in names
    assert "filename*=UTF-8''" in file.headers["content-disposition"]
    assert file.headers["cache-control"] == "no-store"


async def test_somebody_in_a_hurry_is_asked_to_wait(office):
    browser, _ = await opened(office, WANG, "/desk/report.xlsx")
    codes = [(await browser.open("/desk/report.xlsx?month=1")).status_code for _ in range(11)]
    assert codes[0] == 200
    assert codes[-1] == 429


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium")
@pytest.mark.parametrize("width", [390, 1100])
async def test_the_page_looks_right_under_its_own_policy(office, width, tmp_path):
    async with looking(office, ZHAO, width) as page:
        await page.screenshot(path=tmp_path / "report.png", full_page=True)
        for name in ("2", ""):
            await page.select_option("select[name=month]", name)
            await page.click("nav button")
            await page.wait_for_selector("h1")
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wider) == 0
        display = "getComputedStyle(document.querySelector('.bar')).display"
        assert await page.evaluate(display) == "flex"
        assert page.complaints == []


@asynccontextmanager
async def looking(office, who, width):
    """A browser of that width at somebody's report."""
    code = office.store.accounts.invite(who, office.now, valid=timedelta(days=1))
    async with office.served() as url, chromium() as page:
        await page.set_viewport_size({"width": width, "height": 844})
        await page.goto(f"{url}/desk/enter/{code}")
        await page.click("button")
        await page.wait_for_url(f"{url}/desk")
        await page.click("a[href='/desk/report']")
        await page.wait_for_selector("h1")
        yield page
