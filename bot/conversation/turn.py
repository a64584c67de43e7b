"""The door of the conversation: whoever writes, one message becomes one turn."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.conversation.asking import Asking, Rules
from bot.conversation.bees import BeeWatch
from bot.conversation.commissioner import CommissionerTalk
from bot.conversation.farmer import FarmerTalk
from bot.conversation.keeping import Keeping
from bot.conversation.own_cases import OwnCases
from bot.conversation.own_ledger import OwnLedger
from bot.conversation.photo_guide import PhotoGuide
from bot.conversation.recall import case_by
from bot.conversation.understanding import Library, is_piece
from bot.conversation.visits import Visits
from bot.domain import Context, Incoming, Invitation, Outgoing, Turn, paragraphs
from bot.escalation.desk import Desk
from bot.phrases import Phrases

_CODE = re.compile(r"\s*(?:/start|/bind|绑定)\s*[:：]?\s*[A-Za-z0-9]{6,16}\s*")

_NUMBER = re.compile(r"#(\d{1,9})", re.ASCII)


class Conversation:
    """Pure but for `draw_number`, which gives the number of a case about to be opened."""

    def __init__(
        self,
        library: Library,
        rules: Rules,
        desk: Desk,
        phrases: Phrases,
        draw_number: Callable[[], int],
    ) -> None:
        self._desk = desk
        self._say = phrases
        asking = Asking(library, rules, desk, phrases, draw_number)
        bees = BeeWatch(desk.roster, phrases)
        visits = Visits(desk, rules.lexicon, phrases)
        own_cases = OwnCases(desk, phrases)
        self._photo_guide = PhotoGuide(library.domains, phrases)
        self._farmer = FarmerTalk(
            asking, own_cases, visits, bees, self._photo_guide, rules.lexicon, phrases
        )
        own_ledger = OwnLedger(rules.targets, phrases, desk.letters.subject)
        keeping = Keeping(desk, library.domains, phrases)
        self._commissioner = CommissionerTalk(
            desk, own_ledger, visits, bees, keeping, library, rules.lexicon, phrases
        )

    def take(self, incoming: Incoming, context: Context) -> Turn:
        """Everything that follows from the message, to be saved in one transaction."""
        return self._desk.hushed(self._take(incoming, context), incoming, context)

    def _take(self, incoming: Incoming, context: Context) -> Turn:
        context = _with_quoted_case(incoming, context)
        if context.invitation:
            return self._bind(context.invitation, incoming, context)
        if _CODE.fullmatch(incoming.text):
            reply = Outgoing(incoming.sender, paragraphs(self._say("desk.not_bound")))
            return Turn((reply,), context.memory)
        if context.commissioner:
            return self._commissioner.take(incoming, context, context.commissioner)
        turn = self._farmer.take(incoming, context)
        return self._photo_guide.advise(turn, incoming, context)

    def needs_ledger(self, incoming: Incoming) -> bool:
        """Whether a commissioner who says this is told of his own lines."""
        return incoming.press is None and self._commissioner.asks_of_ledger(incoming.text)

    def may_join(self, incoming: Incoming, before: Incoming) -> bool:
        """Whether it may go on a sentence begun in the message before: bare words or photos, that
        are no code, command, number or wish and name no case. Of two long messages each stands for
        itself."""
        if not (is_piece(incoming.text) or is_piece(before.text)):
            return False
        bare = Incoming(incoming.id, incoming.sender, incoming.text, incoming.attachments)
        is_code = _CODE.fullmatch(incoming.text) is not None
        return incoming == bare and not is_code and not self._farmer.is_aside(incoming.text)

    def _bind(self, invitation: Invitation, incoming: Incoming, context: Context) -> Turn:
        """A one-time code: from now on this chat is the commissioner's."""
        name = self._desk.roster.name(invitation.commissioner)
        reply = Outgoing(incoming.sender, paragraphs(self._say("desk.bound", name=name)))
        memory = replace(context.memory, is_greeted=True)
        return Turn((reply,), memory, binds=invitation)


def _with_quoted_case(incoming: Incoming, context: Context) -> Context:
    """Whoever answers in the instant before our message's id is stored, or after a crash in that
    instant, still answers the case that the quoted line names."""
    named = _NUMBER.search(incoming.quoted) if context.about is None else None
    case = case_by(named[1], context) if named else None
    return replace(context, about=case.number) if case else context
