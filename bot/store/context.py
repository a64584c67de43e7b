"""Reading all that a turn needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from bot.domain import Case, Commissioner, Context, Incoming
from bot.store import cases, codec
from bot.store.accounts import carried
from bot.store.tables import conversations, messages, receipts

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain import Address
    from bot.store.accounts import People


def read_context(
    connection: Connection, incoming: Incoming, now: datetime, people: People
) -> Context:
    sender = incoming.sender
    commissioner = people.at(sender)
    return Context(
        now=now,
        memory=codec.memory(_memory_of(connection, sender)),
        cases=_cases_of(connection, sender, commissioner, now),
        commissioner=commissioner,
        about=_about(connection, incoming),
        load=cases.load(connection),
        addresses=people.addresses(),
        invitation=carried(connection, incoming.text, now),
    )


def _memory_of(connection: Connection, address: Address) -> str | None:
    is_this = (conversations.c.channel == address.channel) & (
        conversations.c.user == address.user
    )
    return connection.execute(select(conversations.c.memory).where(is_this)).scalar_one_or_none()


def _cases_of(
    connection: Connection, sender: Address, commissioner: Commissioner | None, now: datetime
) -> tuple[Case, ...]:
    if commissioner is None:
        return cases.farmers(connection, sender, now)
    return cases.commissioners(
        connection, commissioner.id, now, is_dispatcher=commissioner.is_dispatcher
    )


def _about(connection: Connection, incoming: Incoming) -> int | None:
    if incoming.reply_to is None:
        return None
    query = (
        select(messages.c.case_number)
        .join(receipts, receipts.c.message == messages.c.id)
        .where(
            receipts.c.channel == incoming.sender.channel,
            receipts.c.user == incoming.sender.user,
            receipts.c.receipt == incoming.reply_to,
        )
    )
    return connection.execute(query).scalar_one_or_none()
