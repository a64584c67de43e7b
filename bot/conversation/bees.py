"""Bees near a crop in bloom: the notice below whatever leads somebody to spray it, and the
beekeepers of a township, who asked to be told, told at a dispatcher's word."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from bot.conversation.recall import case_by, settled
from bot.conversation.replies import only
from bot.domain import (
    CHINA,
    Block,
    Button,
    Case,
    CaseChange,
    Commissioner,
    Context,
    Domain,
    Event,
    Incoming,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.roster import Roster
from bot.phrases import Phrases

_SPRAYS = re.compile(
    r"(?<![不莫别勿])(?<!不要)(?<!不能)(?<!禁止)(?:打药|喷药|施药|用药|喷洒|喷雾|喷施|喷\w{0,3}[次遍]"
    r"|打\w{0,2}[次遍]|杀虫剂|杀菌剂|药液|兑水)"
)
_BLOOM = ("花期", "开花", "蜜蜂", "蜂农", "蜂箱")


def bee_notice(text: str, domain: Domain | None, now: datetime, say: Phrases) -> tuple[Block, ...]:
    """Empty unless the text tells to spray a crop that blooms this month, and does not speak of
    bloom or bees by itself."""
    blooms = domain is not None and now.astimezone(CHINA).month in domain.bloom
    if not blooms or not _SPRAYS.search(text) or any(word in text for word in _BLOOM):
        return ()
    return paragraphs(say("bees.notice"))


@dataclass(frozen=True, slots=True)
class BeeWatch:
    """Who keeps bees tells so himself, and takes it back as easily."""

    roster: Roster
    say: Phrases

    def join(self, incoming: Incoming, context: Context) -> Turn:
        """With a township only: he is told of what is sprayed there."""
        town = context.memory.township
        if town is None:
            return only(self.say, "bees.where", incoming, context)
        turn = only(self.say, "bees.joined", incoming, context, township=town)
        return replace(turn, memory=replace(turn.memory, keeps_bees=True))

    def leave(self, incoming: Incoming, context: Context) -> Turn:
        turn = only(self.say, "bees.left", incoming, context)
        return replace(turn, memory=replace(turn.memory, keeps_bees=False))

    def offer(self, case: Case, context: Context) -> tuple[Outgoing, ...]:
        """Dispatchers learn that somebody is about to spray in bloom, once a case."""
        if case.township is None or case.bees_told:
            return ()
        blanks = {"number": case.number, "township": case.township}
        words = paragraphs(self.say("bees.offer", **blanks))
        button = Button(self.say("button.tell_bees", township=case.township), f"bees:{case.number}")
        return tuple(
            Outgoing(to, words, (button,), case=case.number, purpose="notice")
            for person in self.roster.dispatchers()
            for to in context.where(person)
        )

    def tell(
        self, number: str, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn | None:
        """The dispatcher's button; None where there is no such case or he is none."""
        case = case_by(number, context)
        if case is None or case.township is None or not me.is_dispatcher:
            return None
        if case.bees_told:
            return only(self.say, "bees.told_before", incoming, context, number=number)
        text = self.say("bees.alarm", township=case.township)
        letters = tuple(
            Outgoing(to, paragraphs(text), purpose="notice") for to in context.beekeepers
        )
        count = len(letters)
        turn = only(self.say, "bees.told", incoming, context, township=case.township, count=count)
        change = CaseChange(
            replace(case, bees_told=True),
            Event.BEES_TOLD,
            me.id,
            self.say("bees.count", count=count),
        )
        return Turn((*turn.replies, *letters), settled(context), (change,), filed_under=case.number)
