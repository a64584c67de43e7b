"""What the knowledge lacks: which questions are put together, and which come first."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import combinations

import pytest
import yaml

from bot.domain import CHINA, Address, Reason
from bot.knowledge.load import load
from bot.reports.gaps import gaps
from tests.cast import a_case
from tests.conftest import ROOT

MARCH = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def phrasings():
    return [text for one in load(ROOT / "knowledge").entries.values() for text in one.questions]


def asked(number, question, *, who=None, domain="beekeeping", day=0, **more):
    fields = {"farmer": Address("web", who or f"farmer-{number}"), "question": question}
    return a_case(number, **fields, domain=domain, opened_at=MARCH + day * DAY, **more)


def test_what_different_farmers_asked_alike_comes_first(phrasings):
    cases = [
        asked(1, "箱子遭偷了", who="li"),
        asked(2, "箱子又遭偷了咋个办", who="li", day=1),
        asked(3, "箱子遭别个偷了找哪个", who="li", day=2),
        asked(4, "熊蜂棚里起了好多新王，要不要分家", township="盘龙镇"),
        asked(5, "熊蜂在番茄棚里到处爬", township="盘龙镇", day=40),
        asked(6, "无人机充不进电"),
    ]
    first, second, third = gaps(cases, phrasings)
    assert [one.number for one in first.cases] == [4, 5]
    assert (first.askers, first.months, dict(first.townships)) == (2, [3, 4], {"盘龙镇": 2})
    assert ([one.number for one in second.cases], second.askers) == ([1, 2, 3], 1)
    assert [one.number for one in third.cases] == [6]


def test_subjects_stay_apart_and_emergencies_and_bare_pictures_are_no_gap(phrasings):
    cases = [
        asked(1, "叶子黄了咋个办"),
        asked(2, "叶子黄了咋个办", domain="sichuan-pepper"),
        asked(3, "老汉遭蜇了喘不过气", reason=Reason.EMERGENCY),
        asked(4, " "),
    ]
    assert [len(one.cases) for one in gaps(cases, phrasings)] == [1, 1]


def test_a_place_that_all_name_makes_no_group(phrasings):
    things = ("冷库", "农险电话", "打霜", "县志", "冻雨", "油价", "烘房", "桥断了", "苗圃", "赶场")
    cases = [asked(n, f"荣昌的{thing}") for n, thing in enumerate(things)]
    assert max(len(one.cases) for one in gaps(cases, phrasings)) == 1


def test_of_the_check_questions_half_the_pairs_put_together_ask_the_same(phrasings):
    topics, cases = [], []
    for path in sorted((ROOT / "tests" / "questions").glob("check-*.yaml")):
        for one in yaml.safe_load(path.read_text("utf-8"))["questions"]:
            cases.append(asked(len(topics), one["text"], domain=path.stem))
            topics.append(one["topic"])
    began = time.process_time()
    pairs = [
        topics[one.number] == topics[other.number]
        for gap in gaps(cases, phrasings)
        for one, other in combinations(gap.cases, 2)
    ]
    print(f"{sum(pairs)} of {len(pairs)} pairs in {time.process_time() - began:.1f} s")
    assert sum(pairs) / len(pairs) > 0.45
    assert len(pairs) > 100


def test_without_questions_there_is_no_gap():
    assert gaps([], []) == []
