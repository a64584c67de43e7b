"""A commissioner's chat: bind, accept, decline, answer, ask back, drafts; never by guess."""

import pytest

from bot.domain import CaseState, Event, Invitation, Memory, Other
from tests.cast import (
    DEPUTY,
    DEPUTY_CHAT,
    DESK_CHAT,
    DISPATCHER,
    LI,
    LV_CHAT,
    PEOPLE,
    PHOTO,
    UNKNOWN,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    WANG,
    WANG_CHAT,
    ZHANG,
    Village,
    buttons,
    said,
    told,
)

INVITATION = Invitation(WANG.id, "hash")


@pytest.fixture
def village():
    village = Village(*PEOPLE, DEPUTY)
    village.says(LI, UNKNOWN_BEES)
    return village


@pytest.fixture
def two_cases():
    village = Village()
    village.says(LI, UNKNOWN_BEES)
    village.says(ZHANG, UNKNOWN_BEES + "，急")
    return village


# --- binding


def test_a_one_time_code_binds_the_chat(village):
    turn = village.says(ZHANG, "绑定 ABCDEFGHJK", invitation=INVITATION)
    assert told(turn, ZHANG) == [said("desk.bound", name="王瑞生")]
    assert (turn.binds, turn.changes) == (INVITATION, ())


@pytest.mark.parametrize("sender", [LI, WANG_CHAT])
@pytest.mark.parametrize("words", ["绑定 ABCDEFGHJK", "/start ABCDEFGHJK", "/bind abcdefghjk"])
def test_a_wrong_or_used_code_is_said_to_be_so(village, sender, words):
    turn = village.says(sender, words)
    assert (told(turn, sender), turn.changes, turn.binds) == ([said("desk.not_bound")], (), None)


# --- accept and decline


def test_accepting_tells_the_farmer(village):
    turn = village.presses(WANG_CHAT, "case:1:accept")
    assert told(turn, WANG_CHAT) == [said("desk.accepted", number=1)]
    assert told(turn, LI) == [said("case.accepted", number=1, who="科技特派员王瑞生")]
    assert village.cases[1].state is CaseState.ACCEPTED


def test_accepting_twice_changes_nothing(village):
    village.presses(WANG_CHAT, "case:1:accept")
    turn = village.presses(WANG_CHAT, "case:1:accept")
    assert (told(turn, WANG_CHAT), turn.changes) == ([said("desk.already_yours", number=1)], ())


@pytest.mark.parametrize("words", ["接单", "我接", "我来"])
def test_accepting_may_be_typed_below_the_offer(village, words):
    village.says(WANG_CHAT, words, about=1)
    assert village.cases[1].state is CaseState.ACCEPTED


def test_declining_offers_the_case_to_the_next_and_then_to_the_dispatcher(village):
    turn = village.presses(WANG_CHAT, "case:1:decline")
    assert buttons(turn, DEPUTY_CHAT) == ["case:1:accept", "case:1:decline"]
    assert told(turn, LI) == [said("case.passed_on", number=1, who="科技特派员周副")]
    turn = village.says(DEPUTY_CHAT, "退回，我在外地", about=1)
    assert village.events[-1].note == "我在外地"
    assert village.events[-1].what is Event.DECLINED
    assert len(told(turn, DESK_CHAT)) == 1
    assert told(turn, LI) == [said("case.passed_on", number=1, who="分诊员")]
    assert village.cases[1].passed == (WANG.id, DEPUTY.id)


@pytest.mark.parametrize("words", ["退回", "不接", "#1 退回"])
def test_declining_may_be_typed(village, words):
    village.says(WANG_CHAT, words, about=1)
    assert village.cases[1].holder == DEPUTY.id


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_an_answered_case_is_neither_accepted_nor_declined_by_an_old_button(village, verb):
    village.says(WANG_CHAT, "先莫开箱", about=1)
    turn = village.presses(WANG_CHAT, f"case:1:{verb}")
    assert (told(turn, WANG_CHAT), turn.changes) == ([said("desk.too_late", number=1)], ())


def test_a_dispatcher_who_declines_anothers_offer_leaves_it_where_it_is(village):
    turn = village.presses(DESK_CHAT, "case:1:decline")
    assert (told(turn, DESK_CHAT), turn.changes) == ([said("desk.left", number=1)], ())


def test_a_dispatcher_takes_what_nobody_could_be_found_for(village):
    village.says(ZHANG, UNKNOWN)
    village.presses(DESK_CHAT, "case:2:accept")
    assert village.cases[2].holder == DISPATCHER.id
    turn = village.says(DESK_CHAT, "请找农机站", about=2)
    assert told(turn, ZHANG) == [said("case.answer", number=2, who="分诊台") + "\n\n请找农机站"]


def test_one_who_let_it_lie_may_still_answer_while_nobody_has_it():
    village = Village()
    village.says(LI, UNKNOWN_BEES)
    village.time_comes(1)
    village.time_comes(1)
    assert village.cases[1].state is CaseState.UNPLACED
    village.says(WANG_CHAT, "刚从山上下来，先莫开箱", about=1)
    assert (village.cases[1].state, village.cases[1].holder) == (CaseState.ANSWERED, WANG.id)


# --- answering


def test_a_reply_answers_the_farmer_under_the_commissioners_name(village):
    turn = village.says(WANG_CHAT, "先莫开箱", about=1, attachments=(PHOTO,))
    relay = next(reply for reply in turn.replies if reply.to == LI)
    assert relay.text == said("case.answer", number=1, who="科技特派员王瑞生") + "\n\n先莫开箱"
    assert relay.attachments == (PHOTO,)
    assert relay.purpose == "relay"
    assert buttons(turn, LI) == ["case:1:solved", "case:1:unsolved"]
    assert told(turn, WANG_CHAT) == [said("desk.answered", number=1)]
    assert turn.filed_under == 1


@pytest.mark.parametrize("words", ["#1 先莫开箱", "＃1：先莫开箱", "# 1，先莫开箱"])
def test_the_number_in_front_answers_that_case(village, words):
    turn = village.says(WANG_CHAT, words)
    assert told(turn, LI)[0].endswith("\n\n先莫开箱")


def test_the_desk_page_names_the_case_itself(village):
    village.says(WANG_CHAT, "先莫开箱", case=1, press="case:1:answer")
    assert village.cases[1].state is CaseState.ANSWERED
    village.says(WANG_CHAT, "还有，喂点糖水", case=1)
    assert village.events[-1].what is Event.ANSWERED


@pytest.mark.parametrize(("verb", "event"), [("answer", Event.ANSWERED), ("ask", Event.ASKED)])
def test_a_button_without_words_takes_the_next_message(village, verb, event):
    turn = village.presses(WANG_CHAT, f"case:1:{verb}")
    assert told(turn, WANG_CHAT) == [said(f"desk.send_{verb}", number=1)]
    turn = village.says(WANG_CHAT, "可以")
    assert village.events[-1].what is event
    assert turn.memory == Memory()


def test_asking_back_waits_for_the_farmer_whose_words_come_back(village):
    turn = village.says(WANG_CHAT, "问：箱子朝哪边？", about=1)
    assert told(turn, LI) == [
        said("case.question", number=1, who="科技特派员王瑞生") + "\n\n箱子朝哪边？"
    ]
    assert told(turn, WANG_CHAT) == [said("desk.asked", number=1)]
    assert village.cases[1].state is CaseState.ASKED
    turn = village.says(LI, "朝北", about=1)
    assert told(turn, WANG_CHAT) == [said("case.added", number=1, words="朝北")]


@pytest.mark.parametrize("words", ["收到", "好的", "要得", "👌", "谢谢"])
def test_a_mere_yes_below_an_offer_is_asked_about_and_never_sent(village, words):
    turn = village.says(WANG_CHAT, words, about=1)
    assert (told(turn, LI), turn.changes) == ([], ())
    assert told(turn, WANG_CHAT) == [said("desk.accept_or_send", number=1)]
    assert buttons(turn, WANG_CHAT) == ["case:1:accept", "draft:1"]


def test_a_mere_yes_on_an_accepted_case_is_sent_when_confirmed(village):
    village.presses(WANG_CHAT, "case:1:accept")
    turn = village.says(WANG_CHAT, "可以", about=1)
    assert told(turn, WANG_CHAT) == [said("desk.really_send", number=1)]
    turn = village.presses(WANG_CHAT, "draft:1")
    assert told(turn, LI)[0].endswith("\n\n可以")


def test_a_reply_in_the_instant_before_the_offer_is_marked_sent_finds_its_case(two_cases):
    turn = two_cases.says(WANG_CHAT, "先莫开箱", quoted="新问题 #2（养蜂）")
    assert told(turn, ZHANG)[0].endswith("先莫开箱")
    assert told(turn, LI) == []


def test_a_quoted_number_of_another_case_reaches_nobody(two_cases):
    turn = two_cases.says(LV_CHAT, "先莫开箱", quoted="新问题 #2（养蜂）")
    assert (told(turn, LI), told(turn, ZHANG)) == ([], [])


# --- drafts


def test_words_without_a_case_are_kept_until_he_says_which(two_cases):
    turn = two_cases.says(WANG_CHAT, "先莫开箱", attachments=(PHOTO,))
    assert (turn.changes, told(turn, LI), told(turn, ZHANG)) == ((), [], [])
    assert buttons(turn, WANG_CHAT) == ["draft:1", "draft:2"]
    assert turn.replies[0].buttons[0].label == f"发给 #1 {UNKNOWN_BEES}"
    turn = two_cases.presses(WANG_CHAT, "draft:2")
    assert told(turn, ZHANG)[0].endswith("\n\n先莫开箱")
    assert told(turn, LI) == []
    again = two_cases.presses(WANG_CHAT, "draft:2")
    assert told(again, WANG_CHAT) == [said("press.stale")]


def test_words_sent_in_two_goes_reach_the_farmer_together(two_cases):
    two_cases.says(WANG_CHAT, "先莫开箱。")
    two_cases.says(WANG_CHAT, "明天我来看。")
    turn = two_cases.presses(WANG_CHAT, "draft:2")
    assert "先莫开箱。\n明天我来看。" in "".join(one.text for one in turn.replies)


def test_cases_without_an_answer_stand_first_among_those_to_choose(two_cases):
    two_cases.says(WANG_CHAT, "#1 盖好就行。")
    turn = two_cases.says(WANG_CHAT, "先莫开箱。")
    assert buttons(turn, WANG_CHAT) == ["draft:2", "draft:1"]


def test_a_draft_that_begins_with_ask_is_a_question(village):
    village.says(WANG_CHAT, "问：几桶？")
    village.presses(WANG_CHAT, "draft:1")
    assert village.cases[1].state is CaseState.ASKED


def test_while_words_are_awaited_he_may_turn_to_the_list_or_call_it_off(village):
    village.presses(WANG_CHAT, "case:1:answer")
    assert told(village.says(WANG_CHAT, "我的问题"), WANG_CHAT)[0].startswith(said("desk.list"))
    village.presses(WANG_CHAT, "case:1:answer")
    turn = village.says(WANG_CHAT, "取消")
    assert (told(turn, WANG_CHAT), told(turn, LI)) == ([said("desk.which_case")], [])


def test_without_cases_there_is_nothing_to_send_to(village):
    assert told(village.says(LV_CHAT, "先莫开箱"), LV_CHAT) == [said("desk.none")]


# --- not his


def test_another_commissioners_case_is_not_there_for_him(village):
    for action in ("case:1:accept", "case:1:answer", "case:1:decline", "case:99:ask"):
        turn = village.presses(LV_CHAT, action)
        number = action.split(":")[1]
        assert told(turn, LV_CHAT) == [said("desk.no_such_case", number=number)]
    turn = village.says(LV_CHAT, "#1 打石硫合剂")
    assert (told(turn, LI), turn.changes) == ([], ())


def test_a_case_passed_to_another_is_refused_and_nothing_sent(village):
    village.presses(WANG_CHAT, "case:1:decline")
    turn = village.says(WANG_CHAT, "还是我来答，先莫开箱", about=1)
    assert told(turn, WANG_CHAT) == [said("desk.not_sent", number=1, who="科技特派员周副")]
    assert (told(turn, LI), turn.changes) == ([], ())
    turn = village.says(WANG_CHAT, "收到", about=1)
    assert told(turn, LI) == []


def test_a_cancelled_case_is_refused(village):
    village.presses(LI, "case:1:cancel")
    for turn in (
        village.says(WANG_CHAT, "先莫开箱", about=1),
        village.presses(WANG_CHAT, "case:1:accept"),
    ):
        assert told(turn, WANG_CHAT) == [said("desk.closed", number=1)]
        assert (told(turn, LI), turn.changes) == ([], ())


def test_a_late_word_on_a_solved_case_still_reaches_the_farmer(village):
    village.says(WANG_CHAT, "先莫开箱", about=1)
    village.presses(LI, "case:1:solved")
    turn = village.says(WANG_CHAT, "过几天再看一次王台", about=1)
    assert told(turn, LI)[0].endswith("\n\n过几天再看一次王台")


def test_a_dispatcher_is_refused_what_another_is_working_on(village):
    village.presses(WANG_CHAT, "case:1:accept")
    turn = village.presses(DESK_CHAT, "case:1:accept")
    assert told(turn, DESK_CHAT) == [said("desk.not_yours", number=1, who="科技特派员王瑞生")]


# --- other


def test_the_list_shows_only_what_waits_for_him(village):
    village.says(ZHANG, UNKNOWN)
    village.says(ZHANG, UNKNOWN_PEPPER)
    village.presses(ZHANG, "person:3")
    assert told(village.says(WANG_CHAT, "我的问题"), WANG_CHAT) == [
        f"{said('desk.list')}\n#1（等接单）{UNKNOWN_BEES}"
    ]
    assert told(village.says(DESK_CHAT, "我的问题"), DESK_CHAT) == [
        f"{said('desk.list')}\n#2（待分派）{UNKNOWN}"
    ]
    village.presses(WANG_CHAT, "case:1:decline")
    assert told(village.says(WANG_CHAT, "我的问题"), WANG_CHAT) == [said("desk.none")]


@pytest.mark.parametrize("words", ["你好", "帮助", "取消", "解决了", "👍"])
def test_other_wishes_bring_the_help(village, words):
    assert told(village.says(WANG_CHAT, words), WANG_CHAT) == [said("desk.help")]


@pytest.mark.parametrize("about", [None, 1])
def test_a_sticker_cannot_be_sent(village, about):
    turn = village.says(WANG_CHAT, other=Other.STICKER, about=about)
    assert told(turn, WANG_CHAT) == [said("desk.unsupported")]


@pytest.mark.parametrize(
    "action", ["case:1:solved", "case:1", "draft:1", "useful:1", "x", "case:1:accept:1"]
)
def test_a_stale_or_malformed_button_is_said_to_be_so(village, action):
    turn = village.presses(WANG_CHAT, action)
    assert (told(turn, WANG_CHAT), turn.changes) == ([said("press.stale")], ())


# --- before words go out

BANNED = "打甲胺磷就好"


def test_words_about_a_banned_substance_are_looked_at_once_more(village):
    turn = village.says(WANG_CHAT, BANNED, about=1)
    look = said("desk.look_again", number=1, worries="甲胺磷：全国禁用")
    assert (told(turn, WANG_CHAT), turn.changes) == ([look], ())
    assert buttons(turn, WANG_CHAT) == ["case:1:sure"]
    sent = village.presses(WANG_CHAT, "case:1:sure")
    assert BANNED in told(sent, LI)[0]
    assert sent.changes[0].note == said("case.sent_anyway", worries="甲胺磷：全国禁用")
    again = village.presses(WANG_CHAT, "case:1:sure")
    assert (told(again, WANG_CHAT), told(again, LI)) == ([said("press.stale")], [])


def test_mended_words_go_out_instead_and_photos_go_along(village):
    village.says(WANG_CHAT, BANNED, about=1)
    mended = village.says(WANG_CHAT, "先剪病枝", about=1)
    assert "先剪病枝" in told(mended, LI)[0]
    assert mended.changes[0].note == ""
    village.says(WANG_CHAT, BANNED, about=1, attachments=(PHOTO,))
    sent = village.presses(WANG_CHAT, "case:1:sure")
    assert [one.attachments for one in sent.replies if one.to == LI] == [(PHOTO,)]


def test_a_question_back_is_not_held_up(village):
    turn = village.says(WANG_CHAT, f"问：您是不是{BANNED}", about=1)
    assert BANNED in told(turn, LI)[0]


def test_whose_case_went_to_another_meanwhile_sends_nothing(village):
    village.says(WANG_CHAT, BANNED, about=1)
    village.presses(WANG_CHAT, "case:1:decline")
    turn = village.presses(WANG_CHAT, "case:1:sure")
    assert (told(turn, LI), turn.changes) == ([], ())


# --- handed on


@pytest.mark.parametrize("words", ["转给 吕玉奎，看是不是药害", "转给吕玉奎：看是不是药害"])
def test_a_case_is_handed_on_by_name_with_the_reason(village, words):
    turn = village.says(WANG_CHAT, words, about=1)
    case = village.cases[1]
    assert (case.holder, case.state, case.passed) == ("lv-yukui", CaseState.OFFERED, (WANG.id,))
    assert told(turn, WANG_CHAT) == [said("desk.handed_on", number=1, name="吕玉奎")]
    assert UNKNOWN_BEES in told(turn, LV_CHAT)[0]
    assert told(turn, LI) == [said("case.passed_on", number=1, who="科技特派员吕玉奎")]
    assert (turn.changes[0].what, turn.changes[0].note) == (Event.HANDED_ON, "吕玉奎，看是不是药害")


def test_the_button_of_the_desk_hands_it_on_too(village):
    village.presses(WANG_CHAT, "case:1:accept")
    village.presses(WANG_CHAT, "case:1:hand:lv-yukui", text="他懂药")
    assert village.cases[1].holder == "lv-yukui"
    declined = village.presses(LV_CHAT, "case:1:decline")
    assert village.cases[1].holder == DEPUTY.id
    assert told(declined, LI)


@pytest.mark.parametrize("name", ["张三", "王瑞生", "分诊台"])
def test_a_name_that_is_nobodys_is_asked_about_again(village, name):
    turn = village.says(WANG_CHAT, f"转给 {name}", about=1)
    names = "吕玉奎、秦兆华、周副"
    assert told(turn, WANG_CHAT) == [said("desk.hand_to_whom", number=1, names=names)]
    assert turn.changes == ()


def test_only_whoever_has_a_case_hands_it_on_and_only_before_it_is_answered(village):
    turn = village.says(LV_CHAT, "#1 转给 秦兆华")
    assert (turn.changes, told(turn, LV_CHAT)) == ((), [said("desk.no_such_case", number=1)])
    village.says(WANG_CHAT, "先莫开箱", about=1)
    turn = village.says(WANG_CHAT, "#1 转给 吕玉奎")
    assert told(turn, WANG_CHAT) == [said("desk.too_late", number=1)]


# --- who else was offered the case


def test_whoever_else_was_offered_the_case_hears_who_was_faster(village):
    village.says(ZHANG, UNKNOWN)  # of no subject: the dispatchers have it
    turn = village.presses(WANG_CHAT, "case:2:accept")
    assert told(turn, DESK_CHAT) == []  # it was not his to take

    turn = village.presses(DESK_CHAT, "case:1:accept")
    (taken,) = [one for one in turn.replies if one.to == WANG_CHAT]
    assert taken.text == said("case.taken", number=1, who="分诊台")
    assert (taken.case, taken.closing) == (1, said("button.taken", name="分诊台"))


def test_the_buttons_of_an_offer_become_what_was_done_with_it(village):
    (accepted,) = [
        one for one in village.presses(WANG_CHAT, "case:1:accept").replies if one.to == WANG_CHAT
    ]
    assert (accepted.case, accepted.closing) == (1, said("button.accepted"))
    (late,) = village.presses(DESK_CHAT, "case:1:accept").replies
    assert (late.case, late.closing) == (1, said("button.taken", name="王瑞生"))


def test_opening_the_chat_shows_what_waits(village):
    turn = village.says(WANG_CHAT, "", other=Other.JOINED)
    assert "#1" in told(turn, WANG_CHAT)[0]
    assert said("desk.list") in told(turn, WANG_CHAT)[0]
