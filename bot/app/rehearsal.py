"""A conversation without a database: for `tianwen ask` and `tianwen evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from bot.conversation.asking import Rules
from bot.conversation.turn import Conversation
from bot.conversation.understanding import Library
from bot.domain import Address, Case, Context, Incoming, Memory, Turn
from bot.escalation.desk import Desk
from bot.phrases import Phrases

FARMER = Address("rehearsal", "farmer")
A_MOMENT = timedelta(seconds=1)


class Rehearsal:
    """One farmer's chat on the very path of the real one; what it opens lives in memory."""

    def __init__(
        self,
        library: Library,
        rules: Rules,
        desk: Desk,
        phrases: Phrases,
        clock: Callable[[], datetime],
    ) -> None:
        numbers, self._ids = count(1), count(1)
        draw = numbers.__next__
        self._conversation = Conversation(library, rules, desk, phrases, draw)
        self._clock = clock
        self._passed = timedelta(0)
        self._memory = Memory()
        self._cases: dict[int, Case] = {}

    def say_in_a_row(self, texts: Sequence[str]) -> list[Turn]:
        """So fast that one that is no question yet is read with the next, or with the one before.
        Otherwise a minute goes by between two messages."""
        turns: list[Turn] = []
        held: list[str] = []
        for number, text in enumerate(texts, 1):
            if held and not self._may_join(text, held[-1]):
                turns.append(self.say("\n".join(held), later=A_MOMENT))
                held = []
            held.append(text)
            turn = self.say("\n".join(held), may_wait=number < len(texts), later=A_MOMENT)
            if not turn.waits:
                turns.append(turn)
                held = []
        return turns

    def _may_join(self, text: str, before: str) -> bool:
        one, other = (Incoming(0, FARMER, words) for words in (text, before))
        return self._conversation.may_join(one, other)

    def say(
        self, text: str, *, may_wait: bool = False, later: timedelta = timedelta(minutes=1)
    ) -> Turn:
        incoming = Incoming(next(self._ids), FARMER, text)
        cases = tuple(self._cases.values())
        self._passed += later
        now = self._clock() + self._passed
        context = Context(now, self._memory, cases, may_wait=may_wait)
        turn = self._conversation.take(incoming, context)
        if turn.waits:
            return turn
        self._memory = turn.memory
        for change in turn.changes:
            case = change.case
            self._cases[case.number] = replace(case, version=case.version + 1)
        return turn
