"""A turn that says one sentence and nothing more."""

from __future__ import annotations

from bot.conversation.recall import settled
from bot.domain import Context, Incoming, Outgoing, Turn, paragraphs
from bot.phrases import Phrases


def only(say: Phrases, key: str, incoming: Incoming, context: Context, **blanks: object) -> Turn:
    """The sender is told, and nothing is announced for the next message any more."""
    return Turn((Outgoing(incoming.sender, paragraphs(say(key, **blanks))),), settled(context))
