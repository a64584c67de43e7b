"""How answers and choices look to a farmer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversation.bees import bee_notice
from bot.conversation.understanding import Domains
from bot.domain import Address, Block, Button, Clarify, Entry, Outgoing, paragraphs, plain
from bot.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Answers:
    """Lays out knowledge for a chat; every channel renders the blocks its own way."""

    say: Phrases
    domains: Domains
    whole_within: int  # characters; a longer answer is cut to the short answer and a button

    def entry(self, to: Address, entry: Entry, question_id: int, now: datetime) -> Outgoing:
        """The entry word for word: at once where it is short or somebody's life depends on it, else
        the short answer first."""
        length = len(entry.short_answer) + sum(len(block.text) for block in entry.details)
        short = paragraphs(entry.short_answer)
        if entry.is_first_aid or length <= self.whole_within:
            return self._sheet(to, entry, (*short, *entry.details), question_id, now)
        more = Button(self.say("button.details"), f"details:{entry.id}:{question_id}")
        return self._sheet(to, entry, short, question_id, now, more)

    def details(self, to: Address, entry: Entry, question_id: str, now: datetime) -> Outgoing:
        """What stands behind 详细."""
        return self._sheet(to, entry, entry.details, question_id, now)

    def _sheet(
        self,
        to: Address,
        entry: Entry,
        body: tuple[Block, ...],
        question_id: int | str,
        now: datetime,
        *first: Button,
    ) -> Outgoing:
        """Title, text, source and review state, and below them the buttons."""
        buttons = (
            *first,
            Button(self.say("button.useful"), f"useful:{question_id}"),
            Button(self.say("button.to_person"), f"unsolved:{question_id}"),
        )
        title, provenance = Block("heading", entry.title), paragraphs(self._provenance(entry))
        bees = bee_notice(plain(body), self.domains().get(entry.domain), now, self.say)
        return Outgoing(to, (title, *body, *bees, *provenance), buttons)

    def _provenance(self, entry: Entry) -> str:
        source = self.say("answer.source", source=entry.sources[0])
        if entry.review.status == "approved":
            review = self.say("answer.approved", by=entry.review.by, on=entry.review.on)
        else:
            review = self.say("answer.pending")
        return f"{source}\n{review}"

    def choices(self, to: Address, decision: Clarify, question_id: int) -> Outgoing:
        """At most three titles to tap or number, and 都不是."""
        titles = [match.entry.title for match in decision.matches]
        buttons = (
            *(
                Button(f"{number}. {match.entry.title}", f"show:{match.entry.id}:{question_id}")
                for number, match in enumerate(decision.matches, 1)
            ),
            Button(self.say("button.none_fits"), f"none:{question_id}"),
        )
        lines = "\n".join(f"{number}. {title}" for number, title in enumerate(titles, 1))
        return Outgoing(to, paragraphs(self.say("clarify.which", choices=lines)), buttons)
