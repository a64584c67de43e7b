"""A long answer comes as its short form with 详细; one that may save a life comes whole."""

from dataclasses import replace

import pytest

from bot.conversation.answers import Answers
from tests.cast import LENGTHY, LI, LONG, NOW, RUST, SURE, Village, buttons, phrases, said, told

DETAILS = LONG.details[1].text


def test_a_long_answer_is_cut_to_the_short_one_with_source_and_state():
    village = Village()
    turn = village.says(LI, LENGTHY)
    [text] = told(turn, LI)
    assert LONG.title in text
    assert LONG.short_answer in text
    assert DETAILS not in text
    assert said("answer.source", source=LONG.sources[0]) in text
    assert said("answer.pending") in text
    assert buttons(turn, LI) == ["details:pepper-root-rot:1", "useful:1", "unsolved:1"]


@pytest.mark.parametrize("words", ["详细", "说详细点嘛", "还有呢？", "/more"])
def test_the_rest_comes_by_button_or_in_words(words):
    village = Village()
    village.says(LI, LENGTHY)
    by_button = village.presses(LI, "details:pepper-root-rot:1")
    by_word = village.says(LI, words)
    for turn in (by_button, by_word):
        [text] = told(turn, LI)
        assert LONG.title in text
        assert DETAILS in text
        assert said("answer.source", source=LONG.sources[0]) in text
        assert buttons(turn, LI) == ["useful:1", "unsolved:1"]
        assert turn.changes == ()


def test_the_details_are_shown_even_when_the_question_is_long_forgotten():
    [text] = told(Village().presses(LI, "details:pepper-root-rot:99"), LI)
    assert DETAILS in text


def test_details_of_an_entry_that_is_gone_are_said_to_be_gone():
    assert told(Village().presses(LI, "details:gone:1"), LI) == [said("press.stale")]


def test_the_words_mean_the_last_answer_and_open_nothing_without_one():
    village = Village()
    village.says(LI, SURE)
    [text] = told(village.says(LI, "详细"), LI)
    assert RUST.details[1].text in text


def test_after_the_details_the_question_can_still_go_to_a_person():
    village = Village()
    village.says(LI, LENGTHY)
    village.presses(LI, "details:pepper-root-rot:1")
    village.says(LI, "没解决")
    assert [case.question for case in village.cases.values()] == [LENGTHY]


def test_first_aid_comes_whole():
    entry = replace(LONG, short_answer="立即拨打120，人放平。")
    answer = Answers(phrases(), dict, 160).entry(LI, entry, 7, NOW)
    assert DETAILS in answer.text
    assert [button.action for button in answer.buttons] == ["useful:7", "unsolved:7"]


def test_the_border_is_the_settings():
    whole = len(LONG.short_answer) + sum(len(block.text) for block in LONG.details)
    assert DETAILS in Answers(phrases(), dict, whole).entry(LI, LONG, 7, NOW).text
    assert DETAILS not in Answers(phrases(), dict, whole - 1).entry(LI, LONG, 7, NOW).text
