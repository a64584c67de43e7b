"""A commissioner and his own ledger: what counts so far, what is missing, and his suggestions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.conversation.recall import settled
from bot.conversation.replies import only
from bot.domain import (
    CHINA,
    OUR_MOVE,
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
from bot.escalation.likeness import ALIKE, likeness
from bot.phrases import Phrases

SHOWN, WORDS_SHOWN = 10, 24  # lines of a list, characters of each
MOST = 3  # names of a sort in a draft
LEAST = 15  # characters of a suggestion
UNWRITTEN = "【写"  # begins what a draft leaves to him
_SUGGESTING = re.compile(r"^\s*(?:/suggest\b|建议\s*[:：])\s*")


@dataclass(frozen=True, slots=True)
class OwnLedger:
    """Each method is a whole turn about the sender's ledger."""

    targets: Targets
    say: Phrases
    subject: Callable[[str | None], str]  # title of a domain

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
        if not words:
            return self._draft(incoming, context, me)
        if len(words) < LEAST or UNWRITTEN in words:
            return only(self.say, "ledger.suggest_how", incoming, context, least=LEAST)
        if any(line.entered.proof.get("text") == words for line in filed):
            return only(self.say, "ledger.suggested_before", incoming, context)
        turn = only(self.say, "ledger.suggested", incoming, context, count=len(filed) + 1)
        entered = Entered(Deed.SUGGESTION, me.id, me.id, proof={"text": words})
        return Turn(turn.replies, turn.memory, entered=(entered,))

    def _draft(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        """The beginning of a suggestion from what he was asked; what to do about it he writes."""
        served = self._standing(context, me).services
        if not served:
            return only(self.say, "ledger.suggest_how", incoming, context, least=LEAST)
        proofs = [line.entered.proof for line in served]
        waiting = [
            case for case in context.cases if case.holder == me.id and case.state in OUR_MOVE
        ]
        facts = self.say(
            "ledger.draft",
            services=len(served),
            subjects=_most(self.subject(proof.get("domain")) for proof in proofs),
            townships=_most(
                proof.get("township") or self.say("ledger.no_township") for proof in proofs
            ),
            months=_most(f"{line.day.month}月" for line in served),
            problems=_most(_problems(proofs)),
            waiting=len(waiting),
        )
        blocks = paragraphs(self.say("ledger.draft_how"), facts)
        return Turn((Outgoing(incoming.sender, blocks),), settled(context))

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


def _most(names: Iterable[str | None]) -> str:
    """The most frequent names with their numbers, so that none of them is a claim."""
    counts = Counter(filter(None, names)).most_common(MOST)
    return "、".join(f"{name} {count} 次" for name, count in counts)


def _problems(proofs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Each question by the first that asked much the same."""
    known: list[str] = []
    for proof in proofs:
        words = " ".join(str(proof.get("question") or proof.get("done") or "").split())
        same = next((one for one in known if likeness(one, words) >= ALIKE), None)
        if same is None:
            known.append(words)
        yield f"“{(same or words)[:WORDS_SHOWN]}”" if words else ""


def brief(line: Line) -> str:
    """What a line was about, in a few words."""
    proof, case = line.entered.proof, line.entered.case
    words = " ".join(
        str(proof.get("question") or proof.get("text") or proof.get("done") or "").split()
    )
    short = words if len(words) <= WORDS_SHOWN else words[:WORDS_SHOWN] + "…"
    is_answer = line.entered.deed is Deed.SERVICE
    return f"#{case} {short}" if is_answer else f"{line.entered.deed.value}：{short}"
