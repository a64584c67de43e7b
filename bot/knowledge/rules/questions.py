"""Rules for phrasings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.knowledge.load import DomainFile, EntryFile
from bot.knowledge.rules.base import Finding, Shelf, essence, rule
from bot.reading.report import Place

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
    for file, place, question in shelf.questions:
        if not essence(question):
            yield Finding(file, place, "这条问法里没有字。", "写成农户会说的一句话，或者删掉。")


@rule("same-question", "error")
def _same_question_in_other_dress(shelf: Shelf) -> Iterator[Finding]:
    """Word-for-word repeats between entries are refused by `load` already."""
    seen: dict[str, tuple[EntryFile | DomainFile, Place, str]] = {}
    for file, place, question in shelf.questions:
        first = seen.setdefault(essence(question), (file, place, question))
        is_loads = isinstance(file, EntryFile) and first[2] == question
        if essence(question) and first != (file, place, question) and not is_loads:
            where = f"{first[0].path} 第 {first[1].line} 行"
            message = f"“{question}”和 {where}的“{first[2]}”只差标点、空格、大小写、繁简或全半角。"
            yield Finding(file, place, message, "换一种说法，或者删掉一处。")


@rule("near-duplicate", "warning")
def _almost_the_same_question_elsewhere(shelf: Shelf) -> Iterator[Finding]:
    """Two entries that hold nearly one phrasing: search can't tell whose it is."""
    asked = [each for each in shelf.questions if essence(each[2])]
    runs = [_runs(essence(question)) for _, _, question in asked]
    counts = Counter(run for each in runs for run in each)
    rank = {
        run: place for place, run in enumerate(sorted(counts, key=lambda run: (counts[run], run)))
    }
    known: dict[str, list[int]] = {}  # rare run → the questions before this one that have it
    for number, (file, place, question) in enumerate(asked):
        rare = sorted(runs[number], key=rank.__getitem__)
        telling = rare[: len(rare) - int(ALIKE * len(rare)) + 1]  # one at least must be shared
        for other in sorted({other for run in telling for other in known.get(run, ())}):
            twin, spot, words = asked[other]
            share = len(runs[number] & runs[other]) / len(runs[number] | runs[other])
            if twin is not file and ALIKE <= share < 1:
                message = f"“{question}”和 {twin.path} 第 {spot.line} 行的“{words}”差不多。"
                yield Finding(file, place, message, "写出只有这一条才有的样子，或者删掉一处。")
        for run in telling:
            known.setdefault(run, []).append(number)


def _runs(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 2] for at in range(max(1, len(text) - 1)))
