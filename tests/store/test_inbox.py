"""Receiving, claiming, reading the context, saving."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from bot.channels.base import read_own
from bot.domain import (
    Address,
    Answer,
    Assignment,
    Attachment,
    CaseChange,
    CaseState,
    Clarify,
    Decline,
    Emergency,
    Entry,
    Escalate,
    Incoming,
    Match,
    Memory,
    Question,
    Reason,
    Receipt,
    Turn,
)
from bot.errors import Conflict
from bot.store import State
from bot.store.cases import MANY
from bot.store.tables import messages
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
    write,
)

DESK = Address("desk", "lv")
TELEGRAM = Address("telegram", "900")


def rows(store):
    with store.database.read() as connection:
        return connection.execute(select(messages).order_by(messages.c.id)).all()


# receiving


def test_a_message_that_comes_three_times_is_kept_once(store):
    same = arrival(uid="77")
    first = store.inbox.receive(same, NOW)
    assert first is not None
    assert store.inbox.receive(same, NOW + SECOND) is None
    assert store.inbox.receive(same, NOW + 2 * SECOND) is None
    assert len(rows(store)) == 1


def test_the_same_uid_on_another_channel_is_another_message(store):
    assert store.inbox.receive(arrival(LI, uid="77"), NOW)
    assert store.inbox.receive(arrival(TELEGRAM, uid="77"), NOW)


def test_what_was_received_is_there_after_opening_again(store, url):
    kept = arrival(text="还在")
    number = store.inbox.receive(kept, NOW)
    store.close()
    reopened = type(store).open(url, commissioners=())
    assert reopened.inbox.claim(NOW, lease=LEASE) == (replace(kept, id=number, at=NOW),)
    reopened.close()


def test_words_held_back_come_again_with_what_was_written_since(store):
    receive = store.inbox.receive
    first = receive(arrival(uid="1", text="蜂子"), NOW)
    claimed = store.inbox.claim(NOW, lease=LEASE)
    store.inbox.hold_back(claimed, NOW + timedelta(seconds=4), NOW)
    assert store.inbox.claim(NOW + timedelta(seconds=1), lease=LEASE) == ()
    second = receive(arrival(uid="2", text="在打架"), NOW + timedelta(seconds=2))
    again = store.inbox.claim(NOW + timedelta(seconds=2), lease=LEASE)
    assert [(one.id, one.group) for one in again] == [(first, None), (second, None)]


def test_words_held_back_are_ready_by_themselves_in_the_end(store):
    store.inbox.receive(arrival(text="蜂子"), NOW)
    until = NOW + timedelta(seconds=4)
    store.inbox.hold_back(store.inbox.claim(NOW, lease=LEASE), until, NOW)
    assert store.inbox.next_at() == until
    assert len(store.inbox.claim(until, lease=LEASE)) == 1


def test_what_came_before_words_were_held_back_is_looked_at_with_them_at_once(store):
    store.inbox.receive(arrival(uid="1", text="蜂子"), NOW)
    claimed = store.inbox.claim(NOW, lease=LEASE)
    store.inbox.receive(arrival(uid="2", text="在打架"), NOW)
    store.inbox.hold_back(claimed, NOW + timedelta(seconds=4), NOW)
    assert len(store.inbox.claim(NOW, lease=LEASE)) == 2


def test_messages_in_a_row_are_shown_as_they_were_written(store):
    for uid, text in (("1", "蜂子"), ("2", "在打架")):
        store.inbox.receive(arrival(uid=uid, text=text), NOW)
    one = store.inbox.claim(NOW, lease=LEASE)
    store.inbox.hold_back(one, NOW, NOW)
    arrivals = store.inbox.claim(NOW, lease=LEASE)
    said = [
        Incoming(each.id, LI, text) for each, text in zip(arrivals, ("蜂子", "在打架"), strict=True)
    ]
    whole = replace(said[0], text="蜂子\n在打架")
    store.inbox.save(Turn(), whole, arrivals, NOW, said=said)
    assert [line.incoming.text for line in store.inbox.history(LI)] == ["蜂子", "在打架"]
    assert store.inbox.tally() == {"done": 2}


# claiming


def test_nothing_is_claimed_where_nothing_waits(store):
    assert store.inbox.claim(NOW, lease=LEASE) == ()
    assert store.inbox.next_at() is None


def test_messages_of_one_conversation_are_claimed_in_order_one_at_a_time(store):
    for text in ("一", "二", "三"):
        store.inbox.receive(arrival(text=text), NOW)
    seen = []
    while arrivals := store.inbox.claim(NOW, lease=LEASE):
        assert store.inbox.claim(NOW, lease=LEASE) == ()
        incoming = read_own(arrivals)
        seen.append(incoming.text)
        store.inbox.save(Turn(), incoming, arrivals, NOW)
    assert seen == ["一", "二", "三"]


def test_another_conversation_is_claimed_meanwhile_oldest_first(store):
    for sender, text in ((ZHOU, "一"), (LI, "二"), (ZHOU, "三")):
        store.inbox.receive(arrival(sender, text), NOW)
    claims = [store.inbox.claim(NOW, lease=LEASE) for _ in range(3)]
    assert [[one.user for one in claim] for claim in claims] == [["zhou"], ["li"], []]


def test_a_claim_is_free_again_when_its_lease_is_over(store):
    store.inbox.receive(arrival(), NOW)
    first = store.inbox.claim(NOW, lease=LEASE)
    assert store.inbox.claim(NOW + LEASE - SECOND, lease=LEASE) == ()
    assert store.inbox.next_at() == NOW + LEASE
    assert store.inbox.claim(NOW + LEASE, lease=LEASE) == first


def test_the_second_of_two_workers_with_one_message_changes_nothing(store):
    incoming, arrivals = write(store)
    assert store.inbox.claim(NOW + LEASE, lease=LEASE) == arrivals
    first = Turn(replies=(letter(text="第一"),), memory=Memory(township="昌元"))
    store.inbox.save(first, incoming, arrivals, NOW)
    store.inbox.save(Turn(replies=(letter(text="第二"),)), incoming, arrivals, NOW)
    assert [row.direction for row in rows(store)] == ["in", "out"]
    assert store.inbox.context(incoming, NOW).memory.township == "昌元"


def test_recovery_frees_every_claim_at_once(store):
    store.inbox.receive(arrival(), NOW)
    claimed = store.inbox.claim(NOW, lease=LEASE)
    store.inbox.recover()
    assert store.inbox.claim(NOW, lease=LEASE) == claimed


def test_racing_workers_never_hold_the_same_conversation(store):
    for _ in range(25):
        _race(store)


def _race(store):
    """Four threads take three messages each of three farmers; overlaps would show in `held`."""
    farmers = [Address("web", f"r{number}") for number in range(3)]
    for text in ("一", "二", "三"):
        for farmer in farmers:
            store.inbox.receive(arrival(farmer, text), NOW)
    held, taken, barrier = set(), [], Barrier(4)

    def work():
        barrier.wait()
        while arrivals := store.inbox.claim(NOW, lease=LEASE):
            user = arrivals[0].user
            assert user not in held
            held.add(user)
            incoming = read_own(arrivals)
            taken.append((user, incoming.text))
            held.remove(user)
            store.inbox.save(Turn(replies=(letter(incoming.sender),)), incoming, arrivals, NOW)

    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(work) for _ in range(4)]:
            job.result()
    while arrivals := store.inbox.claim(NOW, lease=LEASE):  # seen by nobody while it was held
        taken.append((arrivals[0].user, read_own(arrivals).text))
        store.inbox.save(Turn(), read_own(arrivals), arrivals, NOW)
    for farmer in farmers:
        assert [text for user, text in taken if user == farmer.user] == ["一", "二", "三"]


# albums


def test_an_album_settles_and_is_claimed_whole(store):
    settle = 2 * SECOND
    for second, text in enumerate(("叶子", "果子", "树干")):
        part = arrival(text=text, group="album")
        store.inbox.receive(part, NOW + second * SECOND, settle=settle)
    assert store.inbox.claim(NOW + 3 * SECOND, lease=LEASE) == ()
    assert store.inbox.next_at() == NOW + 4 * SECOND
    album = store.inbox.claim(NOW + 4 * SECOND, lease=LEASE)
    assert [read_own([part]).text for part in album] == ["叶子", "果子", "树干"]
    store.inbox.save(Turn(), read_own(album), album, NOW + 5 * SECOND)
    assert {row.state for row in rows(store)} == {"done"}
    assert store.inbox.claim(NOW + LEASE, lease=LEASE) == ()


def test_what_follows_an_album_waits_for_it(store):
    store.inbox.receive(arrival(text="图", group="album"), NOW, settle=2 * SECOND)
    store.inbox.receive(arrival(text="这是啥"), NOW)
    assert store.inbox.claim(NOW + SECOND, lease=LEASE) == ()
    first = store.inbox.claim(NOW + 2 * SECOND, lease=LEASE)
    assert [read_own([part]).text for part in first] == ["图"]


def test_albums_of_two_farmers_with_one_name_stay_apart(store):
    store.inbox.receive(arrival(LI, "甲", group="1"), NOW)
    store.inbox.receive(arrival(ZHOU, "乙", group="1"), NOW)
    assert [part.user for part in store.inbox.claim(NOW, lease=LEASE)] == ["li"]


# other ends


def test_a_dropped_message_leaves_nothing_and_lets_the_next_one_come(store):
    store.inbox.receive(arrival(text="一"), NOW)
    store.inbox.receive(arrival(text="二"), NOW)
    store.inbox.drop(store.inbox.claim(NOW, lease=LEASE), NOW)
    assert read_own(store.inbox.claim(NOW, lease=LEASE)).text == "二"
    assert store.inbox.history(LI) == ()


def test_a_postponed_message_comes_back_in_its_turn_and_counts_attempts(store):
    _, arrivals = write(store, text="一")
    store.inbox.receive(arrival(text="二"), NOW)
    store.inbox.postpone(arrivals, NOW + 5 * SECOND, "timeout")
    assert store.inbox.claim(NOW + 4 * SECOND, lease=LEASE) == ()
    assert store.inbox.next_at() == NOW + 5 * SECOND  # the younger one is ready, but must wait
    assert store.inbox.claim(NOW + 5 * SECOND, lease=LEASE) == arrivals
    assert store.inbox.attempts(arrivals) == 1


def test_a_message_set_aside_never_comes_again_and_stands_in_the_tally(store):
    _, arrivals = write(store)
    store.inbox.set_aside(arrivals, "unreadable", NOW, replies=(letter(text="对不住"),))
    assert store.inbox.claim(NOW + LEASE, lease=LEASE) == ()
    assert store.inbox.tally() == {"failed": 1}
    assert store.outbox.due("web", NOW, lease=LEASE).outgoing == letter(text="对不住")


def test_a_message_that_another_worker_has_saved_is_not_set_aside(store):
    incoming, arrivals = write(store)
    store.inbox.save(Turn(), incoming, arrivals, NOW)
    store.inbox.set_aside(arrivals, "late", NOW, replies=(letter(text="对不住"),))
    assert store.inbox.tally() == {"done": 1}
    assert store.outbox.tally() == {}


def test_what_no_worker_has_taken_yet_is_told(store):
    store.inbox.receive(arrival(text="等着"), NOW)
    store.inbox.receive(arrival(ZHOU, "别人"), NOW)
    assert [read_own([one]).text for one in store.inbox.waiting(LI)] == ["等着"]
    write(store)
    assert len(store.inbox.waiting(LI)) == 2  # until they are saved


# the turn


def test_a_turn_is_saved_whole(store):
    photo = Attachment("photo", "m1", "image/jpeg")
    incoming, arrivals = write(store, attachments=(photo,))
    memory = Memory(questions=(Question(incoming.id, incoming.text),), focus=1, draft=incoming)
    reply = letter(case=1, attachments=(photo,))
    change = CaseChange(offered(attachments=(photo,)), "开单", "系统", "派给王瑞生")
    saved = Turn((reply,), memory, (change,), filed_under=1)
    store.inbox.save(saved, incoming, arrivals, NOW)

    context = store.inbox.context(incoming, NOW)
    assert context.memory == memory
    assert context.cases == (replace(change.case, version=1),)
    assert store.outbox.due("web", NOW, lease=LEASE).outgoing == reply
    assert [item.event.what for item in store.cases.thread(1) if item.event] == ["开单"]


@pytest.mark.parametrize("failing", ["conflict", "broken"])
def test_a_save_that_fails_leaves_nothing(store, failing):
    opened = open_case(store)
    before = rows(store)
    incoming, arrivals = write(store)
    stale = CaseChange(replace(opened, version=opened.version + 7), "改", "系统")
    fresh = CaseChange(case(2), "开单", "系统")
    bad = CaseChange(replace(opened, question=object()), "改", "系统")
    changes = (fresh, stale) if failing == "conflict" else (fresh, bad)
    broken = Turn(replies=(letter(),), changes=changes, memory=Memory(township="昌元"))
    with pytest.raises(Conflict if failing == "conflict" else Exception):
        store.inbox.save(broken, incoming, arrivals, NOW)
    assert len(rows(store)) == len(before) + 1
    assert rows(store)[-1].state == State.NEW
    assert store.cases.get(2) is None
    assert store.cases.get(1) == opened
    assert store.inbox.context(incoming, NOW).memory == Memory()
    assert store.inbox.claim(NOW, lease=LEASE) == ()  # still this worker's
    store.inbox.save(Turn(), incoming, arrivals, NOW)


def test_a_stale_case_is_a_conflict(store):
    opened = open_case(store)
    changed(store, opened, state=CaseState.ACCEPTED)
    with pytest.raises(Conflict):
        changed(store, opened, state=CaseState.CANCELLED)
    assert store.cases.get(1).state is CaseState.ACCEPTED
    assert store.cases.get(1).version == 2


def test_a_case_number_that_exists_is_a_conflict(store):
    open_case(store)
    with pytest.raises(Conflict):
        changed(store, case(1))


def test_one_turn_may_change_a_case_in_several_steps(store):
    opened = open_case(store)
    passed = replace(opened, holder=None, passed=("wang",))
    given = replace(passed, holder="lv")
    steps = (CaseChange(passed, "退回", "wang"), CaseChange(given, "派单", "系统"))
    turn(store, TELEGRAM, changes=steps)
    assert store.cases.get(1) == replace(given, version=2)
    events = [item.event.what for item in store.cases.thread(1) if item.event]
    assert events == ["开单", "退回", "派单"]


def test_racing_turns_change_a_case_once(store):
    for number in range(1, 21):
        open_case(store, offered(number))
        opened = store.cases.get(number)
        results = _together(
            lambda who, opened=opened: changed(store, opened, by=who, holder=who), "lv", "zhao"
        )
        assert sorted(map(str, results)) == sorted(map(str, (None, Conflict)))
        assert store.cases.get(number).version == 2


def _together(action, *arguments):
    """Run the action with each argument at the same time; gives None or the error's class."""
    barrier = Barrier(len(arguments))

    def run(argument):
        barrier.wait()
        try:
            action(argument)
        except Conflict as error:
            return type(error)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def test_case_numbers_count_up_from_one_without_repeats(store):
    assert store.inbox.draw_number() == 1
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: store.inbox.draw_number(), range(40)))
    assert sorted(drawn) == list(range(2, 42))


@pytest.mark.parametrize(
    ("decision", "summary"),
    [
        (Answer, '{"kind": "answer", "entries": [["bee", 0.9, "不进巢"]]}'),
        (lambda m: Clarify((m,)), '{"kind": "clarify", "entries": [["bee", 0.9, "不进巢"]]}'),
        (
            lambda m: Escalate(Reason.PHOTO, None, ()),
            f'{{"kind": "escalate", "reason": "{Reason.PHOTO}", "domain": null, "entries": []}}',
        ),
        (
            lambda m: Emergency("sting", "bee"),
            '{"kind": "emergency", "danger": "sting", "domain": "bee"}',
        ),
        (lambda m: Decline("不归我们管", "bee"), '{"kind": "decline", "domain": "bee"}'),
        (lambda m: None, None),
    ],
)
def test_the_decision_is_kept_for_reports(store, decision, summary):
    entry = Entry("bee", "bee", "蜂", ("不进巢",), "看巢门", (), ())
    turn(store, decision=decision(Match(entry, 0.900001, "不进巢")))
    assert rows(store)[0].decision == summary


# the context


def test_a_farmers_context_holds_his_own_cases_only(store):
    open_case(store, offered(1))
    open_case(store, offered(2, farmer=ZHOU))
    incoming, _ = write(store)
    context = store.inbox.context(incoming, NOW)
    assert [one.number for one in context.cases] == [1]
    assert context.commissioner is None
    assert context.load == {"wang": 2}
    assert context.addresses == {"wang": (TELEGRAM,)}
    assert context.now == NOW


def test_long_closed_cases_are_left_out_of_the_context(store):
    open_case(store, case(1, state=CaseState.RESOLVED))
    incoming, _ = write(store)
    assert len(store.inbox.context(incoming, NOW).cases) == 1
    assert store.inbox.context(incoming, NOW + 3000 * 3600 * SECOND).cases == ()


def test_a_commissioners_context_holds_what_he_was_ever_offered(store):
    opened = open_case(store, offered(1, to="wang"))
    changed(store, opened, holder="lv", passed=("wang",))
    open_case(store, offered(2, to="lv"))
    open_case(store, case(3))
    for sender, who, numbers in ((TELEGRAM, WANG, [1]), (DESK, LV, [1, 2])):
        context = store.inbox.context(write(store, sender)[0], NOW)
        assert context.commissioner == who
        assert [one.number for one in context.cases] == numbers


def test_a_dispatchers_context_holds_everybodys_cases(store):
    open_case(store, offered(1))
    open_case(store, case(2))
    open_case(store, offered(3, state=CaseState.ACCEPTED))
    incoming, _ = write(store, Address("desk", "zhao"))
    context = store.inbox.context(incoming, NOW)
    assert context.commissioner == ZHAO
    assert [one.number for one in context.cases] == [1, 2, 3]


def test_a_context_of_too_many_cases_leaves_out_the_oldest_closed_ones(store):
    open_case(store, offered(1))
    for number in range(2, MANY + 3):
        open_case(store, offered(number, state=CaseState.RESOLVED))
    context = store.inbox.context(write(store, TELEGRAM)[0], NOW)
    assert [one.number for one in context.cases] == [1, *range(4, MANY + 3)]


def test_the_case_that_a_dispatcher_names_is_there_however_many_are_newer(store):
    for number in range(1, MANY + 3):
        open_case(store, offered(number))
    desk = Address("desk", "zhao")
    seen = {
        text: [one.number for one in store.inbox.context(turn(store, desk, text), NOW).cases]
        for text in ("", "#1 转给 王瑞生", "#2 接单")
    }
    newest = [*range(3, MANY + 3)]
    assert seen == {"": newest, "#1 转给 王瑞生": [1, *newest], "#2 接单": [2, *newest]}


def test_a_case_that_was_never_his_is_not_there_by_its_name(store):
    open_case(store, offered(1, to="lv"))
    for number in range(2, MANY + 2):
        open_case(store, offered(number))
    context = store.inbox.context(write(store, TELEGRAM, "#1 接单")[0], NOW)
    assert [one.number for one in context.cases] == [*range(2, MANY + 2)]


def test_a_farmers_own_commissioner_is_in_his_context_until_nobody_is(store):
    people = {one: turn(store, one) for one in (LI, ZHOU)}

    def own(farmer):
        return store.inbox.context(people[farmer], NOW).assigned

    assert (own(LI), own(ZHOU)) == (None, None)
    for chosen in ("wang", "lv", None):
        turn(store, DESK, assigns=Assignment(LI, chosen))
        assert (own(LI), own(ZHOU)) == (chosen, None)


def test_an_unknown_desk_user_is_nobody(store):
    incoming, _ = write(store, Address("desk", "nobody"))
    assert store.inbox.context(incoming, NOW).commissioner is None


def test_a_reply_to_what_we_sent_is_about_its_case(store):
    open_case(store, replies=(letter(TELEGRAM, case=1, purpose="offer"),))
    due = store.outbox.due("telegram", NOW, lease=LEASE)
    store.outbox.sent(due.id, Receipt(("m1", "m2")), NOW)
    for reply_to, about in (("m2", 1), ("m3", None), (None, None)):
        incoming, arrivals = write(store, TELEGRAM, reply_to=reply_to)
        assert store.inbox.context(incoming, NOW).about == about
        store.inbox.drop(arrivals, NOW)


def test_a_receipt_counts_only_in_its_own_chat(store):
    open_case(store, replies=(letter(TELEGRAM, case=1),))
    due = store.outbox.due("telegram", NOW, lease=LEASE)
    store.outbox.sent(due.id, Receipt(("m1",)), NOW)
    incoming, _ = write(store, Address("telegram", "901"), reply_to="m1")
    assert store.inbox.context(incoming, NOW).about is None


# history


def test_history_shows_what_was_taken_and_sent_in_that_order(store):
    for text in ("问一", "问二"):
        store.inbox.receive(arrival(text=text), NOW)
    for answer in ("答一", "答二"):
        arrivals = store.inbox.claim(NOW, lease=LEASE)
        replies = (letter(text=answer),)
        store.inbox.save(Turn(replies=replies), read_own(arrivals), arrivals, NOW)
        due = store.outbox.due("web", NOW, lease=LEASE)
        store.outbox.sent(due.id, Receipt(), NOW + SECOND)
    turn(store, replies=(letter(text="还没发"),))
    turn(store, ZHOU, "别人的")
    shown = store.inbox.history(LI)
    lines = [one.incoming.text if one.incoming else one.outgoing.text for one in shown]
    assert lines == ["问一", "答一", "问二", "答二", "蜂子不进巢"]
    assert [one.id for one in shown] == [1, 2, 3, 4, 5]
    assert [one.at for one in shown[:2]] == [NOW, NOW + SECOND]
    assert store.inbox.history(LI, after=3) == shown[3:]
    assert store.inbox.history(LI, after=1, limit=2) == shown[1:3]
    assert store.inbox.history(LI, limit=2) == shown[-2:]


def test_a_cursor_misses_nothing_that_is_sent_late(store):
    turn(store, replies=(letter(text="先写的"),))
    late = store.outbox.due("web", NOW, lease=LEASE)
    store.outbox.hold(late.id, "away", NOW)
    turn(store, text="后写的")
    cursor = store.inbox.history(LI)[-1].id
    due = store.outbox.due("web", NOW, lease=LEASE)
    store.outbox.sent(due.id, Receipt(), NOW)
    assert [one.outgoing.text for one in store.inbox.history(LI, after=cursor)] == ["先写的"]


def test_an_albums_captions_and_photos_are_one_line(store):
    photos = [Attachment("photo", name, "image/jpeg") for name in ("a", "b")]
    for photo in photos:
        store.inbox.receive(arrival(text=photo.media, group="g", attachments=(photo,)), NOW)
    album = store.inbox.claim(NOW, lease=LEASE)
    store.inbox.save(Turn(), read_own(album), album, NOW)
    (line,) = store.inbox.history(LI)
    assert line.incoming.attachments == tuple(photos)
    assert line.incoming == read_own(album)


def test_a_dispatcher_who_presses_for_the_bees_finds_the_beekeepers_of_that_township(store):
    open_case(store, case(township="盘龙镇"))
    keeper = Memory(keeps_bees=True, township="盘龙镇")
    turn(store, ZHOU, memory=keeper)
    turn(store, Address("web", "far"), memory=replace(keeper, township="吴家镇"))
    turn(store, Address("web", "none"), memory=replace(keeper, keeps_bees=False))
    press = turn(store, Address("desk", "zhao"))
    for sender, press_of, found in (
        (Address("desk", "zhao"), "bees:1", (ZHOU,)),
        (Address("desk", "wang"), "bees:1", ()),
        (Address("desk", "zhao"), "bees:9", ()),
    ):
        pressed = replace(press, sender=sender, press=press_of)
        assert store.inbox.context(pressed, NOW).beekeepers == found
