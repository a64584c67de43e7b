"""The command `tianwen learn`: fits the sense for danger to config/emergency_sentences.yaml."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot import dangers
from bot.conversation.sense import ALWAYS, Vocabulary, clearest, readings
from bot.dangers import SENTENCES, WEIGHTS, SentencesShape, WeightsShape, fingerprint

FALSE_ALARMS = 0.06  # at most so many of the look-alikes, in cross-validation, reach `alarm`
DOUBTED = 0.03  # at most so many of the dangers lie below `calm`
FOLDS = 5
_STRENGTH = 16.0  # inverse of the regularisation; 6 to 40 gave the same, 2026-11
_KIND_STRENGTH = 0.5
_LEAST = 0.05  # a smaller weight does not change a kind

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


def learn(options: Namespace) -> int:
    folder = options.home.resolve() / "config"
    sentences = dangers.sentences(folder)
    lesson = Lesson(sentences)
    scores = lesson.cross_validated()
    alarm, calm = lesson.thresholds(scores)
    fit = lesson.fit(lesson.places)
    shape = WeightsShape(
        learnt_from=fingerprint(folder / SENTENCES),
        bias=round(float(fit.model.intercept_[0]), 2),
        alarm=alarm,
        calm=calm,
        words=sentences.words,
        kinds=_kinds(sentences),
        weights=_rounded(lesson.table.names[fit.columns], fit.model.coef_[0]),
    )
    (folder / WEIGHTS).write_text(_written(shape), encoding="utf-8")
    print(lesson.report(scores, alarm))
    return 0


def _written(shape: WeightsShape) -> str:
    """One line for each part, so that a change can be looked through."""
    parts = shape.model_dump(mode="json").items()
    lines = (f"{json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in parts)
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _rounded(names: Iterable[str], weights: Iterable[float], least: float = 0) -> dict[str, float]:
    """A weight of nothing stays unless told: it counts in a text's length."""
    pairs = zip(names, weights, strict=True)
    return {str(name): round(float(one), 2) for name, one in pairs if abs(one) >= least}


class Table:
    """Which text (row) has which trait (column): ones and zeros."""

    def __init__(self, texts: Iterable[frozenset[str]]) -> None:
        known: dict[str, int] = {}
        rows = [sorted(known.setdefault(one, len(known)) for one in sorted(some)) for some in texts]
        ends = list(accumulate(map(len, rows), initial=0))
        places = [place for row in rows for place in row]
        shape = (len(rows), len(known))
        self.ones: Any = csr_matrix((np.ones(len(places)), places, ends), shape=shape)
        self.names: NDArray[np.str_] = np.array(list(known))

    def common(self, rows: Places) -> Places:
        """The columns of traits that more than one of the rows has."""
        return np.flatnonzero(self.ones[rows].sum(axis=0) > 1)

    def damped(self, columns: Places) -> Any:
        """Each row divided by the root of its length, as in Sense.score."""
        ones = self.ones[:, columns]
        lengths = np.maximum(np.asarray(ones.sum(axis=1)).ravel(), 1)
        return diags_array(1 / np.sqrt(lengths)).tocsr() @ ones


@dataclass(frozen=True, slots=True)
class Fit:
    """A logistic regression on some columns, and the score it gives each row of the table."""

    columns: Places
    model: LogisticRegression
    scores: Numbers


class Lesson:
    """The sentences as a table of whole texts and passages; dangers first, then look-alikes."""

    def __init__(self, sentences: SentencesShape) -> None:
        vocabulary = Vocabulary(sentences.words)
        dangerous = [text for _, text in sentences.dangerous]
        every = [
            readings(text) for text in (*dangerous, *sentences.look_alike, *sentences.ordinary)
        ]
        self.places: Places = np.arange(len(every))
        self.table = Table(vocabulary.traits(one) for passages in every for one in passages)
        # rows of the table: a text's whole, then its passages, up to the next text's whole
        self._rows: Places = np.array(list(accumulate(map(len, every), initial=0)))
        self._ends = (len(dangerous), len(dangerous) + len(sentences.look_alike))

    def fit(self, places: Places) -> Fit:
        """Learn from some of the texts. Dangers and look-alikes are few and hard: they count
        twice."""
        wholes = self._rows[places]
        columns = self.table.common(wholes)
        damped = self.table.damped(columns)
        importance = np.where(places < self._ends[1], 2.0, 1.0)
        model = LogisticRegression(C=_STRENGTH, solver="liblinear", max_iter=3000)
        model.fit(damped[wholes], self._is_danger(places), sample_weight=importance)
        return Fit(columns, model, model.decision_function(damped))

    def cross_validated(self) -> Numbers:
        """Each sentence's score from weights that have not seen it."""
        scores = np.zeros(len(self.places))
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        for seen, unseen in folds.split(self.places, self._is_danger(self.places)):
            found = self.fit(seen).scores
            scores[unseen] = [
                clearest(found[self._rows[at] : self._rows[at + 1]].tolist()) for at in unseen
            ]
        return scores

    def thresholds(self, scores: Numbers) -> tuple[float, float]:
        dangerous, look_alikes, _ = np.split(scores, self._ends)
        alarm = float(np.quantile(look_alikes, 1 - FALSE_ALARMS))
        calm = min(float(np.quantile(dangerous, DOUBTED)), alarm - 1)
        return round(alarm, 2), round(calm, 2)

    def report(self, scores: Numbers, alarm: float) -> str:
        parts = np.split(scores, self._ends)
        dangerous, look_alikes, ordinary = (float((part >= alarm).mean()) for part in parts)
        return (
            f"学了 {len(scores)} 句。拿没学过的试：有人危险的认出 {dangerous:.1%}，"
            f"像而不是的错报 {look_alikes:.1%}，平常话错报 {ordinary:.1%}（不算词表里的规矩）。"
        )

    def _is_danger(self, places: Places) -> Numbers:
        return np.where(places < self._ends[0], 1.0, 0.0)


def _kinds(sentences: SentencesShape) -> dict[str, dict[str, float]]:
    """For each kind of danger the weights of words and characters."""
    vocabulary = Vocabulary(sentences.words)
    marks = [vocabulary.marks(readings(text)[0]) - {ALWAYS} for _, text in sentences.dangerous]
    table = Table(marks)
    columns = table.common(np.arange(len(marks)))
    model = LogisticRegression(C=_KIND_STRENGTH, max_iter=3000)
    model.fit(table.ones[:, columns], [kind for kind, _ in sentences.dangerous])
    rows = zip(model.classes_, model.coef_, model.intercept_, strict=True)
    return {
        str(kind): {
            ALWAYS: round(float(start), 2),
            **_rounded(table.names[columns], row, least=_LEAST),
        }
        for kind, row, start in rows
    }
