"""Answers that need no writing: an entry, a canned text, what was answered to a like question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.conversation.understanding import Library
from bot.domain import Block, Button, Case, Context, Entry, paragraphs
from bot.escalation.likeness import alike
from bot.phrases import Phrases

LABEL, OFFERED = 14, 3  # characters on a button; buttons of a sort


@dataclass(frozen=True, slots=True)
class Ready:
    """What a commissioner may send with one tap."""

    library: Library
    say: Phrases

    def entry(self, entry_id: str) -> tuple[Block, ...]:
        """An entry as the farmer will read it; empty where it is gone or only a draft."""
        found = self.library.entry(entry_id)
        if found is None or found.is_draft:
            return ()
        return (*paragraphs(found.short_answer), *found.details)

    def canned(self) -> list[str]:
        return self.say("canned.texts").splitlines()

    def canned_buttons(self, case: Case) -> tuple[Button, ...]:
        return tuple(
            Button(_short(text), f"case:{case.number}:canned:{at}")
            for at, text in enumerate(self.canned())
        )

    def found_buttons(self, case: Case, words: str) -> tuple[Button, ...]:
        """The entries nearest to his words."""
        found = [match.entry for match in self.library.search(words).matches[:OFFERED]]
        return tuple(self._entry_buttons(case, found))

    def for_case(self, case: Case, context: Context) -> tuple[Button, ...]:
        """What search found for the question, and what he answered to others like it."""
        found = filter(None, map(self.library.entry, case.suggestions[:OFFERED]))
        answered = [
            Button(self.say("button.as", number=one.number), f"case:{case.number}:as:{one.number}")
            for one in alike(case, context.cases)
            if one.answer and one.holder == case.holder
        ]
        return (*self._entry_buttons(case, list(found)), *answered[:OFFERED])

    def others(self, case: Case, open_ones: Sequence[Case]) -> tuple[Button, ...]:
        """The open cases that an answer may serve too."""
        return tuple(
            Button(
                self.say("button.also", number=one.number, words=_short(one.question)),
                f"case:{one.number}:as:{case.number}",
            )
            for one in alike(case, open_ones)[:OFFERED]
        )

    def _entry_buttons(self, case: Case, entries: Sequence[Entry]) -> Iterator[Button]:
        for entry in entries:
            label = self.say("button.entry", title=entry.title)
            yield Button(label, f"case:{case.number}:entry:{entry.id}")


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= LABEL else line[:LABEL] + "…"
