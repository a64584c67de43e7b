"""What words mean after others: follow-ups, two questions at once, a sentence in pieces."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import Answer, Escalate, Incoming, Other, Several
from tests.cast import (
    APHID,
    GOES_ON,
    LI,
    PHOTO,
    RUST,
    SURE,
    TWO,
    UNKNOWN_PEPPER,
    UNSURE,
    Village,
    conversation,
    told,
)


@pytest.fixture
def village():
    return Village()


def test_words_that_go_on_from_an_answer_are_read_with_its_question(village):
    village.says(LI, SURE)
    decision = village.says(LI, GOES_ON).decision
    assert isinstance(decision, Answer)
    assert decision.match.entry == RUST


def test_alone_the_same_words_are_not_answered(village):
    assert isinstance(village.says(LI, GOES_ON).decision, Escalate)


def test_after_half_an_hour_words_stand_for_themselves(village):
    village.says(LI, SURE)
    village.now += timedelta(minutes=31)
    assert isinstance(village.says(LI, GOES_ON).decision, Escalate)


def test_a_person_is_told_what_short_words_go_on_from(village):
    village.says(LI, SURE)
    (case,) = [change.case for change in village.says(LI, "那几天一次").changes]
    assert case.question == f"那几天一次（接着上一问：{SURE}）"


def test_words_that_name_their_subject_need_no_question_before(village):
    village.says(LI, SURE)
    (case,) = [change.case for change in village.says(LI, UNKNOWN_PEPPER).changes]
    assert case.question == UNKNOWN_PEPPER


def test_two_questions_in_one_message_are_both_answered(village):
    turn = village.says(LI, TWO)
    assert isinstance(turn.decision, Several)
    first, second = told(turn, LI)
    assert RUST.short_answer in first
    assert APHID.short_answer in second


@pytest.mark.parametrize(("text", "waits"), [(UNSURE, True), (SURE, False), (TWO, False)])
def test_only_what_is_no_whole_question_waits_for_more(village, text, waits):
    turn = village.says(LI, text, may_wait=True)
    assert turn.waits is waits
    assert bool(turn.replies) is not waits


def test_a_cry_for_help_never_waits(village):
    assert not village.says(LI, "老汉遭马蜂蜇了，出不到气", may_wait=True).waits


BARE = Incoming(7, LI, "叶子背面")


@pytest.mark.parametrize(
    ("message", "joins"),
    [
        (BARE, True),
        (replace(BARE, attachments=(PHOTO,)), True),
        (replace(BARE, text="谢谢"), False),
        (replace(BARE, text="2"), False),
        (replace(BARE, text="安富街道"), False),
        (replace(BARE, text="", press="show:a:1"), False),
        (replace(BARE, reply_to="12"), False),
        (replace(BARE, text="", other=Other.STICKER), False),
        (replace(BARE, case=3), False),
    ],
)
def test_only_bare_words_go_on_with_a_sentence(message, joins):
    assert conversation().may_join(message) is joins
