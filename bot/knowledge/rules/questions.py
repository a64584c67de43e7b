"""Rules for phrasings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from math import ceil

from bot.knowledge.load import EntryFile
from bot.knowledge.rules.base import Asked, Finding, Shelf, rule

FEWEST_QUESTIONS = 8
ALIKE = 0.8  # share of common two-character runs from which two questions are near-duplicates


@rule("few-questions", "error")
def _too_few_questions(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        count = len(file.entry.questions)
        if count < FEWEST_QUESTIONS:
            mend = "再想几种农户的说法：看到的样子、土话、短句、带故事的。"
            message = f"问法只有 {count} 条，至少要 {FEWEST_QUESTIONS} 条。"
            yield Finding(file, file.front.find("questions"), message, mend)


@rule("empty-question", "error")
def _no_word_in_a_question(shelf: Shelf) -> Iterator[Finding]:
    for asked in shelf.questions:
        if not asked.essence:
            mend = "写成农户会说的一句话，或者删掉。"
            yield Finding(asked.file, asked.place, "这条问法里没有字。", mend)


@rule("same-question", "error")
def _same_question_in_other_dress(shelf: Shelf) -> Iterator[Finding]:
    """Word-for-word repeats between entries are refused by `load` already."""
    seen: dict[str, Asked] = {}
    for asked in shelf.questions:
        first = seen.setdefault(asked.essence, asked)
        is_loads = isinstance(asked.file, EntryFile) and first.text == asked.text
        if asked.essence and first is not asked and not is_loads:
            where = f"{first.file.path} 第 {first.place.line} 行"
            dress = f"“{asked.text}”和 {where}的“{first.text}”"
            message = f"{dress}只差标点、空格、大小写、繁简或全半角。"
            yield Finding(asked.file, asked.place, message, "换一种说法，或者删掉一处。")


@rule("near-duplicate", "warning")
def _almost_the_same_question_elsewhere(shelf: Shelf) -> Iterator[Finding]:
    """Two entries that hold nearly one phrasing: search can't tell whose it is."""
    questions = [asked for asked in shelf.questions if asked.essence]
    for number, other in _alike([asked.essence for asked in questions]):
        asked, twin = questions[number], questions[other]
        if twin.file is not asked.file:
            where = f"{twin.file.path} 第 {twin.place.line} 行"
            message = f"“{asked.text}”和 {where}的“{twin.text}”差不多。"
            mend = "写出只有这一条才有的样子，或者删掉一处。"
            yield Finding(asked.file, asked.place, message, mend)


def _alike(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of places, the later first, whose texts share enough of their runs but not all.

    With the rarest first, two such must meet in the first few, as many as one may lack and one
    more: prefix filtering (Chaudhuri, Ganti and Kaushik 2006, A Primitive Operator for Similarity
    Joins in Data Cleaning). Hardly any two meet there, so hardly any two are compared.
    """
    runs = [_runs(text) for text in texts]
    counts = Counter(chain.from_iterable(runs))
    shared = sorted((run for run, count in counts.items() if count > 1), key=counts.__getitem__)
    ranks = {run: rank for rank, run in enumerate(shared)}
    known: dict[int, list[int]] = {}  # rare run → the texts before this one that have it
    for number, own in enumerate(runs):
        common = sorted([ranks[run] for run in own if run in ranks])
        lacking = len(own) - ceil(ALIKE * len(own))
        lone = len(own) - len(common)  # rarer still, but no other text has them
        telling = common[: max(lacking + 1 - lone, 0)]
        for other in sorted({other for run in telling for other in known.get(run, ())}):
            if ALIKE <= len(own & runs[other]) / len(own | runs[other]) < 1:
                yield number, other
        for run in telling:
            known.setdefault(run, []).append(number)


def _runs(text: str) -> frozenset[str]:
    return frozenset([text[at : at + 2] for at in range(len(text) - 1)] or [text])
