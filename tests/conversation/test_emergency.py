"""A person in danger: 120 comes first, the right people know at once, and nothing else does it."""

from pathlib import Path

import pytest
import yaml

from bot.conversation.safety import Danger, spelled_out
from bot.domain import CaseState, Emergency, Reason
from tests.cast import (
    DESK_CHAT,
    LI,
    PHOTO,
    STUNG,
    UNKNOWN_BEES,
    UNKNOWN_PEPPER,
    WANG_CHAT,
    ZHANG,
    Village,
    dangers,
    lexicon,
    said,
    told,
)

RECALL = 0.92
FALSE_ALARMS = 0.07

FOLDER = Path(__file__).parent
SENTENCES = yaml.safe_load((FOLDER / "emergencies.yaml").read_text(encoding="utf-8"))
# Written before the sentences that the sense learnt from, and never learnt from.
BLIND = FOLDER.parent / "questions"
FRESH = yaml.safe_load((FOLDER / "fresh_emergencies.yaml").read_text(encoding="utf-8"))


def every(sentences: dict, part: str) -> list[str]:
    return [text for texts in sentences[part].values() for text in texts]


def seen_in(texts: list[str]) -> list[str]:
    return [text for text in texts if dangers().danger_in(text)]


def test_every_emergency_is_caught():
    known = every(SENTENCES, "emergency")
    assert set(known) - set(seen_in(known)) == set()


def test_hardly_a_look_alike_is_taken_for_an_emergency():
    known = every(SENTENCES, "look_alike")
    assert len(seen_in(known)) <= 0.05 * len(known), seen_in(known)


def test_an_emergency_in_words_never_seen_is_caught():
    fresh = every(FRESH, "emergency")
    assert len(seen_in(fresh)) >= RECALL * len(fresh)


def test_few_fresh_look_alikes_are_taken_for_an_emergency():
    fresh = every(FRESH, "look_alike")
    assert len(seen_in(fresh)) <= FALSE_ALARMS * len(fresh)


@pytest.mark.parametrize(
    ("name", "recall", "false_alarms"),
    [("danger-blind", 0.97, 0.03), ("danger-blind-2", 0.9, 0.08), ("danger-blind-3", 0.9, 0.05)],
)
def test_a_writer_who_knew_no_rule_finds_few_gaps(name, recall, false_alarms):
    """tests/questions; alarm and sentences were each changed once after a look at them."""
    blind = yaml.safe_load((BLIND / f"{name}.yaml").read_text(encoding="utf-8"))
    dangerous, harmless = ([one["text"] for one in texts] for texts in blind.values())
    assert len(seen_in(dangerous)) >= recall * len(dangerous)
    assert len(seen_in(harmless)) <= false_alarms * len(harmless), seen_in(harmless)


def test_the_kind_of_a_fresh_emergency_is_mostly_right():
    told = [
        (kind, found)
        for kind, texts in FRESH["emergency"].items()
        for text in texts
        if (found := dangers().danger_in(text))
    ]
    assert sum(kind == found for kind, found in told) >= 0.85 * len(told)


def test_an_electric_shock_is_told_to_cut_the_power_first():
    found = {dangers().danger_in(text) for text in SENTENCES["emergency"]["electric"]}
    assert found == {"electric"}


def test_spaces_and_full_width_signs_hide_no_danger():
    assert dangers().danger_in("马 蜂 蜇 了 ， 喘 不 过 气") == "sting"
    assert dangers().danger_in("要不要打１２０") == "other"


def test_no_wish_is_taken_for_an_emergency():
    assert seen_in([form for forms in lexicon().wishes.values() for form in forms]) == []


@pytest.mark.parametrize("silence", ["", " ", "。", "？？？\n！"])
def test_nothing_said_is_no_danger(silence):
    assert dangers().danger_in(silence) is None


@pytest.mark.parametrize("between", ["。", "，", "\n"])
def test_a_cry_for_help_is_heard_amid_other_matters(between):
    talk = (
        "老师你好，我是盘龙镇的，今年花椒树叶子黄了好多",
        "我老汉刚才遭马蜂蜇了，现在喘不过气",
        "还有上回说的柑子苗好久到，麻烦帮我问一下多少钱一株",
    )
    assert dangers().danger_in(between.join(talk)) == "sting"


def test_a_rule_is_not_believed_where_the_sense_is_calm():
    lookout = dangers()
    text = "牛被电打死了，供电局赔不赔"
    assert any(rule.is_in(text) for rule in lookout.rules)
    assert lookout.danger_in(text) is None


def test_a_danger_needs_words():
    with pytest.raises(ValueError, match="sting needs at least one group"):
        Danger("sting", ((),))


def test_an_unknown_group_of_words_is_an_error():
    assert spelled_out(("<a>", "z"), {"a": ("x", "y")}) == ("x", "y", "z")
    with pytest.raises(KeyError):
        spelled_out(("<b>",), {})


def test_120_is_the_first_line_and_commissioner_and_dispatcher_are_told():
    village = Village()
    turn = village.says(LI, STUNG)
    first, second = told(turn, LI)
    assert first == said("emergency.sting")
    assert first.startswith("立即拨打120")
    assert turn.replies[0].to == LI
    assert second == said("case.opened_urgent", number=1, who="科技特派员王瑞生")
    assert "【紧急】#1（养蜂）" in told(turn, WANG_CHAT)[0]
    assert "【紧急】#1（养蜂）" in told(turn, DESK_CHAT)[0]
    assert (village.cases[1].reason, village.cases[1].is_urgent) == (Reason.EMERGENCY, True)
    assert turn.decision == Emergency("sting", "beekeeping")


def test_an_emergency_without_a_subject_goes_to_the_dispatcher_once():
    village = Village()
    turn = village.says(LI, "老人家突然倒地抽起来")
    assert len(told(turn, DESK_CHAT)) == 1
    assert village.cases[1].state is CaseState.UNPLACED


@pytest.mark.parametrize("kind", ["sting", "poison", "fall", "electric", "other"])
def test_every_first_aid_text_begins_with_120(kind):
    assert said(f"emergency.{kind}").startswith("立即拨打120！")


@pytest.mark.parametrize("more", [STUNG, "脸都肿了，还是被蜂子蜇的", "120说还有半个钟头"])
def test_a_second_message_joins_the_emergency(more):
    village = Village()
    village.says(LI, STUNG)
    turn = village.says(LI, more)
    assert list(village.cases) == [1]
    assert told(turn, WANG_CHAT) == [said("case.added", number=1, words=more)]


def test_a_new_emergency_after_an_answered_one_is_new():
    village = Village()
    village.says(LI, STUNG)
    village.says(WANG_CHAT, "快去医院", about=1)
    village.says(LI, "打药机漏电，娃儿遭电打倒了")
    assert list(village.cases) == [1, 2]


def test_danger_is_seen_even_beside_a_photo_a_reply_or_what_was_announced():
    village = Village()
    village.says(LI, UNKNOWN_BEES)
    village.says(LI, "补充")
    turn = village.says(LI, STUNG, about=1, attachments=(PHOTO,))
    assert told(turn, LI)[0] == said("emergency.sting")
    assert village.cases[2].attachments == (PHOTO,)


def test_danger_is_seen_in_what_is_added_to_the_question_before():
    village = Village()
    village.says(LI, "老公手上被蜂子叮了，肿起一坨")
    turn = village.says(LI, "他现在嘴皮子也肿了，说喉咙紧")
    assert told(turn, LI)[0] == said("emergency.sting")


def test_after_an_emergency_other_questions_are_no_emergency():
    village = Village()
    village.says(LI, STUNG)
    village.says(WANG_CHAT, "快去医院", about=1)
    turn = village.says(LI, UNKNOWN_PEPPER)
    assert told(turn, LI) == [said("case.new_or_more")]


def test_the_township_in_an_emergency_goes_with_the_case():
    village = Village()
    village.says(ZHANG, f"盘龙镇的，{STUNG}")
    assert village.cases[1].township == "盘龙镇"


def test_an_urgent_offer_is_passed_on_without_a_reminder():
    village = Village()
    village.says(LI, STUNG)
    turn = village.time_comes(1)
    assert village.cases[1].state is CaseState.UNPLACED
    assert len(told(turn, DESK_CHAT)) == 1
    assert told(turn, LI) == [said("case.passed_on_urgent", number=1, who="分诊员")]


def test_the_dispatcher_may_take_an_emergency_that_was_offered_to_another():
    village = Village()
    village.says(LI, STUNG)
    assert "#1" in told(village.says(DESK_CHAT, "我的问题"), DESK_CHAT)[0]
    village.presses(DESK_CHAT, "case:1:accept")
    assert village.cases[1].holder == "dispatcher"
    late = village.presses(WANG_CHAT, "case:1:accept")
    assert told(late, WANG_CHAT) == [said("desk.not_yours", number=1, who="分诊台")]
