"""What an offer says, and what a case becomes with every move."""

from datetime import timedelta

import pytest

from bot.domain import (
    Candidate,
    CaseState,
    Context,
    Incoming,
    Question,
    Reason,
)
from bot.escalation.desk import Timers, Why
from tests.cast import (
    ADDRESSES,
    DESK_CHAT,
    DISPATCHER,
    LI,
    NOW,
    PHOTO,
    UNKNOWN_BEES,
    WANG,
    WANG_CHAT,
    a_case,
    desk,
    phrases,
    said,
)

CONTEXT = Context(NOW, addresses=ADDRESSES)
NOTE = "专长对口；服务全区；手上 0 件；今年答过 0 次"


def opened(question=UNKNOWN_BEES, **why):
    fields = {"reason": Reason.NO_MATCH, "domain": "beekeeping"} | why
    return desk().open(12, LI, Question(1, question, attachments=(PHOTO,)), Why(**fields), CONTEXT)


def test_an_offer_says_everything_a_commissioner_needs():
    step = opened(suggestions=("bee-sacbrood", "pepper-rust"))
    (offer,) = step.messages
    assert offer.to == WANG_CHAT
    assert offer.attachments == (PHOTO,)
    assert (offer.case, offer.purpose) == (12, "offer")
    assert offer.text.splitlines() == [
        "新问题 #12（养蜂）",
        "",
        f"农户说：{UNKNOWN_BEES}",
        "· 为什么转给人：知识库里没有相近的内容",
        "· 镇街：没说",
        "· 考虑过：王瑞生（专长对口；服务全区；手上 0 件；今年答过 0 次）",
        "· 知识库里沾边的：中蜂囊状幼虫病、花椒锈病",
        said("offer.how", number=12),
    ]


def test_an_offer_without_words_says_there_is_a_photo():
    (offer,) = opened(question="", domain=None).messages
    assert (offer.to, f"农户说：{said('case.photo')}" in offer.text) == (DESK_CHAT, True)


def test_a_new_case_remembers_who_was_considered():
    case = opened().case
    assert case == a_case(
        attachments=(PHOTO,),
        candidates=(
            Candidate(WANG.id, "专长对口；服务全区；手上 0 件；今年答过 0 次", is_eligible=True),
        ),
    )


@pytest.mark.parametrize(
    ("state", "is_urgent", "hours"),
    [
        (CaseState.OFFERED, False, 2),
        (CaseState.OFFERED, True, 1 / 6),
        (CaseState.UNPLACED, False, 24),
        (CaseState.UNPLACED, True, 1 / 6),
        (CaseState.ACCEPTED, True, 24),
        (CaseState.ASKED, False, 48),
        (CaseState.ANSWERED, False, 72),
        (CaseState.RESOLVED, False, None),
        (CaseState.CANCELLED, True, None),
    ],
)
def test_every_open_state_is_looked_at_in_time(state, is_urgent, hours):
    due = Timers().due(a_case(state=state, is_urgent=is_urgent), NOW)
    assert due == (NOW + timedelta(hours=hours) if hours else None)


def test_words_added_to_a_photo_stand_below_it():
    step = desk().add(a_case(question=""), Incoming(2, LI, "是这个"), CONTEXT)
    assert step.case.question == f"{said('case.photo')}\n补充：是这个"


def test_a_photo_added_is_named_and_sent_along():
    step = desk().add(a_case(), Incoming(2, LI, attachments=(PHOTO,)), CONTEXT)
    assert step.case.question.endswith(f"补充：{said('case.photo')}")
    assert step.messages[0].attachments == (PHOTO,)


@pytest.mark.parametrize("state", [CaseState.OFFERED, CaseState.ACCEPTED])
def test_words_added_before_an_answer_leave_the_timer_alone(state):
    case = a_case(state=state, reminders=1)
    step = desk().add(case, Incoming(2, LI, "还有"), CONTEXT)
    assert (step.case.state, step.case.due_at, step.case.reminders) == (state, case.due_at, 1)


def test_who_holds_a_case_reads_differently_for_commissioner_and_dispatcher():
    letters = desk().letters
    holders = [letters.holder(a_case(holder=who)) for who in (WANG.id, DISPATCHER.id, None)]
    assert holders == ["科技特派员王瑞生", "分诊台", "分诊员"]


def test_the_brief_is_the_first_line_cut_to_length():
    letters = desk().letters
    assert letters.brief(a_case(question="蜂子跑了\n补充：三桶"), 20) == "蜂子跑了"
    assert letters.brief(a_case(question="蜂子跑了三桶"), 4) == "蜂子跑了…"
    assert letters.brief(a_case(question=""), 20) == phrases()("case.photo")


def test_people_without_an_address_get_no_message_and_lose_no_case():
    step = desk().open(
        12, LI, Question(1, "蜂子跑了"), Why(Reason.NO_MATCH, "beekeeping"), Context(NOW)
    )
    assert (step.messages, step.case.holder) == ((), WANG.id)
