"""Rulings on the ledger: a dispatcher strikes what was no real service, its commissioner appeals.

A struck line stays where it is; each ruling is a line of its own, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.conversation.own_ledger import brief
from bot.conversation.replies import only
from bot.domain import (
    Commissioner,
    Context,
    Deed,
    Entered,
    Incoming,
    Line,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.ledger import CRITERIA, may
from bot.escalation.roster import Roster
from bot.phrases import Phrases

VERBS: Mapping[str, Deed] = {
    "strike": Deed.STRUCK,
    "appeal": Deed.APPEAL,
    "restore": Deed.RESTORED,
    "review": Deed.REVIEWED,
    "reply": Deed.REPLIED,
}
_TOLD = {
    Deed.STRUCK: "ledger.struck_told",
    Deed.APPEAL: "ledger.appealed_told",
    Deed.RESTORED: "ledger.restored_told",
    Deed.REPLIED: "ledger.replied_told",
}


@dataclass(frozen=True, slots=True)
class Rulings:
    """A button of the ledger's page, with the words written beside it."""

    roster: Roster
    say: Phrases

    def take(
        self, number: str, verb: str, rest: list[str], incoming: Incoming, context: Context
    ) -> Turn | None:
        """None where there is no such line or button."""
        me, deed = context.commissioner, VERBS.get(verb)
        line = next((one for one in context.named if str(one.number) == number), None)
        criterion = rest[0] if rest else ""
        if me is None or deed is None or line is None or not set(rest) <= set(CRITERIA):
            return None
        words = incoming.text.strip()
        if not may(deed, line, context.named, me):
            return only(self.say, "ledger.cannot", incoming, context, number=number)
        if not words and deed is not Deed.REVIEWED:
            return only(self.say, "ledger.why", incoming, context)
        told = {"reason": words, "criterion": criterion}
        proof = {name: text for name, text in told.items() if text}
        entered = Entered(
            deed, line.entered.commissioner, me.id, line.entered.case, line.number, proof
        )
        letters = self._told(deed, line, words, criterion, me, context) if deed in _TOLD else ()
        turn = only(self.say, "ledger.ruled", incoming, context, number=number, deed=deed.value)
        return Turn((*turn.replies, *letters), turn.memory, entered=(entered,))

    def _told(
        self,
        deed: Deed,
        line: Line,
        reason: str,
        criterion: str,
        me: Commissioner,
        context: Context,
    ) -> tuple[Outgoing, ...]:
        text = self.say(
            _TOLD[deed],
            number=line.number,
            words=brief(line),
            reason=f"{criterion}。{reason}" if criterion else reason,
            who=me.name,
        )
        is_appeal = deed is Deed.APPEAL
        people = self.roster.dispatchers() if is_appeal else (line.entered.commissioner,)
        return tuple(
            Outgoing(to, paragraphs(text), purpose="notice")
            for person in people
            for to in context.where(person)
        )
