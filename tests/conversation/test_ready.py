"""What a commissioner sends with one tap: an entry, a canned text, his answer to a like case."""

from __future__ import annotations

import pytest

from bot.domain import Block, CaseState, Event
from tests.cast import (
    LI,
    PHOTO,
    RUST,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    WANG_CHAT,
    ZHANG,
    Village,
    buttons,
    phrases,
    said,
    told,
)
from tests.cast import LV_CHAT as CHAT


@pytest.fixture
def village():
    village = Village()
    village.says(LI, UNKNOWN_PEPPER)
    return village


def test_what_search_found_is_offered_when_the_case_is_taken_and_goes_out_as_an_answer(village):
    taken = village.presses(CHAT, "case:1:accept")
    assert buttons(taken, CHAT) == ["case:1:entry:pepper-leaf-spot"]
    turn = village.presses(CHAT, "case:1:entry:pepper-leaf-spot")
    [relay] = [reply for reply in turn.replies if reply.to == LI]
    assert relay.text.startswith(said("case.answer", number=1, who="科技特派员吕玉奎"))
    assert "先剪掉病枝。" in relay.text
    assert Block("item", "雨前喷一次") in relay.blocks
    assert relay.service_of == "lv-yukui"
    assert village.cases[1].state is CaseState.ANSWERED
    assert village.events[-1].note == said("case.sent_entry", title="花椒叶斑病")


def test_entries_are_found_by_words(village):
    village.presses(CHAT, "case:1:accept")
    turn = village.says(CHAT, f"#1 找条目 {RUST.questions[0]}")
    assert buttons(turn, CHAT) == ["case:1:entry:pepper-rust", "case:1:entry:pepper-leaf-spot"]
    assert turn.changes == ()


def test_an_entry_that_is_gone_is_not_sent(village):
    village.presses(CHAT, "case:1:accept")
    turn = village.presses(CHAT, "case:1:entry:pepper-gone")
    assert (told(turn, CHAT), told(turn, LI)) == ([said("press.stale")], [])


def test_while_they_disagree_nothing_ready_is_sent(village):
    village.presses(CHAT, "case:1:accept")
    village.says(CHAT, "#1 会诊 王瑞生")
    village.says(WANG_CHAT, "#1 不同意：像药害")
    turn = village.presses(CHAT, "case:1:entry:pepper-leaf-spot")
    assert told(turn, CHAT) == [said("desk.settle_first", number=1)]
    assert (told(turn, LI), village.cases[1].state) == ([], CaseState.ACCEPTED)


def test_a_canned_text_answers_or_asks_back(village):
    village.presses(CHAT, "case:1:accept")
    texts = phrases()("canned.texts").splitlines()
    offered = village.says(CHAT, "#1 常用语")
    assert len(buttons(offered, CHAT)) == len(texts)
    asked = village.presses(CHAT, "case:1:canned:0")
    assert texts[0].removeprefix("问：") in told(asked, LI)[0]
    assert village.cases[1].state is CaseState.ASKED
    at = next(n for n, text in enumerate(texts) if not text.startswith("问"))
    answered = village.presses(CHAT, f"case:1:canned:{at}")
    assert texts[at] in told(answered, LI)[0]
    assert village.cases[1].state is CaseState.ANSWERED


@pytest.mark.parametrize("press", ["case:1:canned:99", "case:1:canned:x"])
def test_a_canned_text_that_is_gone_sends_nothing(village, press):
    village.presses(CHAT, "case:1:accept")
    turn = village.presses(CHAT, press)
    assert (told(turn, LI), village.cases[1].state) == ([], CaseState.ACCEPTED)


# --- one answer for several


@pytest.fixture
def three():
    village = Village()
    village.says(LI, UNKNOWN_BEES)
    village.says(ZHANG, UNKNOWN_BEES + "，急人")
    village.presses(WANG_CHAT, "case:1:accept")
    village.presses(WANG_CHAT, "case:2:accept")
    return village


def test_after_an_answer_the_open_cases_like_it_are_offered_the_same(three):
    turn = three.says(WANG_CHAT, "先熏点烟", about=1, attachments=(PHOTO,))
    assert buttons(turn, WANG_CHAT) == ["case:2:as:1", "case:1:keep"]
    also = three.presses(WANG_CHAT, "case:2:as:1")
    [relay] = [reply for reply in also.replies if reply.to == ZHANG]
    assert "先熏点烟" in relay.text
    assert relay.attachments == (PHOTO,)
    assert told(also, LI) == []
    assert (three.cases[2].same_as, three.events[-1].what) == (1, Event.ANSWERED)


def test_a_later_case_like_it_is_offered_the_same_when_it_is_taken():
    village = Village()
    village.says(LI, UNKNOWN_BEES)
    village.says(WANG_CHAT, "先熏点烟", about=1)
    village.says(ZHANG, UNKNOWN_BEES + "，急人")
    taken = village.presses(WANG_CHAT, "case:2:accept")
    assert "case:2:as:1" in buttons(taken, WANG_CHAT)
    turn = village.says(WANG_CHAT, "#2 同 #1")
    assert any("先熏点烟" in text for text in told(turn, ZHANG))


def test_nobody_answers_as_somebody_else_did_or_as_nobody_has(three):
    turn = three.says(WANG_CHAT, "#2 同 #1")
    assert told(turn, WANG_CHAT) == [said("desk.none_alike", number=2)]
    assert turn.changes == ()


def test_questions_about_other_things_are_not_offered_the_same(village):
    village.says(ZHANG, "蜂王不见了咋个办")
    turn = village.says(CHAT, "先剪枝", about=1)
    assert buttons(turn, CHAT) == ["case:1:keep"]
