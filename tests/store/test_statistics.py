"""What reports are counted from."""

from __future__ import annotations

from datetime import timedelta

from bot.domain import Answer as Answered
from bot.domain import (
    CaseChange,
    Clarify,
    Entry,
    Escalate,
    Event,
    Match,
    Memory,
    Reason,
    Several,
    Turn,
)
from bot.store import Asked
from tests.store.cast import (
    LEASE,
    LI,
    NOW,
    SECOND,
    ZHOU,
    case,
    changed,
    letter,
    offered,
    open_case,
    turn,
)

DAY = timedelta(days=1)
RUST = Entry("pepper-rust", "sichuan-pepper", "花椒锈病", (), "先清园", (), ())
SPOT = Entry("pepper-spot", "sichuan-pepper", "花椒斑病", (), "先清园", (), ())


def test_each_decided_message_is_counted_once_at_its_time(store):
    turn(store, decision=Answered(Match(RUST, 1.0, "")), now=NOW - SECOND)
    both = Several((Answered(Match(RUST, 1.0, "")), Answered(Match(SPOT, 1.0, ""))))
    turn(store, decision=both, replies=(letter(),))
    turn(store, decision=Escalate(Reason.NO_MATCH, "beekeeping"), now=NOW + SECOND)
    turn(store)
    turn(store, decision=Escalate(Reason.NO_MATCH, None), now=NOW + DAY)
    assert store.statistics.asked(NOW, NOW + DAY) == [
        Asked(NOW, "several", None, ("pepper-rust", "pepper-spot"), LI),
        Asked(NOW + SECOND, "escalate", "beekeeping", (), LI),
    ]


def test_a_farmers_township_is_what_he_said_by_now_or_what_stands_on_his_case(store):
    rusty = Answered(Match(RUST, 1.0, ""))
    turn(store, decision=rusty)
    turn(store, ZHOU, decision=rusty, memory=Memory(township="清江镇"))
    open_case(store, offered(township="盘龙镇"), decision=Escalate(Reason.NO_MATCH, "beekeeping"))
    assert [
        (one.farmer, one.township, one.case) for one in store.statistics.asked(NOW, NOW + DAY)
    ] == [(LI, None, None), (ZHOU, "清江镇", None), (LI, "盘龙镇", 1)]


def test_a_note_and_its_messages_are_written_once_by_whoever_comes_first(store):
    first, second = {"day": "1"}, {"day": "2"}
    assert store.outbox.post_once([letter()], NOW, note="n", before=None, after=first)
    assert not store.outbox.post_once([letter()], NOW, note="n", before=None, after=second)
    assert store.outbox.post_once([letter()], NOW, note="n", before=first, after=second)
    assert not store.outbox.post_once([letter()], NOW, note="n", before=first, after=second)
    assert store.notes.get("n") == second
    assert store.outbox.tally() == {"pending": 2}


def test_cases_are_found_by_when_they_were_opened_as_they_stand_now(store):
    for number, at in ((1, NOW - SECOND), (2, NOW), (3, NOW + DAY)):
        change = CaseChange(case(number), Event.OPENED, "农户")
        store.inbox.save_follow_up(Turn(changes=(change,)), at)
    changed(store, store.cases.get(2), township="盘龙镇", now=NOW + 2 * DAY)
    [found] = store.statistics.opened(NOW, NOW + DAY)
    assert (found.number, found.township) == (2, "盘龙镇")


def test_undelivered_relays_are_counted_by_case(store):
    open_case(store)
    relay = letter(LI, case=1, purpose="relay")
    turn(store, replies=(relay, replace_notice(relay)))
    while due := store.outbox.due("web", NOW, lease=LEASE):
        store.outbox.reject(due.id, "no", NOW)
    assert store.statistics.undelivered() == {1: 1}


def replace_notice(relay):
    return letter(LI, case=relay.case, purpose="notice")


def test_a_picked_entry_is_given_but_its_question_is_not_counted_twice(store):
    matches = (Match(RUST, 1.0, ""), Match(SPOT, 0.9, ""))
    turn(store, decision=Clarify(matches))
    turn(store, decision=Answered(Match(SPOT, 0.0, ""), is_picked=True))
    turn(store, decision=Answered(Match(RUST, 1.0, "")), now=NOW + SECOND)
    turn(store, decision=Several((Answered(matches[0]), Answered(matches[1]))))
    turn(store, decision=Escalate(Reason.UNSURE, None, matches))
    turn(store, decision=Answered(Match(RUST, 1.0, "")), now=NOW + DAY)
    asked = [one.kind for one in store.statistics.asked(NOW, NOW + DAY)]
    assert sorted(asked) == ["answer", "clarify", "escalate", "several"]
    assert store.statistics.given(NOW, NOW + DAY) == {"pepper-rust": 2, "pepper-spot": 2}
