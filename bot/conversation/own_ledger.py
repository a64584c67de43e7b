"""A commissioner and his own ledger: what counts so far, what is missing, and his suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.conversation.recall import settled
from bot.conversation.replies import only
from bot.domain import (
    CHINA,
    Block,
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
from bot.escalation.ledger import Standing, Targets, standing
from bot.phrases import Phrases

SHOWN, WORDS_SHOWN = 10, 24  # lines of a list, characters of each
LEAST = 15  # characters of a suggestion
_SUGGESTING = re.compile(r"^\s*(?:/suggest\b|建议\s*[:：])\s*")


@dataclass(frozen=True, slots=True)
class OwnLedger:
    """Each method is a whole turn about the sender's ledger."""

    targets: Targets
    say: Phrases

    def suggestion_in(self, text: str) -> str | None:
        """The words of “建议：…” or /suggest; None where the message is none."""
        found = _SUGGESTING.match(text)
        return text[found.end() :].strip() if found else None

    def show(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        own = self._standing(context, me)
        blocks = (*paragraphs(*self._summary(own, context)), *self._lines(own))
        return Turn((Outgoing(incoming.sender, blocks),), settled(context))

    def suggest(self, words: str, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        """Filed as it stands: it can't be changed later, so what is too short or there already
        is asked about first."""
        filed = self._standing(context, me).suggestions
        if len(words) < LEAST:
            return only(self.say, "ledger.suggest_how", incoming, context, least=LEAST)
        if any(line.entered.proof.get("text") == words for line in filed):
            return only(self.say, "ledger.suggested_before", incoming, context)
        turn = only(self.say, "ledger.suggested", incoming, context, count=len(filed) + 1)
        entered = Entered(Deed.SUGGESTION, me.id, me.id, proof={"text": words})
        return Turn(turn.replies, turn.memory, entered=(entered,))

    def _standing(self, context: Context, me: Commissioner) -> Standing:
        year = context.now.astimezone(CHINA).year
        return standing(me.id, context.ledger, year, self.targets)

    def _summary(self, own: Standing, context: Context) -> Iterator[str]:
        yield self.say(
            "ledger.title",
            year=own.year,
            services=own.counted,
            services_due=own.targets.services,
            suggestions=len(own.suggestions),
            suggestions_due=own.targets.suggestions,
            grade=own.grade,
        )
        if own.missing_services or own.missing_suggestions:
            yield self.say(
                "ledger.missing",
                services=own.missing_services,
                suggestions=own.missing_suggestions,
                days=own.days_left(context.now.astimezone(CHINA).date()),
            )
        else:
            yield self.say("ledger.enough")
        if own.struck:
            yield self.say("ledger.struck", count=len(own.struck))

    def _lines(self, own: Standing) -> Iterator[Block]:
        for line in sorted(own.services + own.suggestions, key=lambda one: -one.number)[:SHOWN]:
            yield Block("item", f"{line.day:%m-%d} {brief(line)}")


def brief(line: Line) -> str:
    """What a line was about, in a few words."""
    proof, case = line.entered.proof, line.entered.case
    words = " ".join(str(proof.get("question") or proof.get("text") or "").split())
    short = words if len(words) <= WORDS_SHOWN else words[:WORDS_SHOWN] + "…"
    return f"#{case} {short}" if case is not None else f"{line.entered.deed.value}：{short}"
