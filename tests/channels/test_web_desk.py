"""The desk: who gets in, what he sees, what his forms lead to."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.domain import (
    Address,
    Attachment,
    CaseChange,
    CaseState,
    Event,
    Media,
    Outgoing,
    Reason,
    Turn,
    paragraphs,
)
from bot.errors import WindowClosed
from bot.store import State
from tests.channels.shots import blurred, jpeg, lit, shot
from tests.channels.web_world import NOW, World, case, photo, say

LI = Address("web", "li")


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, patience=timedelta(seconds=0.5))
    yield made
    made.close()


def shelves(page: str) -> dict[str, list[int]]:
    """The lists of the desk: case numbers by title."""
    found = re.findall(r'<section class="shelf [^"]*">\s*<h2>(\S+)(.*?)</section>', page, re.DOTALL)
    return {
        title: [int(one) for one in re.findall(r"<b>#(\d+)</b>", body)] for title, body in found
    }


# --- in and out


async def test_a_preview_of_the_link_does_not_use_it_up(world):
    code = world.store.accounts.invite("wang", NOW, valid=timedelta(days=1))
    for _ in range(3):
        assert (await world.browser().open(f"/desk/enter/{code}")).status_code == 200
    desk = world.browser()
    await desk.open(f"/desk/enter/{code}")
    entered = await desk.post(f"/desk/enter/{code}", {"csrf": desk.csrf})
    assert (entered.status_code, entered.headers["location"]) == (303, "/desk")
    assert "王瑞生" in (await desk.open("/desk")).text


async def test_the_link_works_once(world):
    code = world.store.accounts.invite("wang", NOW, valid=timedelta(days=1))
    answers = []
    for _ in range(2):
        desk = world.browser()
        await desk.open(f"/desk/enter/{code}")
        answers.append((await desk.post(f"/desk/enter/{code}", {"csrf": desk.csrf})).status_code)
    assert answers == [303, 410]


async def test_the_link_expires(world):
    code = world.store.accounts.invite("wang", NOW, valid=timedelta(hours=1))
    world.now = NOW + timedelta(hours=2)
    desk = world.browser()
    await desk.open(f"/desk/enter/{code}")
    entered = await desk.post(f"/desk/enter/{code}", {"csrf": desk.csrf})
    assert (entered.status_code, "用过或过期" in entered.text) == (410, True)


async def test_the_way_in_needs_its_own_page_first(world):
    code = world.store.accounts.invite("wang", NOW, valid=timedelta(hours=1))
    assert (await world.browser().post(f"/desk/enter/{code}", {"csrf": ""})).status_code == 403
    assert world.store.accounts.redeem(code, NOW) == "wang"  # still good


async def test_who_has_not_come_in_sees_no_desk(world):
    world.open_case()
    for path in ("/desk", "/desk/case/1", "/desk/knowledge", "/desk/events"):
        answer = await world.browser().open(path)
        assert (answer.status_code, "蜂子" in answer.text) == (401, False)


async def test_a_farmers_cookie_opens_no_desk(world):
    farmer = await world.farmer()
    token = farmer.http.cookies["tianwen_farmer"]
    farmer.http.cookies.set("tianwen_desk", token)
    assert (await farmer.open("/desk")).status_code == 401


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5000, "x", "-1", "1.0"])
async def test_a_case_number_beyond_all_bounds_is_no_page(world, number):
    desk = await world.at_desk()
    assert (await desk.open(f"/desk/case/{number}")).status_code == 404
    assert (await desk.post(f"/desk/case/{number}", {"csrf": "x"})).status_code == 404


async def test_after_leaving_the_cookie_is_worth_nothing(world):
    desk = await world.at_desk()
    token = desk.http.cookies["tianwen_desk"]
    left = await desk.post("/desk/logout", {"csrf": desk.csrf})
    assert "已退出" in left.text
    desk.http.cookies.set("tianwen_desk", token)
    assert (await desk.open("/desk")).status_code == 401


# --- lists


async def test_each_case_lies_on_its_shelf(world):
    for opened in (
        case(1),
        case(2, state=CaseState.ACCEPTED),
        case(3, state=CaseState.ASKED),
        case(4, state=CaseState.ANSWERED),
        case(5, state=CaseState.RESOLVED),
        case(6, is_urgent=True),
        case(7, holder="lv", state=CaseState.ACCEPTED),
        case(8, holder=None, state=CaseState.UNPLACED),
    ):
        world.open_case(opened)
    page = (await (await world.at_desk("wang")).open("/desk")).text
    assert shelves(page) == {"等您接": [6, 1], "您在办": [2, 3], "最近办完": [4, 5]}


async def test_a_dispatcher_sees_what_nobody_has_and_what_presses(world):
    for opened in (
        case(1),
        case(2, holder=None, state=CaseState.UNPLACED),
        case(3, state=CaseState.ACCEPTED, due_at=NOW - timedelta(minutes=1)),
        case(4, reminders=1),
        case(5, holder="zhao"),
        case(6, is_urgent=True),
        case(7, is_urgent=True, holder=None, state=CaseState.UNPLACED),
    ):
        world.open_case(opened)
    page = (await (await world.at_desk("zhao")).open("/desk")).text
    assert shelves(page) == {
        "紧急或超时": [6, 7, 3, 4],
        "等您接": [5],
        "您在办": [],
        "待分派": [2],
        "别人在办": [1],
        "最近办完": [],
    }


async def test_an_empty_desk_says_so(world):
    page = (await (await world.at_desk("lv")).open("/desk")).text
    assert "没有等您接的问题" in page
    assert shelves(page) == {"等您接": [], "您在办": [], "最近办完": []}


async def test_a_broken_edit_of_the_knowledge_is_shown(world):
    problems = [f"knowledge/a.md:{line}:1 错误" for line in range(1, 6)]
    note = {
        "ok": False,
        "revision": "r",
        "entries": 36,
        "problems": problems,
        "at": NOW.isoformat(),
    }
    world.store.notes.put("knowledge", note)
    desk = await world.at_desk()
    page = (await desk.open("/desk")).text
    assert "知识库有 5 处改错了，旧版仍在用（36 条）" in page
    assert ("a.md:3:1" in page, "a.md:4:1" in page) == (True, False)
    everything = (await desk.open("/desk/knowledge")).text
    assert ("a.md:5:1" in everything, "16:30" in everything) == (True, True)


async def test_good_knowledge_raises_no_banner(world):
    world.store.notes.put("knowledge", {"ok": True, "entries": 36, "problems": [], "at": None})
    page = (await (await world.at_desk()).open("/desk")).text
    assert ("改错了" in page, "36 条，正常" in page) == (False, True)


# --- one case


async def test_a_case_page_tells_all_that_helps(world):
    world.open_case(case(township="盘龙镇", is_urgent=True, due_at=NOW + timedelta(hours=1)))
    page = (await (await world.at_desk()).open("/desk/case/1")).text
    for words in (
        "蜂子满地爬",
        "盘龙镇",
        "养蜂",
        "紧急",
        Reason.UNSURE.value,
        "专长对口",
        "爬蜂病",
        "病群单独放",
        "17:30",
        "读作：蜂子满地爬",
    ):
        assert words in page


async def test_a_case_that_does_not_concern_him_is_as_good_as_none(world):
    world.open_case()
    desk = await world.at_desk("lv")
    foreign, missing = await desk.open("/desk/case/1"), await desk.open("/desk/case/99")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert "没有这个问题，或者它不归您办" in foreign.text
    assert foreign.text == missing.text.replace("/99", "/1")
    assert (await desk.act(1, "accept")).status_code == 404


async def test_who_had_a_case_before_may_look_but_not_act(world):
    world.open_case()
    world.change_case(1, Event.DECLINED, holder="lv", passed=("wang",))
    page = (await (await world.at_desk("wang")).open("/desk/case/1")).text
    assert "由吕玉奎负责，您可以看，不能答复" in page
    assert "<fieldset disabled>" in page
    assert page.count("<fieldset") == 1


async def test_who_passed_a_case_up_may_still_take_it_while_nobody_has(world):
    world.open_case()
    passed = {"holder": None, "passed": ("wang",), "state": CaseState.UNPLACED}
    world.change_case(1, Event.DECLINED, **passed)
    page = (await (await world.at_desk("wang")).open("/desk/case/1")).text
    assert re.findall(r'class="move (\w+)"', page) == ["accept", "answer", "entry", "ask"]


@pytest.mark.parametrize(
    ("who", "fields", "verbs"),
    [
        ("wang", {}, ["accept", "answer", "ask", "note", "decline", "assign"]),
        ("wang", {"state": CaseState.ACCEPTED}, ["answer", "ask", "note", "decline", "assign"]),
        ("wang", {"state": CaseState.RESOLVED}, ["answer", "ask", "note", "keep", "assign"]),
        (
            "wang",
            {"state": CaseState.RESOLVED, "is_kept": True},
            ["answer", "ask", "note", "assign"],
        ),
        ("zhao", {"state": CaseState.ANSWERED}, ["answer", "keep"]),
        ("zhao", {}, ["accept", "answer", "ask", "note", "decline"]),
        (
            "zhao",
            {"holder": None, "state": CaseState.UNPLACED},
            ["accept", "answer", "ask", "note"],
        ),
        ("lv", {"state": CaseState.ACCEPTED, "consulted": ("lv",)}, ["opine", "oppose"]),
        ("zhao", {"state": CaseState.ACCEPTED}, ["answer"]),
        ("wang", {"state": CaseState.CANCELLED}, ["answer", "assign"]),
    ],
)
async def test_the_forms_fit_the_state(world, who, fields, verbs):
    world.open_case(case(**fields))
    page = (await (await world.at_desk(who)).open("/desk/case/1")).text
    assert re.findall(r'name="press" value="(\w+)"', page) == verbs


async def test_an_answer_walks_the_same_pipe_and_its_effect_is_shown(world):
    world.open_case()
    desk = await world.at_desk()
    async with world.working(say("#1 已发给农户", case=1)):
        sent = await desk.act(1, "answer", "先看巢门", files=[("photos", ("a.jpg", photo()))])
    assert (sent.status_code, sent.headers["location"]) == (303, "/desk/case/1?after=0")
    incoming = world.last_incoming
    assert (incoming.sender, incoming.press) == (Address("desk", "wang"), "case:1:answer")
    assert (incoming.text, incoming.case, len(incoming.attachments)) == ("先看巢门", 1, 1)
    assert "#1 已发给农户" in (await desk.open(sent.headers["location"])).text


async def test_where_the_worker_is_slow_the_page_says_that_it_waits(world):
    world.open_case()
    desk = await world.at_desk()
    sent = await desk.act(1, "accept")
    page = (await desk.open(sent.headers["location"])).text
    assert "已收到，正在处理" in page
    await world.work(say("归您了", case=1))
    assert "归您了" in (await desk.open(sent.headers["location"])).text


async def test_a_form_sent_twice_acts_once(world):
    world.open_case()
    desk = await world.at_desk()
    fields = {"csrf": desk.csrf, "uid": str(uuid4()), "press": "accept"}
    await desk.post("/desk/case/1", fields)
    await desk.post("/desk/case/1", fields)
    assert await world.work(say("好"))
    assert await world.work(say("好")) is None


@pytest.mark.parametrize(
    ("verb", "text", "words"),
    [
        ("answer", " ", "还没有写答复"),
        ("ask", "", "还没有写要问什么"),
        ("decline", "", "为什么退回"),
        ("delete", "x", "认不出来"),
    ],
)
async def test_an_incomplete_form_is_refused_in_chinese(world, verb, text, words):
    world.open_case()
    sent = await (await world.at_desk()).act(1, verb, text)
    assert (sent.status_code, words in sent.text) == (400, True)
    assert await world.work(say("好")) is None


async def test_the_thread_shows_words_events_and_what_was_not_delivered(world):
    farmer = await world.farmer()
    await farmer.ask("<b>蜂子</b>不进巢")
    opened = case(farmer=replace(LI, user="?"))

    def escalate(incoming):
        taken = replace(opened, farmer=incoming.sender)
        world.farmer_address = incoming.sender
        return replace(
            say("已转")(incoming), changes=(change(taken, Event.OPENED, "农户"),), filed_under=1
        )

    await world.work(escalate)
    relay = Outgoing(
        world.farmer_address, paragraphs("王瑞生答复您：", "先看巢门"), case=1, purpose="relay"
    )
    desk = await world.at_desk()
    await desk.act(1, "answer", "先看巢门")
    found = world.store.cases.get(1)
    answered = change(replace(found, state=CaseState.ANSWERED), Event.ANSWERED, "wang")
    arrivals = world.store.inbox.claim(NOW, lease=timedelta(minutes=1))
    incoming = await world.desk.read(arrivals)
    world.store.inbox.save(
        Turn((relay,), changes=(answered,), filed_under=1), incoming, arrivals, NOW
    )
    due = world.store.outbox.due("web", NOW, lease=timedelta(minutes=1))
    world.store.outbox.hold(due.id, str(WindowClosed("left")), NOW)
    page = (await desk.open("/desk/case/1")).text
    assert "&lt;b&gt;蜂子&lt;/b&gt;不进巢" in page
    assert "王瑞生：答复" in page
    assert page.count("先看巢门") == 1  # as the relay, not again as his own words
    assert "未送达，农户下次来时补发" in page
    assert world.store.outbox.undelivered(1)[0].state is State.HELD


def change(changed, event, by):
    return CaseChange(changed, event, by)


# --- pictures


async def test_a_picture_is_seen_by_its_farmer_and_by_those_who_have_the_case(world):
    farmer = await world.farmer()
    await farmer.ask("看下", photos=[photo()])
    opened = {}

    def escalate(incoming):
        opened["case"] = case(farmer=incoming.sender, attachments=incoming.attachments)
        return Turn(changes=(change(opened["case"], Event.OPENED, "农户"),), filed_under=1)

    await world.work(escalate)
    path = f"/media/{opened['case'].attachments[0].media}"
    people = [farmer, await world.at_desk("wang"), await world.at_desk("zhao")]
    strangers = [await world.farmer(), await world.at_desk("lv"), world.browser()]
    assert [(await one.open(path)).status_code for one in people] == [200, 200, 200]
    assert [(await one.open(path)).status_code for one in strangers] == [404, 404, 404]


async def test_what_is_wrong_with_a_photo_stands_under_it_on_the_desk_alone(world):
    farmer = await world.farmer()
    await farmer.ask("看下", photos=[jpeg(shot("china")), jpeg(blurred(lit(shot("flower"), 0.3)))])

    def escalate(incoming):
        opened = case(farmer=incoming.sender, attachments=incoming.attachments)
        return Turn(changes=(change(opened, Event.OPENED, "农户"),), filed_under=1)

    await world.work(escalate)
    page = (await (await world.at_desk()).open("/desk/case/1")).text
    notes = re.findall(r'(<img src="[^"]+"[^>]*>)(?:<span class="flaw">([^<]+)</span>)?', page)
    assert [note for _, note in notes] == ["", "照片有点糊、偏暗"] * 2  # the question, the thread
    assert "flaw" not in (await farmer.open("/")).text


async def test_a_commissioners_own_photo_has_no_note(world):
    world.open_case()
    desk = await world.at_desk()
    await desk.open("/desk/case/1")
    await desk.act(1, "ask", "像这样", files=[("photos", ("1.jpg", photo()))])

    def relay(incoming):
        return Turn(
            (Outgoing(LI, paragraphs("好"), attachments=incoming.attachments, case=1),),
            filed_under=1,
        )

    incoming = await world.work(relay)
    assert incoming.attachments[0].flaws
    page = (await desk.open("/desk/case/1")).text
    assert incoming.attachments[0].media in page
    assert 'class="flaw"' not in page


@pytest.mark.parametrize(
    ("mime", "served", "kind"),
    [
        ("image/jpeg", "image/jpeg", "inline"),
        ("audio/ogg; codecs=opus", "audio/ogg", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
    ],
)
async def test_only_what_is_harmless_opens_in_the_browser(world, mime, served, kind):
    media = world.store.media.keep(Media(mime, b"<script>"), NOW)
    world.open_case(case(attachments=(Attachment("file", media, mime, "名字.html"),)))
    answer = await (await world.at_desk()).open(f"/media/{media}")
    assert answer.headers["content-type"] == served
    assert answer.headers["content-disposition"].startswith(f"{kind}; filename=")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")


async def test_words_that_need_a_second_look_are_sent_with_the_button_below_the_warning(world):
    world.open_case()
    browser = await world.at_desk()
    await browser.open("/desk/case/1")
    look = say("请再看一眼：甲胺磷", ("核对过了，发给农户", "case:1:sure"), case=1)
    async with world.working(look):
        response = await browser.act(1, "answer", "打甲胺磷")
    page = (await browser.open(response.headers["location"])).text
    assert "请再看一眼：甲胺磷" in page
    assert "核对过了，发给农户" in page
    async with world.working(say("已发给农户", case=1)):
        response = await browser.act(1, "sure")
    assert world.last_incoming.press == "case:1:sure"
    page = (await browser.open(response.headers["location"])).text
    assert "核对过了" not in page


async def test_a_case_is_handed_to_another_by_a_choice_of_names(world):
    world.open_case()
    browser = await world.at_desk()
    page = (await browser.open("/desk/case/1")).text
    assert '<option value="hand:lv">吕玉奎</option>' in page
    assert "hand:wang" not in page
    assert "hand:zhao" not in page
    async with world.working(say("已转给吕玉奎", case=1)):
        await browser.act(1, "hand:lv", "他懂药")
    assert (world.last_incoming.press, world.last_incoming.text) == ("case:1:hand:lv", "他懂药")


async def test_a_dispatcher_chooses_the_farmers_own_commissioner_and_others_ask_for_it(world):
    world.open_case(case(1, assigned="lv"))
    desk, browser = await world.at_desk("zhao"), await world.at_desk("wang")
    page = (await desk.open("/desk/case/1")).text
    assert "<dt>定点联系</dt><dd>吕玉奎</dd>" in page
    assert '<option value="assign:wang">王瑞生</option>' in page
    assert "assign:lv" not in page
    assert '<option value="unassign">取消定点</option>' in page
    async with world.working(say("定点给王瑞生了", case=1)):
        await desk.act(1, "assign:wang")
    assert world.last_incoming.press == "case:1:assign:wang"
    page = (await browser.open("/desk/case/1")).text
    assert 'name="press" value="assign"' in page
    assert "assign:wang" not in page
    world.change_case(1, assigned="wang")
    assert "assign" not in (await browser.open("/desk/case/1")).text


async def test_whoever_is_consulted_sees_the_case_and_a_disagreement_is_marked(world):
    world.open_case(case(consulted=("lv",), is_disputed=True, state=CaseState.ACCEPTED))
    browser = await world.at_desk("lv")
    assert '<span class="tag red">分歧待定</span>' in (await browser.open("/desk/case/1")).text
    async with world.working(say("记下了", case=1)):
        await browser.act(1, "opine", "看着像药害")
    assert (world.last_incoming.press, world.last_incoming.text) == ("case:1:opine", "看着像药害")


async def test_an_entry_and_an_answer_to_a_like_question_are_choices(world):
    world.open_case(case(1, state=CaseState.ANSWERED, answer="先换箱", question="蜂子满地爬咋办"))
    world.open_case(case(2, state=CaseState.ACCEPTED, question="我家蜂子满地爬咋办"))
    browser = await world.at_desk()
    page = (await browser.open("/desk/case/2")).text
    assert '<option value="as:1">#1 先换箱</option>' in page
    assert '<option value="entry:bee-crawling">爬蜂病</option>' in page
    async with world.working(say("已发给农户", case=2)):
        await browser.act(2, "as:1")
    assert world.last_incoming.press == "case:2:as:1"


async def test_a_reply_is_kept_from_its_case_and_the_subject_picked_where_it_has_none(world):
    world.open_case(case(state=CaseState.ANSWERED, domain=None))
    desk = await world.at_desk()
    assert "收进知识库" in (await desk.open("/desk/case/1")).text
    choices = [("养蜂", "case:1:keep:beekeeping"), ("花椒", "case:1:keep:sichuan-pepper")]
    async with world.working(say("#1 收进哪个领域？", *choices, case=1)):
        asked = await desk.act(1, "keep")
        assert world.last_incoming.press == "case:1:keep"
        page = (await desk.open(asked.headers["location"])).text
        assert re.findall(r'name="press" value="(keep:[\w-]+)"', page) == [
            "keep:beekeeping",
            "keep:sichuan-pepper",
        ]
        await desk.act(1, "keep:sichuan-pepper")
    assert world.last_incoming.press == "case:1:keep:sichuan-pepper"
