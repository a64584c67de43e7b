"""Sends what is due: one message at a time a channel, within the platform's limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.channels.base import Bell, Channel
from bot.domain import Address, Outgoing, Receipt, paragraphs
from bot.errors import (
    Moved,
    OutcomeUnknown,
    Rejected,
    TryLater,
    Unreachable,
    WindowClosed,
    wordless,
)
from bot.phrases import Phrases
from bot.store import Due, Store

logger = logging.getLogger(__name__)

NOW = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` messages at once, and then `count` in each `per`."""

    count: int
    per: timedelta
    burst: int

    @property
    def a_second(self) -> float:
        return self.count / self.per.total_seconds()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one platform bears, and how patient we are with it. None: no limit.

    A `group` is an address whose user id starts with "-". `lease` must be longer than any send:
    a send is cut off at three quarters of it and counts as one of unknown outcome.
    """

    chat: Rate | None = None
    group: Rate | None = None
    overall: Rate | None = None
    lease: timedelta = timedelta(seconds=80)
    first_retry: timedelta = timedelta(seconds=1)  # doubles with every attempt
    last_retry: timedelta = timedelta(minutes=10)
    doubt: timedelta = timedelta(seconds=30)  # before one of unknown outcome is repeated
    patience: int = 10  # attempts that may fail in ways nobody foresaw
    grace: timedelta = timedelta(seconds=5)  # for a send in flight when the program ends
    idle: timedelta = timedelta(seconds=2)  # a look without a bell: another process may write

    def backoff(self, attempts: int) -> timedelta:
        return min(self.last_retry, self.first_retry * (1 << min(attempts - 1, 20)))


UNLIMITED = Limits()
# Telegram's Bot FAQ: 1 message/s in a chat (short bursts pass), 20/min in a group, 30/s overall.
# The burst counts: no minute brings a group more than 5 + 15, no second brings more than 5 + 25.
TELEGRAM = Limits(
    chat=Rate(1, timedelta(seconds=1), burst=3),
    group=Rate(15, timedelta(minutes=1), burst=5),
    overall=Rate(25, timedelta(seconds=1), burst=5),
)
# WeCom: 30/min and 1000/h to a member, the surplus silently dropped.
WECOM = Limits(chat=Rate(15, timedelta(minutes=1), burst=10))
LIMITS: Mapping[str, Limits] = {"telegram": TELEGRAM, "wecom": WECOM}


@dataclass(slots=True)
class Bucket:
    """Tokens that come back with time. A message may cost more than one (an album); the debt
    is waited for by the next message."""

    rate: Rate
    tokens: float
    filled_at: datetime

    def wait(self, now: datetime) -> timedelta:
        """How long until a message may go."""
        passed = max((now - self.filled_at).total_seconds(), 0)
        self.tokens = min(self.tokens + passed * self.rate.a_second, self.rate.burst)
        self.filled_at = now
        return timedelta(seconds=max((1 - self.tokens) / self.rate.a_second, 0))

    def is_full(self, now: datetime) -> bool:
        self.wait(now)
        return self.tokens >= self.rate.burst


@dataclass(slots=True)
class Throttle:
    """A channel's buckets, overall and by user."""

    limits: Limits
    paused_until: datetime | None = None
    overall: Bucket | None = None
    chats: dict[str, list[Bucket]] = field(default_factory=dict)

    def pause(self, until: datetime) -> None:
        self.paused_until = max(until, self.paused_until or until)

    def wait(self, now: datetime) -> timedelta:
        """How long the whole channel must rest."""
        pause = self.paused_until - now if self.paused_until else NOW
        return max(pause, self.overall.wait(now) if self.overall else NOW)

    def resting(self, now: datetime) -> dict[str, timedelta]:
        """Users who had enough messages for the moment, and for how long; forgets the others."""
        waits = {user: _longest(buckets, now) for user, buckets in self.chats.items()}
        for user, buckets in list(self.chats.items()):
            if all(bucket.is_full(now) for bucket in buckets):
                del self.chats[user]
        return {user: wait for user, wait in waits.items() if wait > NOW}

    def spend(self, outgoing: Outgoing, now: datetime) -> None:
        pictures = sum(block.kind == "picture" for block in outgoing.blocks)
        cost = max(1, len(outgoing.attachments)) + pictures
        if self.limits.overall and self.overall is None:
            self.overall = _full(self.limits.overall, now)
        user = outgoing.to.user
        for bucket in (self.overall, *self.chats.setdefault(user, self._buckets(user, now))):
            if bucket:
                bucket.wait(now)
                bucket.tokens -= cost

    def _buckets(self, user: str, now: datetime) -> list[Bucket]:
        rates = [self.limits.chat, self.limits.group if user.startswith("-") else None]
        return [_full(rate, now) for rate in rates if rate]


def _full(rate: Rate, now: datetime) -> Bucket:
    return Bucket(rate, rate.burst, now)


def _longest(buckets: Iterable[Bucket], now: datetime) -> timedelta:
    return max((bucket.wait(now) for bucket in buckets), default=NOW)


class Delivery:
    """A sender loop a channel, with one send in flight: a kill can repeat at most one message.

    Ring `due` with a channel's name when something was written to it.
    """

    def __init__(
        self,
        store: Store,
        channels: Collection[Channel],
        *,
        phrases: Phrases,
        due: Bell,
        clock: Callable[[], datetime],
        limits: Mapping[str, Limits] = LIMITS,
    ) -> None:
        self._senders = [
            Sender(store, channel, throttle, phrases, due, clock)
            for channel in channels
            for throttle in [Throttle(limits.get(channel.name, UNLIMITED))]
        ]

    async def run(self) -> None:
        """Until cancelled; sends in flight are waited for, up to `Limits.grace`."""
        async with asyncio.TaskGroup() as tasks:
            for sender in self._senders:
                tasks.create_task(sender.run(), name=f"delivery {sender.channel.name}")


@dataclass(slots=True)
class Sender:
    """The loop of one channel."""

    store: Store
    channel: Channel
    throttle: Throttle
    phrases: Phrases
    due: Bell
    clock: Callable[[], datetime]

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                wait = await self._whole_step()
                failures = 0
            except Exception:
                logger.exception("delivery of %s failed", self.channel.name)
                failures += 1
                wait = self.throttle.limits.backoff(failures)
            if wait > NOW:
                await self.due.wait(self.channel.name, seconds=wait.total_seconds())

    async def _whole_step(self) -> timedelta:
        """Being cancelled lets a step come to its end, so that nothing is left doubtful."""
        step = asyncio.create_task(self.step())
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            await asyncio.wait({step}, timeout=self.throttle.limits.grace.total_seconds())
            step.cancel()
            raise

    async def step(self) -> timedelta:
        """Send one message if one is due and allowed; how long to wait before the next step."""
        now = self.clock()
        if (rest := self.throttle.wait(now)) > NOW:
            return rest
        resting = self.throttle.resting(now)
        due = await asyncio.to_thread(
            self.store.outbox.due,
            self.channel.name,
            now,
            lease=self.throttle.limits.lease,
            skip=resting,
        )
        if due is None:
            return await self._until_next(now, resting)
        self.throttle.spend(due.outgoing, now)
        await self._deliver(due)
        return NOW

    async def _until_next(self, now: datetime, resting: Mapping[str, timedelta]) -> timedelta:
        at = await asyncio.to_thread(self.store.outbox.next_at, self.channel.name, skip=resting)
        waits = [*resting.values(), self.throttle.limits.idle]
        return min([*waits, max(at - now, timedelta(milliseconds=1))] if at else waits)

    async def _deliver(self, due: Due) -> None:
        try:
            async with asyncio.timeout(self.throttle.limits.lease.total_seconds() * 3 / 4):
                receipt = await self.channel.send(self._worded(due))
        except Exception as error:  # noqa: BLE001 - whatever happened, the message is settled
            await self._settle(due, error)
        else:
            await self._record_sent(due, receipt)

    def _worded(self, due: Due) -> Outgoing:
        if not due.is_doubtful:
            return due.outgoing
        notice = paragraphs(self.phrases("delivery.maybe_repeated"))
        return replace(due.outgoing, blocks=notice + due.outgoing.blocks)

    async def _record_sent(self, due: Due, receipt: Receipt) -> None:
        """Not given up while the database is away: a message that went out would be repeated."""
        failures = 0
        while True:
            try:
                await asyncio.to_thread(self.store.outbox.sent, due.id, receipt, self.clock())
            except Exception:
                logger.exception("message %d was sent but could not be marked", due.id)
                failures += 1
                pause = self.throttle.limits.backoff(failures).total_seconds()
                await self.due.wait(f"{self.channel.name} store", seconds=pause)
            else:
                return

    async def _settle(self, due: Due, error: Exception) -> None:
        logger.info("message %d of %s: %s", due.id, self.channel.name, type(error).__name__)
        match error:
            case TryLater():
                await self._put_off(due, error)
            case Moved():
                await self._move(due, error)
            case Unreachable() | WindowClosed():
                await self._hold(due, error)
            case Rejected():
                notices = await self._notices(due, "delivery.rejected")
                await self._give_up(self.store.outbox.reject, due, error, notices)
            case OutcomeUnknown() | TimeoutError():
                await self._doubt(due, error)
            case _:
                await self._puzzle(due, error)

    async def _put_off(self, due: Due, error: TryLater) -> None:
        """The whole channel rests as long as the platform says; this message maybe longer."""
        now = self.clock()
        asked = timedelta(seconds=max(error.retry_after, 0))
        self.throttle.pause(now + asked)
        at = now + max(asked, self.throttle.limits.backoff(due.attempts))
        await asyncio.to_thread(self.store.outbox.retry, due.id, at, str(error))

    async def _move(self, due: Due, error: Moved) -> None:
        """Once more at the new address, at once; a chat that keeps moving is put off."""
        now = self.clock()
        at = now if due.attempts == 1 else now + self.throttle.limits.backoff(due.attempts)
        await asyncio.to_thread(self.store.outbox.retry, due.id, at, str(error))
        old = due.outgoing.to.user
        await asyncio.to_thread(self.store.outbox.moved, self.channel.name, old, error.user)

    async def _doubt(self, due: Due, error: Exception) -> None:
        """Repeated once, saying so; after that it waits until the user writes again."""
        if due.is_doubtful:
            await self._hold(due, error)
            return
        at = self.clock() + self.throttle.limits.doubt
        await asyncio.to_thread(self.store.outbox.doubt, due.id, at, str(error))

    async def _puzzle(self, due: Due, error: Exception) -> None:
        """A mistake of ours: nobody knows how far the send came."""
        logger.error("message %d of %s: %s", due.id, self.channel.name, wordless(error))
        if due.attempts >= self.throttle.limits.patience:
            await self._hold(due, error)
            return
        at = self.clock() + self.throttle.limits.backoff(due.attempts)
        await asyncio.to_thread(self.store.outbox.doubt, due.id, at, repr(error))

    async def _hold(self, due: Due, error: Exception) -> None:
        notices = await self._notices(due, "delivery.not_delivered")
        await self._give_up(self.store.outbox.hold, due, error, notices)

    async def _give_up(
        self,
        mark: Callable[..., None],
        due: Due,
        error: Exception,
        notices: tuple[Outgoing, ...],
    ) -> None:
        await asyncio.to_thread(mark, due.id, repr(error), self.clock(), notices=notices)
        for notice in notices:
            self.due.ring(notice.to.channel)

    async def _notices(self, due: Due, key: str) -> tuple[Outgoing, ...]:
        """What the case's holder is told where his words did not reach the farmer."""
        sent = due.outgoing
        if sent.purpose != "relay" or sent.case is None:
            return ()
        case = await asyncio.to_thread(self.store.cases.get, sent.case)
        if case is None or case.holder is None or case.farmer != sent.to:
            return ()
        addresses = await asyncio.to_thread(self.store.cases.addresses)
        to = addresses.get(case.holder, ()) or (Address("desk", case.holder),)
        words = paragraphs(self.phrases(key, number=case.number))
        return tuple(Outgoing(one, words, case=case.number, purpose="notice") for one in to)
