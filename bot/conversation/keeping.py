"""收进知识库: a commissioner's delivered reply becomes a draft entry, with his name on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.conversation.recall import case_by, settled
from bot.conversation.replies import only
from bot.domain import (
    Author,
    Button,
    Case,
    CaseChange,
    CaseState,
    Commissioner,
    Context,
    Deed,
    Domain,
    Event,
    Incoming,
    Kept,
    Line,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Desk
from bot.escalation.ledger import overturned
from bot.phrases import Phrases

ANSWERED = frozenset({CaseState.ANSWERED, CaseState.RESOLVED})
_KEEPING = re.compile(r"\s*收[进入]知识库\W*")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Each method is a whole turn; the ledger is the proof that the reply reached its farmer."""

    desk: Desk
    domains: Callable[[], Mapping[str, Domain]]
    say: Phrases

    def is_wanted(self, text: str) -> bool:
        return _KEEPING.fullmatch(text) is not None

    def button(self, number: int) -> Button:
        return Button(self.say("button.keep"), f"case:{number}:keep")

    def take(
        self,
        number: str | int | None,
        incoming: Incoming,
        context: Context,
        me: Commissioner,
        domain: str | None = None,
    ) -> Turn:
        """`domain` is the subject picked, for a case that has none."""
        case = case_by(number, context)
        if number is None:
            return only(self.say, "keep.which_case", incoming, context)
        if case is None:
            return only(self.say, "desk.no_such_case", incoming, context, number=number)
        line, home = _service(case, context), case.domain or domain
        author = line.entered.commissioner if line else case.holder
        answer = str(line.entered.proof["answer"]).partition("\n\n")[2] if line else ""
        if not (me.is_dispatcher or author == me.id):
            who = self.desk.letters.holder(replace(case, holder=author))
            return only(self.say, "keep.not_yours", incoming, context, number=number, who=who)
        if case.is_kept:
            return only(self.say, "keep.before", incoming, context, number=number)
        if line is None or case.state not in ANSWERED:
            return only(self.say, "keep.not_yet", incoming, context, number=number)
        if not answer.strip():
            return only(self.say, "keep.no_words", incoming, context, number=number)
        if home is None or home not in self.domains():
            return self._which_subject(case, incoming, context)
        return self._kept(case, line, answer, home, incoming, context, me)

    def _which_subject(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        press = self.button(case.number).action
        buttons = tuple(Button(one.title, f"{press}:{one.id}") for one in self.domains().values())
        words = paragraphs(self.say("keep.which_subject", number=case.number))
        reply = Outgoing(incoming.sender, words, buttons, case=case.number)
        return Turn((reply,), settled(context))

    def _kept(
        self,
        case: Case,
        line: Line,
        answer: str,
        domain: str,
        incoming: Incoming,
        context: Context,
        me: Commissioner,
    ) -> Turn:
        author = line.entered.commissioner
        name = self.desk.roster.name(author)
        kept = Kept(
            Author(author, name, case.number),
            self.desk.letters.holder(replace(case, holder=author)),
            str(line.entered.proof.get("question", case.question)),
            answer,
            line.day,
            case.township,
            domain,
        )
        done = only(self.say, "keep.done", incoming, context, number=case.number, name=name)
        told = (replace(done.replies[0], case=case.number), *self._told(case, context, me))
        change = CaseChange(replace(case, is_kept=True), Event.KEPT, me.id)
        return Turn(told, done.memory, (change,), filed_under=case.number, kept=kept)

    def _told(self, case: Case, context: Context, me: Commissioner) -> tuple[Outgoing, ...]:
        """Whoever edits the knowledge hears of the draft."""
        words = paragraphs(self.say("keep.told", number=case.number, who=me.name))
        return tuple(
            Outgoing(to, words, case=case.number, purpose="notice")
            for person in self.desk.roster.dispatchers()
            if person != me.id
            for to in context.addresses.get(person, ())
        )


def _service(case: Case, context: Context) -> Line | None:
    """The last reply to the case that reached its farmer and counts."""
    about = [line for line in context.named if line.entered.case == case.number]
    counts = overturned(about)
    services = (
        line
        for line in about
        if line.entered.deed is Deed.SERVICE and counts.get(line.number, True)
    )
    return max(services, key=lambda line: line.number, default=None)
