"""The nouns themselves: how they read, and what they refuse."""

from dataclasses import replace
from datetime import date

import pytest

from bot.conversation.answers import Answers
from bot.conversation.decision import Policy, decide, subject_of
from bot.domain import (
    Address,
    Answer,
    Block,
    Button,
    Clarify,
    Decline,
    Escalate,
    Findings,
    Match,
    Problem,
    Reason,
    Review,
    plain,
)
from bot.errors import KnowledgeError, Moved, TianwenError, TryLater
from tests.cast import DOMAINS, LI, NOW, RUST, SACBROOD, SPOT, SUBSIDY, phrases

POLICY = Policy(answer_at=0.8, offer_at=0.4)
PROBLEM = Problem("knowledge/a.md", 3, 1, "少了标题。", "加上 title。")
ENTRIES = (RUST, SPOT, SACBROOD, replace(RUST, id="pepper-yellow"))
MATCHES = tuple(Match(entry, 9.0 - rank, "") for rank, entry in enumerate(ENTRIES))


def found(right, among=0.9, matches=MATCHES):
    return Findings(matches, right, among)


@pytest.mark.parametrize(
    ("findings", "decision"),
    [
        (found(0.8), Answer),
        (found(0.79), Clarify),
        (found(0.1, 0.4), Clarify),
        (found(0.1, 0.39), Escalate),
        (Findings(), Escalate),
        (Findings((), out_of_scope=SUBSIDY), Decline),
        (replace(found(0.79), out_of_scope=SUBSIDY), Decline),
        (replace(found(0.8), out_of_scope=SUBSIDY), Answer),
    ],
)
def test_probabilities_decide(findings, decision):
    assert isinstance(decide("叶子黄", findings, DOMAINS, POLICY), decision)


def test_another_crop_is_never_answered_even_where_words_are_alike():
    policy = replace(POLICY, other_subjects=("辣椒", "猪"))
    assert decide("辣椒叶子黄", found(0.97), DOMAINS, policy) == Clarify(MATCHES[:3], 0.97)
    unsure = replace(found(0.5), domain="sichuan-pepper")
    to_a_person = Escalate(Reason.OUT_OF_SCOPE, "sichuan-pepper")
    assert decide("辣椒叶子黄", unsure, DOMAINS, policy) == to_a_person
    assert isinstance(decide("猪圈边的花椒叶子黄", found(0.97), DOMAINS, policy), Answer)


def test_a_question_that_names_its_subject_is_never_answered_from_another():
    bees_first = found(0.97, matches=(MATCHES[2], MATCHES[0]))
    assert decide("花椒叶子黄", bees_first, DOMAINS, POLICY) == Clarify(bees_first.matches, 0.97)
    assert isinstance(decide("叶子黄", bees_first, DOMAINS, POLICY), Answer)


def test_at_most_three_are_offered():
    assert decide("叶子黄", found(0.5), DOMAINS, POLICY) == Clarify(MATCHES[:3])


@pytest.mark.parametrize(
    ("text", "findings", "subject"),
    [
        ("花椒卖不脱", Findings(), "sichuan-pepper"),
        ("叶子黄", Findings(domain="sichuan-pepper"), "sichuan-pepper"),
        ("叶子黄", found(0.9), None),
        ("花椒花上的蜂子跑了", Findings(domain="beekeeping"), "beekeeping"),
        ("花椒花上的蜂子跑了", Findings(), "sichuan-pepper"),
    ],
)
def test_search_tells_the_subject_and_without_it_the_words_do(text, findings, subject):
    assert subject_of(text, findings, DOMAINS, POLICY) == subject
    assert subject_of(text, Findings(), {}, POLICY) is None


def test_without_a_match_the_reason_is_said():
    matches = MATCHES[:2]
    assert decide("花椒", found(0.1, 0.2, matches), DOMAINS, POLICY) == Escalate(
        Reason.NO_MATCH, "sichuan-pepper", matches
    )


def test_an_approved_answer_says_who_saw_it_and_when():
    entry = replace(RUST, review=Review("approved", "吕玉奎", date(2026, 11, 1)))
    assert (
        Answers(phrases(), dict, 160)
        .entry(LI, entry, 7, NOW)
        .text.endswith("吕玉奎看过（2026-11-01）。")
    )


def test_blocks_read_as_plain_text():
    blocks = (
        Block("paragraph", "一"),
        Block("paragraph", "二"),
        Block("heading", "怎么办"),
        Block("item", "三"),
        Block("item", "四"),
        Block("paragraph", "五"),
    )
    assert plain(blocks) == "一\n\n二\n\n【怎么办】\n· 三\n· 四\n五"


def test_an_address_and_a_problem_read_as_text():
    assert str(Address("telegram", "12")) == "telegram:12"
    assert str(PROBLEM) == "knowledge/a.md:3:1 错误：少了标题。 怎么改：加上 title。"
    assert " 提醒：" in str(replace(PROBLEM, level="warning"))


def test_a_buttons_action_fits_into_64_bytes():
    Button("好", "a" * 64)
    with pytest.raises(ValueError, match="too long"):
        Button("好", "蜂" * 22)


def test_errors_carry_what_the_caller_needs():
    assert TryLater("busy", retry_after=3).retry_after == 3
    assert (Moved("-100").user, str(Moved("-100"))) == ("-100", "moved to -100")
    error = KnowledgeError((PROBLEM, PROBLEM))
    assert error.problems == (PROBLEM, PROBLEM)
    assert str(error).count("knowledge/a.md") == 2
    assert isinstance(error, TianwenError)
