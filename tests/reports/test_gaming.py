"""What of a ledger is shown to somebody for a look, and what honest work never is."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta

import pytest

from bot.domain import CHINA, Deed, Entered, Incoming, Line
from bot.escalation.ledger import Targets, standing
from bot.escalation.letters import Letters
from bot.escalation.roster import Roster
from bot.reports.gaming import Flag, flags, reply
from bot.reports.likeness import alike, grams, jaccard
from tests.cast import ADDRESSES, DESK_CHAT, LV, PEOPLE, WANG, WANG_CHAT, a_case, naming, phrases

MARCH = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
SPIEL = "您好，感谢您的咨询，请按技术规程操作，注意安全，有问题随时联系我。"
QUESTIONS = (
    "蜂子满地爬飞不起来",
    "花椒叶子背面一层黄粉",
    "柑子啥时候卖划得来",
    "蜂王不下蛋咋个办",
    "箱子里头有虫在啃脾",
)
ADVICE = (
    "先把病群搬到一边，换干净的箱，子脾上的死虫烧掉，三天后我再来看。",
    "下雨以前打一回石硫合剂，把落叶扫拢烧了，明年春天再看。",
    "先莫急到卖，等过了元旦价钱好点，分级装箱，坏果捡出来。",
    "换一只新王，老王囚起来，等新王交尾回来再杀，喂点糖水。",
    "那是巢虫，把脾拿出来冻一天一夜，箱底扫干净，群势弱的合并。",
)


def line(number, *, question, answer, who=WANG.id, farmer=None, at=None, hours=5.0, **proof):
    at = at or MARCH + timedelta(days=3 * number)
    proof |= {
        "farmer": farmer or f"web:farmer-{number}",
        "question": question,
        "answer": f"科技特派员王瑞生答复您的问题 #{number}：\n\n{answer}",
        "asked_at": (at - timedelta(hours=hours)).isoformat(),
    }
    return Line(number, at, Entered(Deed.SERVICE, who, who, number, proof=proof), "")


def honest(first=1, count=5, **more):
    return [
        line(n, question=QUESTIONS[n % 5], answer=ADVICE[n % 5], **more)
        for n in range(first, first + count)
    ]


def seen(*lines, addresses=ADDRESSES):
    people = dict.fromkeys(one.entered.commissioner for one in lines)
    year = [standing(who, lines, 2026, Targets()) for who in people]
    return flags(year, addresses)


def test_one_reply_to_different_questions_is_shown_with_its_lines():
    copies = [
        line(n, question=QUESTIONS[n % 5], answer=f"{SPIEL}{n}", at=MARCH + timedelta(days=n))
        for n in range(10, 15)
    ]
    what = f"5 个不同的问题，答复差不多一字不改：“{SPIEL[:16]}…”"
    assert seen(*honest(), *copies) == [Flag(WANG.id, what, (10, 11, 12, 13, 14))]


def test_one_reply_to_one_question_of_many_farmers_is_good_work():
    words = ("蜂子满地爬飞不起来", "蜂子在地上爬飞不起来", "我的蜂子满地爬，飞不起来")
    same = [line(n, question=words[n % 3], answer=ADVICE[0]) for n in range(1, 31)]
    assert seen(*same) == []


def test_the_head_that_every_answer_has_makes_none_alike():
    said = [line(n, question=QUESTIONS[n], answer=ADVICE[n]) for n in range(5)]
    assert [reply(one) for one in said] == list(ADVICE)
    letters = Letters(Roster(PEOPLE), phrases(), naming())
    relayed = letters.relay(a_case(12), "case.answer", Incoming(1, WANG_CHAT, ADVICE[0]))
    sent = Entered(Deed.SERVICE, WANG.id, WANG.id, 12, proof={"answer": relayed.text})
    assert reply(Line(1, MARCH, sent, "")) == ADVICE[0]


def test_replies_of_a_word_or_two_are_shown_unless_a_picture_says_it():
    short = [
        line(n, question=QUESTIONS[n], answer=w) for n, w in enumerate(["谢谢", "收到！", "好的"])
    ]
    [flag] = seen(*short)
    assert flag.lines == (0, 1, 2)
    assert "3 次答复只有几个字" in flag.what
    assert "“谢谢”" in flag.what
    pictured = [
        line(n, question=QUESTIONS[n], answer="看图", evidence={"m": "sha"}) for n in range(4)
    ]
    assert seen(*pictured) == []


def test_a_rush_at_the_end_of_the_year_is_shown_but_not_where_the_ledger_is_young():
    early = honest(1, 4)
    december = datetime(2026, 12, 5, 9, 0, tzinfo=CHINA)
    late = [
        line(
            n, question=QUESTIONS[n % 5], answer=ADVICE[n % 5], at=december + timedelta(days=n - 9)
        )
        for n in range(10, 30)
    ]
    assert seen(*early, *late) == [
        Flag(WANG.id, "全年 24 次服务，有 20 次在年底最后 28 天", tuple(range(10, 30)))
    ]
    assert seen(*late) == []


def test_even_work_all_year_is_no_rush():
    assert seen(*honest(1, 100)) == []


def test_the_same_farmer_again_and_again_is_shown():
    friend = honest(20, 6, farmer="web:friend")
    [flag] = seen(*honest(1, 5), *friend)
    assert flag == Flag(WANG.id, "11 次服务里有 6 次是同一个农户", tuple(range(20, 26)))
    assert seen(*honest(1, 30), *honest(40, 4, farmer="web:friend")) == []


def test_a_farmer_whom_only_he_answers_within_minutes_is_shown():
    quick = honest(60, 6, farmer="web:friend", hours=0.03)
    [flag] = seen(*honest(1, 50), *quick)
    assert flag.what == "同一个农户问了 6 次，都是他答，6 次 5 分钟内就答了"
    other = line(90, question=QUESTIONS[0], answer=ADVICE[0], who=LV.id, farmer="web:friend")
    assert seen(*honest(1, 50), *quick, other) == []


@pytest.mark.parametrize(
    ("farmer", "word"), [(WANG_CHAT, "他自己的账号"), (DESK_CHAT, "别的特派员或分诊员的账号")]
)
def test_a_question_from_the_accounts_of_our_own_people_is_shown(farmer, word):
    asked = line(7, question=QUESTIONS[0], answer=ADVICE[0], farmer=str(farmer))
    [flag] = seen(*honest(), asked)
    assert flag.lines == (7,)
    assert word in flag.what


def test_groups_are_those_that_comparing_every_pair_would_give():
    chance = random.Random(3)
    texts = ["".join(chance.choices("蜂箱病虫水糖", k=chance.randint(1, 9))) for _ in range(200)]
    for at in (0.3, 0.5, 0.8, 1.0):
        assert alike(texts, at=at, size=2) == _by_every_pair(texts, at)


def _by_every_pair(texts, at):
    groups = {}
    for place, text in enumerate(texts):
        scores = {first: jaccard(grams(text, 2), grams(texts[first], 2)) for first in groups}
        best = max(scores, key=lambda first: (scores[first], -first), default=None)
        if best is not None and scores[best] >= at:
            groups[best].append(place)
        else:
            groups[place] = [place]
    return list(groups.values())


def test_a_district_of_thousands_of_lines_is_looked_through_in_seconds():
    chance = random.Random(1)
    words = [chr(0x4E00 + chance.randrange(2000)) for _ in range(600)]
    lines = [
        line(
            n, question="".join(chance.choices(words, k=15)), answer=f"{SPIEL}{n}", who=f"p{n % 3}"
        )
        if n % 2
        else line(n, question="短", answer="".join(chance.choices(words, k=150)), who=f"p{n % 3}")
        for n in range(1, 3001)
    ]
    began = time.process_time()
    assert len([one for one in seen(*lines) if "一字不改" in one.what]) == 3
    assert time.process_time() - began < 20
