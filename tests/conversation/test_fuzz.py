"""Whatever arrives in whatever moment: no exception, and the sender hears something."""

from dataclasses import replace
from random import Random

import pytest

from bot.domain import (
    CaseState,
    Context,
    Incoming,
    Memory,
    Other,
    Question,
    Reason,
)
from tests.cast import (
    ADDRESSES,
    DECLINED,
    DEPUTY,
    DISPATCHER,
    LI,
    NOW,
    PEOPLE,
    PHOTO,
    STUNG,
    SURE,
    UNKNOWN,
    UNSURE,
    VOICE,
    WANG,
    WANG_CHAT,
    a_case,
    conversation,
    lexicon,
)

ODD = [
    "",
    " ",
    "\n\u3000\t",
    "\x00",
    "\u200b",
    "\ud800",
    "{number}",
    "{}",
    "%s",
    "#",
    "#0",
    "#12",
    "#12 " + "问：",
    "＃3：",
    "#99999999999999999999 好",
    "9" * 5000,
    "٣",
    "²",
    "①",
    "-1",
    "蜂" * 5000,
    "👨‍👩‍👧‍👦" * 50,
    "e\u0301\u0301\u0301",
    "\u202e逆向",
    "ℌ𝔢𝔩𝔩𝔬",
    "补充：",
    "补充一下，",
    "问：",
    "退回，",
    "/start ABCDEFGHJK",
    "/",
    "//x",
]
ACTIONS = ["show", "useful", "none", "unsolved", "person", "add", "case", "draft", "", "蜂"]
PARTS = ["1", "2", "12", "pepper-rust", "solved", "unsolved", "accept", "decline", "answer", "ask"]


def any_text(random):
    wishes = [form for forms in lexicon().wishes.values() for form in forms]
    known = [SURE, UNSURE, UNKNOWN, DECLINED, STUNG, "盘龙镇", "1", "0"]
    words = random.choice([ODD, wishes, known])
    return "".join(random.choice(words) for _ in range(random.choice([1, 1, 1, 2, 3])))


def any_incoming(random, sender):
    press = ":".join([random.choice(ACTIONS), *random.choices(PARTS, k=random.randrange(4))])
    return Incoming(
        random.randrange(1, 9),
        sender,
        any_text(random),
        attachments=random.choice([(), (), (PHOTO,), (VOICE, PHOTO)]),
        press=random.choice([None, None, press]),
        other=random.choice([None, None, *Other]),
        location=random.choice([None, None, (29.4, 105.6)]),
        case=random.choice([None, None, 1, 12]),
    )


def any_context(random, me):
    def one(number):
        return a_case(
            number,
            state=random.choice(list(CaseState)),
            question=any_text(random),
            holder=random.choice([None, WANG.id, DISPATCHER.id, "gone"]),
            passed=random.choice([(), (WANG.id,)]),
            is_urgent=random.random() < 0.2,
            reminders=random.randrange(4),
            township=random.choice([None, "盘龙镇"]),
            domain=random.choice([None, "beekeeping"]),
        )

    def question(number):
        return Question(
            number,
            any_text(random),
            offered=random.choice([(), ("pepper-rust", "gone")]),
            answered=random.choice([None, "pepper-rust"]),
            attachments=random.choice([(), (PHOTO,)]),
            case=random.choice([None, 1, 12, 77]),
        )

    memory = Memory(
        tuple(question(number) for number in range(1, random.randrange(1, 5))),
        township=random.choice([None, "盘龙镇"]),
        focus=random.choice([None, 1, 12, 77]),
        intent=random.choice([None, "answer", "ask", "add"]),
        draft=random.choice([None, any_incoming(random, WANG_CHAT)]),
        is_greeted=random.random() < 0.5,
    )
    cases = tuple(one(number) for number in random.sample([1, 2, 12, 13], random.randrange(5)))
    about = random.choice([None, None, 1, 12, 99])
    return Context(NOW, memory, cases, me, about, addresses=ADDRESSES)


@pytest.mark.parametrize("me", [None, WANG, DISPATCHER], ids=["farmer", "commissioner", "desk"])
@pytest.mark.parametrize("seed", range(5))
def test_whatever_arrives_the_sender_gets_a_reply(me, seed):
    random = Random(seed)
    sender = WANG_CHAT if me else LI
    talk = conversation((*PEOPLE, DEPUTY), first_number=100)
    for _ in range(400):
        incoming, context = any_incoming(random, sender), any_context(random, me)
        turn = talk.take(incoming, context)
        assert any(reply.to == sender and reply.text for reply in turn.replies), (
            incoming,
            context,
        )
        assert all(change.case.number in {1, 2, 12, 13} or not me for change in turn.changes)


def test_a_case_in_a_strange_state_never_moves_for_a_stranger():
    talk = conversation()
    for state in CaseState:
        case = a_case(12, state=state, holder="lv-yukui", reason=Reason.NO_MATCH)
        for verb in ("accept", "decline", "answer", "ask"):
            incoming = Incoming(1, WANG_CHAT, "好好打药", press=f"case:12:{verb}")
            context = Context(NOW, cases=(replace(case),), commissioner=WANG)
            assert talk.take(incoming, context).changes == ()
