"""How likely the best entry is right: a small calibrated model over the index's signals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import exp
from pathlib import Path
from typing import NamedTuple

from bot.errors import ModelError

SHIPPED = Path(__file__).with_name("judge.json")
_SCALES = ("right", "among", "ours", "right_after", "among_after", "apart")


@dataclass(frozen=True, slots=True)
class Scale:
    """Logistic regression over standardised signals: one weight a signal."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, signals: Mapping[str, float]) -> float:
        return _logistic(self.intercept + sum(self.parts(signals).values()))

    def parts(self, signals: Mapping[str, float]) -> dict[str, float]:
        """What each signal adds to the log odds."""
        return {name: weight * signals[name] for name, weight in self.weights.items()}


class Odds(NamedTuple):
    """Probabilities about one question."""

    right: float  # the best entry answers it
    among: float  # one of the best three does
    ours: float  # it belongs to one of our subjects


@dataclass(frozen=True, slots=True)
class Judge:
    """Made by `tianwen calibrate`, which also sets the thresholds from the error budget."""

    mean: Mapping[str, float]
    spread: Mapping[str, float]
    right: Scale
    among: Scale
    ours: Scale
    right_after: Scale  # for what is read as going on from the question before
    among_after: Scale
    apart: Scale  # P(a message cut in two holds two questions, both found); plain signals
    answer_at: float  # P(right) from which an answer is given outright
    after_at: float  # the same for what goes on from the question before
    offer_at: float  # P(among) from which choices are offered
    decline_lead: float  # by which a known question without an answer must lead every entry
    part_at: float  # P(apart) from which two answers are given
    ours_at: float  # P(ours) from which a question is taken to a subject's commissioner
    made_on: str
    figures: Mapping[str, float] = field(default_factory=dict)  # what was measured then

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Judge:
        """Raises ModelError where the file lacks or does not fit."""
        try:
            shape = json.loads(path.read_text("utf-8"))
            judge = cls(**shape | {name: Scale(**shape[name]) for name in _SCALES})
            judge.odds(dict.fromkeys(judge.mean, 0.0))
        except (OSError, ValueError, TypeError, KeyError) as error:
            mend = "重新运行 tianwen calibrate，或者装回原来的文件。"
            raise ModelError(f"判断模型 {path} 读不了（{error}）。{mend}") from error
        return judge

    def save(self, path: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        path.write_text(text + "\n", "utf-8")

    def odds(self, signals: Mapping[str, float], *, goes_on: bool = False) -> Odds:
        """`goes_on`: the signals hold what the question before found."""
        standard = self.standard(signals)
        right, among = (self.right_after, self.among_after) if goes_on else (self.right, self.among)
        return Odds(*(scale.probability(standard) for scale in (right, among, self.ours)))

    def standard(self, signals: Mapping[str, float]) -> dict[str, float]:
        return {
            name: (signals[name] - mean) / self.spread[name] for name, mean in self.mean.items()
        }


_NEVER = Scale(-1e3, {})
NOBODY = Judge(  # is never sure
    {}, {}, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, 1.0, 1.0, 1.0, 1e3, 1.0, 1.0, ""
)


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
