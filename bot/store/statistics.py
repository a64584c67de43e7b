"""What a report counts: questions with what was decided, and cases as they stand now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from bot.domain import Address, Case, Event
from bot.store import codec
from bot.store.database import Database
from bot.store.records import State
from bot.store.tables import case_events, cases, conversations, messages

_UNANSWERED = frozenset({"escalate", "decline", "clarify"})

GIVEN = frozenset({"answer", "several", codec.PICKED})


@dataclass(frozen=True, slots=True)
class Asked:
    """A farmer's question on which something was decided. `kind` is the decision's name in lower
    case, `entries` the ids answered or offered; a bare question back has neither. `township` is
    what is known of the farmer by now."""

    at: datetime
    kind: str
    domain: str | None
    entries: tuple[str, ...]
    farmer: Address
    township: str | None = None
    case: int | None = None


_OWN = and_(conversations.c.channel == messages.c.channel, conversations.c.user == messages.c.user)
_ASKED = select(
    messages.c.created_at,
    messages.c.decision,
    messages.c.channel,
    messages.c.user,
    messages.c.case_number,
    conversations.c.memory,
    cases.c.body.label("case"),
).select_from(
    messages.outerjoin(conversations, _OWN).outerjoin(
        cases, cases.c.number == messages.c.case_number
    )
)


@dataclass(frozen=True, slots=True)
class InVain:
    """A farmer's question that neither we nor a commissioner has answered; he has not picked any
    choice either, and wants to hear of an answer."""

    message: int
    at: datetime
    farmer: Address
    text: str


class Statistics:
    """Reads what was, between two instants: from `first` to before `end`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked(self, first: datetime, end: datetime) -> Sequence[Asked]:
        query = _ASKED.where(_is_decided(first, end)).order_by(messages.c.id)
        with self._database.read() as connection:
            decided = [_asked(row) for row in connection.execute(query)]
        return [one for one in decided if one.kind != codec.PICKED]

    def given(self, first: datetime, end: datetime) -> Counter[str]:
        """How often each entry was given to a farmer, at once or as he picked it, by id."""
        query = select(messages.c.decision).where(_is_decided(first, end))
        with self._database.read() as connection:
            decided = map(json.loads, connection.execute(query).scalars())
            return Counter(
                str(entry[0])
                for fields in decided
                if fields["kind"] in GIVEN
                for entry in fields.get("entries", ())
            )

    def in_vain(self, first: datetime, end: datetime) -> Sequence[InVain]:
        """Oldest first."""
        is_then = and_(messages.c.created_at >= first, messages.c.created_at < end)
        is_in = and_(is_then, messages.c.direction == "in")
        asked = (
            select(messages, conversations.c.memory)
            .join(conversations, _OWN)
            .where(is_in, messages.c.decision.is_not(None), messages.c.body.is_not(None))
            .order_by(messages.c.id)
        )
        picked = select(messages.c.body).where(is_in, messages.c.body.like('%"press":"show:%'))
        answered = select(case_events.c.case_number).where(
            case_events.c.what == Event.ANSWERED.value
        )
        with self._database.read() as connection:
            picks = {_picked(body) for body in connection.execute(picked).scalars()}
            cases_answered = set(connection.execute(answered).scalars())
            return [
                InVain(
                    row.id,
                    row.created_at,
                    Address(row.channel, row.user),
                    codec.incoming(row.body).text,
                )
                for row in connection.execute(asked)
                if json.loads(row.decision)["kind"] in _UNANSWERED
                and row.id not in picks
                and row.case_number not in cases_answered
                and codec.memory(row.memory).wants_news
            ]

    def opened(self, first: datetime, end: datetime) -> Sequence[Case]:
        """Cases opened then, as they stand now, by number."""
        is_then = and_(case_events.c.at >= first, case_events.c.at < end)
        opened = select(case_events.c.case_number).where(
            is_then, case_events.c.what == Event.OPENED.value
        )
        query = select(cases.c.body, cases.c.version).where(cases.c.number.in_(opened))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(cases.c.number))
            return [codec.case(row.body, version=row.version) for row in rows]

    def undelivered(self) -> dict[int, int]:
        """How many of a case's relays have not reached their reader, now, by case number."""
        lost = messages.c.state.in_([State.HELD.value, State.DEAD.value])
        query = (
            select(messages.c.case_number, func.count())
            .where(messages.c.direction == "out", messages.c.purpose == "relay", lost)
            .group_by(messages.c.case_number)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _is_decided(first: datetime, end: datetime) -> ColumnElement[bool]:
    is_then = and_(messages.c.created_at >= first, messages.c.created_at < end)
    return and_(is_then, messages.c.direction == "in", messages.c.decision.is_not(None))


def _picked(body: str) -> int | None:
    """The question that a choice was pressed for."""
    number = (codec.incoming(body).press or "").rpartition(":")[2]
    return int(number) if number.isdecimal() else None


def _asked(row: Any) -> Asked:
    fields = json.loads(row.decision)
    return Asked(
        row.created_at,
        fields["kind"],
        fields.get("domain"),
        tuple(str(one[0]) for one in fields.get("entries", ())),
        Address(row.channel, row.user),
        _township(row.case) or _township(row.memory),
        row.case_number,
    )


def _township(text: str | None) -> str | None:
    return json.loads(text).get("township") if text else None
