"""Cases as the clock and the desk read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.channels.base import read_own
from bot.domain import FARMER, Address, Attachment, CaseState, Flaw, Media, Receipt, Turn
from bot.store import Event, State, codec
from tests.store.cast import (
    LEASE,
    LI,
    LV,
    NOW,
    SECOND,
    WANG,
    ZHAO,
    ZHOU,
    arrival,
    case,
    changed,
    letter,
    offered,
    open_case,
    turn,
)

HOUR = timedelta(hours=1)
TELEGRAM = Address("telegram", "900")


def numbers(cases):
    return [one.number for one in cases]


def test_open_cases_past_their_time_are_overdue_longest_waiting_first(store):
    open_case(store, offered(1, due_at=NOW + 2 * HOUR))
    open_case(store, offered(2, due_at=NOW + HOUR))
    open_case(store, offered(3))
    open_case(store, case(4, due_at=NOW, state=CaseState.CANCELLED))
    assert store.cases.overdue(NOW + HOUR - SECOND) == ()
    assert numbers(store.cases.overdue(NOW + HOUR)) == [2]
    assert numbers(store.cases.overdue(NOW + 3 * HOUR)) == [2, 1]


def test_flaws_of_a_photo_stay_with_its_case(store):
    blurred = Attachment("photo", "p1", "image/jpeg", flaws=(Flaw.BLURRED, Flaw.DARK))
    open_case(store, offered(1, attachments=(blurred,)))
    assert store.cases.get(1).attachments == (blurred,)


def test_a_case_of_before_photos_were_looked_at_is_read():
    photo = Attachment("photo", "p1", "image/jpeg")
    new = codec.dump(case(1, attachments=(photo,)))
    old = new.replace(',"flaws":[]', "")
    assert old != new
    assert codec.case(old, version=1).attachments == (photo,)


def test_an_unknown_case_is_none_and_has_no_thread(store):
    assert store.cases.get(7) is None
    assert store.cases.thread(7) == ()


def test_a_farmers_cases_are_his_own_open_ones_first(store):
    open_case(store, case(1, state=CaseState.RESOLVED))
    open_case(store, offered(2))
    open_case(store, offered(3, farmer=ZHOU))
    open_case(store, offered(4))
    assert numbers(store.cases.of_farmer(LI)) == [4, 2, 1]
    assert numbers(store.cases.of_farmer(LI, include_closed=0)) == [4, 2]


def test_a_commissioner_sees_what_he_was_ever_offered_and_a_dispatcher_everything(store):
    opened = open_case(store, offered(1, to="wang"))
    changed(store, opened, holder="lv", passed=("wang",))
    open_case(store, offered(2, to="lv", state=CaseState.RESOLVED))
    open_case(store, case(3))
    seen = store.cases.for_commissioner
    assert numbers(seen("wang", is_dispatcher=False)) == [1]
    assert numbers(seen("lv", is_dispatcher=False)) == [1]
    assert numbers(seen("lv", is_dispatcher=False, include_closed=5)) == [1, 2]
    assert numbers(seen("zhao", is_dispatcher=True)) == [3, 1]
    assert store.cases.is_shown_to(1, "wang")
    assert not store.cases.is_shown_to(2, "wang")


def test_load_counts_cases_by_holder_until_they_are_answered(store):
    open_case(store, offered(1))
    open_case(store, offered(2))
    open_case(store, offered(3, to="lv", state=CaseState.RESOLVED))
    open_case(store, case(4))
    open_case(store, offered(5, state=CaseState.ANSWERED))
    assert store.cases.load() == {"wang": 2}


def test_commissioners_are_reached_at_configured_addresses(store):
    assert store.cases.addresses() == {"wang": (TELEGRAM,)}


def test_the_thread_tells_who_said_and_did_what_in_time_order(store):
    opened = open_case(store, now=NOW)
    accepted = replace(opened, state=CaseState.ACCEPTED)
    changed(store, accepted, "接单", "wang", now=NOW + SECOND)
    relay = letter(text="看巢门", case=1, purpose="relay")
    notice = letter(TELEGRAM, text="已转给农户", case=1)
    later = NOW + 2 * SECOND
    turn(store, TELEGRAM, "看巢门", now=later, filed_under=1, replies=(relay, notice))
    turn(store, LI, "谢谢", now=later + SECOND, filed_under=1)
    turn(store, ZHOU, "别的事", now=later)

    def line(item):
        words = item.incoming or item.outgoing
        return item.by, words.text if words else item.event, item.state

    assert [line(item) for item in store.cases.thread(1)] == [
        (FARMER, "蜂子不进巢", None),
        ("系统", Event("开单"), None),
        ("wang", Event("接单"), None),
        ("wang", "看巢门", None),
        ("系统", "看巢门", State.PENDING),
        (FARMER, "谢谢", None),
    ]


def test_the_thread_shows_how_far_a_relay_came(store):
    open_case(store, replies=(letter(case=1, purpose="relay"),))
    due = store.outbox.due("web", NOW, lease=LEASE)
    store.outbox.hold(due.id, "blocked", NOW)
    assert [item.state for item in store.cases.thread(1) if item.outgoing] == [State.HELD]
    store.inbox.receive(arrival(), NOW)
    due = store.outbox.due("web", NOW, lease=LEASE)
    store.outbox.sent(due.id, Receipt(), NOW)
    assert [item.state for item in store.cases.thread(1) if item.outgoing] == [State.SENT]


# pictures


def test_a_picture_is_kept_under_a_random_id(store):
    picture = Media("image/jpeg", b"\xff\xd8\x00jpeg")
    first, second = store.media.keep(picture, NOW), store.media.keep(picture, NOW)
    assert first != second
    assert len(first) >= 22
    assert store.media.get(first) == picture
    assert store.media.get("nothing") is None


def test_a_picture_is_shown_to_its_farmer_and_to_those_who_had_the_case(store):
    photo = Attachment("photo", store.media.keep(Media("image/jpeg", b"x"), NOW), "image/jpeg")
    open_case(store, offered(1, attachments=(photo,)))

    def see(*viewers):
        return [store.media.is_shown_to(photo.media, viewer) for viewer in viewers]

    assert see(LI, ZHOU) == [True, False]
    assert see(WANG, LV, ZHAO) == [True, False, True]
    turn(store, replies=(letter(Address("desk", "lv"), attachments=(photo,)),))
    assert see(LV) == [True]


def test_a_picture_without_a_case_is_no_commissioners(store):
    photo = Attachment("photo", "m1", "image/jpeg")
    store.inbox.receive(arrival(attachments=(photo,)), NOW)
    arrivals = store.inbox.claim(NOW, lease=LEASE)
    store.inbox.save(Turn(), read_own(arrivals), arrivals, NOW)
    assert store.media.is_shown_to("m1", LI)
    assert not store.media.is_shown_to("m1", ZHAO)


# notes


def test_a_note_is_read_back_and_replaced(store):
    assert store.notes.get("knowledge") is None
    store.notes.put("knowledge", {"problems": ["花椒"]})
    store.notes.put("knowledge", {"problems": []})
    assert store.notes.get("knowledge") == {"problems": []}
