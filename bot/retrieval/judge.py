"""How likely the best entry is right: a small calibrated model over the index's signals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import exp
from pathlib import Path

from bot.errors import ModelError

SHIPPED = Path(__file__).with_name("judge.json")


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


@dataclass(frozen=True, slots=True)
class Judge:
    """Made by `tianwen calibrate`, which also sets the thresholds from the error budget."""

    mean: Mapping[str, float]
    spread: Mapping[str, float]
    right: Scale  # P(the best entry answers the question)
    among: Scale  # P(one of the best three does)
    answer_at: float  # P(right) from which an answer is given outright
    offer_at: float  # P(among) from which choices are offered
    decline_lead: float  # by which a known question without an answer must lead every entry
    made_on: str
    figures: Mapping[str, float] = field(default_factory=dict)  # what was measured then

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Judge:
        """Raises ModelError where the file lacks or does not fit."""
        try:
            shape = json.loads(path.read_text("utf-8"))
            right, among = (Scale(**shape.pop(name)) for name in ("right", "among"))
            judge = cls(**shape, right=right, among=among)
            judge.odds(dict.fromkeys(judge.mean, 0.0))
        except (OSError, ValueError, TypeError, KeyError) as error:
            mend = "重新运行 tianwen calibrate，或者装回原来的文件。"
            raise ModelError(f"判断模型 {path} 读不了（{error}）。{mend}") from error
        return judge

    def save(self, path: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        path.write_text(text + "\n", "utf-8")

    def odds(self, signals: Mapping[str, float]) -> tuple[float, float]:
        """P(right) and P(among) for the signals of one question."""
        standard = self.standard(signals)
        return self.right.probability(standard), self.among.probability(standard)

    def standard(self, signals: Mapping[str, float]) -> dict[str, float]:
        return {
            name: (signals[name] - mean) / self.spread[name] for name, mean in self.mean.items()
        }


NOBODY = Judge({}, {}, Scale(-1e3, {}), Scale(-1e3, {}), 1.0, 1.0, 1e3, "")  # is never sure


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
