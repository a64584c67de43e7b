"""The bee notice stands wherever somebody is told to spray a crop in bloom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.conversation.bees import bee_notice
from tests import cast
from tests.cast import LI, LV_CHAT, SURE, UNKNOWN_PEPPER, Village, phrases, said, told

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
