"""A farmer's chat: small talk, questions, choices, photos."""

import pytest

from bot.domain import Answer, CaseState, Clarify, Decline, Escalate, Match, Other, Reason
from tests.cast import (
    DECLINED,
    DESK_CHAT,
    LI,
    LV_CHAT,
    PHOTO,
    SPOT,
    SURE,
    UNKNOWN,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    UNSURE,
    VOICE,
    WANG_CHAT,
    ZHANG,
    Village,
    buttons,
    said,
    told,
)


@pytest.fixture
def village():
    return Village()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("你好", "greeting"),
        ("老师您好！", "greeting"),
        ("/start", "greeting"),
        ("在不在哦", "greeting"),
        ("帮助", "wish.help"),
        ("/help", "wish.help"),
        ("/nonsense", "wish.help"),
        ("谢谢老师了哈", "wish.thanks"),
        ("好的，谢谢老师，我晓得了", "wish.thanks"),
        ("好的谢谢晓得了", "wish.thanks"),
        ("要得", "wish.small_talk"),
        ("好嘛", "wish.small_talk"),
        ("👍👍", "wish.small_talk"),
        ("？？？", "wish.small_talk"),
    ],
)
def test_courtesy_is_answered_and_opens_no_case(village, words, key):
    turn = village.says(LI, words)
    assert (told(turn, LI), turn.changes) == ([said(key)], ())


def test_the_second_greeting_is_shorter(village):
    village.says(LI, "你好")
    assert told(village.says(LI, "你好"), LI) == [said("wish.greeting")]


def test_a_known_question_is_answered_word_for_word(village):
    turn = village.says(LI, SURE)
    assert told(turn, LI) == [
        (
            "【花椒锈病】\n先把病叶清出园子烧掉。\n\n【怎么办】\n· 雨前喷一次\n"
            f"来源：《花椒病虫害》\n{said('answer.pending')}"
        )
    ]
    assert buttons(turn, LI) == ["useful:1", "unsolved:1"]
    assert isinstance(turn.decision, Answer)
    assert turn.changes == ()


def test_a_vague_question_brings_choices(village):
    turn = village.says(LI, UNSURE)
    assert "1. 花椒锈病\n2. 花椒叶斑病\n3. 花椒蚜虫" in told(turn, LI)[0]
    assert buttons(turn, LI) == [
        "show:pepper-rust:1",
        "show:pepper-leaf-spot:1",
        "show:pepper-aphid:1",
        "none:1",
    ]
    assert isinstance(turn.decision, Clarify)


def test_an_unknown_question_becomes_a_case_with_its_commissioner(village):
    turn = village.says(LI, UNKNOWN_BEES)
    assert told(turn, LI)[0].splitlines() == [
        said("case.unsure"),
        "",
        *said("case.opened", number=1, who="科技特派员王瑞生").splitlines(),
        "",
        said("township.ask"),
    ]
    assert buttons(turn, WANG_CHAT) == ["case:1:accept", "case:1:decline"]
    assert turn.decision == Escalate(Reason.NO_MATCH, "beekeeping", turn.decision.matches)
    assert turn.filed_under == 1


def test_a_question_of_no_subject_goes_to_the_dispatcher(village):
    turn = village.says(LI, UNKNOWN)
    assert "已转给分诊员" in told(turn, LI)[0]
    assert buttons(turn, DESK_CHAT) == ["case:1:accept", "case:1:decline"]
    assert village.cases[1].state is CaseState.UNPLACED


def test_an_out_of_scope_question_gets_the_honest_reply_and_a_way_to_a_person(village):
    turn = village.says(LI, DECLINED)
    assert told(turn, LI) == ["补贴的事请问镇街农业服务中心。"]
    assert buttons(turn, LI) == ["person:1"]
    assert isinstance(turn.decision, Decline)


@pytest.mark.parametrize(
    ("pick", "title"),
    [
        ("1", "花椒锈病"),
        ("2。", "花椒叶斑病"),
        (" ２ ", "花椒叶斑病"),
        ("选3", "花椒蚜虫"),
        ("第二个", "花椒叶斑病"),
        ("二", "花椒叶斑病"),
    ],
)
def test_a_number_picks_a_choice(village, pick, title):
    village.says(LI, UNSURE)
    assert told(village.says(LI, pick), LI)[0].startswith(f"【{title}】")


def test_a_button_picks_a_choice(village):
    village.says(LI, UNSURE)
    assert told(village.presses(LI, "show:pepper-rust:1"), LI)[0].startswith("【花椒锈病】")


@pytest.mark.parametrize("pick", [{"text": "2"}, {"press": "show:pepper-leaf-spot:1"}])
def test_a_pick_is_told_apart_from_an_answer_at_once(village, pick):
    village.says(LI, UNSURE)
    assert village.says(LI, **pick).decision == Answer(Match(SPOT, 0.0, ""), is_picked=True)


def test_after_one_choice_another_may_be_picked(village):
    village.says(LI, UNSURE)
    village.says(LI, "1")
    assert told(village.says(LI, "2"), LI)[0].startswith("【花椒叶斑病】")


@pytest.mark.parametrize("none", ["0", "零", "4", "都不是", "不是哦", "press"])
def test_none_of_the_choices_goes_to_the_commissioner(village, none):
    village.says(LI, UNSURE)
    turn = village.presses(LI, "none:1") if none == "press" else village.says(LI, none)
    assert village.cases[1].reason is Reason.NONE_FITS
    assert village.cases[1].suggestions == ("pepper-rust", "pepper-leaf-spot", "pepper-aphid")
    assert len(told(turn, LV_CHAT)) == 1


@pytest.mark.parametrize("number", ["7", "99", "100"])
def test_a_number_beyond_the_choices_is_asked_again(village, number):
    village.says(LI, UNSURE)
    assert told(village.says(LI, number), LI) == [said("clarify.out_of_range")]


@pytest.mark.parametrize("number", ["1", "12", "３"])
def test_a_number_without_choices_opens_no_case(village, number):
    turn = village.says(LI, number)
    assert (told(turn, LI), turn.changes) == ([said("clarify.no_list")], ())


def test_words_after_choices_are_a_new_question(village):
    village.says(LI, UNSURE)
    assert told(village.says(LI, SURE), LI)[0].startswith("【花椒锈病】")


def test_useful_is_thanked_for(village):
    village.says(LI, SURE)
    assert told(village.presses(LI, "useful:1"), LI) == [said("useful.thanks")]
    assert told(village.says(LI, "解决了"), LI) == [said("useful.thanks")]


@pytest.mark.parametrize("unsolved", ["没解决", "没得用", "还是不行", "press"])
def test_an_answer_that_did_not_help_goes_to_a_person(village, unsolved):
    village.says(LI, SURE)
    turn = village.presses(LI, "unsolved:1") if unsolved == "press" else village.says(LI, unsolved)
    assert village.cases[1].reason is Reason.UNSOLVED
    assert village.cases[1].question == SURE
    assert said("case.unsure") not in told(turn, LI)[0]


def test_the_same_question_goes_to_a_person_only_once(village):
    village.says(LI, SURE)
    village.presses(LI, "unsolved:1")
    turn = village.presses(LI, "unsolved:1")
    assert (told(turn, LI), turn.changes) == ([said("case.already", number=1)], ())


def test_a_question_whose_case_was_cancelled_may_go_to_a_person_again(village):
    village.says(LI, SURE)
    village.presses(LI, "unsolved:1")
    village.presses(LI, "case:1:cancel")
    village.presses(LI, "unsolved:1")
    assert village.cases[2].question == SURE


def test_a_question_whose_case_was_closed_is_reopened_not_doubled(village):
    village.says(LI, SURE)
    village.presses(LI, "unsolved:1")
    village.presses(LI, "case:1:solved")
    village.presses(LI, "unsolved:1")
    assert village.cases[1].state is CaseState.ACCEPTED
    assert list(village.cases) == [1]


@pytest.mark.parametrize("words", ["转特派员", "我要找专家", "人工", "你好，转人工"])
def test_a_person_asked_for_after_a_question_gets_that_question(village, words):
    village.says(LI, SURE)
    village.says(LI, words)
    assert village.cases[1].question == SURE
    assert village.cases[1].reason is Reason.ASKED_FOR_PERSON


def test_a_person_asked_for_before_a_question_gets_the_next_one(village):
    assert told(village.says(LI, "转特派员"), LI) == [said("person.ask_away")]
    turn = village.says(LI, SURE)
    assert village.cases[1].question == SURE
    assert village.cases[1].suggestions == ("pepper-rust", "pepper-leaf-spot")
    assert len(told(turn, LV_CHAT)) == 1


def test_a_person_asked_for_twice_makes_no_second_case(village):
    village.says(LI, UNKNOWN_BEES)
    turn = village.says(LI, "转特派员")
    assert (told(turn, LI), turn.changes) == ([said("case.already", number=1)], ())


@pytest.mark.parametrize("words", ["不是", "不对"])
def test_no_without_anything_offered_opens_no_case(village, words):
    turn = village.says(LI, words)
    assert (told(turn, LI), turn.changes) == ([said("wish.small_talk")], ())


def test_not_solved_without_a_question_asks_for_it(village):
    assert told(village.says(LI, "没解决"), LI) == [said("person.ask_away")]


def test_a_photo_without_words_waits_for_a_word(village):
    turn = village.says(LI, attachments=(PHOTO,))
    assert (told(turn, LI), buttons(turn, LI)) == ([said("photo.say_more")], ["person:1"])
    village.says(LI, UNKNOWN_PEPPER)
    assert village.cases[1].attachments == (PHOTO,)
    assert village.cases[1].question == UNKNOWN_PEPPER


@pytest.mark.parametrize("caption", ["老师你好", "盘龙镇", "谢谢"])
def test_a_photo_with_no_more_than_a_greeting_waits_for_a_word(village, caption):
    turn = village.says(LI, caption, attachments=(PHOTO,))
    assert told(turn, LI) == [said("photo.say_more")]
    village.presses(LI, "person:1")
    assert village.cases[1].attachments == (PHOTO,)
    assert village.cases[1].question == ""


def test_a_photo_sent_for_a_person_goes_to_a_person(village):
    village.says(LI, "转特派员", attachments=(PHOTO,))
    assert (village.cases[1].attachments, village.cases[1].reason) == ((PHOTO,), Reason.PHOTO)


def test_a_photo_with_words_is_a_question(village):
    turn = village.says(LI, UNKNOWN_PEPPER, attachments=(PHOTO,))
    offer = next(reply for reply in turn.replies if reply.to == LV_CHAT)
    assert offer.attachments == (PHOTO,)


def test_a_voice_note_goes_to_a_person_who_can_listen(village):
    turn = village.says(LI, attachments=(VOICE,))
    assert village.cases[1].reason is Reason.PHOTO
    assert said("case.photo") in told(turn, DESK_CHAT)[0]


@pytest.mark.parametrize(
    ("other", "key"),
    [
        (Other.STICKER, "other.sticker"),
        (Other.VIDEO, "other.video"),
        (Other.CONTACT, "other.contact"),
        (Other.UNKNOWN, "other.unknown"),
        (Other.JOINED, "greeting"),
        (None, "other.unknown"),
    ],
)
def test_things_that_are_no_words_get_a_sensible_reply(village, other, key):
    turn = village.says(LI, other=other)
    assert (told(turn, LI), turn.changes) == ([said(key)], ())


def test_one_who_comes_back_is_greeted_shortly(village):
    village.says(LI, other=Other.JOINED)
    assert told(village.says(LI, other=Other.JOINED), LI) == [said("other.joined")]


def test_a_place_without_a_case_asks_what_is_the_matter(village):
    turn = village.says(LI, other=Other.LOCATION, location=(29.4, 105.6))
    assert told(turn, LI) == [said("other.location")]


def test_a_place_reaches_the_commissioner_of_the_open_case(village):
    village.says(LI, UNKNOWN_BEES)
    turn = village.says(LI, other=Other.LOCATION, location=(29.4, 105.6))
    assert "北纬 29.4，东经 105.6" in told(turn, WANG_CHAT)[0]


@pytest.mark.parametrize(
    "action",
    [
        "",
        ":",
        "show:pepper-rust:99",
        "show:gone:1",
        "unsolved:99",
        "none:x",
        "add:1:1",
        "add:x:y",
        "case:7:solved",
        "case:1:dance",
        "case:1:accept",
        "case:x",
        "draft:1",
        "show:a:b:c",
        "💥" * 10,
    ],
)
def test_a_stale_or_malformed_button_is_said_to_be_so(village, action):
    village.says(LI, SURE)
    turn = village.presses(LI, action)
    assert (told(turn, LI), turn.changes) == ([said("press.stale")], ())


def test_a_farmer_never_reaches_another_farmers_case(village):
    village.says(LI, UNKNOWN_BEES)
    for verb in ("solved", "unsolved", "cancel", "add"):
        assert told(village.presses(ZHANG, f"case:1:{verb}"), ZHANG) == [said("press.stale")]
    assert told(village.says(ZHANG, "我的问题"), ZHANG) == [said("list.none")]
    village.says(ZHANG, "#1 取消")
    assert village.cases[1].farmer == LI
    assert village.cases[1].state is CaseState.OFFERED


def test_news_of_answers_are_switched_off_and_on_by_button():
    village = Village()
    turn = village.presses(LI, "news:off")
    assert (told(turn, LI), buttons(turn, LI)) == ([said("news.off")], ["news:on"])
    assert not village.memory(LI).wants_news
    assert told(village.presses(LI, "news:on"), LI) == [said("news.on")]
    assert village.memory(LI).wants_news
