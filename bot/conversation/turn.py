"""The door of the conversation: whoever writes, one message becomes one turn."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.conversation.asking import Asking, Library, Rules
from bot.conversation.commissioner import CommissionerTalk
from bot.conversation.farmer import FarmerTalk
from bot.conversation.own_cases import OwnCases
from bot.domain import Context, Incoming, Invitation, Outgoing, Turn, paragraphs
from bot.escalation.desk import Desk
from bot.phrases import Phrases

_CODE = re.compile(r"\s*(?:/start|/bind|绑定)\s*[:：]?\s*[A-Za-z0-9]{6,16}\s*")


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
        self._farmer = FarmerTalk(asking, OwnCases(desk, phrases), rules.lexicon, phrases)
        self._commissioner = CommissionerTalk(desk, rules.lexicon, phrases)

    def take(self, incoming: Incoming, context: Context) -> Turn:
        """Everything that follows from the message, to be saved in one transaction."""
        if context.invitation:
            return self._bind(context.invitation, incoming, context)
        if _CODE.fullmatch(incoming.text):
            reply = Outgoing(incoming.sender, paragraphs(self._say("desk.not_bound")))
            return Turn((reply,), context.memory)
        if context.commissioner:
            return self._commissioner.take(incoming, context, context.commissioner)
        return self._farmer.take(incoming, context)

    def _bind(self, invitation: Invitation, incoming: Incoming, context: Context) -> Turn:
        """A one-time code: from now on this chat is the commissioner's."""
        name = self._desk.roster.name(invitation.commissioner)
        reply = Outgoing(incoming.sender, paragraphs(self._say("desk.bound", name=name)))
        memory = replace(context.memory, is_greeted=True)
        return Turn((reply,), memory, binds=invitation)
