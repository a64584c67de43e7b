"""Commissioners among themselves about a case: notes, second opinions, disagreements. The farmer
reads none of it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation.orders import Order
from bot.conversation.recall import says_something, settled
from bot.conversation.replies import only
from bot.domain import Case, Commissioner, Context, Event, Incoming, Outgoing, Turn, paragraphs
from bot.escalation.desk import Desk
from bot.phrases import Phrases

CONFERRING = frozenset({"note", "consult", "opine", "oppose"})
_EVENTS = {"note": Event.NOTED, "opine": Event.OPINION, "oppose": Event.DISPUTED}


def is_consulted(me: Commissioner, case: Case) -> bool:
    """Asked for his opinion: his words go to the holder, not to the farmer."""
    return me.id in case.consulted and case.holder != me.id


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Each order is a whole turn; None where the case is none of his."""

    desk: Desk
    say: Phrases

    def take(
        self, order: Order, case: Case, words: Incoming, context: Context, me: Commissioner
    ) -> Turn | None:
        is_his = case.holder == me.id or me.is_dispatcher
        if not is_his and me.id not in case.consulted:
            return None
        if order.verb == "consult":
            return self._consult(order.object, case, words, context, me) if is_his else None
        if not says_something(words):
            return only(self.say, "consult.empty", words, context, number=case.number)
        step = self.desk.confer(case, _EVENTS[order.verb], me.id, words, context)
        text = self.say("consult.noted", number=case.number, what=step.change.what.value)
        reply = Outgoing(words.sender, paragraphs(text), case=case.number)
        replies = (reply, *step.messages)
        return Turn(replies, settled(context), (step.change,), filed_under=case.number)

    def _consult(
        self, name: str, case: Case, words: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        person = self.desk.roster.find(name)
        if person is None or person.is_dispatcher or person.id in {me.id, case.holder}:
            barred = {me.id, case.holder}
            others = [one.name for one in self.desk.roster.experts() if one.id not in barred]
            names = "、".join(others)
            return only(self.say, "consult.whom", words, context, number=case.number, names=names)
        step = self.desk.consult(case, person.id, me.id, words, context)
        text = self.say("consult.asked", number=case.number, name=person.name)
        reply = Outgoing(words.sender, paragraphs(text), case=case.number)
        replies = (reply, *step.messages)
        return Turn(replies, settled(context), (step.change,), filed_under=case.number)
