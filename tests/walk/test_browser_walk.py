"""The whole walk as people see it: the real `tianwen serve` with the model of the packages, a
farmer's phone and a commissioner's desk in Chromium. Screenshots stay in tests/screenshots/."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.retrieval.bundled import OPENVINO, unpack
from tests.channels.test_web_browser import CHROMIUM, FLAGS
from tests.conftest import ROOT
from tests.walk.homes import DRONE, furnish
from tests.walk.processes import Serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.timeout(600),  # the knowledge is encoded anew, on cores that others use too
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]
SHOTS = ROOT / "tests" / "screenshots"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
KNOWN, TITLE = "叶面黑灰擦得掉", "花椒煤污病（煤烟病）"
ADVICE = "电池触点擦干净再充。"


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Serving]:
    """What the README's command starts, on data of its own but for the unpacked model."""
    cache = Path.home() / ".cache" / "tianwen-test" / "e5-small"
    beside = Path(os.environ.get("TIANWEN_TEST_MODEL_DIR", cache))
    model = unpack(beside.with_name(f"{beside.name}-openvino"), OPENVINO)
    home = furnish(folder / "home", every=5, embedder={"model": "bundled"})
    (home / "data" / "models").mkdir(parents=True)
    (home / "data" / "models" / OPENVINO.folder).symlink_to(model)
    one = Serving(home, f"sqlite:///{folder}/walk.db", log=folder / "log", token="")
    one.start()
    try:
        await one.is_open(300)
        yield one
    finally:
        assert await one.stop() == 0


@asynccontextmanager
async def screens() -> AsyncIterator[tuple]:
    """A farmer's phone and a desk, strangers to each other."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only where Chromium is

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = []
        for size in (PHONE, DESKTOP):
            context = await browser.new_context(viewport=size)
            context.set_default_timeout(60_000)
            pages.append(await context.new_page())
        yield tuple(pages)
        await browser.close()


async def keep(page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SHOTS / f"{name}.png")


async def ask(phone, text: str) -> None:
    await phone.fill("#text", text)
    await phone.click("#send")


async def test_a_farmer_is_answered_and_hears_from_the_commissioner_without_reloading(tmp_path):
    async with serving(tmp_path) as server, screens() as (phone, desk):
        loads = []
        await phone.goto(server.url)
        phone.on("load", lambda _: loads.append(1))

        await ask(phone, KNOWN)
        await phone.get_by_text(TITLE, exact=True).first.wait_for()
        await phone.get_by_role("button", name="有用").wait_for()
        await keep(phone, "phone-answer")

        await ask(phone, DRONE)
        await to_a_person(phone)
        await phone.get_by_text("编号 #1").wait_for()
        await keep(phone, "phone-case")

        link = re.search(r"吕玉奎.*?(http\S+)", server.log.read_text())
        await desk.goto(link[1])
        await desk.locator("form button").first.click()
        await desk.get_by_text(DRONE).first.click()
        await keep(desk, "desktop-case")
        await desk.get_by_role("button", name="接单").click()
        await desk.locator("textarea[id=answer]").fill(ADVICE)
        await desk.get_by_role("button", name="发给农户").click()

        await phone.get_by_text(ADVICE).wait_for()
        await phone.get_by_role("button", name="解决了").wait_for()
        await keep(phone, "phone-relay")
        await desk.get_by_text("已发给农户（#1）").wait_for()
        await keep(desk, "desktop-answered")
        assert loads == []


async def to_a_person(phone) -> None:
    """Whether a case comes of the question at once, or after a button that asks for a person."""
    button = phone.get_by_role("button", name=re.compile("^(都不是，问特派员|转特派员)$")).last
    await phone.get_by_text("编号 #1").or_(button).last.wait_for()
    if await button.is_visible():
        await button.click()
