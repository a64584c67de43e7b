"""Questions whose decision is known, picked from whatever knowledge ships at the time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from bot.app.compose import Core
from bot.conversation.understanding import Understanding
from bot.domain import Answer, Clarify, Decision, Entry, Escalate

SUBJECTS = ("花椒", "养蜂屋", "柑子", "自行车")  # three commissioners and, unplaced, the dispatcher


def decision(core: Core, text: str, before: str = "") -> Decision | None:
    """What these words lead to, right after the question `before`; None where they are read
    otherwise."""
    rules = core.rules
    if rules.dangers.danger_in(text) or rules.lexicon.wish(text) or len(text) < 4:
        return None
    if rules.lexicon.is_township(text):
        return None
    return Understanding(core.library, rules.policy).decide(text, before)[0]


def answerable(core: Core, most: int) -> list[str]:
    """Phrasings of different entries that are answered at once."""
    found = [
        next((text for text in entry.questions if _answers(core, text, entry.id)), None)
        for entry in core.bookshelf.retriever.index.base.entries.values()
    ]
    return [text for text in found if text][:most]


def strange(core: Core, number: int) -> list[str]:
    """So many questions, all different, that go to a person, whatever was asked before."""
    texts = (f"{of}旁边第{n}号铁塔夜里嗡嗡响哪个管" for n in count(1) for of in SUBJECTS)
    before = ["", *answerable(core, 12)]
    return [*islice((text for text in texts if _is_strange(core, text, before)), number)]


def known(core: Core) -> tuple[str, Entry]:
    """Words that are answered at once, and the entry."""
    text = answerable(core, 1)[0]
    return text, core.library.search(text).matches[0].entry


def vague(core: Core) -> tuple[str, str]:
    """Words that lead to choices, and the entry that is the first of them."""
    return next(_vague(core))


def _answers(core: Core, text: str, entry: str) -> bool:
    made = decision(core, text)
    return isinstance(made, Answer) and made.match.entry.id == entry


def _is_strange(core: Core, text: str, before: list[str]) -> bool:
    return all(isinstance(decision(core, text, one), Escalate) for one in before)


def _vague(core: Core) -> Iterator[tuple[str, str]]:
    for entry in core.bookshelf.retriever.index.base.entries.values():
        for text in entry.questions:
            for end in range(6, len(text)):
                made = decision(core, text[:end])
                if isinstance(made, Clarify) and len(made.matches) > 1:
                    yield text[:end], made.matches[0].entry.id
