"""What nobody needs any more goes; what anybody may still need stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.domain import Attachment, Media, Turn
from bot.store import Retention
from bot.store.tables import invitations, messages, sessions
from tests.store.cast import LEASE, LI, NOW, ZHOU, arrival, turn, write

DAY = timedelta(days=1)
RETENTION = Retention()


def photo(store, now=NOW) -> Attachment:
    return Attachment("photo", store.media.keep(Media("image/jpeg", b"jpeg"), now), "image/jpeg")


def values(store, column) -> list:
    with store.database.read() as connection:
        return list(connection.execute(select(column)).scalars())


def test_a_picture_that_stands_in_no_message_goes_after_a_day(store):
    orphan, fresh = photo(store), photo(store, NOW + DAY)
    store.sweep(NOW + DAY, RETENTION)
    assert store.media.get(orphan.media)
    store.sweep(NOW + DAY + LEASE, RETENTION)
    assert store.media.get(orphan.media) is None
    assert store.media.get(fresh.media)


def test_a_picture_in_a_message_or_a_case_stays(store):
    said = photo(store)
    incoming, arrivals = write(store, attachments=[said])
    store.inbox.save(Turn(), incoming, arrivals, NOW)
    store.sweep(NOW + 400 * DAY, RETENTION)
    assert store.media.get(said.media)


def test_a_picture_of_a_message_that_still_waits_or_failed_stays(store):
    waiting, failed = photo(store), photo(store)
    store.inbox.receive(arrival(LI, attachments=[waiting]), NOW)
    _, arrivals = write(store, ZHOU, attachments=[failed])
    store.inbox.set_aside(arrivals, "unreadable", NOW)
    store.sweep(NOW + 400 * DAY, RETENTION)
    assert store.media.get(waiting.media)
    assert store.media.get(failed.media)


def test_the_platforms_form_goes_the_message_stays(store):
    turn(store, text="蜂子不进巢")
    store.inbox.receive(arrival(ZHOU), NOW)
    store.sweep(NOW + 29 * DAY, RETENTION)
    assert None not in values(store, messages.c.raw)
    store.sweep(NOW + 31 * DAY, RETENTION)
    assert values(store, messages.c.raw).count(None) == 1
    assert [one.incoming.text for one in store.inbox.history(LI)] == ["蜂子不进巢"]
    assert len(store.inbox.waiting(ZHOU)) == 1


def test_a_repeated_update_is_known_even_when_its_form_is_gone(store):
    turn(store)
    store.sweep(NOW + 31 * DAY, RETENTION)
    uid = values(store, messages.c.uid)[0]
    assert store.inbox.receive(arrival(uid=uid), NOW) is None


def test_visitors_who_never_wrote_go_after_a_week_and_farmers_who_wrote_stay(store):
    silent, _ = store.accounts.open_session("farmer", ZHOU.user, NOW)
    wrote, _ = store.accounts.open_session("farmer", LI.user, NOW)
    turn(store, LI)
    store.sweep(NOW + 6 * DAY, RETENTION)
    assert len(values(store, sessions.c.user)) == 2
    store.sweep(NOW + 8 * DAY, RETENTION)
    assert store.accounts.session(silent, NOW + 8 * DAY) is None
    assert store.accounts.session(wrote, NOW + 8 * DAY)


def test_expired_sessions_and_codes_go_and_used_codes_stay(store):
    turn(store, LI)
    store.accounts.open_session("farmer", LI.user, NOW)
    store.accounts.open_session("desk", "wang", NOW)
    used = store.accounts.invite("wang", NOW, valid=DAY)
    store.accounts.redeem(used, NOW)
    store.accounts.invite("lv", NOW, valid=DAY)
    store.sweep(NOW + 11 * DAY, RETENTION)
    assert values(store, sessions.c.user) == [LI.user]
    assert values(store, invitations.c.commissioner) == ["wang"]
    store.sweep(NOW + 401 * DAY, RETENTION)
    assert values(store, sessions.c.user) == []
