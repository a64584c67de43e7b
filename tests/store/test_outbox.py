"""What is due, in which order, and every way it can end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from bot.channels.base import read_own
from bot.domain import Address, Attachment, Receipt, Turn
from bot.store import Due, State
from tests.store.cast import (
    LEASE,
    LI,
    NOW,
    SECOND,
    ZHOU,
    arrival,
    letter,
    open_case,
    turn,
)

TELEGRAM = Address("telegram", "900")


def due(store, now=NOW, channel="web", **more) -> Due | None:
    return store.outbox.due(channel, now, lease=LEASE, **more)


def texts(store, now=NOW):
    """Send all that is due at this moment."""
    found = []
    while one := due(store, now):
        found.append(one.outgoing.text)
        store.outbox.sent(one.id, Receipt(), now)
    return found


def test_what_a_turn_wrote_is_due_in_its_order(store):
    turn(store, replies=(letter(text="一"), letter(text="二"), letter(ZHOU, "三")))
    assert texts(store) == ["一", "二", "三"]
    assert due(store) is None


def test_each_channel_has_its_own_queue(store):
    turn(store, replies=(letter(TELEGRAM, "给特派员"),))
    assert due(store) is None
    assert due(store, channel="telegram").outgoing == letter(TELEGRAM, "给特派员")


def test_a_message_is_handed_out_once_and_nothing_younger_overtakes_it(store):
    turn(store, replies=(letter(text="一"), letter(text="二"), letter(ZHOU, "三")))
    assert due(store).outgoing.text == "一"
    assert due(store).outgoing.text == "三"
    assert due(store) is None


def test_users_who_had_enough_are_passed_over(store):
    turn(store, replies=(letter(text="一"), letter(ZHOU, "二")))
    assert store.outbox.next_at("web", skip=["li", "zhou"]) is None
    assert due(store, skip=["li"]).outgoing.text == "二"


def test_a_retry_comes_back_at_its_time_with_its_attempts_counted(store):
    turn(store, replies=(letter(text="一"), letter(text="二")))
    store.outbox.retry(due(store).id, NOW + 5 * SECOND, "429")
    assert due(store, NOW + 4 * SECOND) is None
    assert store.outbox.next_at("web") == NOW + 5 * SECOND
    again = due(store, NOW + 5 * SECOND)
    assert (again.outgoing.text, again.attempts, again.is_doubtful) == ("一", 2, False)


def test_a_message_whose_lease_ended_is_doubtful(store):
    turn(store, replies=(letter(),))
    first = due(store)
    assert not first.is_doubtful
    assert due(store, NOW + LEASE - SECOND) is None
    again = due(store, NOW + LEASE)
    assert (again.id, again.is_doubtful) == (first.id, True)


def test_recovery_makes_what_was_being_sent_doubtful_at_once(store):
    turn(store, replies=(letter(), letter(ZHOU)))
    first = due(store)
    store.inbox.recover()
    assert store.outbox.tally() == {"doubtful": 1, "pending": 1}
    again = due(store)
    assert (again.id, again.is_doubtful) == (first.id, True)
    assert not due(store).is_doubtful


def test_a_doubtful_message_stays_doubtful_through_a_retry_and_a_hold(store):
    turn(store, replies=(letter(),))
    store.outbox.doubt(due(store).id, NOW + SECOND, "timeout")
    assert due(store) is None
    store.outbox.retry(due(store, NOW + SECOND).id, NOW + SECOND, "429")
    again = due(store, NOW + SECOND)
    assert again.is_doubtful
    store.outbox.hold(again.id, "blocked", NOW)
    store.inbox.receive(arrival(), NOW + SECOND)
    assert due(store, NOW + SECOND).is_doubtful


def test_a_held_message_lets_others_pass_and_comes_back_when_the_user_writes(store):
    turn(store, replies=(letter(text="一"), letter(text="二"), letter(ZHOU, "三")))
    store.outbox.hold(due(store).id, "blocked", NOW)
    assert texts(store) == ["二", "三"]
    assert store.outbox.next_at("web") is None
    store.inbox.receive(arrival(ZHOU), NOW)
    assert due(store) is None
    store.inbox.receive(arrival(LI), NOW)
    assert texts(store) == ["一"]


def test_a_repeated_arrival_releases_nothing(store):
    same = arrival(uid="1")
    store.inbox.receive(same, NOW)
    turn(store, ZHOU, replies=(letter(text="一"),))
    store.outbox.hold(due(store).id, "blocked", NOW)
    store.inbox.receive(same, NOW)
    assert due(store) is None


def test_a_rejected_message_is_dead(store):
    turn(store, replies=(letter(text="一"), letter(text="二")))
    store.outbox.reject(due(store).id, "bad request", NOW)
    store.inbox.receive(arrival(), NOW)
    assert texts(store) == ["二"]
    assert store.outbox.tally() == {"dead": 1, "sent": 1}


@pytest.mark.parametrize("end", ["hold", "reject"])
def test_a_notice_is_written_with_the_end_of_a_message_and_only_once(store, end):
    open_case(store, replies=(letter(case=1, purpose="relay"),))
    notice = letter(TELEGRAM, "未送达", case=1, purpose="notice")
    for _ in range(3):
        one = due(store)
        if one:
            getattr(store.outbox, end)(one.id, "no", NOW, notices=(notice,))
        store.inbox.receive(arrival(LI), NOW)
    assert due(store, channel="telegram").outgoing == notice
    assert store.outbox.tally()["sending"] == 1
    assert "pending" not in store.outbox.tally() or end == "hold"
    assert due(store, channel="telegram") is None


def test_marks_that_come_after_another_process_settled_the_message_are_ignored(store):
    turn(store, replies=(letter(),))
    one = due(store)
    store.outbox.sent(one.id, Receipt(), NOW)
    store.outbox.retry(one.id, NOW, "late")
    store.outbox.hold(one.id, "late", NOW)
    store.outbox.doubt(one.id, NOW, "late")
    assert store.outbox.tally() == {"sent": 1}


def test_a_moved_chat_takes_what_is_unsent_along(store):
    turn(store, replies=(letter(TELEGRAM, "一"), letter(TELEGRAM, "二"), letter(TELEGRAM, "三")))
    held = due(store, channel="telegram")
    store.outbox.hold(held.id, "blocked", NOW)
    moved = due(store, channel="telegram")
    store.outbox.retry(moved.id, NOW, "moved")
    store.outbox.moved("telegram", "900", "-100")
    new = Address("telegram", "-100")
    assert due(store, channel="telegram").outgoing == letter(new, "二")
    store.inbox.receive(arrival(new), NOW)
    assert due(store, channel="telegram").outgoing == letter(new, "一")


def test_a_moved_chat_keeps_its_commissioner(store):
    code = store.accounts.invite("lv", NOW, valid=LEASE)
    old = Address("telegram", "5")
    store.inbox.receive(arrival(old, f"/start {code}"), NOW)
    arrivals = store.inbox.claim(NOW, lease=LEASE)
    incoming = read_own(arrivals)
    invitation = store.inbox.context(incoming, NOW).invitation
    store.inbox.save(Turn(binds=invitation), incoming, arrivals, NOW)
    store.outbox.moved("telegram", "5", "-6")
    assert store.accounts.commissioner_of(Address("telegram", "-6")).id == "lv"
    assert store.accounts.commissioner_of(old) is None
    store.outbox.moved("telegram", "77", "-6")
    assert store.accounts.commissioner_of(Address("telegram", "-6")).id == "lv"


def test_what_did_not_reach_its_reader_is_listed_for_the_desk(store):
    photo = Attachment("photo", "m", "image/jpeg")
    relay = letter(case=1, purpose="relay", attachments=(photo,))
    open_case(store, replies=(relay, letter(case=1), letter(ZHOU, case=2, purpose="relay")))
    store.outbox.hold(due(store).id, "blocked", NOW)
    store.outbox.reject(due(store).id, "bad", NOW)
    (lost,) = store.outbox.undelivered(1)
    assert (lost.outgoing, lost.state, lost.error) == (relay, State.HELD, "blocked")
    assert store.outbox.undelivered(3) == ()


def test_letters_that_follow_from_no_turn_can_be_posted(store):
    store.outbox.post((letter(text="通知"),), NOW)
    assert texts(store) == ["通知"]


def test_racing_senders_never_get_the_same_message(store):
    for _ in range(20):
        replies = tuple(letter(Address("web", f"u{number}")) for number in range(6))
        turn(store, replies=replies)
        with ThreadPoolExecutor(4) as pool:
            got = [one for one in pool.map(lambda _: due(store), range(10)) if one]
        while one := due(store):  # PostgreSQL passes over what another one just looks at
            got.append(one)
        assert len({one.id for one in got}) == len(got) == 6
        for one in got:
            store.outbox.sent(one.id, Receipt(("r1", "r1")), NOW)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL's planner looks at sizes
def test_a_long_queue_is_read_through_its_indexes(store):
    """Without them every look would read the whole history."""
    plans = []

    def explain(connection, cursor, statement, parameters, context, executemany):
        if "messages" in statement and not executemany:
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(" · ".join(row[3] for row in rows))

    event.listen(store.database._engine, "before_cursor_execute", explain)
    turn(store, replies=(letter(),))
    store.outbox.sent(due(store).id, Receipt(("r1",)), NOW)
    store.outbox.next_at("web")
    store.inbox.next_at()
    store.inbox.history(LI)
    assert len(plans) >= 10
    assert [plan for plan in plans if "SCAN messages" in plan and "USING" not in plan] == []
    assert [plan for plan in plans if "SCAN older" in plan] == []
