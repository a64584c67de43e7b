"""What people are told about a case: offers, relays and notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.domain import (
    Attachment,
    Block,
    Button,
    Case,
    CaseState,
    Context,
    Event,
    Incoming,
    Outgoing,
    paragraphs,
)
from bot.escalation.roster import Roster
from bot.phrases import Phrases

OUTCOMES = ("better", "same", "worse")
OUTCOME_WORDS = 16  # characters of the question


@dataclass(frozen=True, slots=True)
class Naming:
    """How knowledge ids read to people; looked up in the index of the moment."""

    entry: Callable[[str], str]
    domain: Callable[[str | None], str]
    speciality: Callable[[str | None], str | None]


class Letters:
    """Writes every message about a case; who reads it where comes with the context."""

    def __init__(self, roster: Roster, phrases: Phrases, naming: Naming) -> None:
        self._roster = roster
        self._say = phrases
        self._naming = naming

    def holder(self, case: Case) -> str:
        """The holder as a farmer reads it."""
        if case.holder is None:
            return self._say("case.dispatcher")
        if case.holder in self._roster.dispatchers():
            return self._roster.name(case.holder)
        return self._say("case.holder", name=self._roster.name(case.holder))

    def subject(self, domain: str | None) -> str:
        return self._naming.domain(domain)

    def entry(self, entry_id: str) -> str:
        return self._naming.entry(entry_id)

    def brief(self, case: Case, most: int) -> str:
        """The question's first line, at most `most` characters of it."""
        words = (case.question or self._say("case.photo")).splitlines()[0]
        return words if len(words) <= most else words[:most] + "…"

    def offer(
        self,
        people: Iterable[str],
        case: Case,
        context: Context,
        attachments: tuple[Attachment, ...] = (),
    ) -> tuple[Outgoing, ...]:
        blocks, buttons = self.describe(case), self._offer_buttons(case)
        return tuple(
            Outgoing(to, blocks, buttons, attachments, case.number, "offer")
            for person in people
            for to in context.addresses.get(person, ())
        )

    def _offer_buttons(self, case: Case) -> tuple[Button, ...]:
        prefix = f"case:{case.number}:"
        return (
            Button(self._say("button.accept"), prefix + "accept"),
            Button(self._say("button.decline"), prefix + "decline"),
        )

    def taken(self, people: Iterable[str], case: Case, context: Context) -> tuple[Outgoing, ...]:
        """To those who were offered the case as well: somebody was faster."""
        text = self._say("case.taken", number=case.number, who=self.holder(case))
        return tuple(
            Outgoing(
                to, paragraphs(text), (), (), case.number, "notice", closing=self.taken_by(case)
            )
            for person in people
            for to in context.addresses.get(person, ())
        )

    def taken_by(self, case: Case) -> str:
        """What the buttons of everybody else's offer become."""
        name = self._roster.name(case.holder) if case.holder else self._say("case.dispatcher")
        return self._say("button.taken", name=name)

    def describe(self, case: Case) -> tuple[Block, ...]:
        """The case as a commissioner reads it in a chat."""
        title = "offer.urgent_title" if case.is_urgent else "offer.title"
        subject = self._naming.domain(case.domain)
        return (
            *paragraphs(self._say(title, number=case.number, subject=subject)),
            *self._known(case),
            *paragraphs(self._say("offer.how", number=case.number)),
        )

    def _known(self, case: Case) -> tuple[Block, ...]:
        words = self._say("offer.words", words=case.question or self._say("case.photo"))
        return (*paragraphs(words), *(Block("item", line) for line in self._facts(case)))

    def _facts(self, case: Case) -> Iterable[str]:
        yield self._say("offer.why", reason=case.reason.value)
        yield self._say("offer.township", township=case.township or "没说")
        if case.asked_for:
            yield self._say("offer.asked_for", who=case.asked_for)
        if case.assigned:
            yield self._say("offer.assigned", name=self._roster.name(case.assigned))
        yield from self._photo_notes(case.attachments)
        if case.candidates:
            people = [
                f"{self._roster.name(one.commissioner)}（{one.note}）" for one in case.candidates
            ]
            yield self._say("offer.candidates", people="；".join(people))
        if case.suggestions:
            titles = "、".join(map(self._naming.entry, case.suggestions))
            yield self._say("offer.suggestions", titles=titles)

    def _photo_notes(self, attachments: tuple[Attachment, ...]) -> Iterable[str]:
        """What is wrong with which photo."""
        photos = [one for one in attachments if one.kind == "photo"]
        for place, photo in enumerate(photos, 1):
            flaws = "、".join(photo.flaws)
            if flaws and len(photos) == 1:
                yield self._say("photo.note", flaws=flaws)
            elif flaws:
                yield self._say("photo.note_nth", place=place, flaws=flaws)

    def relay(
        self, case: Case, key: str, words: Incoming, blocks: tuple[Block, ...] = ()
    ) -> Outgoing:
        """A commissioner's words, and what goes below them, on their way to the farmer, under his
        name."""
        head = self._say(key, number=case.number, who=self.holder(case))
        is_answer = key == "case.answer"
        return Outgoing(
            case.farmer,
            (*paragraphs(head, words.text), *blocks, *(self._card(case) if is_answer else ())),
            self._farmer_buttons(case) if is_answer else (),
            words.attachments,
            case.number,
            "relay",
            service_of=case.holder if is_answer else None,
        )

    def _card(self, case: Case) -> tuple[Block, ...]:
        """Where he asked for somebody else."""
        return paragraphs(self._say("proxy.card", who=case.asked_for) if case.asked_for else "")

    def _farmer_buttons(self, case: Case) -> tuple[Button, ...]:
        prefix = f"case:{case.number}:"
        return (
            Button(self._say("button.solved"), prefix + "solved"),
            Button(self._say("button.unsolved"), prefix + "unsolved"),
        )

    def consult(
        self, case: Case, whom: str, by: str, words: Incoming, context: Context
    ) -> tuple[Outgoing, ...]:
        """The case and its photos for somebody who is to give his opinion."""
        ask = self._say(
            "consult.ask", number=case.number, who=self._roster.name(by), words=words.text
        )
        blocks = (*paragraphs(ask), *self._known(case))
        how = paragraphs(self._say("consult.how", number=case.number))
        photos = case.attachments + words.attachments
        return tuple(
            Outgoing(to, blocks + how, (), photos, case.number, "notice")
            for to in context.where(whom)
        )

    def to_colleagues(
        self, case: Case, what: Event, by: str, words: Incoming, context: Context
    ) -> tuple[Outgoing, ...]:
        """To whoever else is at work on the case; of a disagreement the dispatchers hear too."""
        text = self._say(
            "consult.said",
            number=case.number,
            who=self._roster.name(by),
            what=what.value,
            words=words.text or self._say("case.photo"),
        )
        dispatchers = self._roster.dispatchers() if what is Event.DISPUTED else ()
        people = dict.fromkeys(filter(None, (case.holder, *case.consulted, *dispatchers)))
        return tuple(
            Outgoing(to, paragraphs(text), (), words.attachments, case.number, "notice")
            for person in people
            if person != by
            for to in context.where(person)
        )

    def to_farmer(self, case: Case, key: str, **blanks: object) -> Outgoing:
        text = self._say(key, number=case.number, **blanks)
        return Outgoing(case.farmer, paragraphs(text), case=case.number, purpose="notice")

    def to_closed(self, case: Case, key: str) -> Outgoing:
        """A closing notice that leaves the way back open."""
        text = self._say(key, number=case.number)
        buttons = self._farmer_buttons(case)[1:]
        return Outgoing(case.farmer, paragraphs(text), buttons, (), case.number, "notice")

    def ask_outcome(self, case: Case) -> Outgoing:
        words = self.brief(case, OUTCOME_WORDS)
        text = self._say("case.outcome", number=case.number, words=words)
        buttons = tuple(
            Button(self._say(f"outcome.{verb}"), f"case:{case.number}:{verb}") for verb in OUTCOMES
        )
        return Outgoing(case.farmer, paragraphs(text), buttons, (), case.number, "notice")

    def to_holder(
        self,
        case: Case,
        context: Context,
        key: str,
        *,
        attachments: tuple[Attachment, ...] = (),
        **blanks: object,
    ) -> tuple[Outgoing, ...]:
        """To whoever has the case, to all dispatchers where nobody has it; it can be accepted
        right there while it is still to be."""
        people = (case.holder,) if case.holder else self._roster.dispatchers()
        text = self._say(key, number=case.number, **blanks)
        notes = "；".join(self._photo_notes(attachments))
        is_free = case.state in {CaseState.OFFERED, CaseState.UNPLACED}
        buttons = self._offer_buttons(case) if is_free else ()
        return tuple(
            Outgoing(to, paragraphs(text, notes), buttons, attachments, case.number, "notice")
            for person in people
            for to in context.addresses.get(person, ())
        )
