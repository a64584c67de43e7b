"""定点联系: a farmer gets a commissioner of his own. A dispatcher decides, whoever has the case may
ask for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.conversation.orders import Order
from bot.conversation.recall import settled
from bot.conversation.replies import only
from bot.domain import (
    Assignment,
    Button,
    Case,
    CaseChange,
    Commissioner,
    Context,
    Event,
    Incoming,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Desk
from bot.phrases import Phrases

ASSIGNING = frozenset({"assign", "unassign"})
WORDS_SHOWN = 16  # characters of the question


@dataclass(frozen=True, slots=True)
class Assigning:
    """Each order is a whole turn; None where the case is none of his."""

    desk: Desk
    say: Phrases

    def take(
        self, order: Order, case: Case, words: Incoming, context: Context, me: Commissioner
    ) -> Turn | None:
        if not (me.is_dispatcher or case.holder == me.id):
            return None
        if order.verb == "unassign":
            return self._end(case, words, context, me)
        return self._begin(order.object, case, words, context, me)

    def _begin(
        self, name: str, case: Case, words: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """Without a name whoever asks means himself."""
        person = self.desk.roster.find(name or me.id)
        if person is None or person.is_dispatcher:
            names = "、".join(one.name for one in self.desk.roster.experts())
            return only(self.say, "assign.whom", words, context, number=case.number, names=names)
        blanks = {"number": case.number, "name": person.name}
        if case.assigned == person.id:
            return only(self.say, "assign.before", words, context, **blanks)
        if not me.is_dispatcher:
            press = f"case:{case.number}:assign:{person.id}"
            button = Button(self.say("button.assign", name=person.name), press)
            text = self.say("assign.ask", who=me.name, words=self._words(case), **blanks)
            return self._ask(text, button, case, words, context)
        turn = only(self.say, "assign.done", words, context, **blanks)
        told = self.say("assign.told", number=case.number, words=self._words(case))
        who = self.desk.letters.holder(replace(case, holder=person.id))
        farmer = paragraphs(self.say("assign.farmer", who=who))
        letters = (
            *self._to(person.id, told, case, context),
            *self._ended(case, context),
            Outgoing(case.farmer, farmer, purpose="notice"),
        )
        return self._settle(turn, letters, person, case, context, me)

    def _end(self, case: Case, words: Incoming, context: Context, me: Commissioner) -> Turn:
        if case.assigned is None:
            return only(self.say, "assign.none", words, context, number=case.number)
        if not me.is_dispatcher:
            button = Button(self.say("button.unassign"), f"case:{case.number}:unassign")
            name = self.desk.roster.name(case.assigned)
            text = self.say("assign.ask_end", who=me.name, number=case.number, name=name)
            return self._ask(text, button, case, words, context)
        turn = only(self.say, "assign.ended", words, context, number=case.number)
        return self._settle(turn, self._ended(case, context), None, case, context, me)

    def _ended(self, case: Case, context: Context) -> tuple[Outgoing, ...]:
        """Whose farmer it was until now."""
        if case.assigned is None:
            return ()
        told = self.say("assign.ended_told", number=case.number, words=self._words(case))
        return self._to(case.assigned, told, case, context)

    def _ask(
        self, text: str, button: Button, case: Case, words: Incoming, context: Context
    ) -> Turn:
        turn = only(self.say, "assign.asked", words, context, number=case.number)
        asked = tuple(
            letter
            for person in self.desk.roster.dispatchers()
            for letter in self._to(person, text, case, context, button)
        )
        return replace(turn, replies=(*turn.replies, *asked))

    def _settle(
        self,
        turn: Turn,
        letters: tuple[Outgoing, ...],
        person: Commissioner | None,
        case: Case,
        context: Context,
        me: Commissioner,
    ) -> Turn:
        """Every case of the farmer that is at hand shows it."""
        chosen = person.id if person else None
        note = person.name if person else self.say("assign.cancelled")
        return Turn(
            (replace(turn.replies[0], case=case.number), *letters),
            settled(context),
            tuple(
                CaseChange(replace(one, assigned=chosen), Event.ASSIGNED, me.id, note)
                for one in context.cases
                if one.farmer == case.farmer
            ),
            filed_under=case.number,
            assigns=Assignment(case.farmer, chosen),
        )

    def _to(
        self, person: str, text: str, case: Case, context: Context, *buttons: Button
    ) -> tuple[Outgoing, ...]:
        return tuple(
            Outgoing(to, paragraphs(text), buttons, case=case.number, purpose="notice")
            for to in context.where(person)
        )

    def _words(self, case: Case) -> str:
        return self.desk.letters.brief(case, WORDS_SHOWN)
