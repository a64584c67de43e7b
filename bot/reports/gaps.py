"""What the knowledge lacks: questions that went to people, those alike together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from bot.domain import CHINA, Case, Reason
from bot.reports.likeness import grams

# Mean cosine from which on two groups are one. At 0.26, of the pairs put together among the check
# questions, written to differ, half ask the same (0.30: 55 %, 0.22: 38 %); where a topic is asked
# more often, three in four. e5's vectors found a sixth as many at that precision (2026-11).
NEAR = 0.26
_FEW = 50  # questions that are too few to tell what is common among them
_MOST = 3000  # of one subject, the newest: memory grows with the square
_Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask about the same, as far as their words show it; newest last."""

    cases: tuple[Case, ...]

    @property
    def example(self) -> Case:
        """The one of middle length: neither a cry nor a story."""
        ordered = sorted(self.cases, key=lambda case: (len(case.question), case.number))
        return ordered[len(ordered) // 2]

    @property
    def askers(self) -> int:
        return len({case.farmer for case in self.cases})

    @property
    def townships(self) -> Counter[str]:
        return Counter(case.township for case in self.cases if case.township)

    @property
    def months(self) -> Sequence[int]:
        return sorted({case.opened_at.astimezone(CHINA).month for case in self.cases})


def gaps(cases: Iterable[Case], phrasings: Iterable[str]) -> list[Gap]:
    """Groups within a subject, most askers first. A question is its characters, each weighing the
    more the rarer it is in the `phrasings` of the knowledge (tf-idf); groups are joined while the
    mean cosine of their pairs is at least `NEAR` (average linkage, Sokal & Michener 1958)."""
    subjects = defaultdict[str | None, list[Case]](list)
    for case in sorted(cases, key=lambda case: case.number):
        if grams(case.question, 1) and case.reason is not Reason.EMERGENCY:
            subjects[case.domain].append(case)
    asked = [case.question for group in subjects.values() for case in group]
    weigh = _weights(asked, phrasings)
    found = [gap for group in subjects.values() for gap in _grouped(group[-_MOST:], weigh)]
    return sorted(found, key=lambda gap: (-gap.askers, -len(gap.cases), gap.cases[0].number))


def _weights(asked: Iterable[str], phrasings: Iterable[str]) -> Mapping[str, float]:
    """How much each character of the questions tells. Place names are rare in the knowledge but
    not in questions, so the share of both counts, the larger one; of a few questions less."""
    here, there = _shares(asked, _FEW), _shares(phrasings, 1)
    return {gram: -log(max(share, there.get(gram, 0.0))) for gram, share in here.items()}


def _shares(texts: Iterable[str], more: int) -> Mapping[str, float]:
    sets = [grams(text, 1) for text in texts]
    often = Counter(gram for one in sets for gram in one)
    return {gram: count / (len(sets) + more) for gram, count in often.items()}


def _grouped(cases: Sequence[Case], weigh: Mapping[str, float]) -> Iterator[Gap]:
    if len(cases) == 1:
        yield Gap(tuple(cases))
        return
    rows = _rows([case.question for case in cases], weigh)
    above = np.triu_indices(len(cases), 1)
    apart = np.clip(1 - rows @ rows.T, 0, 1)[above]
    labels = fcluster(linkage(apart, "average"), 1 - NEAR, "distance")
    for label in np.unique(labels):
        yield Gap(tuple(case for case, own in zip(cases, labels, strict=True) if own == label))


def _rows(texts: Sequence[str], weigh: Mapping[str, float]) -> _Vectors:
    """A unit vector each; one whose characters say nothing at all is near to none."""
    sets = [grams(text, 1) for text in texts]
    places = {gram: at for at, gram in enumerate(sorted(set().union(*sets)))}
    rows = np.zeros((len(sets), len(places)), np.float32)
    for row, one in zip(rows, sets, strict=True):
        for gram in one:
            row[places[gram]] = weigh[gram]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: _Vectors = rows / np.maximum(lengths, 1e-9)
    return unit
