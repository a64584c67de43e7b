"""Platforms that let us speak only while a user calls, or a few times after he wrote.

call:  made ─▶ made again (the same uid) ─▶ answered     the answer is kept for those who ask twice
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select, text, update

from bot.domain import Address, Receipt
from bot.store import codec
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.records import Call, Fitted, State, Waiting, Window
from bot.store.tables import HELD, ON_THE_WAY, at, calls, is_at, messages, windows

Fit = Callable[[Sequence[Waiting], Window], Fitted]

LIVE = timedelta(seconds=8)  # a call not made again for so long has been given up by its platform
QUOTED = 16  # characters of a question that say which one it was
# Two looks, since each kind has a partial index of its own.
OUTGOING = select(messages).where(is_at(messages), messages.c.direction == "out")
HELD_ONES = OUTGOING.where(text(f"messages.{HELD}")).order_by(messages.c.id)
ON_THE_WAY_ONES = OUTGOING.where(text(f"messages.{ON_THE_WAY}")).order_by(messages.c.id)
WINDOW = select(windows).where(is_at(windows))


class Windows:
    """Calls and what their users have been shown."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def of(self, address: Address) -> Window:
        with self._database.read() as connection:
            return _window(connection, address)

    def show(self, address: Address, window: Window) -> None:
        """Remember what the user is about to see."""
        with self._database.write() as connection:
            self._show(connection, address, window)

    def _show(self, connection: Connection, address: Address, window: Window) -> None:
        body = {"body": json.dumps(asdict(window), ensure_ascii=False)}
        row = {"channel": address.channel, "user": address.user, **body}
        added = self._database.insert(windows).values(**row)
        places = ["channel", "user"]
        connection.execute(added.on_conflict_do_update(index_elements=places, set_=body))

    # pushing

    def left(self, address: Address, now: datetime) -> int:
        """How many messages may be pushed."""
        with self._database.read() as connection:
            row = connection.execute(WINDOW, at(address)).one_or_none()
        return row.left if row and row.until and row.until > now else 0

    def spend(self, address: Address, *, all_of_it: bool = False) -> None:
        """A message is pushed; or the platform says that there were more than we know of."""
        left = 0 if all_of_it else windows.c.left - 1
        with self._database.write() as connection:
            connection.execute(update(windows).where(is_at(windows)).values(left=left), at(address))

    # calls

    def call(
        self,
        channel: str,
        uid: str,
        user: str,
        now: datetime,
        *,
        fetches: bool,
        is_heard: bool,
        pushes: int,
        until: datetime,
    ) -> Call:
        """Note a call, the first time or again; what it is for is settled the first time. Then he
        may be sent so many messages until a time, unless he may be sent some for longer already;
        and where his words are heard, the numbers of what he is shown next begin at 1 again."""
        row = {"channel": channel, "uid": uid, "user": user, "last_at": now}
        first = self._database.insert(calls).values(**row, tries=1, fetches=fetches)
        again = {"tries": calls.c.tries + 1, "last_at": now}
        noted = first.on_conflict_do_update(index_elements=["channel", "uid"], set_=again)
        with self._database.write() as connection:
            found = connection.execute(noted.returning(calls)).one()
            if found.tries == 1:
                address = Address(channel, user)
                window = _window(connection, address)
                is_heard = is_heard or window.is_heard
                self._show(connection, address, replace(window, is_heard=is_heard))
                is_shorter = or_(windows.c.until.is_(None), windows.c.until <= until)
                opened = update(windows).where(is_at(windows), is_shorter)
                connection.execute(opened.values(left=pushes, until=until), at(address))
        return Call(channel, uid, user, found.tries, found.fetches, found.reply)

    def settled(self, channel: str, uids: Collection[str]) -> frozenset[str]:
        """Those whose message has been taken."""
        is_one = and_(messages.c.channel == channel, messages.c.uid.in_(uids))
        query = select(messages.c.uid).where(is_one, messages.c.state != State.NEW.value)
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def answer(self, call: Call, words: str, window: Window) -> str:
        """Answer a call with nothing that waits; the answer that stands."""
        with self._database.write() as connection:
            if (known := _call(connection, call).reply) is not None:
                return str(known)
            self._answer(connection, call, words, window)
            return words

    def last_reply(self, address: Address) -> str:
        """What the user was last told in answer to a call; "" where nothing."""
        is_his = and_(is_at(calls), calls.c.reply.is_not(None), calls.c.reply != "")
        query = select(calls.c.reply).where(is_his).order_by(calls.c.last_at.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query, at(address)).scalar_one_or_none() or ""

    def hand_over(self, call: Call, fit: Fit, now: datetime, *, rest_only: bool) -> str | None:
        """The answer to a call, made of what waits for its user, all marked as sent with it; a
        call made again gets the same. None: the call was made again meanwhile, which is the one
        to answer, or one message is just being sent: look again.

        What answers another call of his that is still open is left for that one.
        """
        address = Address(call.channel, call.user)
        with self._database.write() as connection:
            row = _call(connection, call)
            if row.reply is not None:
                return str(row.reply)
            waiting = () if rest_only else _waiting(connection, call, now)
            if waiting is None or row.tries != call.tries:
                return None
            fitted = fit(waiting, _window(connection, address))
            for one in waiting[: fitted.taken]:
                self._outbox.mark_sent(connection, one.id, Receipt(), now)
            self._answer(connection, call, fitted.text, fitted.window)
            return fitted.text

    def hand_to_page(self, address: Address, now: datetime) -> None:
        """The user has a page of ours open that shows him all: what was held has reached him."""
        with self._database.read() as connection:
            if connection.execute(HELD_ONES.limit(1), at(address)).first() is None:
                return
        with self._database.write() as connection:
            for row in connection.execute(HELD_ONES, at(address)).all():
                self._outbox.mark_sent(connection, row.id, Receipt(), now)

    def sweep(self, before: datetime) -> None:
        """Forget calls that no platform will make again."""
        with self._database.write() as connection:
            connection.execute(delete(calls).where(calls.c.last_at < before))

    def _answer(self, connection: Connection, call: Call, words: str, window: Window) -> None:
        connection.execute(update(calls).where(_is_this(call)).values(reply=words))
        self._show(connection, Address(call.channel, call.user), window)


def _is_this(call: Call) -> Any:
    return and_(calls.c.channel == call.channel, calls.c.uid == call.uid)


def _call(connection: Connection, call: Call) -> Any:
    return connection.execute(select(calls).where(_is_this(call)).with_for_update()).one()


def _window(connection: Connection, address: Address) -> Window:
    row = connection.execute(WINDOW, at(address)).one_or_none()
    if row is None:
        return Window()
    body = json.loads(row.body)
    buttons = tuple((label, action) for label, action in body.pop("buttons"))
    return Window(**{**body, "choices": tuple(body["choices"])}, buttons=buttons)


def _waiting(connection: Connection, call: Call, now: datetime) -> tuple[Waiting, ...] | None:
    """None while one of them is being sent."""
    here = Address(call.channel, call.user)
    looks = (HELD_ONES, ON_THE_WAY_ONES)
    found_rows = [row for look in looks for row in connection.execute(look, at(here))]
    rows = sorted(found_rows, key=lambda row: row.id)
    if any(row.state == State.SENDING.value for row in rows):
        return None
    own = _own_messages(connection, call, [row.cause for row in rows])
    live = _live(connection, call, now)
    found = []
    for row in rows:
        cause = own.get(row.cause)
        if cause and cause.uid in live:
            continue
        asked = "" if cause is None or cause.uid == call.uid else _beginning(cause.body)
        found.append(Waiting(row.id, codec.outgoing(row.body, to=here), asked))
    return tuple(found)


def _own_messages(connection: Connection, call: Call, ids: Sequence[int | None]) -> dict[int, Any]:
    is_his = and_(messages.c.channel == call.channel, messages.c.user == call.user)
    known = [one for one in ids if one is not None]
    query = select(messages.c.id, messages.c.uid, messages.c.body)
    query = query.where(is_his, messages.c.id.in_(known), messages.c.direction == "in")
    return {row.id: row for row in connection.execute(query)}


def _live(connection: Connection, call: Call, now: datetime) -> frozenset[str]:
    """His other calls that still may be answered."""
    is_open = and_(calls.c.reply.is_(None), calls.c.uid != call.uid, calls.c.last_at > now - LIVE)
    query = select(calls.c.uid).where(is_at(calls), is_open)
    rows = connection.execute(query, at(Address(call.channel, call.user)))
    return frozenset(rows.scalars())


def _beginning(body: str | None) -> str:
    words = codec.incoming(body).text.replace("\n", " ").strip() if body else ""
    return words if len(words) <= QUOTED else f"{words[:QUOTED]}…"
