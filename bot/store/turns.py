"""Writing a turn: everything that follows from one message, or from the clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bot.domain import (
    Address,
    Assignment,
    Attachment,
    Case,
    CaseChange,
    Deed,
    Incoming,
    Invitation,
    Outgoing,
    Turn,
)
from bot.errors import Conflict
from bot.store import codec, ledger
from bot.store.accounts import use_up
from bot.store.database import Database
from bot.store.records import State
from bot.store.tables import (
    assignments,
    bindings,
    case_events,
    case_people,
    cases,
    media_uses,
    messages,
)

TOLD = frozenset({Deed.VISIT, Deed.CALL})  # found again by the message that told of it
INSERT_MESSAGES = insert(messages)
INSERT_EVENTS = insert(case_events)


class TurnWriter:
    """Writes inside one open transaction; any exception leaves nothing behind."""

    def __init__(self, database: Database, connection: Connection, now: datetime) -> None:
        self._database = database
        self._connection = connection
        self._now = now

    def write(self, turn: Turn, incoming: Incoming | None = None) -> None:
        """Cases first: a Conflict is the likeliest end, and rows are locked in one order."""
        self._write_cases(turn.changes)
        if turn.binds and incoming:
            self._bind(incoming.sender, turn.binds)
        if turn.assigns:
            self._assign(turn.assigns)
        self.write_replies(turn.replies, cause=incoming.id if incoming else None)
        self._note_media(turn, incoming)
        for entered in turn.entered:
            told = incoming.id if incoming and entered.deed in TOLD else None
            ledger.append(self._connection, entered, self._now, message=told)

    def write_replies(self, replies: Sequence[Outgoing], *, cause: int | None) -> None:
        if replies:
            rows = [self._reply_row(outgoing, cause) for outgoing in replies]
            self._connection.execute(INSERT_MESSAGES, rows)

    def _reply_row(self, outgoing: Outgoing, cause: int | None) -> dict[str, Any]:
        return {
            "direction": "out",
            "channel": outgoing.to.channel,
            "user": outgoing.to.user,
            "state": State.PENDING.value,
            "body": codec.dump(outgoing),
            "case_number": outgoing.case,
            "cause": cause,
            "purpose": outgoing.purpose,
            "created_at": self._now,
            "ready_at": self._now,
        }

    def _write_cases(self, changes: Sequence[CaseChange]) -> None:
        for version, case in _last_values(changes):
            self._write_case(case, version=version)
        if changes:
            self._connection.execute(INSERT_EVENTS, [self._event_row(one) for one in changes])
            self._remember_people(changes)

    def _write_case(self, case: Case, *, version: int) -> None:
        row = _case_row(case, version=version + 1)
        if version == 0:
            try:
                self._connection.execute(insert(cases).values(number=case.number, **row))
            except IntegrityError as error:
                raise Conflict(f"case {case.number} exists already") from error
            return
        is_same = (cases.c.number == case.number) & (cases.c.version == version)
        if self._connection.execute(update(cases).where(is_same).values(**row)).rowcount == 0:
            raise Conflict(f"case {case.number} is no longer at version {version}")

    def _event_row(self, change: CaseChange) -> dict[str, Any]:
        words = {"by": change.by, "what": change.what, "note": change.note}
        return {"case_number": change.case.number, "at": self._now, **words}

    def _remember_people(self, changes: Sequence[CaseChange]) -> None:
        seen = {
            (person, change.case.number)
            for change in changes
            for person in (change.case.holder, *change.case.passed, *change.case.consulted)
            if person
        }
        rows = [{"commissioner": who, "case_number": number} for who, number in sorted(seen)]
        if rows:
            known = self._database.insert(case_people).on_conflict_do_nothing()
            self._connection.execute(known, rows)

    def _bind(self, sender: Address, invitation: Invitation) -> None:
        if not use_up(self._connection, invitation, self._now):
            raise Conflict("the invitation was used meanwhile")
        row = {"commissioner": invitation.commissioner, "bound_at": self._now}
        self._connection.execute(
            self._database.insert(bindings)
            .values(channel=sender.channel, user=sender.user, **row)
            .on_conflict_do_update(index_elements=["channel", "user"], set_=row)
        )

    def _assign(self, assignment: Assignment) -> None:
        farmer, commissioner = assignment.farmer, assignment.commissioner
        if commissioner is None:
            is_his = (assignments.c.channel == farmer.channel) & (assignments.c.user == farmer.user)
            self._connection.execute(delete(assignments).where(is_his))
            return
        row = {"commissioner": commissioner}
        self._connection.execute(
            self._database.insert(assignments)
            .values(channel=farmer.channel, user=farmer.user, **row)
            .on_conflict_do_update(index_elements=["channel", "user"], set_=row)
        )

    def _note_media(self, turn: Turn, incoming: Incoming | None) -> None:
        """Who may see a picture: those in whose conversation or case it stands."""
        uses = {use for one in turn.replies for use in _uses(one.attachments, one.to, one.case)}
        for change in turn.changes:
            case = change.case
            uses |= _uses(case.attachments, case.farmer, case.number)
        if incoming:
            uses |= _uses(incoming.attachments, incoming.sender, turn.filed_under)
        names = ("media", "channel", "user", "case_number")
        rows = [dict(zip(names, use, strict=True)) for use in sorted(uses)]
        if rows:
            known = self._database.insert(media_uses).on_conflict_do_nothing()
            self._connection.execute(known, rows)


def _last_values(changes: Iterable[CaseChange]) -> list[tuple[int, Case]]:
    """The version each case was read at and its last value, by number: one locking order."""
    first: dict[int, int] = {}
    last: dict[int, Case] = {}
    for change in changes:
        first.setdefault(change.case.number, change.case.version)
        last[change.case.number] = change.case
    return [(first[number], last[number]) for number in sorted(last)]


def _case_row(case: Case, *, version: int) -> dict[str, Any]:
    return {
        "version": version,
        "state": case.state.value,
        "is_open": case.is_open,
        "holder": case.holder,
        "due_at": case.due_at,
        "channel": case.farmer.channel,
        "user": case.farmer.user,
        "changed_at": case.changed_at,
        "body": codec.dump(case),
    }


def _uses(
    attachments: Iterable[Attachment], address: Address, case: int | None
) -> set[tuple[str, str, str, int]]:
    return {(one.media, address.channel, address.user, case or 0) for one in attachments}
