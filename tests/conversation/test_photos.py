"""Which photos a farmer is asked for, and what he hears of those that are hard to judge."""

from dataclasses import replace

import pytest

from bot.conversation.photo_guide import PhotoGuide
from bot.domain import CaseState, Flaw, Reason
from tests import cast
from tests.cast import (
    LI,
    LV_CHAT,
    PHOTO,
    STUNG,
    SURE,
    UNKNOWN,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    VOICE,
    WANG_CHAT,
    Village,
    said,
    told,
)

VIEWS = ("整株", "叶背", "病处近照")
GUIDE = "方便的话补几张照片：整株、叶背、病处近照，直接发在这里就行。"
BLURRED, DARK = (Flaw.BLURRED,), (Flaw.DARK,)


@pytest.fixture
def village(monkeypatch):
    for name in ("sichuan-pepper", "beekeeping"):
        monkeypatch.setitem(cast.DOMAINS, name, replace(cast.DOMAINS[name], photos=VIEWS))
    return Village()


def photos(*flaws, start=1):
    return tuple(replace(PHOTO, media=f"p{at}", flaws=one) for at, one in enumerate(flaws, start))


def advice(*names):
    return said("photo.again", how="\n".join(said(f"photo.{name}") for name in names))


def shows(village, *flaws, text="", start=1):
    """What he is told at once."""
    turn = village.says(LI, text, attachments=photos(*flaws, start=start))
    (told_,) = told(turn, LI)
    return told_


# --- the guide


def test_a_case_opened_without_photos_asks_for_them(village):
    (opened,) = told(village.says(LI, UNKNOWN_PEPPER), LI)
    assert opened.split("\n\n")[-2:] == [GUIDE, said("township.ask")]


def test_a_subject_that_needs_no_photos_asks_for_none(village):
    assert "照片：" not in told(village.says(LI, UNKNOWN), LI)[0]


@pytest.mark.parametrize(("sent", "is_asked"), [(0, True), (1, True), (2, True), (3, False)])
def test_whoever_sent_as_many_photos_is_not_asked_for_more(village, sent, is_asked):
    opened = shows(village, *[()] * sent, text=UNKNOWN_PEPPER)
    assert (GUIDE in opened) is is_asked


def test_a_voice_note_is_no_photo(village):
    turn = village.says(LI, UNKNOWN_PEPPER, attachments=(VOICE, VOICE, VOICE))
    assert GUIDE in told(turn, LI)[0]


def test_in_an_emergency_nobody_is_asked_for_photos(village):
    assert "照片：" not in "".join(told(village.says(LI, STUNG), LI))


def test_what_is_not_ours_to_answer_needs_no_photos(village):
    guide = PhotoGuide(lambda: cast.DOMAINS, cast.phrases())
    assert guide.ask(cast.a_case(reason=Reason.NO_MATCH)) == GUIDE
    assert guide.ask(cast.a_case(reason=Reason.OUT_OF_SCOPE)) == ""


def test_photos_sent_after_the_guide_join_the_case_without_a_question(village):
    village.says(LI, UNKNOWN_PEPPER)
    for at in (1, 2, 3):
        said_ = shows(village, (), start=at)
        assert said_ == said("case.added_thanks", number=1, who="科技特派员吕玉奎")
    assert village.cases[1].attachments == photos((), (), ())


@pytest.mark.parametrize(
    "caption", ["整株", "这是叶背的", "近照", "整株\n叶背\n病处", "叶背和整株"]
)
def test_a_photo_that_says_what_it_shows_joins_the_case(village, caption):
    village.says(LI, UNKNOWN_PEPPER)
    shows(village, (), text=caption)
    assert village.cases[1].attachments == photos(())
    assert caption in village.cases[1].question


def test_a_photo_that_says_more_is_asked_about(village):
    village.says(LI, UNKNOWN_PEPPER)
    assert shows(village, (), text="叶背一层白灰灰") == said("case.new_or_more")
    assert village.cases[1].attachments == ()


def test_a_question_below_a_photo_is_still_answered(village):
    village.says(LI, UNKNOWN_PEPPER)
    assert "花椒锈病" in shows(village, (), text=SURE)
    assert village.cases[1].attachments == ()


def test_with_two_cases_open_the_photos_go_where_they_were_asked_for(village):
    village.says(LI, UNKNOWN_BEES)
    village.presses(LI, "case:1:add")
    village.says(LI, "还有一箱也是")
    village.says(LI, UNKNOWN_PEPPER)
    village.presses(LI, "person:4")
    shows(village, ())
    assert [len(village.cases[number].attachments) for number in (1, 2)] == [0, 1]


def test_much_later_photos_are_asked_about_where_two_cases_are_open(village):
    village.says(LI, UNKNOWN_BEES)
    village.says(LI, UNKNOWN_PEPPER)
    village.presses(LI, "person:2")
    village.now += cast.timedelta(days=2)
    assert shows(village, ()) == said("case.new_or_more")


# --- flaws


def test_a_blurred_photo_joins_the_case_and_the_farmer_hears_how_to_do_better(village):
    turn = village.says(LI, UNKNOWN_PEPPER, attachments=photos(BLURRED))
    assert told(turn, LI)[0].endswith(advice("blurred"))
    assert village.cases[1].attachments == photos(BLURRED)
    (offer,) = told(turn, LV_CHAT)
    assert "· 照片有点糊\n" in offer


def test_each_flaw_is_named_once_a_message(village):
    village.says(LI, UNKNOWN_PEPPER)
    turn = village.says(LI, attachments=photos(DARK, (), (Flaw.BLURRED, Flaw.DARK), (Flaw.SMALL,)))
    thanks = said("case.added_thanks", number=1, who="科技特派员吕玉奎")
    assert told(turn, LI) == [f"{thanks}\n\n{advice('blurred', 'dark', 'small')}"]
    notes = "第 1 张照片偏暗；第 3 张照片有点糊、偏暗；第 4 张照片太小"
    assert told(turn, LV_CHAT)[0].endswith(notes)


def test_it_is_not_said_twice_in_a_row(village):
    village.says(LI, UNKNOWN_PEPPER)
    is_told = [
        "再拍一张" in shows(village, flaws, start=at)
        for at, flaws in enumerate((BLURRED, DARK, (), BLURRED), 1)
    ]
    assert is_told == [True, False, False, True]


def test_the_commissioner_sees_the_note_though_the_farmer_is_left_in_peace(village):
    village.says(LI, UNKNOWN_PEPPER, attachments=photos(BLURRED))
    turn = village.says(LI, attachments=photos(DARK, start=2))
    assert told(turn, LV_CHAT)[0].endswith("照片偏暗")


def test_a_photo_without_words_is_told_of_once(village):
    waiting = shows(village, BLURRED)
    assert waiting == f"{said('photo.say_more')}\n\n{advice('blurred')}"
    opened = told(village.says(LI, UNKNOWN_PEPPER), LI)[0]
    assert "再拍一张" not in opened
    assert village.cases[1].attachments == photos(BLURRED)


def test_nothing_is_said_of_a_photo_that_nobody_looks_at_until_somebody_does(village):
    assert "再拍一张" not in shows(village, BLURRED, text=SURE)
    assert "再拍一张" not in told(village.says(LI, "谢谢"), LI)[0]
    assert told(village.presses(LI, "unsolved:1"), LI)[0].endswith(advice("blurred"))


def test_a_photo_that_waits_for_its_case_is_told_of_at_once(village):
    village.says(LI, UNKNOWN_BEES)
    village.says(LI, UNKNOWN_PEPPER)
    village.presses(LI, "person:2")
    village.now += cast.timedelta(days=2)
    assert shows(village, BLURRED).endswith(advice("blurred"))
    turn = village.presses(LI, "add:1:4")
    assert "再拍一张" not in told(turn, LI)[0]
    assert told(turn, WANG_CHAT)[0].endswith("照片有点糊")


def test_in_an_emergency_no_photo_is_found_fault_with(village):
    turn = village.says(LI, STUNG, attachments=photos(BLURRED))
    assert "再拍一张" not in "".join(told(turn, LI))
    assert "照片有点糊" in told(turn, WANG_CHAT)[0]
    assert "再拍一张" not in shows(village, BLURRED, start=2)


def test_nothing_is_said_before_the_sentence_is_whole(village):
    village.says(LI, SURE, attachments=photos(BLURRED))
    turn = village.says(LI, "花椒树", attachments=photos(DARK, start=2), may_wait=True)
    assert (turn.waits, turn.replies) == (True, ())


def test_a_photo_for_the_commissioner_who_asked_is_told_of(village):
    village.says(LI, UNKNOWN_PEPPER)
    village.presses(LV_CHAT, "case:1:accept")
    village.says(LV_CHAT, "问：叶背啥样", about=1)
    assert village.cases[1].state is CaseState.ASKED
    assert shows(village, DARK).endswith(advice("dark"))


def test_a_commissioners_own_photo_is_sent_as_it_is(village):
    village.says(LI, UNKNOWN_PEPPER)
    turn = village.says(LV_CHAT, "像这样剪", about=1, attachments=photos(BLURRED))
    assert "糊" not in "".join([*told(turn, LI), *told(turn, LV_CHAT)])
