"""A message that goes out in several steps: after a failure the next try goes on from there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from bot.domain import Outgoing, Receipt
from bot.errors import OutcomeUnknown, TryLater

Ids = tuple[str, ...]
Step = Callable[[], Coroutine[Any, Any, Ids]]

REMEMBERED = 256  # chats


@dataclass(frozen=True, slots=True)
class Plan:
    """One message in as many steps as it takes: what is attached, the text, and its pictures."""

    attached: tuple[Step, ...]
    text: tuple[Step, ...] = ()
    pictures: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class _Broken:
    """A message that failed on its way, and the ids of every step that was done."""

    outgoing: Outgoing
    done: tuple[Ids, ...]


class Stairs:
    """Takes each step once. What went out is remembered in this process only: after a restart in
    between, the steps before the failure are taken again."""

    def __init__(self, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self._guard = guard  # raises a ChannelError for what a step raises
        self._broken: dict[str, _Broken] = {}  # by chat: the next send there is the same message

    async def climb(self, outgoing: Outgoing, plan: Plan) -> Receipt:
        done = self._done_before(outgoing, plan)
        try:
            for step in (*plan.attached, *plan.text, *plan.pictures)[len(done) :]:
                with self._guard():
                    done += (await step(),)
        except (TryLater, OutcomeUnknown, asyncio.CancelledError):
            self._remember(_Broken(outgoing, done))
            raise
        return Receipt(tuple(one for ids in done for one in ids))

    def _done_before(self, outgoing: Outgoing, plan: Plan) -> tuple[Ids, ...]:
        """Delivery puts a notice before a text it sends again: then what was attached counts
        as done, and the text is sent whole."""
        broken = self._broken.pop(outgoing.to.user, None)
        if broken is None:
            return ()
        if broken.outgoing == outgoing:
            return broken.done
        same = replace(broken.outgoing, blocks=outgoing.blocks) == outgoing
        is_same_text = outgoing.blocks[-len(broken.outgoing.blocks) :] == broken.outgoing.blocks
        return broken.done[: len(plan.attached)] if same and is_same_text else ()

    def _remember(self, broken: _Broken) -> None:
        if broken.done:
            self._broken[broken.outgoing.to.user] = broken
        while len(self._broken) > REMEMBERED:
            del self._broken[next(iter(self._broken))]
