"""The farmer's page: asking, pressing, photos, and what stands there after a reload."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.channels.web.pages import moment
from bot.domain import Address, Block, Outgoing, Turn
from tests.channels.web_world import NOW, World, lines, photo, say

NASTY = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


async def test_a_question_and_its_answer_stand_on_the_page_after_a_reload(world):
    farmer = await world.farmer()
    assert (await farmer.ask("蜂子不进巢")).json() == {"message": 1}
    await world.work(say("先看巢门", ("有用", "useful:1")))
    page = await farmer.open("/")
    assert list(lines(page.text)) == [
        "16:30 我 我说： 蜂子不进巢",
        "16:30 田 田问说： 先看巢门 有用",
    ]
    assert 'data-after="2"' in page.text


async def test_a_question_is_on_the_page_before_any_worker_has_seen_it(world):
    farmer = await world.farmer()
    await farmer.ask("蜂子不进巢")
    page = await farmer.open("/")
    assert list(lines(page.text)) == ["16:30 我 我说： 蜂子不进巢"]
    assert re.search(r'id="typing"[^>]*>', page.text)[0].endswith('typing">')  # not hidden


async def test_the_same_message_sent_again_is_taken_once(world):
    farmer = await world.farmer()
    uid = str(uuid4())
    first = await farmer.ask("蜂子不进巢", uid=uid)
    second = await farmer.ask("蜂子不进巢", uid=uid)
    assert (first.json(), second.json()) == ({"message": 1}, {"message": None})
    assert await world.work(say("好"))
    assert await world.work(say("好")) is None


async def test_two_farmers_may_use_the_same_uid(world):
    li, zhou = await world.farmer(), await world.farmer()
    uid = str(uuid4())
    assert (await li.ask("一", uid=uid)).json()["message"]
    assert (await zhou.ask("二", uid=uid)).json()["message"]


async def test_another_farmer_sees_nothing_of_it(world):
    li, zhou = await world.farmer(), await world.farmer()
    await li.ask("蜂子不进巢")
    await world.work(say("先看巢门"))
    assert list(lines((await zhou.open("/")).text)) == []


async def test_it_works_without_script(world):
    farmer = await world.farmer()
    fields = {"csrf": farmer.csrf, "uid": str(uuid4()), "text": "蜂子不进巢"}
    sent = await farmer.post("/send", fields)
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    page = await farmer.open("/")
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text
    await world.work(say("先看巢门"))
    assert "先看巢门" in (await farmer.open("/")).text


async def test_a_press_marks_its_button_and_greys_the_others(world):
    farmer = await world.farmer()
    await farmer.ask("蜂子不进巢")
    await world.work(say("先看巢门", ("有用", "useful:1"), ("没解决", "unsolved:1")))
    await farmer.ask(press="useful:1")
    assert (await world.work(say("不客气"))).press == "useful:1"
    page = (await farmer.open("/")).text
    assert 'value="useful:1" disabled class="chosen">有用</button>' in page
    assert 'value="unsolved:1" disabled>没解决</button>' in page
    assert len(list(lines(page))) == 3  # the press is no bubble of its own


async def test_a_press_marks_the_newest_message_that_has_the_button(world):
    farmer = await world.farmer()
    await farmer.ask("蜂子不进巢")
    for text in ("答复一", "答复二"):
        await world.work(say(text, ("没解决", "case:1:unsolved")))
        await farmer.ask(press="case:1:unsolved")
    await world.work(say("好"))
    assert (await farmer.open("/")).text.count('class="chosen"') == 2


async def test_blocks_become_paragraphs_headings_and_lists(world):
    blocks = (
        Block("paragraph", "先看巢门"),
        Block("heading", "怎么办"),
        Block("item", "一"),
        Block("item", "二"),
    )
    farmer = await world.farmer()
    await farmer.ask("?")
    await world.work(lambda incoming: Turn((Outgoing(incoming.sender, blocks),)))
    page = re.sub(r">\s+<", "><", (await farmer.open("/")).text)
    expected = "先看巢门</p><h3>怎么办</h3><ul><li>一</li><li>二</li></ul>"
    assert expected in page


async def test_dialling_120_is_one_press(world):
    farmer = await world.farmer()
    await farmer.ask("遭蜂子锥了，气紧")
    await world.work(say("立即拨打120！<b>"))
    page = (await farmer.open("/")).text
    assert '立即拨打<a href="tel:120">120</a>！&lt;b&gt;' in page


async def test_whatever_people_write_stays_text(world):
    farmer = await world.farmer()
    await farmer.ask(NASTY)
    await world.work(say(NASTY, (NASTY[:20], "x:" + NASTY[:20])))
    page = (await farmer.open("/")).text
    assert NASTY not in page
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;alert(1)") == 4


async def test_photos_arrive_cleaned_and_are_shown_at_once(world):
    farmer = await world.farmer()
    await farmer.ask("看下", photos=[photo(), photo(kind="PNG")])
    page = (await farmer.open("/")).text
    media = re.findall(r'<img src="(/media/[^"]+)"', page)
    assert len(media) == 2
    seen = await farmer.open(media[1])
    assert (seen.headers["content-type"], seen.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    incoming = await world.work(say("好"))
    assert [one.kind for one in incoming.attachments] == ["photo", "photo"]
    assert (await farmer.open(media[0])).status_code == 200


async def test_one_bad_photo_refuses_the_message_and_keeps_nothing(world):
    farmer = await world.farmer()
    sent = await farmer.ask("看下", photos=[photo(), b"no photo"])
    assert sent.status_code == 400
    assert "不是能看的照片" in sent.json()["error"]
    assert await world.work(say("好")) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  "}, "还没有写内容"),
        ({"text": "长" * 4001}, "最多 4000 字"),
        ({"text": "x" * 70_000}, "没有收下"),
        ({"text": "好", "uid": "../../etc"}, "请刷新"),
        ({"press": "x" * 65}, "认不出来"),
        ({"text": "好", "photos": [photo()] * 10}, "最多发 9 张"),
        ({"text": "好", "photos": [photo()] * 20}, "没有收下"),
        ({"text": "好", "photos": [b"x" * 10_485_761]}, "超过 10 MB"),
    ],
)
async def test_what_goes_beyond_a_limit_is_refused_in_chinese(world, fields, words):
    farmer = await world.farmer()
    sent = await farmer.ask(**fields)
    assert (sent.status_code, words in sent.json()["error"]) == (400, True)


async def test_a_commissioners_words_are_marked_as_a_persons(world):
    farmer = await world.farmer()
    await farmer.ask("蜂子不进巢")
    await world.work(say("王瑞生答复您", purpose="relay"))
    assert 'class="bubble relay"' in (await farmer.open("/")).text


async def test_the_welcome_offers_examples_only_to_newcomers(world):
    farmer = await world.farmer()
    assert "点一个试试" in (await farmer.open("/")).text
    await farmer.ask("蜂子不进巢")
    assert "点一个试试" not in (await farmer.open("/")).text


async def test_times_stand_only_after_a_pause(world):
    farmer = await world.farmer()
    for minutes in (0, 1, 30):
        world.now = NOW + timedelta(minutes=minutes)
        await farmer.ask(f"第 {minutes} 分钟")
        await world.work(lambda incoming: Turn())
    stamps = re.findall(r"<time class=\"stamp\"[^>]*>", (await farmer.open("/")).text)
    assert ["hidden" in stamp for stamp in stamps[:3]] == [False, True, False]


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "16:30"),
        (timedelta(hours=16), "00:30"),
        (timedelta(hours=17), "昨天 23:30"),
        (timedelta(days=3), "6月28日 16:30"),
        (timedelta(days=300), "2025年9月4日 16:30"),
    ],
)
def test_a_time_reads_as_people_say_it(ago, words):
    assert moment(NOW - ago, NOW) == words


async def test_sending_to_nobody_listening_is_no_error(world):
    receipt = await world.chat.send(Outgoing(Address("web", "li"), (Block("paragraph", "好"),)))
    assert receipt.ids == ()
