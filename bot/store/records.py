"""What the store hands out beside the domain's own nouns, and the states a message goes through.

incoming:  new ─▶ done | dropped | failed
outgoing:  pending ─▶ sending ─▶ sent | held | dead | doubtful     (held and doubtful come back)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from bot.domain import Incoming, Outgoing


class State(StrEnum):
    """Where a message stands. The first row is for incoming, the rest for outgoing ones."""

    NEW, DONE, DROPPED, FAILED = "new", "done", "dropped", "failed"
    PENDING, SENDING, SENT = "pending", "sending", "sent"
    HELD = "held"  # kept until the user writes again
    DEAD = "dead"  # refused by the platform for good
    DOUBTFUL = "doubtful"  # it may have arrived; due once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what nobody needs is kept. Messages, cases and their pictures stay for good."""

    media: timedelta = timedelta(days=1)  # pictures that stand in no message
    raw: timedelta = timedelta(days=30)  # the platform's form of messages that were read
    visits: timedelta = timedelta(days=7)  # sessions of visitors who never wrote


@dataclass(frozen=True, slots=True)
class Due:
    """A message to send now. `attempts` counts this one."""

    id: int
    outgoing: Outgoing
    attempts: int
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of a conversation. `id` is its place there, from 1, never reused: a cursor."""

    id: int
    message: int
    direction: Literal["in", "out"]
    at: datetime
    incoming: Incoming | None = None
    outgoing: Outgoing | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a case; see `CaseChange` for the fields."""

    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """A line of a case's thread: exactly one of the last three is there.

    `by` is a commissioner id, 农户 or 系统; `state` tells how far an outgoing relay came.
    """

    at: datetime
    by: str
    incoming: Incoming | None = None
    outgoing: Outgoing | None = None
    event: Event | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A relay that has not reached its reader."""

    id: int
    outgoing: Outgoing
    state: State
    error: str


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's browser: a farmer's random user id or a commissioner's id."""

    kind: Literal["farmer", "desk"]
    user: str
    csrf: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """What a user has been shown where buttons are numbers and texts are short.

    `choices` are the actions behind the numbers, from 1. Of a text that was cut, `rest` is what
    follows and `buttons` (label, action) stand below its end. `is_heard`: he wrote since then.
    """

    rest: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    is_heard: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A platform's request that brings a message and may carry an answer back. It is made again
    under the same uid until it is answered; `fetches`: it asks for what waits, nothing else."""

    channel: str
    uid: str
    user: str
    tries: int
    fetches: bool
    reply: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message for the user who calls. `asked` begins what he wrote before this call, where the
    message answers that."""

    id: int
    outgoing: Outgoing
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What one answer holds: the text, how many of the waiting messages are in it, and what the
    user has been shown then."""

    text: str
    taken: int
    window: Window
