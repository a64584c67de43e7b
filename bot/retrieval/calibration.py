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
from sklearn.preprocessing import StandardScaler

from bot.domain import KnowledgeBase
from bot.retrieval.index import Index
from bot.retrieval.judge import NOBODY, Judge, Scale
from bot.retrieval.retriever import Retriever
from bot.retrieval.trials import Build, Check, Cut, Encode, Judged, Trials

_FOLDS = 5
_REGULARISATION = 0.3  # sklearn's C
_OFFERED = 0.997  # of the questions whose entry is among the best three, this many are offered it
_LEAST_SURE = 0.5  # what is more likely wrong than right is never answered outright
_TAKEN = 0.98  # of the questions of our subjects, at least so many are taken for ours
_RARER = 4  # one question in so many goes on from another, so it may be wrong so much oftener
_PARTED = 0.03  # of the messages with one question or none, at most so many are taken for two
_UNANSWERABLE = 0.5  # questions without an answer for one that has one, as farmers ask
# Of the unanswerable among the development questions none has so few characters, of ours a third:
# a short one counts a third.
_SHORT = 1 / 3
_DECLINED = 0.005  # of the questions that have an answer, at most so many are declined

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Budget:
    """The errors allowed, as shares, and how sure we must be that they are kept."""

    wrong: float  # of those answered outright
    unanswerable: float  # answered outright, of those that have no answer
    confidence: float


def calibrate(
    base: KnowledgeBase,
    checks: Sequence[Check],
    build: Build,
    vectors: Encode,
    retriever: Callable[[Judge, Index], Retriever],
    budget: Budget,
    made_on: date,
    progress: Callable[[int, int], None] | None = None,
) -> Judge:
    """A judge for `base`. Takes minutes: every question is encoded and weighed."""
    told = progress or (lambda *_: None)
    trials = Trials(base, checks, build, vectors)
    judge = _judging_alone(trials.alone(), budget, made_on)
    told(1, 3)
    judge = _judging_after(judge, trials.going_on(judge), budget)
    told(2, 3)
    judge = _parting(judge, trials.cuts(judge, retriever), trials.compound, trials.singles)
    told(3, 3)
    return judge


def _judging_alone(judged: Sequence[Judged], budget: Budget, made_on: date) -> Judge:
    data = _Data.of(judged)
    sure, likely, ours = map(data.unseen, (data.right, data.among, data.ours))
    answer_at = _threshold(sure, data, budget)
    leads = np.array([one.evidence.rule_lead for one in judged])[data.has_answer]
    scaler = StandardScaler().fit(data.signals)
    return replace(
        NOBODY,
        mean=data.named(scaler.mean_),
        spread=data.named(scaler.scale_),
        right=data.scale(data.right, scaler),
        among=data.scale(data.among, scaler),
        ours=data.scale(data.ours, scaler),
        answer_at=answer_at,
        offer_at=float(np.quantile(likely[data.among], 1 - _OFFERED)),
        decline_lead=max(0.0, float(np.quantile(leads, 1 - _DECLINED))),
        ours_at=float(np.quantile(ours[data.ours], 1 - _TAKEN)),
        made_on=made_on.isoformat(),
        figures=_figures(sure, data, answer_at),
    )


def _judging_after(judge: Judge, trials: tuple[list[Judged], int], budget: Budget) -> Judge:
    """With what tells whether words go on from the question before."""
    judged, following = trials
    data = _Data.of(judged)
    sure = data.unseen(data.right)
    at = _threshold(sure, data, replace(budget, wrong=_RARER * budget.wrong))
    # What the judge has learnt stays its measure: signals are told by one mean and spread.
    scaler = StandardScaler().fit(data.signals)
    scaler.mean_ = np.array([judge.mean[name] for name in data.names])
    scaler.scale_ = np.array([judge.spread[name] for name in data.names])
    return replace(
        judge,
        right_after=data.scale(data.right, scaler),
        among_after=data.scale(data.among, scaler),
        after_at=at,
        figures={**judge.figures, **_figures_after(sure, data, following, at)},
    )


def _parting(judge: Judge, cuts: Sequence[Cut], compound: int, single: int) -> Judge:
    """With `apart` fitted to the cuts of so many messages of two questions, and of one or none."""
    if len({cut.is_right for cut in cuts}) < 2:
        return replace(judge, figures={**judge.figures, "compound": compound, "compound_right": 0})
    names, target = list(cuts[0].signals), np.array([cut.is_right for cut in cuts])
    signals = np.array([[cut.signals[name] for name in names] for cut in cuts])
    groups = [cut.group for cut in cuts]
    likely = cross_val_predict(
        _model(), signals, target, groups=groups, cv=GroupKFold(_FOLDS), method="predict_proba"
    )[:, 1]
    fitted = _model().fit(signals, target)
    weights = zip(names, fitted.coef_[0], strict=True)
    scale = Scale(float(fitted.intercept_[0]), {name: float(one) for name, one in weights})
    wrong = np.sort(likely[~target])[::-1]
    most = wrong[min(int(_PARTED * single), len(wrong) - 1)] if len(wrong) else 0.5
    part_at = float(np.nextafter(most, 1))
    right = _share((likely[target] >= part_at).sum(), compound)
    figures = {**judge.figures, "compound": compound, "compound_right": right}
    return replace(judge, apart=scale, part_at=part_at, figures=figures)


@dataclass(frozen=True, slots=True)
class _Data:
    """Questions as rows of signals, with what is to be learnt of them."""

    names: Sequence[str]
    signals: Numbers
    right: Marks
    among: Marks
    ours: Marks
    has_answer: Marks
    is_short: Marks
    groups: Sequence[str]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> _Data:
        names = list(judged[0].evidence.signals)
        return cls(
            names,
            np.array([[one.evidence.signals[name] for name in names] for one in judged]),
            np.array([bool(one.is_right) for one in judged]),
            np.array([one.is_among for one in judged]),
            np.array([one.is_ours for one in judged]),
            np.array([one.is_right is not None for one in judged]),
            np.array([one.is_short for one in judged]),
            [one.group for one in judged],
        )

    def unseen(self, target: Marks) -> Numbers:
        """The probability of each question by a model that saw no question of its topic."""
        chances = np.empty(len(target))
        for seen, unseen in GroupKFold(_FOLDS).split(self.signals, target, self.groups):
            scaler = StandardScaler().fit(self.signals[seen])
            known, asked = (scaler.transform(self.signals[some]) for some in (seen, unseen))
            fitted = _model().fit(known, target[seen], self.weights[seen])
            chances[unseen] = fitted.predict_proba(asked)[:, 1]
        return chances

    @property
    def weights(self) -> Numbers:
        """As if a third of the questions had no answer, however many of them were written, and
        fewer of these were mere keywords."""
        none = np.where(self.is_short, _SHORT, 1.0) * ~self.has_answer
        share = _UNANSWERABLE * self.has_answer.sum() / max(none.sum(), 1.0)
        return np.where(self.has_answer, 1.0, share * none)

    def scale(self, target: Marks, scaler: StandardScaler) -> Scale:
        fitted = _model().fit(scaler.transform(self.signals), target, self.weights)
        return Scale(float(fitted.intercept_[0]), self.named(fitted.coef_[0]))

    def named(self, values: Numbers) -> Mapping[str, float]:
        pairs = zip(self.names, values, strict=True)
        return {name: round(float(value), 6) for name, value in pairs}


def _model() -> LogisticRegression:
    return LogisticRegression(C=_REGULARISATION, max_iter=2000)


def _threshold(sure: Numbers, data: _Data, budget: Budget) -> float:
    """The lowest probability at which both errors stay in the budget with its confidence. Those
    of our subjects are the harder ones to tell, so they alone count as unanswerable."""
    unanswerable = ~data.has_answer & data.ours
    for at in np.unique(sure[sure >= _LEAST_SURE]):
        answered = sure >= at
        asked, counted = answered & data.has_answer, data.weights * unanswerable
        wrong = _upper((asked & ~data.right).sum() / max(asked.sum(), 1), asked.sum(), budget)
        loose = _upper(
            np.average(answered, weights=counted) if counted.any() else 0,
            unanswerable.sum(),
            budget,
        )
        if wrong <= budget.wrong and loose <= budget.unanswerable:
            return float(at)
    return 1.0


def _upper(share: float, among: int, budget: Budget) -> float:
    """The upper end of Wilson's one-sided interval (JASA 22, 1927, 209-212)."""
    if not among:
        return 1.0
    z = NormalDist().inv_cdf(budget.confidence)
    centre = share + z * z / (2 * among)
    spread = z * np.sqrt(share * (1 - share) / among + (z / (2 * among)) ** 2)
    return float((centre + spread) / (1 + z * z / among))


def _figures(sure: Numbers, data: _Data, answer_at: float) -> dict[str, float]:
    answered = sure >= answer_at
    asked, near = int(data.has_answer.sum()), ~data.has_answer & data.ours
    far = ~data.has_answer & ~data.ours
    return {
        "questions": asked,
        "answered_right": _share((answered & data.right).sum(), asked),
        "answered_wrong": _share((answered & ~data.right & data.has_answer).sum(), asked),
        "unanswerable": int(near.sum()),
        "unanswerable_answered": _share((answered & near).sum(), int(near.sum())),
        "elsewhere": int(far.sum()),
        "elsewhere_answered": _share((answered & far).sum(), int(far.sum())),
    }


def _figures_after(sure: Numbers, data: _Data, following: int, after_at: float) -> dict[str, float]:
    """Of the questions that do go on, which come first, and of those that only seem to."""
    answered, others = sure >= after_at, len(sure) - following
    return {
        "going_on": following,
        "going_on_right": _share((answered & data.right)[:following].sum(), following),
        "going_on_wrong": _share((answered & ~data.right)[:following].sum(), following),
        "not_going_on": others,
        "not_going_on_wrong": _share((answered & ~data.right)[following:].sum(), others),
    }


def _share(count: int, among: int) -> float:
    return round(float(count / max(among, 1)), 4)
