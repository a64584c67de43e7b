"""我的台账 and 建议 in a commissioner's chat."""

from __future__ import annotations

import pytest

from bot.domain import Deed, Entered, Line
from tests.cast import DESK_CHAT, LI, NOW, UNKNOWN_BEES, WANG, WANG_CHAT, Village, said, told

WORDS = "花椒采收前，镇街先公布烘干房的排队时间"


def line(number, deed=Deed.SERVICE, **proof):
    case = 12 if deed is Deed.SERVICE else None
    return Line(number, NOW, Entered(deed, WANG.id, WANG.id, case, proof=proof), "")


@pytest.fixture
def village():
    village = Village()
    village.ledger = (
        line(1, question="蜂子不进箱\n咋个办"),
        line(2, Deed.SUGGESTION, text=WORDS),
    )
    return village


def title(services, suggestions, grade="不合格"):
    due = {"services_due": 24, "suggestions_due": 2}
    return said(
        "ledger.title", year=2026, services=services, suggestions=suggestions, grade=grade, **due
    )


@pytest.mark.parametrize("words", ["我的台账", "/ledger", "台账"])
def test_the_ledger_says_what_counts_what_is_missing_and_the_latest_lines(village, words):
    [text] = told(village.says(WANG_CHAT, words), WANG_CHAT)
    assert title(1, 1) in text
    assert said("ledger.missing", services=23, suggestions=1, days=39) in text
    assert "· 11-23 #12 蜂子不进箱 咋个办" in text
    assert "11-23 建议：花椒采收前" in text


def test_whoever_has_reached_the_targets_is_told_so(village):
    cases = (line(n) for n in range(10, 34))
    services = tuple(
        Line(one.number, one.at, Entered(Deed.SERVICE, WANG.id, WANG.id, one.number), "")
        for one in cases
    )
    suggestions = tuple(line(n, Deed.SUGGESTION, text=str(n)) for n in (40, 41))
    village.ledger = services + suggestions
    [text] = told(village.says(WANG_CHAT, "我的台账"), WANG_CHAT)
    assert title(24, 2, "合格") in text
    assert said("ledger.enough") in text


def test_what_was_struck_is_told(village):
    struck = Entered(Deed.STRUCK, WANG.id, "office", about=1)
    village.ledger += (Line(3, NOW, struck, ""),)
    [text] = told(village.says(WANG_CHAT, "我的台账"), WANG_CHAT)
    assert title(0, 1) in text
    assert said("ledger.struck", count=1) in text


@pytest.mark.parametrize("form", ["建议：{}", "建议: {}", "/suggest {}"])
def test_a_suggestion_is_entered_as_it_stands(village, form):
    words = "给新手办一次蜂螨防治现场课，带药带蜂"
    turn = village.says(WANG_CHAT, form.format(words))
    assert told(turn, WANG_CHAT) == [said("ledger.suggested", count=2)]
    assert turn.entered == (Entered(Deed.SUGGESTION, WANG.id, WANG.id, proof={"text": words}),)


@pytest.mark.parametrize(
    ("words", "key", "blanks"),
    [
        (f"/suggest {WORDS}：【写：做什么】", "ledger.suggest_how", {"least": 15}),
        ("建议：多来人", "ledger.suggest_how", {"least": 15}),
        (f"建议：{WORDS}", "ledger.suggested_before", {}),
    ],
)
def test_a_short_or_known_suggestion_is_not_entered(village, words, key, blanks):
    turn = village.says(WANG_CHAT, words)
    assert (told(turn, WANG_CHAT), turn.entered) == ([said(key, **blanks)], ())


def test_a_suggestion_in_an_answer_is_part_of_the_answer(village):
    village.says(LI, UNKNOWN_BEES)
    village.presses(WANG_CHAT, "case:1:accept")
    turn = village.says(WANG_CHAT, f"建议：{WORDS}", about=1)
    assert WORDS in told(turn, LI)[0]
    assert turn.entered == ()


@pytest.mark.parametrize("words", ["我的台账", f"建议：{WORDS}"])
def test_dispatchers_and_farmers_have_no_ledger(village, words):
    for sender in (DESK_CHAT, LI):
        turn = village.says(sender, words)
        assert turn.entered == ()
        assert "2026 年" not in "".join(told(turn, sender))


def test_an_answer_carries_whose_service_it_is_and_a_question_back_does_not(village):
    village.says(LI, UNKNOWN_BEES)
    asked = village.says(WANG_CHAT, "问：几箱？", about=1)
    answered = village.says(WANG_CHAT, "先合并弱群", about=1)
    relays = [one for turn in (asked, answered) for one in turn.replies if one.to == LI]
    assert [one.service_of for one in relays] == [None, WANG.id]


@pytest.mark.parametrize("words", ["/suggest", "建议："])
def test_a_suggestion_is_begun_from_what_he_was_asked(village, words):
    proofs = [
        {"question": "蜂子不进箱咋个办", "domain": "beekeeping", "township": "盘龙镇"},
        {"question": "蜂子不进箱咋办哟", "domain": "beekeeping", "township": "吴家镇"},
        {"question": "蜂王不见了", "domain": "beekeeping", "township": "盘龙镇"},
    ]
    village.ledger = tuple(
        Line(n, NOW, Entered(Deed.SERVICE, WANG.id, WANG.id, n, proof=proof), "")
        for n, proof in enumerate(proofs, 1)
    )
    village.says(LI, UNKNOWN_BEES)
    [text] = told(village.says(WANG_CHAT, words), WANG_CHAT)
    for part in (
        "服务农户 3 次",
        "养蜂 3 次",
        "盘龙镇 2 次、吴家镇 1 次",
        "11月 3 次",
        "“蜂子不进箱咋个办” 2 次",
        "还有 1 个问题等着答",
    ):
        assert part in text


def test_without_a_ledger_a_suggestion_is_only_explained():
    [text] = told(Village().says(WANG_CHAT, "/suggest"), WANG_CHAT)
    assert text == said("ledger.suggest_how", least=15)
