"""A farmer and his open cases: more words, township, list, cancel, solved and not."""

from datetime import timedelta

import pytest

from bot.domain import CaseState, Deed, Entered, Other
from tests.cast import (
    LI,
    LV_CHAT,
    PHOTO,
    SURE,
    UNKNOWN,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    UNSURE,
    VOICE,
    WANG_CHAT,
    Village,
    buttons,
    said,
    told,
)


@pytest.fixture
def village():
    return Village()


@pytest.fixture
def one_case(village):
    village.says(LI, UNKNOWN_BEES)
    return village


@pytest.fixture
def two_cases(one_case):
    one_case.says(LI, UNKNOWN_PEPPER)
    one_case.presses(LI, "person:2")
    assert list(one_case.cases) == [1, 2]
    return one_case


def answered(village, number, chat=WANG_CHAT):
    village.says(chat, "先莫开箱", about=number)
    assert village.cases[number].state is CaseState.ANSWERED


# --- more words


def test_a_reply_to_a_message_about_a_case_joins_it(two_cases):
    turn = two_cases.says(LI, "昨天又跑了一桶", about=1)
    assert told(turn, LI) == [said("case.added_thanks", number=1, who="科技特派员王瑞生")]
    assert told(turn, WANG_CHAT) == [said("case.added", number=1, words="昨天又跑了一桶")]
    assert two_cases.cases[1].question == f"{UNKNOWN_BEES}\n补充：昨天又跑了一桶"
    assert two_cases.cases[2].question == UNKNOWN_PEPPER
    assert turn.filed_under == 1


def test_words_that_begin_with_the_number_join_that_case(two_cases):
    two_cases.says(LI, "#2 叶子也黄了")
    assert two_cases.cases[2].question.endswith("补充：叶子也黄了")


def test_the_number_alone_announces_more(two_cases):
    assert told(two_cases.says(LI, "＃1"), LI) == [said("case.add_now", number=1)]
    two_cases.says(LI, "还有一桶")
    assert two_cases.cases[1].question.endswith("还有一桶")


def test_an_unknown_number_is_part_of_a_question(village):
    village.says(LI, "#9 号箱子蜂不出来")
    assert village.cases[1].question == "#9 号箱子蜂不出来"


def test_the_list_button_announces_more(two_cases):
    assert "case:2:add" in buttons(two_cases.says(LI, "我的问题"), LI)
    two_cases.presses(LI, "case:2:add")
    turn = two_cases.says(LI, SURE)
    assert two_cases.cases[2].question.endswith(SURE)
    assert turn.memory.focus is None


@pytest.mark.parametrize("words", ["补充", "我补充一下", "补充一下哈"])
def test_the_word_more_announces_it_for_the_one_open_case(one_case, words):
    assert told(one_case.says(LI, words), LI) == [said("case.add_now", number=1)]


def test_the_word_more_asks_which_of_several(two_cases):
    turn = two_cases.says(LI, "补充")
    assert told(turn, LI) == [said("add.which")]
    assert buttons(turn, LI) == ["case:1:add", "case:2:add"]


def test_the_word_more_without_a_case_is_said_to_have_none(village):
    assert told(village.says(LI, "补充"), LI) == [said("add.none")]


def test_more_with_a_colon_joins_the_one_open_case(one_case):
    one_case.says(LI, "补充：箱子朝北")
    assert one_case.cases[1].question.endswith("补充：箱子朝北")


def test_more_with_a_colon_is_asked_which_of_several(two_cases):
    turn = two_cases.says(LI, "补充一下，叶子背面有黄粉")
    assert told(turn, LI) == [said("case.new_or_more")]
    two_cases.presses(LI, buttons(turn, LI)[1])
    assert two_cases.cases[2].question.endswith("补充：叶子背面有黄粉")


@pytest.mark.parametrize("words", ["补充：箱子朝北", "补充营养喂啥子"])
def test_more_without_a_case_is_a_question(village, words):
    village.says(LI, words)
    assert village.cases[1].question == words


def test_an_unknown_question_beside_an_open_case_is_asked_about(one_case):
    turn = one_case.says(LI, UNKNOWN_PEPPER)
    assert told(turn, LI) == [said("case.new_or_more")]
    assert buttons(turn, LI) == ["add:1:2", "person:2"]
    assert turn.changes == ()


def test_the_add_button_brings_the_words_to_the_case_once(one_case):
    one_case.says(LI, UNKNOWN_PEPPER)
    one_case.presses(LI, "add:1:2")
    again = one_case.presses(LI, "add:1:2")
    assert one_case.cases[1].question == f"{UNKNOWN_BEES}\n补充：{UNKNOWN_PEPPER}"
    assert told(again, LI) == [said("case.already", number=1)]


@pytest.mark.parametrize("words", ["新问题", "是新问题", "转特派员"])
def test_a_new_question_may_be_said_in_words(one_case, words):
    one_case.says(LI, UNKNOWN_PEPPER)
    one_case.says(LI, words)
    assert one_case.cases[2].question == UNKNOWN_PEPPER


def test_words_cannot_be_added_to_a_cancelled_case(one_case):
    one_case.says(LI, UNKNOWN_PEPPER)
    one_case.presses(LI, "case:1:cancel")
    assert told(one_case.presses(LI, "add:1:2"), LI) == [said("press.stale")]
    one_case.says(LI, "昨天又跑了一桶", about=1)
    assert one_case.cases[1].question == UNKNOWN_BEES


def test_an_answer_beside_an_open_case_may_be_added_to_it(one_case):
    assert buttons(one_case.says(LI, SURE), LI) == ["useful:2", "unsolved:2", "add:1:2"]
    assert "add:1:3" in buttons(one_case.says(LI, UNSURE), LI)


def test_a_photo_joins_the_one_open_case(one_case):
    turn = one_case.says(LI, attachments=(PHOTO,))
    assert one_case.cases[1].attachments == (PHOTO,)
    assert turn.replies[1].attachments == (PHOTO,)


def test_a_photo_beside_several_cases_is_asked_about(two_cases):
    turn = two_cases.says(LI, attachments=(PHOTO,))
    assert told(turn, LI) == [said("case.new_or_more")]
    two_cases.presses(LI, buttons(turn, LI)[0])
    assert (two_cases.cases[1].attachments, two_cases.cases[2].attachments) == ((PHOTO,), ())


def test_a_photo_goes_to_the_one_case_that_waits_for_it(two_cases):
    two_cases.says(LV_CHAT, "问：发张照片来看", about=2)
    two_cases.says(LI, attachments=(PHOTO,))
    assert two_cases.cases[2].attachments == (PHOTO,)


def test_a_voice_note_beside_several_cases_is_a_new_one(two_cases):
    two_cases.says(LI, attachments=(VOICE,))
    assert list(two_cases.cases) == [1, 2, 3]


def test_a_reply_with_a_place_or_photo_joins_that_case(two_cases):
    two_cases.says(LI, about=1, other=Other.LOCATION, location=(29.4, 105.6))
    two_cases.says(LI, "谢谢", about=2, attachments=(PHOTO,))
    assert "北纬 29.4" in two_cases.cases[1].question
    assert two_cases.cases[2].attachments == (PHOTO,)


def test_a_sticker_in_reply_to_a_case_is_not_added(one_case):
    turn = one_case.says(LI, about=1, other=Other.STICKER)
    assert (told(turn, LI), turn.changes) == ([said("other.sticker")], ())


# --- what the commissioner asked


@pytest.mark.parametrize("words", ["不是", "嗯", "没用", "好转了", "有三天了", "3"])
def test_a_short_word_is_the_answer_to_what_the_commissioner_asked(one_case, words):
    one_case.says(WANG_CHAT, "问：是不是今年的新王？", about=1)
    turn = one_case.says(LI, words)
    assert told(turn, WANG_CHAT) == [said("case.added", number=1, words=words)]
    assert one_case.cases[1].state is CaseState.ACCEPTED


def test_a_short_word_in_reply_is_meant_for_the_case_replied_to(two_cases):
    two_cases.says(WANG_CHAT, "问：是不是新王？", about=1)
    two_cases.says(LV_CHAT, "问：打过药没有？", about=2)
    two_cases.says(LI, "不是", about=2)
    assert two_cases.cases[2].question.endswith("补充：不是")
    assert two_cases.cases[1].state is CaseState.ASKED


def test_unknown_words_answer_the_one_who_waits(two_cases):
    two_cases.says(LV_CHAT, "问：打过药没有？", about=2)
    two_cases.says(LI, "打过两回石硫合剂了")
    assert two_cases.cases[2].question.endswith("打过两回石硫合剂了")


@pytest.mark.parametrize("words", [UNSURE, SURE])
def test_what_sounds_like_a_question_on_the_same_subject_answers_the_one_who_waits(
    two_cases, words
):
    two_cases.says(LV_CHAT, "问：叶子是啥子样子？", about=2)
    turn = two_cases.says(LI, words)
    assert told(turn, LI) == [said("case.added_thanks", number=2, who="科技特派员吕玉奎")]
    assert two_cases.cases[2].state is CaseState.ACCEPTED


def test_a_sure_answer_on_another_subject_is_given_while_a_commissioner_waits(one_case):
    one_case.says(WANG_CHAT, "问：是不是今年的新王？", about=1)
    turn = one_case.says(LI, SURE)
    assert "useful:" in buttons(turn, LI)[0]
    assert one_case.cases[1].state is CaseState.ASKED


def test_a_button_names_the_case_by_its_words_too(one_case):
    turn = one_case.says(LI, "我的问题")
    assert [button.label for button in turn.replies[0].buttons] == ["补充到 #1 蜂子不进箱咋个办"]


def test_a_number_after_choices_went_to_a_person_is_no_pick(village):
    village.says(LI, UNSURE)
    village.says(LI, "0")
    village.says(LV_CHAT, "问：几天了？", about=1)
    village.says(LI, "3")
    assert village.cases[1].question.endswith("补充：3")


# --- township


def test_a_township_in_a_question_goes_with_the_case(village):
    turn = village.says(LI, f"我们盘龙这边{UNKNOWN_BEES}")
    assert village.cases[1].township == "盘龙镇"
    assert said("township.ask") not in told(turn, LI)[0]


@pytest.mark.parametrize(
    "words", ["盘龙镇", "盘龙", "我在盘龙镇的", "荣昌区盘龙镇大建村", "盘龙镇那边"]
)
def test_a_township_alone_is_noted_in_the_open_case(one_case, words):
    turn = one_case.says(LI, words)
    assert told(turn, LI) == [said("township.noted", township="盘龙镇")]
    assert told(turn, WANG_CHAT) == [said("case.township", number=1, township="盘龙镇")]
    assert one_case.cases[1].township == "盘龙镇"


def test_a_township_once_said_is_remembered(village):
    village.says(LI, "盘龙镇")
    village.says(LI, UNKNOWN_BEES)
    assert village.cases[1].township == "盘龙镇"


@pytest.mark.parametrize(
    "words", ["盘龙镇哪里收柑子", "荣昌哪里有卖蜂箱", "直升机打药好多钱", "盘龙镇收椒"]
)
def test_a_question_that_names_a_place_is_a_question(village, words):
    village.says(LI, words)
    assert village.cases[1].question == words


def test_a_township_said_in_passing_reaches_the_case_it_joins(one_case):
    one_case.says(LI, "我在仁义镇，今早又跑了一桶", about=1)
    assert one_case.cases[1].township == "仁义镇"


# --- list and cancel


def test_the_list_shows_every_case_and_its_state(two_cases):
    two_cases.says(LV_CHAT, "可以打", about=2)
    assert told(two_cases.says(LI, "我的问题"), LI) == [
        (
            f"您的问题：\n#1 {UNKNOWN_BEES}：已交给科技特派员王瑞生，等着接手\n"
            f"#2 {UNKNOWN_PEPPER}：科技特派员吕玉奎已答复"
        )
    ]


def test_the_list_shortens_long_questions_and_names_photos(village):
    village.says(LI, UNKNOWN_BEES + "，" * 3 + "蜂" * 30)
    village.says(LI, "转特派员", attachments=(PHOTO,))
    village.presses(LI, "case:1:cancel")
    village.says(LI, attachments=(VOICE,))
    text = told(village.says(LI, "我的问题"), LI)[0]
    assert f"#1 {(UNKNOWN_BEES + '，，，' + '蜂' * 30)[:20]}…：已取消" in text
    assert f"#2 {said('case.photo')}：" in text


@pytest.mark.parametrize("words", ["取消", "算了", "不问了", "算了，谢谢老师"])
def test_cancel_takes_back_the_case_just_spoken_of(one_case, words):
    turn = one_case.says(LI, words)
    assert told(turn, LI) == [said("cancel.done", number=1)]
    assert told(turn, WANG_CHAT) == [said("case.cancelled", number=1)]
    assert one_case.cases[1].state is CaseState.CANCELLED


def test_cancel_asks_which_where_something_else_was_spoken_of_since(one_case):
    one_case.says(LI, SURE)
    turn = one_case.says(LI, "算了")
    assert (told(turn, LI), buttons(turn, LI)) == ([said("cancel.which")], ["case:1:cancel"])
    assert one_case.cases[1].is_open


def test_cancel_asks_which_of_several(two_cases):
    turn = two_cases.says(LI, "取消")
    assert buttons(turn, LI) == ["case:1:cancel", "case:2:cancel"]
    two_cases.presses(LI, "case:1:cancel")
    assert [case.is_open for case in two_cases.cases.values()] == [False, True]


def test_cancel_in_reply_takes_back_the_case_replied_to(two_cases):
    two_cases.says(LI, "取消", about=1)
    two_cases.says(LI, "#2 取消")
    assert {case.state for case in two_cases.cases.values()} == {CaseState.CANCELLED}


def test_cancel_without_a_case_says_there_is_none(village):
    assert told(village.says(LI, "取消"), LI) == [said("cancel.none")]


# --- solved and not


def test_solved_closes_and_not_solved_reopens(one_case):
    answered(one_case, 1)
    closed = one_case.presses(LI, "case:1:solved")
    assert told(closed, WANG_CHAT) == [said("case.resolved", number=1)]
    reopened = one_case.presses(LI, "case:1:unsolved")
    assert told(reopened, WANG_CHAT) == [said("case.reopened", number=1)]
    assert one_case.cases[1].state is CaseState.ACCEPTED
    one_case.says(LI, "还在跑")
    assert one_case.cases[1].question.endswith("补充：还在跑")


def test_solved_and_not_solved_twice_tell_the_commissioner_once(one_case):
    answered(one_case, 1)
    one_case.presses(LI, "case:1:unsolved")
    again = one_case.presses(LI, "case:1:unsolved")
    assert (told(again, LI), again.changes) == ([said("case.already", number=1)], ())
    one_case.presses(LI, "case:1:solved")
    again = one_case.presses(LI, "case:1:solved")
    assert (told(again, LI), again.changes) == ([said("case.closed", number=1)], ())


def test_a_cancelled_case_is_neither_solved_nor_unsolved(one_case):
    one_case.presses(LI, "case:1:cancel")
    for verb in ("solved", "unsolved", "add", "cancel"):
        assert told(one_case.presses(LI, f"case:1:{verb}"), LI) == [said("press.stale")]


@pytest.mark.parametrize(
    ("words", "state"), [("解决了", CaseState.RESOLVED), ("没解决", CaseState.ACCEPTED)]
)
def test_the_outcome_in_words_is_about_the_one_answered_case(one_case, words, state):
    answered(one_case, 1)
    one_case.says(LI, words)
    assert one_case.cases[1].state is state


def test_the_outcome_in_words_asks_which_of_several(two_cases):
    answered(two_cases, 1)
    answered(two_cases, 2, LV_CHAT)
    assert buttons(two_cases.says(LI, "解决了"), LI) == ["case:1:solved", "case:2:solved"]
    two_cases.says(LI, "解决了", about=2)
    assert two_cases.cases[2].state is CaseState.RESOLVED
    assert two_cases.cases[1].state is CaseState.ANSWERED


def test_the_outcome_in_words_asks_whether_case_or_last_answer_is_meant(one_case):
    one_case.says(LI, SURE)
    answered(one_case, 1)
    assert buttons(one_case.says(LI, "没用"), LI) == ["case:1:unsolved", "unsolved:2"]
    assert buttons(one_case.says(LI, "解决了"), LI) == ["case:1:solved", "useful:2"]


def test_a_farmer_who_helped_himself_closes_his_waiting_case(one_case):
    turn = one_case.says(LI, "搞定了，谢谢")
    assert told(turn, LI) == [said("case.closed", number=1)]
    assert one_case.cases[1].state is CaseState.RESOLVED


def test_not_solved_before_any_answer_says_the_case_is_under_way(one_case):
    assert told(one_case.says(LI, "没解决"), LI) == [said("case.already", number=1)]


@pytest.mark.parametrize("about", [None, 1])
@pytest.mark.parametrize("words", ["谢谢老师", "好的，谢谢，晓得了", "👍", "要得"])
def test_thanks_never_reopen(one_case, words, about):
    answered(one_case, 1)
    for state in (CaseState.ANSWERED, CaseState.RESOLVED):
        turn = one_case.says(LI, words, about=about)
        assert turn.changes == ()
        assert one_case.cases[1].state is state
        one_case.presses(LI, "case:1:solved")


def test_a_person_asked_for_after_a_closed_case_gets_the_next_question(one_case):
    one_case.presses(LI, "case:1:solved")
    assert told(one_case.says(LI, "转特派员"), LI) == [said("person.ask_away")]


def test_more_words_after_an_answer_bring_the_case_back_to_work(one_case):
    answered(one_case, 1)
    one_case.now += timedelta(hours=5)
    one_case.says(LI, "试了，还是跑", about=1)
    case = one_case.cases[1]
    assert (case.state, case.due_at) == (CaseState.ACCEPTED, one_case.now + timedelta(hours=24))


def test_a_case_that_nobody_holds_goes_back_to_the_dispatchers(village):
    village.says(LI, UNKNOWN)
    village.presses(LI, "case:1:solved")
    village.presses(LI, "case:1:unsolved")
    assert village.cases[1].state is CaseState.UNPLACED


# --- how it went, and how good the answer was

WHO = "科技特派员王瑞生"
RATING = ["case:1:rate3", "case:1:rate2", "case:1:rate1"]


def outcome_asked(village):
    answered(village, 1)
    village.time_comes(1)
    return village


def test_better_closes_the_case(one_case):
    turn = outcome_asked(one_case).presses(LI, "case:1:better")
    assert one_case.cases[1].state is CaseState.RESOLVED
    assert told(turn, WANG_CHAT) == [said("case.resolved", number=1)]
    assert buttons(turn, LI) == RATING


def test_the_same_is_told_and_asked_about_again(one_case):
    turn = outcome_asked(one_case).presses(LI, "case:1:same")
    assert told(turn, LI) == [said("case.same_thanks", number=1, who=WHO)]
    assert told(turn, WANG_CHAT) == [said("case.same", number=1)]
    assert one_case.cases[1].state is CaseState.ANSWERED
    assert buttons(one_case.time_comes(1), LI) == ["case:1:better", "case:1:same", "case:1:worse"]


@pytest.mark.parametrize("is_closed", [False, True])
def test_worse_reopens_with_the_same_commissioner(one_case, is_closed):
    outcome_asked(one_case)
    if is_closed:
        one_case.time_comes(1)
    turn = one_case.presses(LI, "case:1:worse")
    assert (one_case.cases[1].state, one_case.cases[1].holder) == (
        CaseState.ACCEPTED,
        "wang-ruisheng",
    )
    assert told(turn, WANG_CHAT) == [said("case.worse", number=1)]


def test_an_old_outcome_button_changes_nothing_while_the_case_is_under_way(one_case):
    outcome_asked(one_case).presses(LI, "case:1:worse")
    for verb in ("same", "worse"):
        turn = one_case.presses(LI, f"case:1:{verb}")
        assert (told(turn, LI), turn.changes) == ([said("case.already", number=1)], ())


def rated(proof):
    return (Entered(Deed.RATED, "wang-ruisheng", "农户", 1, proof=proof),)


def test_a_farmer_is_asked_once_how_good_the_answer_was(one_case):
    answered(one_case, 1)
    closed = one_case.presses(LI, "case:1:solved")
    assert said("case.rate", who=WHO) in told(closed, LI)[0]
    assert buttons(closed, LI) == RATING
    turn = one_case.presses(LI, "case:1:rate3")
    assert told(turn, LI) == [said("case.rate_thanks")]
    assert told(turn, WANG_CHAT) == [said("case.rated", number=1, rating="帮上大忙")]
    assert turn.entered == rated({"rating": 3})
    again = one_case.presses(LI, "case:1:rate1")
    assert (told(again, LI), again.entered) == ([said("case.rated_before")], ())
    one_case.presses(LI, "case:1:unsolved")
    answered(one_case, 1)
    assert buttons(one_case.presses(LI, "case:1:solved"), LI) == []


def test_whoever_was_not_helped_may_say_why_by_a_button(one_case):
    answered(one_case, 1)
    one_case.presses(LI, "case:1:solved")
    turn = one_case.presses(LI, "case:1:rate1")
    assert told(turn, LI) == [said("case.rate_why")]
    assert buttons(turn, LI) == [f"case:1:why{at}" for at in range(4)]
    turn = one_case.presses(LI, "case:1:why1")
    assert told(turn, WANG_CHAT) == [said("case.rated", number=1, rating="听不懂")]
    assert turn.entered == rated({"rating": 1, "reason": "听不懂"})
    assert told(one_case.presses(LI, "case:1:why1"), LI) == [said("press.stale")]


def test_what_nobody_answered_is_not_rated(one_case):
    assert buttons(one_case.presses(LI, "case:1:solved"), LI) == []
    assert told(one_case.presses(LI, "case:1:why0"), LI) == [said("press.stale")]
