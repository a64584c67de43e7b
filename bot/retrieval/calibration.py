"""Fits the judge: from which signals how likely an answer is right, and where to draw the lines.

Learned from check questions, which were written without a look at the entries, and from questions
that have no answer; the latter stand in the index, so each is judged by an index without it.
Thresholds come from probabilities of a model that had not seen the question's topic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from bot.domain import KnowledgeBase, Unanswerable
from bot.retrieval.embedder import Vectors
from bot.retrieval.index import Evidence, Index
from bot.retrieval.judge import Judge, Scale
from bot.retrieval.retriever import Retriever
from bot.retrieval.vectors import Role

_FOLDS = 5
_REGULARISATION = 0.3  # sklearn's C
_OFFERED = 0.997  # of the questions whose entry is among the best three, this many are offered it
_LEAST_SURE = 0.5  # what is more likely wrong than right is never answered outright
_TAKEN = 0.98  # of the questions of our subjects, at least so many are taken for ours
_PARTED = 0.015  # of the messages with one question or none, at most so many are taken for two
_UNANSWERABLE = 0.5  # questions without an answer for one that has one, as farmers ask
_EVERY = 3  # a third of the questions without an answer come right after another question
_STRIDE = 97  # a prime: pairs questions that have nothing to do with each other
_DECLINED = 0.005  # of the questions that have an answer, at most so many are declined

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
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
    """A question and the entries that answer it; `after` is what was asked before, where the
    question goes on from it."""

    text: str
    entries: tuple[str, ...]
    after: str = ""
    is_compound: bool = False  # holds two questions; `entries` answer one each


@dataclass(frozen=True, slots=True)
class _Judged:
    evidence: Evidence
    group: str  # questions of one topic are learned from, or judged, together
    is_right: bool | None = None  # None where no entry is
    is_among: bool = False
    is_ours: bool = True


def calibrate(
    base: KnowledgeBase,
    checks: Sequence[Check],
    build: _Build,
    vectors: _Encode,
    retriever: Callable[[Judge, Index], Retriever],
    budget: Budget,
    made_on: date,
    progress: Callable[[int, int], None] | None = None,
) -> Judge:
    """A judge for `base`. Takes minutes: every question is encoded and weighed."""
    told = progress or (lambda *_: None)
    compound = [check for check in checks if check.is_compound]
    checks = [check for check in checks if not check.is_compound]
    known = _encoded(base, checks, vectors)
    whole = _Asking(build(base), known)
    alone = [whole.judged(check) for check in checks if not check.after]
    going_on = [whole.judged(check) for check in checks if check.after]
    firsts = [check.text for check in checks if not check.after]
    strangers = [replace(check, after=firsts[at]) for check, at in _paired(checks, len(going_on))]
    going_on += [whole.judged(check) for check in strangers]
    told(1, _FOLDS + 1)
    without = [*_without_some(base, build)]
    for done, (left_out, index) in enumerate(without, start=2):
        asking = _Asking(index, known)
        for number, one in enumerate(left_out):
            alone.append(asking.unanswered(one))
            if number % _EVERY == 0:
                going_on.append(asking.unanswered(one, firsts[number * _STRIDE % len(firsts)]))
        told(done, _FOLDS + 1)
    judge = _fitted(alone, going_on, budget, made_on)
    alone_checks = [check for check in checks if not check.after]
    cuts = [*_cuts(retriever(judge, whole.index), [*compound, *alone_checks])]
    for left_out, index in without:
        cuts += _cuts(retriever(judge, index), [Check(one.text, ()) for one in left_out])
    return _parting(judge, cuts, len(compound), len(alone_checks) + len(base.unanswerable))


def _encoded(
    base: KnowledgeBase, checks: Sequence[Check], vectors: _Encode
) -> Mapping[str, Vectors]:
    asked = [text for check in checks for text in (check.text, check.after) if text]
    texts = [*dict.fromkeys([*asked, *(one.text for one in base.unanswerable)])]
    return dict(zip(texts, vectors([("query", text) for text in texts]), strict=True))


def _paired(checks: Sequence[Check], most: int) -> Iterator[tuple[Check, int]]:
    """Some questions that stand alone, each with the place of another, which has nothing to do
    with it: they should not be taken for going on."""
    alone = [check for check in checks if not check.after]
    for number, check in enumerate(alone[:: max(1, len(alone) // max(most, 1))]):
        yield check, (number + 1) * _STRIDE % len(alone)


class _Asking:
    """One index asked check questions."""

    def __init__(self, index: Index, known: Mapping[str, Vectors]) -> None:
        self.index = index
        self._known = known

    def judged(self, check: Check) -> _Judged:
        evidence = self._weigh(check.text, check.after)
        best = [self.index.entries[one].id for one in evidence.order[:3]]
        is_among = bool(set(best) & set(check.entries))
        return _Judged(evidence, check.entries[0], best[0] in check.entries, is_among)

    def unanswered(self, one: Unanswerable, after: str = "") -> _Judged:
        return _Judged(self._weigh(one.text, after), one.text, is_ours=one.domain is not None)

    def _weigh(self, text: str, after: str) -> Evidence:
        before = self.index.weigh(self._known[after], after).own if after else None
        return self.index.weigh(self._known[text], text, after=before)


def _without_some(
    base: KnowledgeBase, build: _Build
) -> Iterator[tuple[Sequence[Unanswerable], Index]]:
    """A part of the questions without an answer, and an index that does not know them."""
    for fold in range(_FOLDS):
        out = base.unanswerable[fold::_FOLDS]
        left = tuple(one for one in base.unanswerable if one not in set(out))
        yield out, build(replace(base, unanswerable=left))


def _fitted(
    alone: Sequence[_Judged], going_on: Sequence[_Judged], budget: Budget, made_on: date
) -> Judge:
    data = _Data.of(alone)
    sure, likely = (data.unseen(target) for target in (data.right, data.among))
    answer_at = _threshold(sure, data, budget)
    leads = np.array([one.evidence.rule_lead for one in alone])[data.has_answer]
    ours = data.unseen(data.ours)
    scaler = StandardScaler().fit(data.signals)
    after = _Data.of(going_on)
    sure_after = after.unseen(after.right)
    after_at = _threshold(sure_after, after, budget)
    return Judge(
        mean=data.named(scaler.mean_),
        spread=data.named(scaler.scale_),
        right=data.scale(data.right, scaler),
        among=data.scale(data.among, scaler),
        ours=data.scale(data.ours, scaler),
        right_after=after.scale(after.right, scaler),
        among_after=after.scale(after.among, scaler),
        apart=Scale(-1e3, {}),
        answer_at=answer_at,
        offer_at=float(np.quantile(likely[data.among], 1 - _OFFERED)),
        decline_lead=max(0.0, float(np.quantile(leads, 1 - _DECLINED))),
        after_at=after_at,
        part_at=1.0,
        ours_at=float(np.quantile(ours[data.ours], 1 - _TAKEN)),
        made_on=made_on.isoformat(),
        figures=_figures(sure, data, answer_at) | _figures_after(sure_after, after, after_at),
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """A message cut in two: its signals, and whether both halves found their answer."""

    signals: Mapping[str, float]
    group: str
    is_right: bool


def _cuts(retriever: Retriever, checks: Iterable[Check]) -> Iterator[_Cut]:
    for check in checks:
        halves = retriever.halves(check.text)
        if halves is None:
            continue
        found = {half.matches[0].entry.id for half in (halves.first, halves.second)}
        if len(found) > 1:
            is_right = check.is_compound and found == set(check.entries)
            yield _Cut(halves.signals(retriever.search(check.text)), check.text, is_right)


def _parting(judge: Judge, cuts: Sequence[_Cut], compound: int, single: int) -> Judge:
    """With `apart` fitted to the cuts of so many messages of two questions, and of one or none."""
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
    part_at = float(wrong[min(int(_PARTED * single), len(wrong) - 1)])
    right = _share((likely[target] > part_at).sum(), compound)
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
    groups: Sequence[str]

    @classmethod
    def of(cls, judged: Sequence[_Judged]) -> _Data:
        names = list(judged[0].evidence.signals)
        return cls(
            names,
            np.array([[one.evidence.signals[name] for name in names] for one in judged]),
            np.array([bool(one.is_right) for one in judged]),
            np.array([one.is_among for one in judged]),
            np.array([one.is_ours for one in judged]),
            np.array([one.is_right is not None for one in judged]),
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
        """As if a third of the questions had no answer, however many of them were written."""
        share = _UNANSWERABLE * self.has_answer.sum() / max((~self.has_answer).sum(), 1)
        return np.where(self.has_answer, 1.0, share)

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
        asked, unasked = answered & data.has_answer, answered & unanswerable
        wrong = _upper(int((asked & ~data.right).sum()), int(asked.sum()), budget)
        loose = _upper(int(unasked.sum()), int(unanswerable.sum()), budget)
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


def _figures_after(sure: Numbers, data: _Data, after_at: float) -> dict[str, float]:
    answered = sure >= after_at
    return {
        "going_on": len(answered),
        "going_on_right": _share((answered & data.right).sum(), len(answered)),
        "going_on_wrong": _share((answered & ~data.right).sum(), len(answered)),
    }


def _share(count: int, among: int) -> float:
    return round(float(count / max(among, 1)), 4)
