"""What a judge learns from: check questions asked of the index, alone, after others and cut in two,
and questions without an answer asked of an index that does not know them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from bot.domain import KnowledgeBase, Unanswerable
from bot.retrieval.embedder import Vectors
from bot.retrieval.index import Evidence, Index
from bot.retrieval.judge import Judge
from bot.retrieval.retriever import Retriever
from bot.retrieval.vectors import Role

_PARTS = 5  # of the questions without an answer; an index knows all but one
_EVERY = 3  # a third of the questions without an answer come right after another question
_STRIDE = 97  # a prime: pairs questions that have nothing to do with each other
KEYWORDS = 13  # characters; fewer are keywords rather than a question

Build = Callable[[KnowledgeBase], Index]
Encode = Callable[[Sequence[tuple[Role, str]]], Vectors]


@dataclass(frozen=True, slots=True)
class Check:
    """A question and the entries that answer it; `after` is what was asked before, where the
    question goes on from it."""

    text: str
    entries: tuple[str, ...]
    after: str = ""
    is_compound: bool = False  # holds two questions; `entries` answer one each


@dataclass(frozen=True, slots=True)
class Judged:
    evidence: Evidence
    group: str  # questions of one topic are learned from, or judged, together
    is_right: bool | None = None  # None where no entry is
    is_among: bool = False
    is_ours: bool = True
    is_short: bool = False


class _Asking:
    """One index asked check questions."""

    def __init__(self, index: Index, known: Mapping[str, Vectors]) -> None:
        self.index = index
        self._known = known

    def judged(self, check: Check) -> Judged:
        evidence = self._weigh(check.text, check.after)
        best = [self.index.entries[one].id for one in evidence.order[:3]]
        is_among = bool(set(best) & set(check.entries))
        return Judged(evidence, check.entries[0], best[0] in check.entries, is_among)

    def unanswered(self, one: Unanswerable, after: str = "") -> Judged:
        is_ours, is_short = one.domain is not None, len(one.text) <= KEYWORDS
        evidence = self._weigh(one.text, after)
        return Judged(evidence, one.text, is_ours=is_ours, is_short=is_short)

    def _weigh(self, text: str, after: str) -> Evidence:
        before = self.index.weigh(self._known[after], after).own if after else None
        return self.index.weigh(self._known[text], text, after=before)


class Trials:
    """All that is asked: of the whole index what it answers, and of indexes that each do not know
    a part of the questions without an answer, that part."""

    def __init__(
        self, base: KnowledgeBase, checks: Sequence[Check], build: Build, vectors: Encode
    ) -> None:
        self._single = [check for check in checks if not check.after and not check.is_compound]
        self._following = [check for check in checks if check.after]
        self._compound = [check for check in checks if check.is_compound]
        known = _encoded(base, [*self._single, *self._following], vectors)
        self._whole = _Asking(build(base), known)
        self._without = [(out, _Asking(index, known)) for out, index in _without_some(base, build)]

    @property
    def compound(self) -> int:
        return len(self._compound)

    @property
    def singles(self) -> int:
        return len(self._single) + sum(len(out) for out, _ in self._without)

    def alone(self) -> list[Judged]:
        unanswered = [asking.unanswered(one) for out, asking in self._without for one in out]
        return [*map(self._whole.judged, self._single), *unanswered]

    def going_on(self, judge: Judge) -> tuple[list[Judged], int]:
        """What is not sure by itself, read with a question before; how many do go on from it, they
        come first. The others should not be taken for going on."""

        def is_unsure(judged: Judged) -> bool:
            return judge.odds(judged.evidence.signals).right < judge.answer_at

        firsts = cycle(check.text for check in self._single[::_STRIDE] + self._single[1::_STRIDE])
        following = [
            self._whole.judged(check)
            for check in self._following
            if is_unsure(self._whole.judged(replace(check, after="")))
        ]
        strangers = [
            self._whole.judged(replace(check, after=next(firsts)))
            for check in self._single
            if is_unsure(self._whole.judged(check))
        ]
        unanswered = [
            asking.unanswered(one, next(firsts))
            for out, asking in self._without
            for one in out[::_EVERY]
            if is_unsure(asking.unanswered(one))
        ]
        return [*following, *strangers, *unanswered], len(following)

    def cuts(self, judge: Judge, retriever: Callable[[Judge, Index], Retriever]) -> list[Cut]:
        found = [*_cuts(retriever(judge, self._whole.index), [*self._compound, *self._single])]
        for out, asking in self._without:
            questions = [Check(one.text, ()) for one in out]
            found += _cuts(retriever(judge, asking.index), questions)
        return found


def _encoded(
    base: KnowledgeBase, checks: Sequence[Check], vectors: Encode
) -> Mapping[str, Vectors]:
    asked = [text for check in checks for text in (check.text, check.after) if text]
    texts = [*dict.fromkeys([*asked, *(one.text for one in base.unanswerable)])]
    return dict(zip(texts, vectors([("query", text) for text in texts]), strict=True))


def _without_some(
    base: KnowledgeBase, build: Build
) -> Iterator[tuple[Sequence[Unanswerable], Index]]:
    """A part of the questions without an answer, and an index that does not know them."""
    for fold in range(_PARTS):
        out = base.unanswerable[fold::_PARTS]
        left = tuple(one for one in base.unanswerable if one not in set(out))
        yield out, build(replace(base, unanswerable=left))


@dataclass(frozen=True, slots=True)
class Cut:
    """A message cut in two: its signals, and whether both halves found their answer."""

    signals: Mapping[str, float]
    group: str
    is_right: bool


def _cuts(retriever: Retriever, checks: Iterable[Check]) -> Iterator[Cut]:
    for check in checks:
        halves = retriever.halves(check.text)
        if halves is None:
            continue
        found = {half.matches[0].entry.id for half in (halves.first, halves.second)}
        if len(found) > 1:
            is_right = check.is_compound and found == set(check.entries)
            yield Cut(halves.signals(retriever.search(check.text)), check.text, is_right)
