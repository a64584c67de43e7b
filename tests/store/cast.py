"""The people of these tests, and what they commonly do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from bot.channels.base import read_own, write_own
from bot.domain import (
    Address,
    Arrival,
    Case,
    CaseChange,
    CaseState,
    Commissioner,
    Kind,
    Memory,
    Outgoing,
    Reason,
    Turn,
    paragraphs,
)

NOW = datetime(2026, 7, 1, 8, 30, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)

WANG = Commissioner(
    "wang", "王瑞生", Kind.TECHNICAL, ("蜜蜂",), addresses=(Address("telegram", "900"),)
)
LV = Commissioner("lv", "吕玉奎", Kind.ENTREPRENEUR, ("花椒",))
ZHAO = Commissioner("zhao", "赵敏", Kind.DISPATCHER)
COMMISSIONERS = (WANG, LV, ZHAO)

LI = Address("web", "li")  # a farmer
ZHOU = Address("web", "zhou")  # another one, who must see nothing of the first
_uids = count(1)


def arrival(sender=LI, text="蜂子不进巢", *, uid=None, group=None, **more) -> Arrival:
    raw = write_own(text=text, **more)
    return Arrival(sender.channel, uid or f"u{next(_uids)}", sender.user, raw, group)


def write(store, sender=LI, text="蜂子不进巢", *, now=NOW, **more):
    """Receive one message and claim it; returns (incoming, arrivals)."""
    store.inbox.receive(arrival(sender, text, **more), now)
    arrivals = store.inbox.claim(now, lease=LEASE)
    return read_own(arrivals), arrivals


def turn(store, sender=LI, text="蜂子不进巢", *, now=NOW, **parts):
    """A message and all that follows from it; returns the incoming message."""
    incoming, arrivals = write(store, sender, text, now=now)
    store.inbox.save(Turn(**parts), incoming, arrivals, now)
    return incoming


def letter(to=LI, text="先看巢门", **more) -> Outgoing:
    return Outgoing(to, paragraphs(text), **more)


def case(number=1, **more) -> Case:
    fields = {"farmer": LI, "question": "蜂子不进巢", "reason": Reason.NO_MATCH}
    return Case(number, opened_at=NOW, changed_at=NOW, **{**fields, **more})


def offered(number=1, to="wang", **more) -> Case:
    return case(number, **{"state": CaseState.OFFERED, "holder": to, **more})


def open_case(store, opened=None, **parts) -> Case:
    """Save a turn of the farmer that opens a case; returns the case as stored."""
    opened = opened or offered()
    change = CaseChange(opened, "开单", "系统")
    turn(store, opened.farmer, changes=(change,), filed_under=opened.number, **parts)
    return store.cases.get(opened.number)


def changed(store, found, what="改", by="系统", *, now=NOW, **fields) -> None:
    """The clock changes a case."""
    change = CaseChange(replace(found, **fields), what, by)
    store.inbox.save_follow_up(Turn(memory=Memory(), changes=(change,)), now)
