"""The ledger: what becomes a line, and that no line can be changed unseen."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, update

from bot.domain import Attachment, Deed, Entered, Media, Receipt
from bot.store.tables import ledger, numbers
from tests.store.cast import LEASE, LI, NOW, SECOND, WANG, case, letter, open_case, turn

ANSWER = letter(text="先合并弱群", case=1, purpose="relay", service_of=WANG.id)
SUGGESTION = Entered(Deed.SUGGESTION, WANG.id, WANG.id, proof={"text": "建议早点发蜂药补贴"})


def lines(store):
    return store.ledger.between(NOW - SECOND, NOW + 1000 * SECOND)


def test_an_answer_counts_when_it_has_reached_the_farmer_and_carries_its_proof(store):
    photo = Attachment("photo", store.media.keep(Media("image/jpeg", b"jpeg"), NOW), "image/jpeg")
    open_case(store, replace(case(township="盘龙镇"), domain="beekeeping"))
    turn(store, replies=(replace(ANSWER, attachments=(photo,)),))
    assert lines(store) == ()
    one = store.outbox.due("web", NOW, lease=LEASE)
    store.outbox.sent(one.id, Receipt(), NOW + SECOND)
    [line] = lines(store)
    assert (line.number, line.at) == (1, NOW + SECOND)
    assert line.entered == Entered(
        Deed.SERVICE,
        WANG.id,
        WANG.id,
        1,
        proof={
            "farmer": str(LI),
            "channel": "web",
            "question": "蜂子不进巢",
            "answer": "先合并弱群",
            "domain": "beekeeping",
            "township": "盘龙镇",
            "is_urgent": False,
            "is_withdrawn": False,
            "asked_at": NOW.isoformat(),
            "evidence": {photo.media: hashlib.sha256(b"jpeg").hexdigest()},
        },
    )


def test_what_is_held_or_dead_or_no_answer_counts_nothing(store):
    open_case(store)
    turn(store, replies=(ANSWER, letter(text="问一句", case=1, purpose="relay"), letter()))
    store.outbox.hold(store.outbox.due("web", NOW, lease=LEASE).id, "blocked", NOW)
    while one := store.outbox.due("web", NOW, lease=LEASE):
        store.outbox.sent(one.id, Receipt(), NOW)
    assert lines(store) == ()
    turn(store)  # he writes again, so what was held comes to him now
    store.outbox.sent(store.outbox.due("web", NOW, lease=LEASE).id, Receipt(), NOW)
    assert [line.entered.deed for line in lines(store)] == [Deed.SERVICE]


def test_a_delivery_reported_twice_counts_once(store):
    open_case(store)
    turn(store, replies=(ANSWER,))
    one = store.outbox.due("web", NOW, lease=LEASE)
    for _ in range(2):
        store.outbox.sent(one.id, Receipt(), NOW)
    assert len(lines(store)) == 1


def test_what_a_turn_enters_stands_in_his_own_context_and_in_nobody_elses(store):
    turn(store, entered=(SUGGESTION,))
    incoming = turn(store, WANG.addresses[0], "我的台账")
    [line] = store.inbox.context(incoming, NOW).ledger
    assert line.entered == SUGGESTION
    assert store.inbox.context(incoming, NOW, with_ledger=False).ledger == ()
    assert store.inbox.context(turn(store), NOW).ledger == ()
    next_year = NOW.replace(year=NOW.year + 1)
    assert store.inbox.context(incoming, next_year).ledger == ()


def test_a_correction_made_later_comes_with_the_line_it_is_about(store):
    line = store.ledger.add(SUGGESTION, NOW)
    struck = Entered(Deed.STRUCK, WANG.id, "zhao", about=line.number, proof={"reason": "空话"})
    store.ledger.add(struck, NOW + 5000 * SECOND)
    assert [one.entered for one in lines(store)] == [SUGGESTION, struck]
    assert store.ledger.of(WANG.id, NOW) == lines(store)
    assert store.ledger.of("lv", NOW) == ()
    assert store.ledger.of(WANG.id, NOW + SECOND) == lines(store)[1:]


def test_a_button_brings_the_line_it_names_and_the_rulings_on_it_to_those_who_may_see_it(store):
    store.ledger.add(SUGGESTION, NOW)
    store.ledger.add(SUGGESTION, NOW)
    store.ledger.add(Entered(Deed.STRUCK, WANG.id, "zhao", about=2), NOW)
    pressed = replace(turn(store, WANG.addresses[0]), press="ledger:2:appeal")
    assert [one.number for one in store.inbox.context(pressed, NOW).named] == [2, 3]
    for press in ("ledger:x:appeal", "ledger:9:appeal", "case:2:accept", None):
        assert store.inbox.context(replace(pressed, press=press), NOW).named == ()
    assert store.inbox.context(replace(pressed, sender=LI), NOW).named == ()


def test_a_visit_is_found_by_the_message_that_told_of_it_and_its_photos_are_proof(store):
    photo = store.media.keep(Media("image/jpeg", b"photo"), NOW)
    visit = Entered(Deed.VISIT, WANG.id, WANG.id, proof={"farmer": str(LI)}, media=(photo,))
    incoming = turn(store, WANG.addresses[0], entered=(visit,))
    [line] = lines(store)
    assert line.entered.proof["evidence"] == {photo: hashlib.sha256(b"photo").hexdigest()}
    pressed = replace(turn(store, LI), press=f"visit:{incoming.id}:yes")
    assert [one.number for one in store.inbox.context(pressed, NOW).named] == [line.number]
    assert store.ledger.served(NOW) == {WANG.id: 1}
    assert store.ledger.audit().fault == ""


def test_lines_added_side_by_side_make_one_chain(store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.ledger.add(SUGGESTION, NOW), range(40)))
    audit = store.ledger.audit()
    assert (audit.lines, audit.fault) == (40, "")
    assert audit.seal == lines(store)[-1].seal


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (update(ledger).where(ledger.c.number == 2).values(commissioner="lv"), "第 2 笔"),
        (update(ledger).where(ledger.c.number == 2).values(at=NOW + SECOND), "第 2 笔"),
        (update(ledger).where(ledger.c.number == 2).values(proof="{}"), "第 2 笔"),
        (update(ledger).where(ledger.c.number == 1).values(seal="0" * 64), "第 1 笔"),
        (delete(ledger).where(ledger.c.number == 1), "第 1 笔不见了"),
        (delete(ledger).where(ledger.c.number == 2), "第 2 笔不见了"),
        (delete(ledger).where(ledger.c.number == 3), "记过 3 笔，只剩 2 笔"),
        (update(numbers).where(numbers.c.name == "ledger").values(value=2), "记过 2 笔，只剩 3 笔"),
    ],
)
def test_tampering_is_found(store, tamper, fault):
    for _ in range(3):
        store.ledger.add(SUGGESTION, NOW)
    assert store.ledger.audit().fault == ""
    with store.database.write() as connection:
        connection.execute(tamper)
    assert store.ledger.audit().fault.startswith(fault)


def test_a_line_put_in_with_a_seal_of_its_own_is_found(store):
    first = store.ledger.add(SUGGESTION, NOW)
    with store.database.write() as connection:
        row = dict(connection.execute(ledger.select()).one()._mapping)
        connection.execute(insert(ledger).values(**(row | {"number": 2, "message": None})))
        connection.execute(update(numbers).where(numbers.c.name == "ledger").values(value=2))
    audit = store.ledger.audit()
    assert (audit.lines, audit.seal) == (1, first.seal)
    assert "第 2 笔" in audit.fault
