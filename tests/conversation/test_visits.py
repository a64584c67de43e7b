"""Field visits and calls: told in the chat, looked at once more, confirmed by the farmer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.conversation.visits import Visits
from bot.domain import Context, Deed, Entered, Line
from tests.cast import (
    DESK_CHAT,
    LI,
    NOW,
    PHOTO,
    UNKNOWN_BEES,
    WANG,
    WANG_CHAT,
    ZHANG,
    Village,
    buttons,
    desk,
    lexicon,
    phrases,
    said,
    told,
)

WHOLE = "记走访 11月20日 盘龙镇 农户：张三 40分钟 看了花椒锈病，教他清园"


@pytest.fixture
def village():
    return Village()


def missing(deed, *what):
    asked = "；".join(said(f"visit.no_{one}") for one in what)
    return said("visit.missing", deed=deed.value, missing=asked)


def read(text):
    return Visits(desk(), lexicon(), phrases()).read(text, Context(NOW), None)


def test_a_whole_visit_is_shown_and_written_only_at_the_second_word(village):
    shown = village.says(WANG_CHAT, WHOLE, attachments=(PHOTO,))
    [text] = told(shown, WANG_CHAT)
    for words in ("走访 11-20 盘龙镇 张三", "40 分钟", "看了花椒锈病，教他清园", "照片 1 张"):
        assert words in text
    assert (shown.entered, buttons(shown, WANG_CHAT)) == ((), ["visit:save"])
    [entered] = village.presses(WANG_CHAT, "visit:save").entered
    assert (entered.deed, entered.commissioner, entered.media) == (
        Deed.VISIT,
        WANG.id,
        ("media-1",),
    )
    assert {
        "day": "2026-11-20",
        "minutes": 40,
        "farmer_name": "张三",
    }.items() <= entered.proof.items()
    assert village.presses(WANG_CHAT, "visit:save").entered == ()


def test_what_is_missing_is_asked_for_and_joins(village):
    first = village.says(WANG_CHAT, "/log 昨天 李大姐")
    assert told(first, WANG_CHAT) == [missing(Deed.VISIT, "township", "minutes", "done")]
    second = village.says(WANG_CHAT, "吴家镇，一个小时")
    assert told(second, WANG_CHAT) == [missing(Deed.VISIT, "done")]
    village.says(WANG_CHAT, location=(29.4, 105.6))
    village.says(WANG_CHAT, "教她换蜂王和清巢")
    [entered] = village.presses(WANG_CHAT, "visit:save").entered
    assert entered.proof["day"] == "2026-11-22"
    assert (entered.proof["minutes"], entered.proof["farmer_name"]) == (60, "李大姐")
    assert entered.proof["location"] == (29.4, 105.6)
    assert entered.proof["done"] == "教她换蜂王和清巢"


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("40分钟", 40),
        ("半小时", 30),
        ("两个小时", 120),
        ("1小时半", 90),
        ("三个钟头", 180),
        ("", 0),
    ],
)
def test_time_is_read_as_people_say_it(words, minutes):
    assert read(f"记走访 {words} 看树").minutes == minutes


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("", date(2026, 11, 23)),
        ("前天", date(2026, 11, 21)),
        ("11月3日", date(2026, 11, 3)),
        ("2026-11-3", date(2026, 11, 3)),
        ("11/3", date(2026, 11, 3)),
        ("11月30日", None),
        ("9月30日", None),
        ("2025年11月30日", None),
        ("11月31日", None),
        ("1-2天浇一次，3.5亩", date(2026, 11, 23)),
    ],
)
def test_the_day_is_one_of_this_year_not_long_ago(words, day):
    assert read(f"记走访 {words}").day == day


@pytest.mark.parametrize(
    ("words", "farmer"),
    [
        ("盘龙镇张大爷", "张大爷"),
        ("兴旺合作社", "兴旺合作社"),
        ("农户: 李四家", "李四家"),
        ("", ""),
    ],
)
def test_the_farmer_is_read(words, farmer):
    assert read(f"记电话 {words} 20分钟").farmer == farmer


def test_a_visit_about_a_case_is_confirmed_by_its_farmer(village):
    village.says(LI, UNKNOWN_BEES)
    village.says(WANG_CHAT, "#1 记电话 盘龙镇 20分钟 教她先关小巢门")
    turn = village.presses(WANG_CHAT, "visit:save")
    [entered] = turn.entered
    assert (entered.deed, entered.case, entered.proof["farmer"]) == (Deed.CALL, 1, str(LI))
    number = turn.replies[-1].buttons[0].action.split(":")[1]
    assert buttons(turn, LI) == [f"visit:{number}:yes", f"visit:{number}:no"]
    village.ledger = (Line(7, NOW, entered, ""),)
    assert village.presses(ZHANG, f"visit:{number}:no").entered == ()
    denied = village.presses(LI, f"visit:{number}:no")
    [line] = denied.entered
    assert (line.deed, line.about, line.commissioner) == (Deed.DENIED, 7, WANG.id)
    words = said("visit.denied", number=7, who="王瑞生")
    assert told(denied, WANG_CHAT) == told(denied, DESK_CHAT) == [words]
    village.ledger += (Line(8, NOW, line, ""),)
    assert village.presses(LI, f"visit:{number}:yes").entered == ()


def test_turning_to_something_else_leaves_the_visit(village):
    village.says(WANG_CHAT, "记走访 今天")
    assert village.says(WANG_CHAT, "我的问题").memory.intent is None
    assert village.presses(WANG_CHAT, "visit:save").entered == ()


def test_words_to_a_farmer_about_a_call_are_no_call(village):
    village.says(LI, UNKNOWN_BEES)
    turn = village.says(WANG_CHAT, "#1 电话：打我手机细说")
    assert any("打我手机细说" in text for text in told(turn, LI))


def test_a_visit_told_without_a_case_asks_no_farmer(village):
    village.says(WANG_CHAT, WHOLE)
    turn = village.presses(WANG_CHAT, "visit:save")
    assert [reply.to for reply in turn.replies] == [WANG_CHAT]
    assert replace(turn.entered[0], proof={}, media=()) == Entered(Deed.VISIT, WANG.id, WANG.id)
