"""Reading all that a turn needs to know."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from bot.domain import Address, Case, Commissioner, Context, Incoming, Line, year_start
from bot.store import cases, codec, ledger, tables
from bot.store.accounts import People, carried
from bot.store.tables import assignments, at, conversations, is_at, messages, receipts

_NAMED = re.compile(
    r"ledger:(?P<line>[0-9]{1,9}):|(?:case:|\s*[#＃]\s*)(?P<case>[0-9]{1,9})(?![0-9])"
)
_BEES = re.compile(r"bees:([0-9]{1,9})")
_VISIT = re.compile(r"visit:([0-9]{1,18}):")
_OWN = (assignments.c.channel == conversations.c.channel) & (
    assignments.c.user == conversations.c.user
)
KNOWN = (
    select(conversations.c.memory, assignments.c.commissioner)
    .select_from(conversations.outerjoin(assignments, _OWN))
    .where(is_at(conversations))
)
CASE = select(tables.cases.c.body).where(tables.cases.c.number == bindparam("number"))
BEEKEEPERS = select(conversations).where(conversations.c.memory.like('%"keeps_bees":true%'))
ABOUT = (
    select(messages.c.case_number)
    .join(receipts, receipts.c.message == messages.c.id)
    .where(is_at(receipts), receipts.c.receipt == bindparam("receipt"))
)


def read_context(
    connection: Connection,
    incoming: Incoming,
    now: datetime,
    people: People,
    *,
    with_ledger: bool,
) -> Context:
    sender = incoming.sender
    commissioner, about = people.at(sender), _about(connection, incoming)
    known = connection.execute(KNOWN, at(sender)).one_or_none()
    own = _own_lines(connection, commissioner, now) if with_ledger else ()
    return Context(
        now=now,
        memory=codec.memory(known.memory if known else None),
        cases=_cases_of(connection, incoming, commissioner, about, now),
        commissioner=commissioner,
        about=about,
        load=cases.load(connection),
        served=ledger.served(connection, year_start(now)),
        addresses=people.addresses(),
        invitation=carried(connection, incoming.text, now),
        ledger=own,
        assigned=known.commissioner if known else None,
        beekeepers=_beekeepers(connection, incoming, commissioner),
        named=_named(connection, incoming, commissioner, about),
    )


def _named(
    connection: Connection,
    incoming: Incoming,
    commissioner: Commissioner | None,
    about: int | None,
) -> tuple[Line, ...]:
    """See `Context.named`: by a button visit:MESSAGE:…, and for commissioners by ledger:NUMBER:… or
    case:NUMBER:…, a reply, or “#12 …”."""
    if visit := _VISIT.match(incoming.press or ""):
        return ledger.told_in(connection, int(visit[1]))
    if commissioner is None:
        return ()
    named = _NAMED.match(incoming.press or incoming.text)
    if named and named["line"]:
        return ledger.with_rulings(connection, int(named["line"]))
    case = _case_meant(incoming, about)
    return ledger.of_case(connection, case) if case is not None else ()


def _case_meant(incoming: Incoming, about: int | None) -> int | None:
    """Named by a button, by the words' head or by the desk's page, else replied to."""
    named = _NAMED.match(incoming.press or incoming.text)
    return int(named["case"]) if named and named["case"] else about


def _own_lines(
    connection: Connection, commissioner: Commissioner | None, now: datetime
) -> tuple[Line, ...]:
    return ledger.own(connection, commissioner.id, year_start(now)) if commissioner else ()


def _beekeepers(
    connection: Connection, incoming: Incoming, commissioner: Commissioner | None
) -> tuple[Address, ...]:
    """See `Context.beekeepers`; for dispatchers only."""
    named = _BEES.fullmatch(incoming.press or "")
    if named is None or commissioner is None or not commissioner.is_dispatcher:
        return ()
    body = connection.execute(CASE, {"number": int(named[1])}).scalar_one_or_none()
    town = codec.case(body, version=0).township if body else None
    return tuple(
        Address(row.channel, row.user)
        for row in connection.execute(BEEKEEPERS)
        if codec.memory(row.memory).township == town
    )


def _cases_of(
    connection: Connection,
    incoming: Incoming,
    commissioner: Commissioner | None,
    about: int | None,
    now: datetime,
) -> tuple[Case, ...]:
    if commissioner is None:
        return cases.farmers(connection, incoming.sender, now)
    return cases.commissioners(
        connection,
        commissioner.id,
        now,
        is_dispatcher=commissioner.is_dispatcher,
        meant=_case_meant(incoming, about),
    )


def _about(connection: Connection, incoming: Incoming) -> int | None:
    if incoming.reply_to is None:
        return None
    receipt = {"receipt": incoming.reply_to}
    return connection.execute(ABOUT, {**at(incoming.sender), **receipt}).scalar_one_or_none()
