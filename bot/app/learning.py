"""The command `tianwen learn`: fits the sense for danger to config/emergency_sentences.yaml."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot import dangers
from bot.conversation.sense import ALWAYS, Vocabulary, clearest, readings
from bot.dangers import SENTENCES, WEIGHTS, SentencesShape, WeightsShape, fingerprint

FALSE_ALARMS = 0.05  # at most so many of the look-alikes, in cross-validation, reach `alarm`
DOUBTED = 0.03  # at most so many of the dangers lie below `calm`
FOLDS = 5
_STRENGTH = 16.0  # inverse of the regularisation; 6 to 40 gave the same, 2026-11
_KIND_STRENGTH = 0.5

Traits = Sequence[frozenset[str]]
Numbers = NDArray[np.float64]


def learn(options: Namespace) -> int:
    folder = options.home.resolve() / "config"
    sentences = dangers.sentences(folder)
    lesson = Lesson.of(sentences)
    tried = lesson.cross_validated()
    shape = learnt(sentences, lesson.thresholds(tried), fingerprint(folder / SENTENCES))
    (folder / WEIGHTS).write_text(_written(shape), encoding="utf-8")
    print(lesson.report(tried, shape.alarm))
    return 0


def learnt(
    sentences: SentencesShape, thresholds: tuple[float, float], fingerprint: str
) -> WeightsShape:
    lesson = Lesson.of(sentences)
    weights, bias = Fit(lesson.traits, lesson.is_danger, lesson.importance).rounded()
    alarm, calm = thresholds
    return WeightsShape(
        learnt_from=fingerprint,
        bias=bias,
        alarm=alarm,
        calm=calm,
        words=sentences.words,
        kinds=_kinds(sentences),
        weights=weights,
    )


def _written(shape: WeightsShape) -> str:
    """One line for each part, so that a change can be looked through."""
    parts = shape.model_dump(mode="json").items()
    lines = (f"{json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in parts)
    return "{\n" + ",\n".join(lines) + "\n}\n"


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """The sentences as traits, whole and in passages; dangers first, then look-alikes."""

    passages: Sequence[Traits]
    dangers: int
    look_alikes: int

    @classmethod
    def of(cls, sentences: SentencesShape) -> Lesson:
        vocabulary = Vocabulary(sentences.words)
        dangerous = [text for _, text in sentences.dangerous]
        every = [*dangerous, *sentences.look_alike, *sentences.ordinary]
        passages = [[vocabulary.traits(one) for one in readings(text)] for text in every]
        return cls(passages, len(dangerous), len(sentences.look_alike))

    @property
    def traits(self) -> Traits:
        return [whole for whole, *_ in self.passages]

    @property
    def _places(self) -> NDArray[np.int64]:
        return np.arange(len(self.passages))

    @property
    def is_danger(self) -> Numbers:
        return np.where(self._places < self.dangers, 1.0, 0.0)

    @property
    def importance(self) -> Numbers:
        """Dangers and look-alikes are few and hard: they count twice."""
        return np.where(self._places < self.dangers + self.look_alikes, 2.0, 1.0)

    def cross_validated(self) -> Numbers:
        """Each sentence's score from weights that have not seen it."""
        scores = np.zeros(len(self.passages))
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        for seen, unseen in folds.split(scores, self.is_danger):
            wholes = [self.passages[at][0] for at in seen]
            fit = Fit(wholes, self.is_danger[seen], self.importance[seen])
            scores[unseen] = fit.clearest([self.passages[at] for at in unseen])
        return scores

    def thresholds(self, scores: Numbers) -> tuple[float, float]:
        dangers, look_alikes, _ = self._parts(scores)
        alarm = float(np.quantile(look_alikes, 1 - FALSE_ALARMS))
        calm = min(float(np.quantile(dangers, DOUBTED)), alarm - 1)
        return round(alarm, 2), round(calm, 2)

    def report(self, scores: Numbers, alarm: float) -> str:
        dangers, look_alikes, ordinary = (
            float((part >= alarm).mean()) for part in self._parts(scores)
        )
        return (
            f"学了 {len(self.passages)} 句。拿没学过的试：有人危险的认出 {dangers:.1%}，"
            f"像而不是的错报 {look_alikes:.1%}，平常话错报 {ordinary:.1%}（不算词表里的规矩）。"
        )

    def _parts(self, scores: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        border = self.dangers + self.look_alikes
        return scores[: self.dangers], scores[self.dangers : border], scores[border:]


class Fit:
    """A logistic regression on the traits that occur more than once."""

    def __init__(self, traits: Traits, is_danger: Numbers, importance: Numbers) -> None:
        self._columns = _columns(traits)
        self._model = LogisticRegression(C=_STRENGTH, solver="liblinear", max_iter=3000)
        self._model.fit(self._matrix(traits), is_danger, sample_weight=importance)

    def clearest(self, texts: Sequence[Traits]) -> list[float]:
        """The score of each text, from its passages; all are scored at once, which is quicker."""
        every = [traits for passages in texts for traits in passages]
        scores = iter(map(float, self._model.decision_function(self._matrix(every))))
        return [clearest(list(islice(scores, len(passages)))) for passages in texts]

    def rounded(self) -> tuple[dict[str, float], float]:
        """Weights and bias. A weight of nothing stays: it counts in a length."""
        weights = zip(self._columns, self._model.coef_[0], strict=True)
        return (
            {trait: round(float(weight), 2) for trait, weight in weights},
            round(float(self._model.intercept_[0]), 2),
        )

    def _matrix(self, traits: Traits) -> Any:
        return _matrix(traits, self._columns, is_damped=True)


def _kinds(sentences: SentencesShape) -> dict[str, dict[str, float]]:
    """For each kind of danger the weights of words and characters."""
    vocabulary = Vocabulary(sentences.words)
    marks = [vocabulary.marks(readings(text)[0]) - {ALWAYS} for _, text in sentences.dangerous]
    columns = _columns(marks)
    model = LogisticRegression(C=_KIND_STRENGTH, max_iter=3000)
    model.fit(_matrix(marks, columns, is_damped=False), [kind for kind, _ in sentences.dangerous])
    return {
        str(kind): {ALWAYS: round(float(start), 2)}
        | {
            mark: round(float(one), 2)
            for mark, one in zip(columns, row, strict=True)
            if abs(one) > 0.05
        }
        for kind, row, start in zip(model.classes_, model.coef_, model.intercept_, strict=True)
    }


def _columns(traits: Traits) -> dict[str, int]:
    counts = Counter(one for some in traits for one in some)
    return {one: at for at, one in enumerate(sorted(one for one in counts if counts[one] > 1))}


def _matrix(traits: Traits, columns: dict[str, int], *, is_damped: bool) -> Any:
    rows = [sorted(columns[one] for one in some if one in columns) for some in traits]
    values = [1 / sqrt(len(row)) if is_damped else 1.0 for row in rows for _ in row]
    ends = np.cumsum([0, *map(len, rows)])
    places = [at for row in rows for at in row]
    return csr_matrix((values, places, ends), shape=(len(rows), len(columns)))
