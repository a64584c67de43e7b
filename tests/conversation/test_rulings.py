"""Who may rule on a line of the ledger, and who hears of it."""

from __future__ import annotations

import pytest

from bot.domain import Address, Deed, Entered, Line
from tests.cast import DESK_CHAT, DISPATCHER, LI, LV_CHAT, NOW, WANG, WANG_CHAT, Village, said, told

WORDS = "#12 蜂子不进箱"


def line(number, deed=Deed.SERVICE, about=None):
    entered = Entered(deed, WANG.id, "x", 12, about, {"question": "蜂子不进箱"})
    return Line(number, NOW, entered, "")


@pytest.fixture
def village():
    village = Village()
    village.ledger = (line(1),)
    return village


def blanks(reason, who):
    return {"number": 1, "words": WORDS, "reason": reason, "who": who}


def test_a_dispatcher_strikes_by_a_criterion_and_the_commissioner_hears_why(village):
    turn = village.presses(DESK_CHAT, "ledger:1:strike:针对性", text="没有答到问题")
    proof = {"reason": "没有答到问题", "criterion": "针对性"}
    assert turn.entered == (Entered(Deed.STRUCK, WANG.id, DISPATCHER.id, 12, 1, proof),)
    assert told(turn, DESK_CHAT) == [said("ledger.ruled", number=1, deed="记为无效")]
    reason = blanks("针对性。没有答到问题", "分诊台")
    assert told(turn, WANG_CHAT) == [said("ledger.struck_told", **reason)]


def test_its_commissioner_appeals_and_the_dispatchers_hear_of_it(village):
    village.ledger += (line(2, Deed.STRUCK, about=1),)
    turn = village.presses(WANG_CHAT, "ledger:1:appeal", text="电话里还说了半小时")
    assert turn.entered[0].deed is Deed.APPEAL
    reason = blanks("电话里还说了半小时", "王瑞生")
    assert told(turn, DESK_CHAT) == [said("ledger.appealed_told", **reason)]


def test_a_dispatcher_restores_what_was_struck(village):
    village.ledger += (line(2, Deed.STRUCK, about=1), line(3, Deed.APPEAL, about=1))
    turn = village.presses(DESK_CHAT, "ledger:1:restore", text="核实过了")
    assert turn.entered[0].deed is Deed.RESTORED
    assert told(turn, WANG_CHAT) == [said("ledger.restored_told", **blanks("核实过了", "分诊台"))]


def test_whoever_has_no_chat_hears_of_it_at_the_desk(village):
    entered = Entered(Deed.SUGGESTION, "gone", "gone", proof={"text": "建议" * 10})
    village.ledger = (Line(1, NOW, entered, ""),)
    turn = village.presses(DESK_CHAT, "ledger:1:strike", text="空话")
    assert told(turn, Address("desk", "gone"))


@pytest.mark.parametrize(
    ("sender", "verb", "rulings"),
    [
        (WANG_CHAT, "strike", ()),
        (WANG_CHAT, "appeal", ()),
        (DESK_CHAT, "restore", ()),
        (DESK_CHAT, "strike", (Deed.STRUCK,)),
        (WANG_CHAT, "restore", (Deed.STRUCK,)),
        (LV_CHAT, "appeal", (Deed.STRUCK,)),
        (WANG_CHAT, "appeal", (Deed.STRUCK, Deed.APPEAL)),
        (WANG_CHAT, "appeal", (Deed.STRUCK, Deed.RESTORED)),
    ],
)
def test_nobody_else_and_at_no_other_time(village, sender, verb, rulings):
    village.ledger += tuple(line(2 + at, deed, about=1) for at, deed in enumerate(rulings))
    turn = village.presses(sender, f"ledger:1:{verb}", text="理由")
    assert (turn.entered, told(turn, sender)) == ((), [said("ledger.cannot", number=1)])


def test_a_ruling_needs_its_reason(village):
    turn = village.presses(DESK_CHAT, "ledger:1:strike:针对性", text=" ")
    assert (turn.entered, told(turn, DESK_CHAT)) == ((), [said("ledger.why")])


@pytest.mark.parametrize("action", ["ledger:9:strike", "ledger:1:burn", "ledger:1:strike:好看"])
def test_what_no_button_says_does_nothing(village, action):
    turn = village.presses(DESK_CHAT, action, text="理由")
    assert (turn.entered, told(turn, DESK_CHAT)) == ((), [said("press.stale")])


def test_a_farmer_rules_on_nothing(village):
    turn = village.presses(LI, "ledger:1:strike", text="理由")
    assert turn.entered == ()


def test_a_line_is_passed_without_words_and_nobody_is_written_to(village):
    turn = village.presses(DESK_CHAT, "ledger:1:review")
    assert turn.entered == (Entered(Deed.REVIEWED, WANG.id, DISPATCHER.id, 12, 1),)
    assert told(turn, WANG_CHAT) == []


def test_a_suggestion_is_answered_and_its_author_hears_of_it(village):
    text = {"text": "先公布烘干房的排队时间"}
    village.ledger = (Line(1, NOW, Entered(Deed.SUGGESTION, WANG.id, WANG.id, proof=text), ""),)
    turn = village.presses(DESK_CHAT, "ledger:1:reply", text="已转镇街，下月起公布")
    assert turn.entered[0].deed is Deed.REPLIED
    [words] = told(turn, WANG_CHAT)
    assert "已转镇街，下月起公布" in words
