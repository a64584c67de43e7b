"""Notes, second opinions and disagreements: among commissioners, never to the farmer."""

from __future__ import annotations

import pytest

from bot.domain import Event
from tests.cast import (
    DESK_CHAT,
    LI,
    LV,
    LV_CHAT,
    PHOTO,
    QIN_CHAT,
    UNKNOWN_BEES,
    WANG,
    WANG_CHAT,
    Village,
    buttons,
    said,
    told,
)


@pytest.fixture
def village():
    village = Village()
    village.says(LI, UNKNOWN_BEES, attachments=(PHOTO,))
    village.presses(WANG_CHAT, "case:1:accept")
    return village


def heard(number, who, what, words):
    return said("consult.said", number=number, who=who, what=what.value, words=words)


@pytest.mark.parametrize("words", ["会诊 吕玉奎，是不是药害", "会诊：吕玉奎 是不是药害"])
def test_a_second_opinion_is_asked_for_by_name_with_the_question_and_its_photos(village, words):
    turn = village.says(WANG_CHAT, words, about=1)
    [ask] = [reply for reply in turn.replies if reply.to == LV_CHAT]
    assert said("consult.ask", number=1, who="王瑞生", words="是不是药害") in ask.text
    assert UNKNOWN_BEES in ask.text
    assert ask.attachments == (PHOTO,)
    assert told(turn, LI) == []
    assert (village.cases[1].holder, village.cases[1].consulted) == (WANG.id, (LV.id,))


def test_his_words_go_to_the_holder_and_not_to_the_farmer(village):
    village.says(WANG_CHAT, "会诊 吕玉奎", about=1)
    turn = village.says(LV_CHAT, "看着像药害", about=1, attachments=(PHOTO,))
    [to_wang] = [reply for reply in turn.replies if reply.to == WANG_CHAT]
    assert to_wang.text == heard(1, "吕玉奎", Event.OPINION, "看着像药害")
    assert to_wang.attachments == (PHOTO,)
    assert told(turn, LI) == []
    assert (turn.filed_under, village.cases[1].is_disputed) == (1, False)


def test_a_disagreement_stands_until_somebody_answers_and_is_looked_at_again_first(village):
    village.says(WANG_CHAT, "会诊 吕玉奎", about=1)
    turn = village.says(LV_CHAT, "#1 不同意：不像病，像药害")
    words = heard(1, "吕玉奎", Event.DISPUTED, "不像病，像药害")
    assert told(turn, WANG_CHAT) == told(turn, DESK_CHAT) == [words]
    assert village.cases[1].is_disputed
    held = village.says(WANG_CHAT, "先把巢门关小", about=1)
    assert told(held, LI) == []
    assert buttons(held, WANG_CHAT) == ["case:1:sure"]
    sent = village.presses(WANG_CHAT, "case:1:sure")
    assert any("先把巢门关小" in text for text in told(sent, LI))
    assert not village.cases[1].is_disputed


def test_a_note_is_read_by_everybody_at_work_on_the_case_but_its_writer(village):
    village.says(WANG_CHAT, "会诊 吕玉奎", about=1)
    turn = village.says(WANG_CHAT, "#1 备注：下午去现场")
    assert told(turn, LV_CHAT) == [heard(1, "王瑞生", Event.NOTED, "下午去现场")]
    assert told(turn, WANG_CHAT) == [said("consult.noted", number=1, what=Event.NOTED.value)]
    assert told(turn, LI) == []
    assert village.events[-1].what is Event.NOTED


def test_at_the_desk_the_same_is_done_by_button(village):
    village.presses(WANG_CHAT, f"case:1:consult:{LV.id}", text="请看看")
    village.presses(LV_CHAT, "case:1:opine", text="像药害")
    village.presses(LV_CHAT, "case:1:oppose", text="不是病")
    assert [one.what for one in village.events[-3:]] == [
        Event.CONSULTED,
        Event.OPINION,
        Event.DISPUTED,
    ]


@pytest.mark.parametrize("name", ["王瑞生", "张三丰", "分诊台"])
def test_who_can_not_be_asked_is_told_with_who_can(village, name):
    turn = village.says(WANG_CHAT, f"#1 会诊 {name}")
    assert told(turn, WANG_CHAT) == [said("consult.whom", number=1, names="吕玉奎、秦兆华")]
    assert turn.changes == ()


@pytest.mark.parametrize("words", ["#1 备注：我也看看", "#1 会诊 吕玉奎", "#1 不同意"])
def test_whom_the_case_does_not_concern_changes_nothing(village, words):
    turn = village.says(QIN_CHAT, words)
    assert (turn.changes, told(turn, LI)) == ((), [])


def test_he_who_was_asked_can_neither_answer_nor_ask_anybody_else(village):
    village.says(WANG_CHAT, "会诊 吕玉奎", about=1)
    for press in ("case:1:answer", "case:1:decline", "case:1:consult:qin-zhaohua"):
        assert village.presses(LV_CHAT, press, text="我来说").changes == ()


def test_an_empty_note_is_asked_about(village):
    turn = village.says(WANG_CHAT, "#1 备注")
    assert (told(turn, WANG_CHAT), turn.changes) == ([said("consult.empty", number=1)], ())
