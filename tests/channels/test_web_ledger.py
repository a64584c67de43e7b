"""The ledger at the desk: who sees whose, what counts, what its forms lead to."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.channels.base import write_own
from bot.domain import (
    Address,
    Answer,
    Arrival,
    Clarify,
    Deed,
    Entered,
    Match,
    Outgoing,
    Turn,
    paragraphs,
)
from tests.channels.web_world import ENTRY, NOW, World, say

ANSWERED = {
    "question": "蜂子满地爬",
    "answer": "先把病群<b>搬开</b>",
    "domain": "beekeeping",
    "township": "盘龙镇",
}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, patience=timedelta(seconds=0.5))
    yield made
    made.close()


def enter(world, deed=Deed.SERVICE, who="wang", *, case=None, about=None, now=NOW, **proof):
    return world.store.ledger.add(Entered(deed, who, who, case, about, proof), now)


async def post(browser, press, text, of=""):
    form = {"csrf": browser.csrf, "uid": str(uuid4()), "press": press, "text": text}
    return await browser.post(f"/desk/ledger?of={of}", form)


async def page(browser, path="/desk/ledger"):
    response = await browser.open(path)
    assert response.status_code == 200
    return response.text


async def test_a_commissioner_sees_what_counts_and_what_is_missing(world):
    enter(world, case=1, **ANSWERED)
    enter(world, case=1, **ANSWERED)
    enter(world, Deed.SUGGESTION, text="给新手办一次蜂螨防治现场课")
    enter(world, who="lv", case=9, question="花椒的事")
    text = await page(await world.at_desk())
    assert "服务次数</b> 1 / 24" in text
    assert "还差 23" in text
    assert "建议</b> 1 / 2" in text
    assert "同一个问题，不重复算" in text
    assert "盘龙镇" in text
    assert "养蜂" in text
    assert "先把病群&lt;b&gt;搬开" in text
    assert "花椒的事" not in text


async def test_a_farmers_rating_stands_beside_the_answer(world):
    enter(world, case=1, **ANSWERED)
    enter(world, Deed.RATED, case=1, rating=1)
    enter(world, Deed.RATED, case=1, rating=1, reason="听不懂")
    assert "农户评 1 分（听不懂）" in await page(await world.at_desk())


async def test_an_empty_ledger_says_how_it_fills(world):
    assert "答复送到农户手上，这里就会有一笔" in await page(await world.at_desk())


async def test_nobody_sees_anothers_ledger_but_a_dispatcher(world):
    enter(world, case=1, **ANSWERED)
    other = await world.at_desk("lv")
    assert (await other.open("/desk/ledger/wang")).status_code == 404
    assert (await other.open("/desk/ledger/nobody")).status_code == 404
    dispatcher = await world.at_desk("zhao")
    assert "蜂子满地爬" in await page(dispatcher, "/desk/ledger/wang")
    assert (await world.browser().open("/desk/ledger")).status_code == 401


async def test_a_dispatcher_sees_everybody_and_that_nothing_was_changed(world):
    last = enter(world, case=1, **ANSWERED)
    text = await page(await world.at_desk("zhao"))
    rows = re.findall(r"<tr><th><a[^>]*>(\S+?)</a></th><td>(\d+)</td><td>(\d+)</td>", text)
    assert rows == [("吕玉奎", "0", "24"), ("王瑞生", "1", "23")]
    assert "一共 1 笔，逐笔核对过印记，没有动过" in text
    assert last.seal[:16] in text


async def test_a_dispatcher_is_told_what_was_tampered_with(world):
    enter(world, case=1, **ANSWERED)
    with world.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET commissioner = 'lv'")
    assert "印记核对不上：第 1 笔" in await page(await world.at_desk("zhao"))


async def test_years_are_kept_apart(world):
    enter(world, case=1, **ANSWERED)
    world.now = NOW.replace(year=2027)
    browser = await world.at_desk()
    assert "蜂子满地爬" not in await page(browser)
    assert "蜂子满地爬" in await page(browser, "/desk/ledger?year=2026")
    assert "2027 年台账" in await page(browser, "/desk/ledger?year=1999")


async def test_a_suggestion_goes_to_the_conversation_as_words(world):
    browser = await world.at_desk()
    await page(browser)
    async with world.working(say("建议记进台账了")):
        response = await post(browser, "suggest", "给新手办一次现场课")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/desk/ledger/wang?after=")
    incoming = world.last_incoming
    assert (incoming.text, incoming.press) == ("/suggest 给新手办一次现场课", None)
    assert "建议记进台账了" in await page(browser, response.headers["location"])


async def test_a_ruling_goes_to_the_conversation_as_a_button_with_its_reason(world):
    enter(world, case=1, **ANSWERED)
    browser = await world.at_desk("zhao")
    text = await page(browser, "/desk/ledger/wang")
    assert 'value="ledger:1:strike:针对性"' in text
    assert "申诉" not in text
    async with world.working(lambda incoming: Turn()):
        response = await post(browser, "ledger:1:strike:针对性", "没答到问题", of="wang")
    assert response.headers["location"].startswith("/desk/ledger/wang?after=")
    assert world.last_incoming.press == "ledger:1:strike:针对性"
    assert world.last_incoming.text == "没答到问题"


async def test_what_was_struck_shows_its_reason_and_can_be_appealed_by_its_owner(world):
    enter(world, case=1, **ANSWERED)
    enter(world, Deed.STRUCK, about=1, reason="没答到问题", criterion="针对性")
    text = await page(await world.at_desk())
    assert "已记为无效" in text
    assert "（针对性）：没答到问题" in text
    assert 'value="ledger:1:appeal"' in text
    assert 'value="ledger:1:restore"' in await page(
        await world.at_desk("zhao"), "/desk/ledger/wang"
    )


@pytest.mark.parametrize(
    ("press", "text", "status"),
    [("burn", "话", 400), ("suggest", "", 400), ("ledger:1:strike", " ", 400)],
)
async def test_other_buttons_and_empty_words_are_refused(world, press, text, status):
    browser = await world.at_desk()
    await page(browser)
    assert (await post(browser, press, text)).status_code == status
    assert world.store.inbox.tally() == {}


async def test_a_strange_return_address_leads_to_ones_own_page(world):
    browser = await world.at_desk()
    await page(browser)
    async with world.working(say("好")):
        response = await post(browser, "suggest", "给新手办一次现场课", of="//evil.example")
    assert response.headers["location"].startswith("/desk/ledger/wang?")


async def test_a_visit_is_told_in_a_form_and_written_at_the_second_look(world):
    browser = await world.at_desk()
    text = "今天 盘龙镇 农户：张三 40分钟 教他清园"
    looked = say("请看一眼", ("记进台账", "visit:save"))
    async with world.working(looked):
        await page(browser)
        sent = await post(browser, "visit:came", text, of="wang")
    assert (world.last_incoming.press, world.last_incoming.text) == (None, f"记走访 {text}")
    shown = await page(browser, sent.headers["location"])
    assert 'value="visit:save"' in shown
    async with world.working(say("记进台账了")):
        await post(browser, "visit:save", "", of="wang")
    assert world.last_incoming.press == "visit:save"


async def test_a_visit_in_the_ledger_shows_what_was_done_and_what_the_farmer_said(world):
    told = {"day": "2026-06-30", "minutes": 40, "farmer_name": "张三", "farmer": "web:li"}
    visit = enter(world, Deed.VISIT, done="教他清园", **told)
    enter(world, Deed.DENIED, about=visit.number)
    text = await page(await world.at_desk())
    for words in ("教他清园", "2026-06-30 张三，40 分钟", "农户说没有", "已记为无效"):
        assert words in text
    assert "服务次数</b> 0 / 24" in text


async def test_a_draft_of_a_suggestion_is_asked_for_without_words(world):
    browser = await world.at_desk()
    await page(browser)
    async with world.working(say("建议：今年……")):
        assert (await post(browser, "suggest:draft", "")).status_code == 303
    assert world.last_incoming.text.strip() == "/suggest"


async def test_later_uses_of_what_he_wrote_stand_there_and_are_no_services(world):
    shown = await page(await world.at_desk())
    assert "传播量 0" in shown
    match = Match(ENTRY, 1.0, "")
    for decision in (Answer(match), Clarify((match,)), Answer(match, is_picked=True)):
        world.store.inbox.receive(Arrival("web", str(uuid4()), "li", write_own(text="x")), NOW)
        told = Turn((Outgoing(Address("web", "li"), paragraphs("x")),), decision=decision)
        await world.work(lambda _, turn=told: turn)
    shown = await page(await world.at_desk())
    assert "传播量 2" in shown
    assert "服务次数</b> 0 / 24" in shown
    assert "传播量 0" in await page(await world.at_desk("lv"))
