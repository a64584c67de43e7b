"""What was said: a conversation as its user sees it, and a case as the desk sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from bot.domain import FARMER, SYSTEM, Address, Case
from bot.store import codec
from bot.store.accounts import People
from bot.store.records import Event, Shown, State, ThreadItem
from bot.store.tables import at, case_events, is_at, messages

SHOWN = select(messages).where(is_at(messages), messages.c.position > bindparam("after"))
SHOWN = SHOWN.limit(bindparam("most"))
NEXT = SHOWN.order_by(messages.c.position)
LAST = SHOWN.order_by(messages.c.position.desc())


def shown(connection: Connection, address: Address, *, after: int, limit: int) -> tuple[Shown, ...]:
    """See `Inbox.history`."""
    where = {**at(address), "after": after, "most": limit}
    rows = connection.execute(NEXT if after else LAST, where).all()
    return tuple(_shown(row, address) for row in (rows if after else rows[::-1]))


def _shown(row: Row[Any], address: Address) -> Shown:
    if row.direction == "in":
        incoming = codec.incoming(row.body)
        return Shown(row.position, row.id, "in", row.created_at, incoming=incoming)
    outgoing = codec.outgoing(row.body, to=address)
    return Shown(row.position, row.id, "out", row.done_at, outgoing=outgoing)


def thread(connection: Connection, case: Case, people: People) -> tuple[ThreadItem, ...]:
    """See `Cases.thread`; of what was sent only relays stand in it."""
    items = [*_spoken(connection, case, people), *_happened(connection, case)]
    return tuple(sorted(items, key=lambda item: item.at))


def _spoken(connection: Connection, case: Case, people: People) -> Iterator[ThreadItem]:
    query = select(messages).where(
        messages.c.case_number == case.number, messages.c.body.is_not(None)
    )
    for row in connection.execute(query.order_by(messages.c.id)):
        address = Address(row.channel, row.user)
        if row.direction == "in":
            incoming = codec.incoming(row.body)
            yield ThreadItem(row.created_at, _writer(case, address, people), incoming=incoming)
        elif row.purpose == "relay":
            outgoing = codec.outgoing(row.body, to=address)
            state = State(row.state)
            yield ThreadItem(row.created_at, SYSTEM, outgoing=outgoing, state=state)


def _writer(case: Case, address: Address, people: People) -> str:
    commissioner = None if address == case.farmer else people.at(address)
    return commissioner.id if commissioner else FARMER


def _happened(connection: Connection, case: Case) -> Iterator[ThreadItem]:
    query = select(case_events).where(case_events.c.case_number == case.number)
    for row in connection.execute(query.order_by(case_events.c.id)):
        yield ThreadItem(row.at, row.by, event=Event(row.what, row.note))


def tally(connection: Connection, direction: str) -> dict[str, int]:
    """Messages of one direction by state."""
    query = select(messages.c.state, func.count(messages.c.id)).group_by(messages.c.state)
    rows = connection.execute(query.where(messages.c.direction == direction))
    return {row[0]: row[1] for row in rows}
