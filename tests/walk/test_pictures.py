"""A picture all the way through the real `tianwen serve`: from the knowledge folder to a chat and
a page, and again when staff replace it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from uuid import uuid4

import httpx

from tests.channels.fake_telegram import FakeTelegram
from tests.channels.telegram_world import ALICE
from tests.channels.web_world import photo
from tests.walk.homes import furnish
from tests.walk.processes import Serving
from tests.walk.samples import known
from tests.walk.village import core_of, text_of, until

CAPTION = "叶背的样子"


def with_picture(home: Path) -> tuple[str, Path]:
    """A question, and the picture that its answer shows."""
    question, entry = known(core_of(home))
    folder = home / "knowledge" / entry.domain
    path = folder / "pictures" / "leaf-1.jpg"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(photo(320, 240))
    with (folder / f"{entry.id}.md").open("a", encoding="utf-8") as text:
        text.write(f"\n![{CAPTION}](leaf-1.jpg)\n")
    return question, path


async def shown(browser: httpx.AsyncClient, *, other_than: str = "") -> str:
    """The address of the picture on the page."""
    async with asyncio.timeout(30):
        while True:
            found = re.search(r'<img src="(/pictures/[^"]+)"', (await browser.get("/")).text)
            if found and found[1] != other_than:
                return found[1]
            await asyncio.sleep(0.1)


async def test_a_picture_reaches_page_and_chat_and_a_new_one_replaces_it(
    tmp_path: Path, telegram: FakeTelegram
) -> None:
    settings = {"base_url": f"{telegram.url}/bot", "base_file_url": f"{telegram.url}/file/bot"}
    home = furnish(tmp_path / "home", telegram=settings, answers={"whole_within": 4000})
    question, path = with_picture(home)
    server = Serving(home, f"sqlite:///{tmp_path}/walk.db", log=tmp_path / "log")
    server.start()
    await server.is_open()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as browser:
        csrf = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/")).text)
        await browser.post("/send", data={"csrf": csrf[1], "uid": str(uuid4()), "text": question})
        await telegram.says(ALICE, question)

        first = await shown(browser)
        assert (await browser.get(first)).content == path.read_bytes()
        (picture,) = await until(lambda: telegram.calls("sendPhoto"), lambda: telegram.sent)
        assert (picture.fields["caption"], picture.files) == (CAPTION, {"photo": path.read_bytes()})
        assert CAPTION not in text_of(telegram.sent[-2])
        assert "reply_markup" in telegram.sent[-2]

        path.write_bytes(photo(300, 300))
        second = await shown(browser, other_than=first)
        assert (await browser.get(second)).content == path.read_bytes()
    assert await server.stop() == 0
