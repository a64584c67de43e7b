"""How answers and choices look to a farmer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import Address, Block, Button, Clarify, Entry, Outgoing, paragraphs
from bot.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Answers:
    """Lays out knowledge for a chat; every channel renders the blocks its own way."""

    say: Phrases

    def entry(self, to: Address, entry: Entry, question_id: int) -> Outgoing:
        """The entry word for word, its source, its review state, and the two buttons."""
        buttons = (
            Button(self.say("button.useful"), f"useful:{question_id}"),
            Button(self.say("button.to_person"), f"unsolved:{question_id}"),
        )
        blocks = (
            Block("heading", entry.title),
            *paragraphs(entry.short_answer),
            *entry.details,
            *paragraphs(self._provenance(entry)),
        )
        return Outgoing(to, blocks, buttons)

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
