"""Codes, bindings and sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.domain import Address, Turn
from bot.errors import ConfigError, Conflict
from bot.store import Store
from bot.store.accounts import CODE_LETTERS
from bot.store.tables import invitations, sessions
from tests.store.cast import LI, LV, NOW, SECOND, WANG, write

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PHONE = Address("telegram", "5")


def invited(store, text, *, now=NOW, sender=PHONE):
    """The invitation that the context finds in a message."""
    incoming, arrivals = write(store, sender, text)
    found = store.inbox.context(incoming, now).invitation
    store.inbox.drop(arrivals, now)
    return found


def test_a_code_is_ten_clear_letters_and_stored_only_as_a_hash(store):
    code = store.accounts.invite("lv", NOW, valid=HOUR)
    assert len(code) == 10
    assert set(code) <= set(CODE_LETTERS)
    assert not set("01IO") & set(CODE_LETTERS)
    with store.database.read() as connection:
        (row,) = connection.execute(select(invitations)).all()
    assert code not in str(row)


@pytest.mark.parametrize(
    "form",
    ["{}", "/start {}", "/bind {}", "/start@rongchang_bot {}", "绑定 {}", "绑定{}", "绑定：{} "],
)
def test_a_code_is_found_in_a_message(store, form):
    code = store.accounts.invite("lv", NOW, valid=HOUR)
    assert invited(store, form.format(code)).commissioner == "lv"
    assert invited(store, form.format(code.lower())).commissioner == "lv"


@pytest.mark.parametrize("form", ["我的码是 {}", "{}0", "/stop {}", "/start", ""])
def test_other_messages_carry_no_code(store, form):
    assert invited(store, form.format(store.accounts.invite("lv", NOW, valid=HOUR))) is None


def test_a_wrong_or_expired_code_is_none(store):
    code = store.accounts.invite("lv", NOW, valid=HOUR)
    assert invited(store, "2" * 10) is None
    assert invited(store, code, now=NOW + HOUR) is None
    assert store.accounts.redeem(code, NOW + HOUR) is None


def test_a_code_for_nobody_is_refused(store):
    with pytest.raises(ConfigError, match="nobody"):
        store.accounts.invite("nobody", NOW, valid=HOUR)


def test_a_code_binds_a_chat_account_once(store):
    code = store.accounts.invite("lv", NOW, valid=HOUR)
    assert not store.accounts.is_anyone_bound()
    incoming, arrivals = write(store, PHONE, f"/start {code}")
    invitation = store.inbox.context(incoming, NOW).invitation
    other, others = write(store, LI, code)
    assert store.inbox.context(other, NOW).invitation == invitation
    store.inbox.save(Turn(binds=invitation), incoming, arrivals, NOW)
    with pytest.raises(Conflict):
        store.inbox.save(Turn(binds=invitation), other, others, NOW)
    assert store.inbox.context(other, NOW).invitation is None
    assert store.accounts.commissioner_of(PHONE) == LV
    assert store.accounts.commissioner_of(LI) is None
    assert store.accounts.bindings() == {"wang": WANG.addresses, "lv": (PHONE,)}
    assert store.accounts.is_anyone_bound()


def test_an_account_can_be_bound_anew(store):
    for who in ("lv", "zhao"):
        code = store.accounts.invite(who, NOW, valid=HOUR)
        incoming, arrivals = write(store, PHONE, code)
        invitation = store.inbox.context(incoming, NOW).invitation
        store.inbox.save(Turn(binds=invitation), incoming, arrivals, NOW)
    assert store.accounts.commissioner_of(PHONE).id == "zhao"


def test_a_code_opens_the_desk_once(store):
    code = store.accounts.invite("lv", NOW, valid=HOUR)
    assert store.accounts.redeem(f" {code.lower()} ", NOW) == "lv"
    assert store.accounts.redeem(code, NOW) is None
    assert store.accounts.redeem("rubbish", NOW) is None


def test_racing_users_redeem_a_code_once(store):
    for _ in range(20):
        code = store.accounts.invite("lv", NOW, valid=HOUR)
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _, code=code: store.accounts.redeem(code, NOW), "abcd"))
        assert sorted(results, key=str) == [None, None, None, "lv"]


def test_a_session_is_known_by_its_token_until_it_is_closed(store):
    token, csrf = store.accounts.open_session("farmer", "li", NOW)
    other, _ = store.accounts.open_session("farmer", "li", NOW)
    found = store.accounts.session(token, NOW)
    assert (found.kind, found.user, found.csrf, found.created_at) == ("farmer", "li", csrf, NOW)
    assert len({token, csrf, other}) == 3
    store.accounts.close_session(token)
    assert store.accounts.session(token, NOW) is None
    assert store.accounts.session(other, NOW)
    assert store.accounts.session("", NOW) is None


def test_only_the_hash_of_a_token_is_stored(store):
    token, _ = store.accounts.open_session("farmer", "li", NOW)
    with store.database.read() as connection:
        (row,) = connection.execute(select(sessions)).all()
    assert token not in str(row)


def test_an_idle_desk_session_ends_and_a_used_one_goes_on_up_to_its_limit(store):
    idle, _ = store.accounts.open_session("desk", "lv", NOW)
    used, _ = store.accounts.open_session("desk", "lv", NOW)
    for day in range(1, 61):
        assert store.accounts.session(used, NOW + day * DAY)
    assert store.accounts.session(used, NOW + 60 * DAY + SECOND) is None
    assert store.accounts.session(idle, NOW + 10 * DAY + SECOND) is None


def test_a_farmers_session_lasts_more_than_a_year_of_silence(store):
    token, _ = store.accounts.open_session("farmer", "li", NOW)
    assert store.accounts.session(token, NOW + 400 * DAY)
    assert store.accounts.session(token, NOW + 801 * DAY) is None


def test_a_commissioner_who_left_has_no_session_binding_or_code(store, url):
    token, _ = store.accounts.open_session("desk", "lv", NOW)
    code = store.accounts.invite("lv", NOW, valid=HOUR)
    incoming, arrivals = write(store, PHONE, store.accounts.invite("lv", NOW, valid=HOUR))
    bound = Turn(binds=store.inbox.context(incoming, NOW).invitation)
    store.inbox.save(bound, incoming, arrivals, NOW)
    later = Store.open(url, commissioners=(WANG,))
    assert later.accounts.session(token, NOW) is None
    assert later.accounts.commissioner_of(PHONE) is None
    assert later.accounts.bindings() == {"wang": WANG.addresses}
    assert later.accounts.redeem(code, NOW) is None
    later.close()
