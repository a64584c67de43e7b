"""The pages' own scripts, in a real browser."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.domain import Block, Media, Outgoing, Picture, Turn, paragraphs
from tests.channels.web_world import World, lines, photo, say

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium"),
]


@asynccontextmanager
async def chromium():
    """A phone-sized page; what its console complains about fails the test."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only where Chromium is

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda one: page.complaints.append(one.text) if is_bad(one) else None)
        page.set_default_timeout(10_000)
        yield page
        await browser.close()


def is_bad(message) -> bool:
    return message.type in {"error", "warning"} and "net::ERR_" not in message.text


@pytest.fixture
async def page(tmp_path):
    world = World(tmp_path)
    async with world.served() as url, chromium() as opened:
        opened.world = world
        await opened.goto(url)
        yield opened
    assert opened.complaints == []
    world.close()


async def ask(page, text: str) -> None:
    await page.fill("#text", text)
    await page.click("#send")


async def test_question_answer_and_press_need_no_reload(page):
    answer = say("先看巢门", ("有用", "useful:1"), ("没解决", "unsolved:1"))
    async with page.world.working(lambda one: say("不客气")(one) if one.press else answer(one)):
        await ask(page, "蜂子不进巢")
        await page.get_by_text("先看巢门").wait_for()
        await page.get_by_role("button", name="有用").click()
        await page.get_by_text("不客气").wait_for()
    assert await page.locator("button.chosen").inner_text() == "有用"
    assert await page.get_by_role("button", name="没解决").is_disabled()
    assert await page.locator("#typing").is_hidden()
    assert await page.locator("#lines article").count() == 3


async def test_what_could_not_be_sent_goes_out_once_when_the_network_is_back(page):
    await page.context.set_offline(True)
    await ask(page, "蜂子不进巢")
    await page.get_by_text("未发出 · 点此重发").wait_for()
    async with page.world.working(say("先看巢门")):
        await page.context.set_offline(False)
        await page.get_by_text("先看巢门").wait_for()
    assert await page.get_by_text("未发出").count() == 0
    assert await page.get_by_text("蜂子不进巢", exact=True).count() == 1


async def test_a_lost_acknowledgement_makes_no_second_question(page):
    """The server took the message, but its answer never came back."""
    is_first = True

    async def lose_the_first(route):
        nonlocal is_first
        if is_first:
            is_first = False
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/send", lose_the_first)
    await ask(page, "蜂子不进巢")
    await page.get_by_text("未发出 · 点此重发").click()
    await page.get_by_text("未发出").wait_for(state="hidden")
    assert await page.get_by_text("蜂子不进巢", exact=True).count() == 1
    assert await page.world.work(say("先看巢门"))
    assert await page.world.work(say("先看巢门")) is None
    await page.get_by_text("先看巢门").wait_for()
    assert len(list(lines(await (await page.request.get(page.url)).text()))) == 2


async def test_an_unsent_question_outlives_a_reload(page):
    await page.route("**/send", lambda route: route.abort())
    await ask(page, "蜂子不进巢")
    await page.get_by_text("未发出").wait_for()
    await page.unroute("**/send")
    await page.reload()
    await page.get_by_text("未发出 · 点此重发").click()
    await page.get_by_text("未发出").wait_for(state="detached")
    assert (await page.world.work(say("好"))).text == "蜂子不进巢"


async def test_photos_are_shown_before_they_are_sent_and_shrunk(page, tmp_path):
    big = tmp_path / "big.png"
    big.write_bytes(photo(3000, 2200, "BMP"))
    await page.set_input_files("#photos", [big])
    await page.locator("#tray img").wait_for()
    await page.click("#send")
    await page.locator("article.mine[data-message]").wait_for()
    incoming = await page.world.work(say("收到"))
    assert len(incoming.attachments) == 1
    await page.locator("article.mine img[src^='/media/']").wait_for()


async def test_a_picture_fits_the_phone_and_a_tap_opens_it_whole(tmp_path):
    name = "sichuan-pepper/pepper-rust-1.jpg"
    shelf = {name: Picture(Media("image/jpeg", photo(1600, 1200)), 1600, 1200, "0a1b")}
    world = World(tmp_path, pictures=shelf.get)
    blocks = (*paragraphs("先看叶背"), Block("picture", "叶背的黄粉", name))
    async with world.served() as url, chromium() as page:
        await page.goto(url)
        async with world.working(lambda one: Turn((Outgoing(one.sender, blocks),))):
            await ask(page, "花椒叶子起粉")
            image = page.get_by_alt_text("叶背的黄粉")
            await image.wait_for()
        await page.wait_for_function("document.querySelector('figure img').complete")
        box = await image.bounding_box()
        assert box["width"] > 200
        assert box["x"] + box["width"] < 390
        assert round(box["width"] / box["height"], 1) == 1.3
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await image.click()
        await page.wait_for_url(f"**/pictures/0a1b/{name}")
        assert await page.evaluate("document.images[0].naturalWidth") == 1600
        await page.go_back()
        await page.get_by_alt_text("叶背的黄粉").wait_for()
    assert page.complaints == []
    world.close()


async def test_words_of_others_run_no_script(page):
    async with page.world.working(say("<img src=x onerror=\"document.title='坏'\">")):
        await ask(page, "<script>document.title='坏'</script>")
        await page.get_by_text("onerror").wait_for()
    assert await page.title() == "田问"
