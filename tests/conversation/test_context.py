"""What words mean after others: follow-ups, two questions at once, a sentence in pieces."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import Answer, Emergency, Escalate, Incoming, Other, Several
from tests.cast import (
    APHID,
    ASKED,
    DECLINED,
    GOES_ON,
    LI,
    MORE,
    PHOTO,
    RUST,
    STUNG,
    SURE,
    TWO,
    UNKNOWN_PEPPER,
    UNSURE,
    Village,
    conversation,
    phrases,
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


def test_a_question_that_has_no_answer_is_no_second_one(village):
    decision = village.says(LI, f"叶子背面一层黄粉，还有{DECLINED}").decision
    assert not isinstance(decision, Several)


def test_two_answers_ask_once_whether_the_words_belong_to_an_open_case(village):
    village.says(LI, UNKNOWN_PEPPER)
    turn = village.says(LI, TWO)
    adding = [
        [button for button in reply.buttons if button.action.startswith("add:")]
        for reply in turn.replies
    ]
    assert [len(buttons) for buttons in adding] == [0, 1]


def test_short_words_without_an_answer_go_to_whom_the_question_before_belongs(village):
    village.says(LI, SURE)
    (case,) = [change.case for change in village.says(LI, "那几天一次").changes]
    assert case.domain == RUST.domain


@pytest.mark.parametrize(
    ("text", "waits"), [(UNSURE, True), (SURE, True), (ASKED, False), (TWO, False)]
)
def test_only_what_is_no_whole_question_waits_for_more(village, text, waits):
    turn = village.says(LI, text, may_wait=True)
    assert turn.waits is waits
    assert bool(turn.replies) is not waits


def test_words_that_make_sense_only_with_those_of_a_moment_ago_are_read_with_them():
    village = Village(pause=timedelta(seconds=4))
    village.says(LI, SURE)
    village.now += timedelta(seconds=5)
    turn = village.says(LI, MORE)
    assert isinstance(turn.decision, Answer)
    assert told(turn, LI) == [phrases()("answer.same")]
    assert turn.memory.questions[-1].text == f"{SURE}\n{MORE}"


def test_after_a_while_words_are_not_read_with_those_before():
    village = Village(pause=timedelta(seconds=4))
    village.says(LI, SURE)
    village.now += timedelta(seconds=13)
    assert isinstance(village.says(LI, MORE).decision, Escalate)


def test_a_cry_for_help_never_waits(village):
    assert not village.says(LI, "老汉遭马蜂蜇了，出不到气", may_wait=True).waits


def test_a_cry_for_help_is_heard_in_a_later_piece(village):
    assert isinstance(village.says(LI, "老汉在砍花椒\n遭马蜂蜇了出不到气").decision, Emergency)


def test_nobody_waits_while_a_life_may_be_in_danger(village):
    village.says(LI, STUNG)
    assert not village.says(LI, UNSURE, may_wait=True).waits


BARE = Incoming(7, LI, "叶子背面")


@pytest.mark.parametrize(
    ("message", "joins"),
    [
        (BARE, True),
        (replace(BARE, attachments=(PHOTO,)), True),
        (replace(BARE, text="谢谢"), False),
        (replace(BARE, text="2"), False),
        (replace(BARE, text="安富街道"), False),
        (replace(BARE, text="#12 好了"), False),
        (replace(BARE, text="补充：还有点黄"), False),
        (replace(BARE, text="/start ABCDEF23"), False),
        (replace(BARE, text="绑定 ABCDEF23"), False),
        (replace(BARE, text="/help"), False),
        (replace(BARE, text="", press="show:a:1"), False),
        (replace(BARE, reply_to="12"), False),
        (replace(BARE, text="", other=Other.STICKER), False),
        (replace(BARE, case=3), False),
    ],
)
def test_only_bare_words_go_on_with_a_sentence(message, joins):
    assert conversation().may_join(message, BARE) is joins


def test_of_two_long_messages_each_stands_for_itself():
    long = replace(BARE, text="花椒树叶子背后起黄粉粉，一抹一手")
    assert conversation().may_join(BARE, long)
    assert conversation().may_join(long, BARE)
    assert not conversation().may_join(long, long)
