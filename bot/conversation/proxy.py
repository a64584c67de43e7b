"""代问: somebody asks for a neighbour; the answer comes as a card to be passed on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.domain import (
    Address,
    Answer,
    Several,
    Turn,
    paragraphs,
)
from bot.phrases import Phrases

_PEOPLE = (
    r"邻居|隔壁(?:邻居|家)?|老乡|亲戚|朋友|别人|别个|人家|我?(?:爸|妈|老汉|爷爷|奶奶|公公|婆婆|舅舅|老表|幺爸)"
    r"|[\u4e00-\u9fff](?:大爷|大妈|大娘|大姐|大哥|嬢嬢|孃孃|叔叔|婆婆)"
)
_ASKING = re.compile(
    rf"\s*(?:代问|[帮替代]\s*(?P<who>{_PEOPLE})\s*(?:代|来)?问(?:一下|一哈|一句|下|哈|个)?)\s*[:：,，。]?\s*"
)


@dataclass(frozen=True, slots=True)
class Request:
    """`who` it is asked for, and the question itself."""

    who: str
    words: str


def request_in(text: str) -> Request | None:
    """None where he asks for himself, or asks nothing yet."""
    found = _ASKING.match(text)
    words = text[found.end() :] if found else ""
    return Request(found["who"] or "邻居", words) if found and words.strip() else None


def as_card(turn: Turn, sender: Address, who: str, say: Phrases) -> Turn:
    """An answer given at once says at its end that it may be passed on."""
    if not isinstance(turn.decision, Answer | Several):
        return turn
    card = paragraphs(say("proxy.card", who=who))
    replies = tuple(
        replace(one, blocks=one.blocks + card) if one.to == sender else one for one in turn.replies
    )
    return replace(turn, replies=replies)
