"""Fits the judge: from which signals how likely an answer is right, and where to draw the lines.

Learned from check questions, which were written without a look at the entries, and from questions
that have no answer; the latter stand in the index, so each is judged by an index without it.
Thresholds come from probabilities of a model that had not seen the question's topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from bot.domain import KnowledgeBase
from bot.retrieval.embedder import Vectors
from bot.retrieval.index import Evidence, Index
from bot.retrieval.judge import Judge, Scale
from bot.retrieval.vectors import Role

_FOLDS = 5
_REGULARISATION = 0.3  # sklearn's C
_OFFERED = 0.99  # of the questions whose entry is among the best three, this many are offered it
_LEAST_SURE = 0.5  # what is more likely wrong than right is never answered outright
_DECLINED = 0.005  # of the questions that have an answer, at most so many are declined

Numbers = NDArray[np.float64]
_Build = Callable[[KnowledgeBase], Index]
_Encode = Callable[[Sequence[tuple[Role, str]]], Vectors]


@dataclass(frozen=True, slots=True)
class Budget:
    """The errors allowed, as shares, and how sure we must be that they are kept."""

    wrong: float  # of those answered outright
    unanswerable: float  # answered outright, of those that have no answer
    confidence: float


@dataclass(frozen=True, slots=True)
class Check:
    """A question and the entries that answer it."""

    text: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    evidence: Evidence
    group: str  # questions of one topic are learned from, or judged, together
    is_right: bool | None = None  # None where no entry is
    is_among: bool = False


def calibrate(
    base: KnowledgeBase,
    checks: Sequence[Check],
    build: _Build,
    vectors: _Encode,
    budget: Budget,
    made_on: date,
    progress: Callable[[int, int], None] | None = None,
) -> Judge:
    """A judge for `base`. Takes minutes: every question is encoded and weighed."""
    judged = _asked(build(base), checks, vectors)
    if progress:
        progress(1, 2)
    judged += _unanswered(base, build, vectors)
    if progress:
        progress(2, 2)
    return _fitted(judged, budget, made_on)


def _asked(index: Index, checks: Sequence[Check], vectors: _Encode) -> list[_Judged]:
    queries = vectors([("query", check.text) for check in checks])
    judged = []
    for check, query in zip(checks, queries, strict=True):
        evidence = index.weigh(query, check.text)
        best = [index.entries[one].id for one in evidence.order[:3]]
        is_among = bool(set(best) & set(check.entries))
        is_right = best[0] in check.entries
        judged.append(_Judged(evidence, check.entries[0], is_right, is_among))
    return judged


def _unanswered(base: KnowledgeBase, build: _Build, vectors: _Encode) -> list[_Judged]:
    judged = []
    for fold in range(_FOLDS):
        out = base.unanswerable[fold::_FOLDS]
        left = tuple(text for text in base.unanswerable if text not in set(out))
        index = build(replace(base, unanswerable=left))
        queries = vectors([("query", text) for text in out])
        for text, query in zip(out, queries, strict=True):
            judged.append(_Judged(index.weigh(query, text), text))
    return judged


def _fitted(judged: Sequence[_Judged], budget: Budget, made_on: date) -> Judge:
    names = list(judged[0].evidence.signals)
    signals = np.array([[one.evidence.signals[name] for name in names] for one in judged])
    right = np.array([bool(one.is_right) for one in judged])
    among = np.array([one.is_among for one in judged])
    has_answer = np.array([one.is_right is not None for one in judged])
    groups = [one.group for one in judged]
    sure, likely = (_unseen(signals, target, groups) for target in (right, among))
    answer_at = _threshold(sure, right, has_answer, budget)
    leads = np.array([one.evidence.rule_lead for one in judged])[has_answer]
    scaler = StandardScaler().fit(signals)
    return Judge(
        mean=_named(names, scaler.mean_),
        spread=_named(names, scaler.scale_),
        right=_scale(names, signals, right),
        among=_scale(names, signals, among),
        answer_at=answer_at,
        offer_at=float(np.quantile(likely[among], 1 - _OFFERED)),
        decline_lead=max(0.0, float(np.quantile(leads, 1 - _DECLINED))),
        made_on=made_on.isoformat(),
        figures=_figures(sure, right, has_answer, answer_at),
    )


def _model() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=_REGULARISATION, max_iter=2000))


def _unseen(signals: Numbers, target: NDArray[np.bool_], groups: Sequence[str]) -> Numbers:
    """The probability of each question by a model that saw no question of its topic."""
    folds = GroupKFold(_FOLDS)
    odds = cross_val_predict(
        _model(), signals, target, groups=groups, cv=folds, method="predict_proba"
    )
    probabilities: Numbers = odds[:, 1]
    return probabilities


def _scale(names: Sequence[str], signals: Numbers, target: NDArray[np.bool_]) -> Scale:
    fitted = _model().fit(signals, target)[-1]
    return Scale(float(fitted.intercept_[0]), _named(names, fitted.coef_[0]))


def _named(names: Sequence[str], values: Numbers) -> Mapping[str, float]:
    return {name: round(float(value), 6) for name, value in zip(names, values, strict=True)}


def _threshold(
    sure: Numbers, right: NDArray[np.bool_], has_answer: NDArray[np.bool_], budget: Budget
) -> float:
    """The lowest probability at which both errors stay in the budget with its confidence."""
    for at in np.unique(sure[sure >= _LEAST_SURE]):
        answered = sure >= at
        asked, unasked = answered & has_answer, answered & ~has_answer
        wrong = _upper(int((asked & ~right).sum()), int(asked.sum()), budget)
        loose = _upper(int(unasked.sum()), int((~has_answer).sum()), budget)
        if wrong <= budget.wrong and loose <= budget.unanswerable:
            return float(at)
    return 1.0


def _upper(count: int, among: int, budget: Budget) -> float:
    """The upper end of Wilson's one-sided interval (JASA 22, 1927, 209-212)."""
    if not among:
        return 1.0
    z = NormalDist().inv_cdf(budget.confidence)
    share = count / among
    centre = share + z * z / (2 * among)
    spread = z * np.sqrt(share * (1 - share) / among + (z / (2 * among)) ** 2)
    return float((centre + spread) / (1 + z * z / among))


def _figures(
    sure: Numbers, right: NDArray[np.bool_], has_answer: NDArray[np.bool_], answer_at: float
) -> dict[str, float]:
    answered = sure >= answer_at
    asked, unasked = int(has_answer.sum()), int((~has_answer).sum())
    return {
        "questions": asked,
        "unanswerable": unasked,
        "answered_right": round(float((answered & right).sum() / asked), 4),
        "answered_wrong": round(float((answered & ~right & has_answer).sum() / asked), 4),
        "unanswerable_answered": round(float((answered & ~has_answer).sum() / unasked), 4),
    }
