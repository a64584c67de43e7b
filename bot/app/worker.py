"""Takes what waits: in order within a conversation, side by side across conversations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.channels.base import Bell, Channel, merge
from bot.conversation.turn import Conversation
from bot.domain import Address, Arrival, Context, Incoming, Kept, Outgoing, Turn, paragraphs
from bot.errors import Conflict, EditError, TryLater, Unreadable, wordless
from bot.phrases import Phrases
from bot.store import Store

logger = logging.getLogger(__name__)

MOST_TRIES = 5
GRACE_SECONDS = 10.0
CHANNEL_OFF = timedelta(minutes=1)  # its messages wait, however long, until it is on again
IDLE_SECONDS = 2.0  # looks again by itself: another process may have received something


class Worker:
    """Arrivals in, saved turns out. Any number of `run`s may go side by side."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        conversation: Conversation,
        phrases: Phrases,
        *,
        arrived: Bell,
        due: Bell,
        clock: Callable[[], datetime],
        lease: timedelta,
        pause: timedelta = timedelta(0),
        keep: Callable[[Kept], object] = lambda _: None,
    ) -> None:
        self._store = store
        self._channels = channels
        self._conversation = conversation
        self._say = phrases
        self._arrived = arrived
        self._due = due
        self._clock = clock
        self._lease = lease
        self._keep = keep  # writes a draft entry; EditError where that can't be done
        self._pause = pause  # how long a sender may take to go on with a sentence

    async def run(self) -> None:
        """Until cancelled; the message under way is taken to its end. Outlives a database that
        is away for a while."""
        while True:
            try:
                if not await self._whole_step():
                    await self._rest()
            except Exception:
                logger.exception("a worker failed, looking again in a while")
                await asyncio.sleep(IDLE_SECONDS)

    async def _whole_step(self) -> bool:
        step = asyncio.create_task(self.step())
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            await asyncio.wait({step}, timeout=GRACE_SECONDS)
            raise

    async def step(self) -> bool:
        """Take one message; False where none is ready."""
        claim = self._store.inbox.claim
        arrivals = await asyncio.to_thread(claim, self._clock(), lease=self._lease)
        if not arrivals:
            return False
        self._arrived.ring()  # there may be more, for the others
        if arrivals[0].channel not in self._channels:
            until = self._clock() + CHANNEL_OFF
            await asyncio.to_thread(self._store.inbox.postpone, arrivals, until, "channel is off")
            return True
        parts = [arrivals] if arrivals[0].group else [(arrival,) for arrival in arrivals]
        taken: Sequence[Arrival] = parts[0]  # what a fault concerns
        try:
            taken, said = await self._read(parts)
            await self._take(taken, said, is_all=len(taken) == len(arrivals))
        except Unreadable:
            logger.warning("message %d can't be read", taken[0].id)
            await self._give_up(taken, "unreadable")
        except Exception as error:  # noqa: BLE001 - whatever it is, the message must not be lost
            await self._put_off(taken, error)
        return True

    async def _rest(self) -> None:
        soonest = await asyncio.to_thread(self._store.inbox.next_at)
        wait = (soonest - self._clock()).total_seconds() if soonest else IDLE_SECONDS
        await self._arrived.wait(seconds=min(max(wait, 0.01), IDLE_SECONDS))

    async def _read(
        self, parts: Sequence[Sequence[Arrival]]
    ) -> tuple[Sequence[Arrival], Sequence[Incoming]]:
        """The arrivals read now and what they say: the first message, or that and those written in
        a row that may go on from it. One that fails later on is left for a turn of its own."""
        channel = self._channels[parts[0][0].channel]
        read: list[Arrival] = []
        said: list[Incoming] = []
        for part in parts:
            try:
                one = await channel.read(part)
            except Exception:
                if read:
                    break
                raise
            if one and said and not self._conversation.may_join(one, said[-1]):
                break
            read += part
            said += [one] if one else []
        return read, said

    async def _take(
        self, arrivals: Sequence[Arrival], said: Sequence[Incoming], *, is_all: bool
    ) -> None:
        if not said:
            await asyncio.to_thread(self._store.inbox.drop, arrivals, self._clock())
            return
        until = self._may_go_on_until(arrivals, said) if is_all else None
        turn = await asyncio.to_thread(self._decide, said, arrivals, until)
        self._ring(turn.replies)
        self._due.ring(arrivals[0].channel)  # what was held for him is due again

    def _may_go_on_until(
        self, arrivals: Sequence[Arrival], said: Sequence[Incoming]
    ) -> datetime | None:
        """Until then the sender is given time to finish; None where he needs none. However he goes
        on, he waits no longer than two pauses."""
        first, last = arrivals[0].at, arrivals[-1].at
        if not (self._pause and first and last) or any(one.attachments for one in said):
            return None
        until = min(last + self._pause, first + 2 * self._pause)
        return until if self._clock() < until else None

    def _decide(
        self, said: Sequence[Incoming], arrivals: Sequence[Arrival], until: datetime | None
    ) -> Turn:
        """Load, decide, save; again from the start where another turn changed the same case."""
        incoming = merge(said)
        needs_ledger = self._conversation.needs_ledger(incoming)
        for _ in range(MOST_TRIES):
            now = self._clock()
            context = self._store.inbox.context(incoming, now, with_ledger=needs_ledger)
            turn = self._conversation.take(incoming, replace(context, may_wait=until is not None))
            if turn.waits and until:
                if self._store.inbox.hold_back(arrivals, until, now):
                    return turn
                until = None
                continue
            turn = self._with_draft(turn, incoming, context)
            try:
                self._store.inbox.save(turn, incoming, arrivals, now, said=said)
            except Conflict:
                continue
            return turn
        raise TryLater("the case keeps changing", retry_after=1)

    def _with_draft(self, turn: Turn, incoming: Incoming, context: Context) -> Turn:
        """The file first, since its writing may fail: after a crash between the two the message is
        taken again, finds the file and says no more than it did."""
        if turn.kept is None:
            return turn
        try:
            self._keep(turn.kept)
        except EditError as error:
            number = turn.kept.author.case
            logger.error("case %d was not made an entry: %s", number, error)  # noqa: TRY400 - says it all
            words = paragraphs(self._say("keep.failed", number=number))
            return Turn((Outgoing(incoming.sender, words, case=number),), context.memory)
        return turn

    async def _put_off(self, arrivals: Sequence[Arrival], error: Exception) -> None:
        """Longer each time, half a minute in all: what he writes next waits behind it, and may be
        an emergency."""
        tries = await asyncio.to_thread(self._store.inbox.attempts, arrivals) + 1
        name = type(error).__name__
        if tries >= MOST_TRIES:
            logger.error("message %d given up: %s", arrivals[0].id, wordless(error))
            await self._give_up(arrivals, name)
            return
        logger.warning("message %d put off: %s", arrivals[0].id, wordless(error))
        asked = error.retry_after if isinstance(error, TryLater) else 0.0
        until = self._clock() + timedelta(seconds=max(asked, 2.0**tries))
        await asyncio.to_thread(self._store.inbox.postpone, arrivals, until, name)

    async def _give_up(self, arrivals: Sequence[Arrival], error: str) -> None:
        """Set it aside for staff, and tell the sender instead of staying silent."""
        to = Address(arrivals[0].channel, arrivals[0].user)
        sorry = Outgoing(to, paragraphs(self._say("trouble")))
        set_aside, now = self._store.inbox.set_aside, self._clock()
        await asyncio.to_thread(set_aside, arrivals, error, now, replies=(sorry,))
        self._ring((sorry,))

    def _ring(self, replies: Sequence[Outgoing]) -> None:
        for channel in {reply.to.channel for reply in replies}:
            self._due.ring(channel)
