"""The bee notice stands wherever somebody is told to spray a crop in bloom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.conversation.bees import bee_notice
from tests import cast
from tests.cast import (
    DESK_CHAT,
    LI,
    LV_CHAT,
    SURE,
    UNKNOWN_PEPPER,
    ZHANG,
    Village,
    buttons,
    phrases,
    said,
    told,
)

NOTICE = said("bees.notice")
PEPPER = replace(cast.DOMAINS["sichuan-pepper"], bloom=(3, 4))
APRIL, JUNE = datetime(2026, 4, 2, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)


@pytest.fixture
def village(monkeypatch):
    monkeypatch.setitem(cast.DOMAINS, "sichuan-pepper", PEPPER)
    village = Village()
    village.now = APRIL
    return village


@pytest.mark.parametrize("now", [APRIL, JUNE])
def test_an_answer_that_leads_to_spraying_carries_it_in_bloom(village, now):
    village.now = now
    [text] = told(village.says(LI, SURE), LI)
    assert "雨前喷一次" in text
    assert (NOTICE in text) == (now == APRIL)


def test_so_does_a_commissioners_answer_and_what_he_repeats(village):
    village.says(LI, UNKNOWN_PEPPER)
    [text] = told(village.says(LV_CHAT, "过两天打药", about=1), LI)
    assert text.endswith(NOTICE)
    assert NOTICE in village.cases[1].answer


def test_words_without_spraying_carry_none(village):
    village.says(LI, UNKNOWN_PEPPER)
    [text] = told(village.says(LV_CHAT, "先剪掉病枝，莫打药", about=1), LI)
    assert NOTICE not in text


@pytest.mark.parametrize(
    ("words", "is_noticed"),
    [
        ("用药按标签", True),
        ("喷两次", True),
        ("兑水喷雾", True),
        ("花期不打药", False),
        ("打药前告诉蜂农", False),
        ("先清园", False),
    ],
)
def test_spraying_is_read_in_any_words_but_not_where_bees_are_thought_of(words, is_noticed):
    assert bool(bee_notice(words, PEPPER, APRIL, phrases())) == is_noticed
    assert bee_notice(words, None, APRIL, phrases()) == ()


# --- the beekeepers around


def test_a_beekeeper_registers_with_his_township_and_takes_it_back(village):
    assert told(village.says(ZHANG, "登记养蜂"), ZHANG) == [said("bees.where")]
    village.says(ZHANG, "我在盘龙镇")
    turn = village.says(ZHANG, "登记养蜂")
    assert told(turn, ZHANG) == [said("bees.joined", township="盘龙镇")]
    assert village.memory(ZHANG).keeps_bees
    village.says(ZHANG, "取消养蜂登记")
    assert not village.memory(ZHANG).keeps_bees


def test_a_dispatcher_tells_those_of_the_township_once(village):
    village.says(LI, f"{UNKNOWN_PEPPER}，我在盘龙镇")
    turn = village.says(LV_CHAT, "过两天打药", about=1)
    assert told(turn, DESK_CHAT) == [said("bees.offer", number=1, township="盘龙镇")]
    assert buttons(turn, DESK_CHAT) == ["bees:1"]
    village.beekeepers = (ZHANG,)
    assert told(village.presses(LV_CHAT, "bees:1"), ZHANG) == []
    alarm = village.presses(DESK_CHAT, "bees:1")
    assert told(alarm, ZHANG) == [said("bees.alarm", township="盘龙镇")]
    assert told(alarm, DESK_CHAT) == [said("bees.told", township="盘龙镇", count=1)]
    again = village.presses(DESK_CHAT, "bees:1")
    assert (told(again, ZHANG), told(again, LI)) == ([], [])
    assert told(village.says(LV_CHAT, "再打药一次", about=1), DESK_CHAT) == []


def test_outside_of_bloom_or_without_a_township_no_dispatcher_is_asked(village):
    village.says(LI, UNKNOWN_PEPPER)
    assert told(village.says(LV_CHAT, "过两天打药", about=1), DESK_CHAT) == []
    village.now = JUNE
    village.says(LI, "我在盘龙镇")
    assert told(village.says(LV_CHAT, "过两天打药", about=1), DESK_CHAT) == []
