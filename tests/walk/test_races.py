"""Two people at the same case in the same instant: one outcome, and everyone is told."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bot.domain import CaseState, Event
from tests.walk.homes import LV, QIAN, STRANGE, UNPLACED, ZHAO
from tests.walk.village import Village

ROUNDS, ACCEPTS = 20, 100
NAMES = {ZHAO: "赵敏", QIAN: "钱华"}


async def opened(village: Village, farmer: str, question: str) -> int:
    village.web(farmer, question)
    village.arrived.ring()
    await village.said_all()
    (case,) = village.store.cases.of_farmer(village.at(farmer))
    return case.number


async def at_once(village: Village, *acts) -> None:
    """Everything is received before anybody is woken; then each worker takes one."""
    await asyncio.gather(*(asyncio.to_thread(*act) for act in acts))
    village.arrived.ring()
    await village.said_all()


async def test_of_two_dispatchers_who_accept_in_the_same_instant_one_gets_the_case(
    village: Village,
) -> None:
    won: Counter[str] = Counter()
    for turn in range(ACCEPTS):
        number = await opened(village, f"farmer-{turn}", UNPLACED)
        assert village.case(number).state is CaseState.UNPLACED
        await at_once(village, *((village.desk, who, number, "accept") for who in (ZHAO, QIAN)))
        case = village.case(number)
        assert case.state is CaseState.ACCEPTED
        assert case.holder in NAMES
        (loser,) = NAMES.keys() - {case.holder}
        won[case.holder] += 1
        assert village.page(case.holder, "desk")[-1] == village.say("desk.accepted", number=number)
        late = village.say("desk.not_yours", number=number, who=NAMES[case.holder])
        assert village.page(loser, "desk")[-1] == late
        who = village.core.desk.letters.holder(case)
        told = village.say("case.accepted", number=number, who=who)
        assert village.page(f"farmer-{turn}").count(told) == 1
        thread = village.store.cases.thread(number)
        assert [one.by for one in thread if one.event and one.event.what == Event.ACCEPTED] == [
            case.holder
        ]
    assert won.total() == ACCEPTS


async def test_of_two_answers_in_the_same_instant_one_reaches_the_farmer(
    village: Village,
) -> None:
    """Both dispatchers may answer a case that nobody has taken; the second is told who did."""
    for turn in range(ROUNDS):
        farmer = f"farmer-{turn}"
        number = await opened(village, farmer, UNPLACED)
        await at_once(
            village,
            *((village.desk, who, number, "answer", f"{who}的话") for who in (ZHAO, QIAN)),
        )
        case = village.case(number)
        assert case.state is CaseState.ANSWERED
        assert case.holder in NAMES
        (loser,) = NAMES.keys() - {case.holder}
        page = village.page(farmer)
        assert sum(f"{case.holder}的话" in text for text in page) == 1
        assert sum(f"{loser}的话" in text for text in page) == 0
        late = village.say("desk.not_sent", number=number, who=NAMES[case.holder])
        assert village.page(loser, "desk")[-1] == late


@pytest.mark.parametrize("verb", ["answer", "ask", "accept"])
async def test_a_farmer_who_cancels_while_the_commissioner_acts_leaves_one_story(
    village: Village, verb
) -> None:
    """Whoever comes second is told how things stand; thread, state and messages agree."""
    ends: Counter[CaseState] = Counter()
    for turn in range(ROUNDS):
        farmer = f"farmer-{turn}"
        number = await opened(village, farmer, STRANGE)
        assert village.case(number).holder == LV
        await at_once(
            village,
            (village.press, farmer, f"case:{number}:cancel"),
            (village.desk, LV, number, verb, "换一块电池"),
        )
        case = village.case(number)
        ends[case.state] += 1
        words = sum("换一块电池" in text for text in village.page(farmer))
        told = village.page(LV, "desk")[-1]
        assert case.state is CaseState.CANCELLED
        assert village.page(farmer)[-1] == village.say("cancel.done", number=number)
        if told == village.say("desk.closed", number=number):  # the farmer was first
            assert words == 0
        else:
            done = {"answer": "desk.answered", "ask": "desk.asked", "accept": "desk.accepted"}
            assert told == village.say(done[verb], number=number)
            assert words == (verb != "accept")
    assert ends.total() == ROUNDS
